"""`passerelle try`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.custody import SECRETS
from tests.unit.operations.test_trying import ROUTES
from tests.unit.routes.conftest import SMALL
from tests.unit.trials.conftest import ADT, ROUTE

SHOWN = """\
adt.hl7 from gam, site cha, ADT^A01
when: event != Z99: holds
  1 set  routes.yaml:35
      PV1-4  (absent) -> R
  2 drop: passed over  routes.yaml:37
  3 map  routes.yaml:39
  4 tag  routes.yaml:40
      tag:seen
to dpi
  1-0: 173 bytes, 1 lane
to bus
    1 render  routes.yaml:43
        body  {"unit":"1010"}
  1-1 as ght/cha/adt/A01: 15 bytes, 1 lane
outcome: it is delivered to dpi, it is delivered to bus; nothing was sent
"""


@pytest.fixture
def written(data: Path) -> Path:
    """A configuration and a message of one's own."""
    root = data.parent
    (root / "adt.hl7").write_bytes(ADT.replace("\n", "\r").encode())
    (root / "codes.csv").write_text("code,to\nK,C\n")
    (root / "routes.yaml").write_text(SMALL + "tables: { codes: codes.csv }\n" + ROUTE)
    return root


def test_a_file(passerelle, written):
    """Step by step, with the values of one's own file; no engine is needed."""
    done = passerelle("try", "r", str(written / "adt.hl7"), "--source", "gam")
    assert done.exit_code == 0
    assert done.stdout.replace(str(written), "") == SHOWN
    assert json.loads(passerelle("--json", "try", "r", str(written / "adt.hl7"), "--source", "gam").stdout)["wanted"]


def test_what_no_step_says(passerelle, written):
    """Findings of reading the message are told too, once each."""
    (written / "odd.hl7").write_bytes((written / "adt.hl7").read_bytes() + b"ZZZ|a\x00b\x00c\r")
    done = passerelle("try", "r", str(written / "odd.hl7"), "--source", "gam")
    assert done.stdout.splitlines()[-2] == "finding: control-character"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["try", "r"], 2, "give a FILE, or --message ID"),
        (["try", "r", "adt.hl7"], 2, "from which source? --source gam | lis"),
        (["try", "x", "adt.hl7"], 1, "there is no route x"),
        (["try", "other", "adt.hl7", "--source", "lis"], 1, "takes nothing from lis"),
        (["try", "other", "none.hl7"], 2, "there is no file"),
        (["try", "other", "codes.csv"], 1, "gam would refuse it"),
    ],
)
def test_refused(passerelle, written, arguments, code, words, monkeypatch):
    """Usage, and what no source would take."""
    monkeypatch.chdir(written)
    done = passerelle(*arguments)
    assert done.exit_code == code
    assert words in done.stderr


def test_a_route_that_does_not_want_it(passerelle, written):
    """Says so of the route that was named, whatever others would do with it."""
    text = (written / "routes.yaml").read_text()
    (written / "routes.yaml").write_text(text.replace("event != Z99", "event == Z99"))
    done = passerelle("try", "r", str(written / "adt.hl7"), "--source", "gam")
    assert done.exit_code == 0
    assert "when: event == Z99: doesn't hold\n" in done.stdout
    last = "the route r doesn't want it; passerelle explain r says which condition doesn't hold; nothing was sent"
    assert done.stdout.splitlines()[-1] == f"outcome: {last}"


def test_a_stored_message(passerelle, live, data):
    """Asked of the running engine, under the file as it is on disk; masked."""
    (data.parent / "routes.yaml").write_text(ROUTES)
    done = passerelle("try", "adt", "--message", "1")
    assert done.exit_code == 0, done.stderr
    assert "MSH-3  GAM -> PASSERELLE" in done.stdout
    assert not [secret for secret in SECRETS if secret in done.stdout]
    assert "masked" in done.stderr
    done = passerelle("try", "adt", "--message", "1", "--reveal", "--reason", "ticket 7")
    assert "PID-5.1  ZUBROWKA -> zubrowka" in done.stdout
