"""Tests of routes as they are written: what is wrong in one is a finding, with its line."""

from __future__ import annotations

import pytest

from engine.routes import check
from engine.routes.casereading import test_files as files_of_tests
from tests.unit.trials.conftest import loaded

__all__ = ["loaded"]


@pytest.mark.parametrize(
    ("test", "code"),
    [
        ("{ given: adt.hl7, expect: { dpi: delivered } }", "E105"),
        ("{ name: t, given: adt.hl7, expect: { dpi: delivered } }", "E105"),  # from gam or from lis?
        ("{ name: t, source: gam, given: adt.hl7, expect: {} }", "E107"),
        ("{ name: t, source: gam, given: adt.hl7, expect: dpi }", "E106"),
        ("{ name: t, source: gam, given: [], expect: { dpi: delivered } }", "E107"),
        ("{ name: t, source: gma, given: adt.hl7, expect: { dpi: delivered } }", "E116"),
        ("{ name: t, source: gam, given: none.hl7, expect: { dpi: delivered } }", "E124"),
        ("{ name: t, source: gam, given: adt.hl7, expect: { dip: delivered } }", "E116"),
        ("{ name: t, source: gam, given: adt.hl7, expect: { dpi: sent } }", "E110"),
        ("{ name: t, source: gam, given: adt.hl7, expect: { dpi: { PID-45: x } } }", "E137"),
        ("{ name: t, source: gam, given: adt.hl7, expect: { dpi: { PID: x } } }", "E112"),
        ("{ name: t, source: gam, given: adt.hl7, expect: { dpi: { 'PID-3[@ipq].1': x } } }", "E133"),
        ("{ name: t, source: gam, given: adt.hl7, expect: { dpi: { that: PID-3 = x } } }", "E113"),
        ("{ name: t, source: gam, given: adt.hl7, expect: { dpi: { oder: [adt] } } }", "E104"),
        ("{ name: t, source: gam, given: adt.hl7, expect: { dpi: { order: [atd] } } }", "E116"),
        ("{ name: t, source: gam, given: adt.hl7, expect: { dpi: [ x ] } }", "E106"),
        ("{ name: t, source: gam, given: adt.hl7, expect: { filtered: yes, unrouted: yes } }", "E118"),
        ("{ name: t, source: gam, given: adt.hl7, expect: { site: chx } }", "E116"),
        ("{ name: t, source: gam, given: adt.hl7, expect: { messages: { b: { filtered: yes } } } }", "E116"),
        ("{ name: t, source: gam, given: [adt.hl7, adt.hl7], expect: { dpi: delivered } }", "E102"),
        ("{ name: t, source: gam, given: { file: adt.hl7, message: x }, expect: { dpi: delivered } }", "E105"),
        ("{ name: t, source: gam, given: { file: adt.hl7, with: { PID: x } }, expect: { dpi: delivered } }", "E112"),
        ("{ name: t, route: other, source: gam, given: adt.hl7, expect: { dpi: delivered } }", "E118"),
    ],
)
def test_findings(loaded, test, code):
    """Each with its code, on the line of the test."""
    made = loaded(f"      - {test}")
    assert made.codes == [code]
    assert made.configuration is None
    assert made.findings[0].hint


def test_a_production_ins_is_refused(loaded, tmp_path):
    """Nobody pastes a real patient into a fixture; the test OID is fine."""
    line = "      - { name: t, source: gam, given: ins.hl7, expect: { dpi: delivered } }"
    for oid, codes in (("1.2.250.1.213.1.4.8", ["E150"]), ("1.2.250.1.213.1.4.10", [])):
        (tmp_path / "ins.hl7").write_text(
            f"MSH|^~\\&|A||||||ADT^A01|1|P|2.5\rPID|1||1^^^ASIP-SANTE-INS-NIR&{oid}&ISO^INS\r"
        )
        assert loaded(line).codes == codes


def test_files(loaded):
    """A file of tests names routes; findings cite its lines."""
    good = "tests:\n  - { name: t, route: r, source: gam, given: ../adt.hl7, expect: { dpi: delivered } }\n"
    made = loaded("", {"routes/a_test.yaml": good})
    [case] = made.configuration.cases
    assert (case.route, case.mark.file, case.given[0].name) == ("r", "routes/a_test.yaml", "adt")
    made = loaded("", {"routes/a_test.yaml": good.replace("route: r", "route: x")})
    assert [(one.code, one.mark.file, one.mark.line) for one in made.findings] == [("E116", "routes/a_test.yaml", 2)]
    assert loaded("", {"a_test.yaml": "test: []\n"}).codes == ["E104"]


def test_files_are_found(tmp_path):
    """Beside routes.yaml, below routes/ and tests/; nowhere else."""
    for name in ("a_test.yaml", "routes/b/c_test.yaml", "tests/d_test.yaml", "data/e_test.yaml", "routes/f.yaml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = [str(path.relative_to(tmp_path)) for path in files_of_tests(tmp_path)]
    assert found == ["a_test.yaml", "routes/b/c_test.yaml", "tests/d_test.yaml"]


def test_the_engine_reads_no_test(loaded, tmp_path):
    """A fixture that isn't on the server is no obstacle to run."""
    loaded("      - { name: t, source: gam, given: none.hl7, expect: { dpi: delivered } }")
    configuration, findings = check(tmp_path / "routes.yaml", environment={})
    assert configuration is not None
    assert (configuration.cases, findings) == ((), [])
