"""`passerelle test`."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.unit.routes.conftest import SMALL
from tests.unit.trials.conftest import ADT, ROUTE

TESTS = """    tests:
      - { name: fine, source: gam, given: adt.hl7, expect: { dpi: { PV1-4: R } } }
      - { name: wrong, source: gam, given: adt.hl7, expect: { dpi: { PV1-4: X } } }
"""


@pytest.fixture
def written(data: Path) -> Path:
    """A configuration with a test that passes and one that fails, and a file of tests."""
    root = data.parent
    (root / "adt.hl7").write_bytes(ADT.replace("\n", "\r").encode())
    (root / "codes.csv").write_text("code,to\nK,C\n")
    text = SMALL + "tables: { codes: codes.csv }\n" + ROUTE.replace("  other:\n", f"{TESTS}  other:\n")
    (root / "routes.yaml").write_text(text)
    (root / "more_test.yaml").write_text(
        "tests:\n  - { name: archived, source: gam, given: adt.hl7, expect: { raw: delivered, dpi: delivered } }\n"
    )
    return root


def test_all(passerelle, written):
    """Those of routes and files; one that fails makes the exit code 1."""
    done = passerelle("test")
    assert done.exit_code == 1
    assert "FAILED r: wrong" in done.stdout
    assert "PV1-4 is R, not X" in done.stdout
    assert done.stderr.startswith("2 tests passed, 1 failed, ")


def test_by_name(passerelle, written):
    """-k chooses by a part of route or name."""
    done = passerelle("test", "-k", "R: FINE")
    assert (done.exit_code, done.stdout.startswith("1 test passed, ")) == (0, True)
    assert passerelle("test", "-k", "nothing like it").exit_code == 1


def test_by_file(passerelle, written):
    """Only the tests of the files that are named."""
    done = passerelle("test", str(written / "more_test.yaml"))
    assert (done.exit_code, done.stdout.startswith("1 test passed, ")) == (0, True)
    assert passerelle("test", str(written / "none_test.yaml")).exit_code == 2


def test_junit_and_json(passerelle, written):
    """For build servers, and for programs."""
    passerelle("test", "--junit", str(written / "out.xml"))
    root = ET.fromstring((written / "out.xml").read_bytes())
    assert (root.get("tests"), root.get("failures")) == ("3", "1")
    lines = [json.loads(line) for line in passerelle("--json", "test").stdout.splitlines()]
    assert [(line["test"], line["passed"]) for line in lines] == [
        ("r: fine", True), ("r: wrong", False), ("archived", True),
    ]  # fmt: skip


def test_refused(passerelle, written):
    """A test that can't be read, like a route that can't, is exit code 78; lint says it too."""
    text = (written / "routes.yaml").read_text()
    (written / "routes.yaml").write_text(
        text.replace("given: adt.hl7, expect: { dpi: { PV1-4: R", "given: adt.hl8, expect: { dpi: { PV1-4: R")
    )
    for command in ("test", "lint"):
        done = passerelle(command)
        assert done.exit_code == 78
        assert "E124" in done.output
    (written / "routes.yaml").unlink()
    assert passerelle("test").exit_code == 78


def test_no_tests(passerelle, written):
    """Nothing to run is told, and isn't success."""
    (written / "more_test.yaml").unlink()
    (written / "routes.yaml").write_text((written / "routes.yaml").read_text().replace(TESTS, ""))
    done = passerelle("test")
    assert done.exit_code == 1
    assert "there are no tests" in done.stderr
