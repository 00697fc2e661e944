"""`passerelle explain`."""

from __future__ import annotations

import json

import pytest

from tests.support.custody import SECRETS
from tests.unit.operations.test_trying import ROUTES
from tests.unit.routes.conftest import SMALL
from tests.unit.trials.conftest import ADT
from tests.unit.trials.test_explaining import ROUTES as CONDITIONS

SHOWN = """\
adt.hl7 from gam, site cha, ADT^A01
the route r wants it
  true   type == ADT and (PID-8 == M or not PID-3[*].1 in [999])
  true     type == ADT                                    type: ADT
  true     any of
  false      PID-8 == M                                   PID-8: F
  true       not
  false        PID-3[*].1 in [999]                        PID-3[*].1: 111, AR9
to dpi: has no condition
to bus: doesn't want it
  false  PID-8 == M and event == A02
  true     PID-8 == M                                     PID-8: M
  false    event == A02                                   event: A01
to raw: fails on it
  fails  length(PID-5.1) < 10 and PID-5.1 > 3
  true     length(PID-5.1) < 10                           length(PID-5.1): 3
  fails    PID-5.1 > 3                                    PID-5.1: DOE
           E-COMPARE PID-5.1: > compares a number with what is none
"""


@pytest.fixture
def written(data):
    root = data.parent
    (root / "adt.hl7").write_bytes(ADT.replace("\n", "\r").encode())
    (root / "routes.yaml").write_text(SMALL + CONDITIONS)
    return root


def test_a_file(passerelle, written):
    """Clause by clause, with the values of one's own file; no engine is needed."""
    done = passerelle("explain", "r", str(written / "adt.hl7"), "--source", "gam")
    assert done.exit_code == 0, done.stderr
    assert done.stdout.startswith(SHOWN)
    assert json.loads(passerelle("--json", "explain", "r", str(written / "adt.hl7"), "--source", "gam").stdout)["asked"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["explain", "r"], 2, "give a FILE, or --message ID"),
        (["explain", "r", "adt.hl7"], 2, "from which source? --source gam | lis"),
        (["explain", "x", "adt.hl7"], 1, "there is no route x"),
        (["explain", "r", "none.hl7", "--source", "gam"], 2, "there is no file"),
    ],
)
def test_usage(passerelle, written, arguments, code, words, monkeypatch):
    """What is missing is said."""
    monkeypatch.chdir(written)
    done = passerelle(*arguments)
    assert done.exit_code == code
    assert words in done.stderr


def test_a_stored_message(passerelle, live, data):
    """Asked of the running engine, under the file as it is on disk; masked."""
    text = ROUTES.replace("from: [gam_cha]\n", "from: [gam_cha]\n    when: PID-5.1 == X\n")
    (data.parent / "routes.yaml").write_text(text)
    done = passerelle("explain", "adt", "--message", "1")
    assert done.exit_code == 0, done.stderr
    assert "false  PID-5.1 == X" in done.stdout
    assert not [secret for secret in SECRETS if secret in done.stdout]
    assert "masked" in done.stderr
    done = passerelle("explain", "adt", "--message", "1", "--reveal", "--reason", "ticket 7")
    assert "PID-5.1: ZUBROWKA" in done.stdout


def test_a_route_without_condition(passerelle, written):
    """It says that it wants everything."""
    (written / "routes.yaml").write_text(SMALL + "routes:\n  r: { from: [gam, lis], to: [dpi, bus, raw] }\n")
    done = passerelle("explain", "r", str(written / "adt.hl7"), "--source", "gam")
    assert "has no condition: it wants every message" in done.stdout
