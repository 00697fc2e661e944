"""`passerelle table`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

ROUTES = """
version: 1
tables: { uf: uf.csv, old: old.csv }
sites: { cha: { finess_ej: "000000026", authorities: { ipp: { oid: 1.2.3.1, hd1: A, type: PI } } } }
sources: { gam: { type: mllp, site: cha, listen: "127.0.0.1:6101" } }
destinations: { dpi: { type: mllp, connect: "127.0.0.1:5500" } }
routes:
  r:
    from: [gam]
    steps:
      - map: { field: PV1-3.1, table: uf, match: { site: "{site}", code: "{value}" }, take: dpi, on_missing: keep }
      - map: { field: PV1-3.2, table: old, at: MSH-7, take: to, on_missing: keep }
    to: [dpi]
"""
UF = "#key: site,code\nsite,code,dpi\ncha,1010,T1\ncha,*,T9\n"
OLD = "code;to;valid_from\n1;a;01/01/2025\n1;b;01/01/2026\n"


@pytest.fixture
def written(data: Path) -> Path:
    """A configuration with two tables."""
    root = data.parent
    (root / "routes.yaml").write_text(ROUTES)
    (root / "uf.csv").write_text(UF)
    (root / "old.csv").write_text(OLD)
    return root


def test_lookup(passerelle, written):
    """The row that `map` would take; one word alone is about the first key column."""
    done = passerelle("table", "lookup", "uf", "site=cha", "code=1010")
    assert (done.exit_code, done.output) == (0, "site  cha\ncode  1010\ndpi   T1\n")
    assert "T9" in passerelle("table", "lookup", "uf", "site=cha", "code=7").output
    assert json.loads(passerelle("--json", "table", "lookup", "uf", "cha", "code=7").output)["dpi"] == "T9"


def test_lookup_at_a_day(passerelle, written):
    """A table with dates is asked for a day."""
    assert "to          a" in passerelle("table", "lookup", "old", "1", "--at", "2025-12-31").output
    assert "to          b" in passerelle("table", "lookup", "old", "1", "--at", "20260101").output
    assert passerelle("table", "lookup", "old", "1").exit_code == 2


def test_lookup_of_one_of_several_rows(passerelle, written):
    """A code of two hospitals isn't answered by one of them: what tells the rows apart is asked for."""
    assert "T1" in passerelle("table", "lookup", "uf", "code=1010").output
    (written / "uf.csv").write_text(UF + "chb,1010,T2\n")
    done = passerelle("table", "lookup", "uf", "code=1010")
    assert done.exit_code == 1
    assert "uf has 2 rows for code=1010: say site too (site=cha; site=chb)" in done.stderr
    assert "T2" in passerelle("table", "lookup", "uf", "code=1010", "site=chb").output


def test_lookup_without_answer(passerelle, written):
    """No row is a negative answer; no table and no column are usage."""
    done = passerelle("table", "lookup", "uf", "site=chb", "code=1010")
    assert done.exit_code == 1
    assert "has no row for site=chb, code=1010" in done.stderr
    assert passerelle("table", "lookup", "fu", "x").exit_code == 1
    assert "there are uf, old" in passerelle("table", "lookup", "fu", "x").stderr
    assert passerelle("table", "lookup", "uf", "town=x").exit_code == 1


def test_lint(passerelle, written):
    """Warnings are told and are no obstacle; one table by its name."""
    done = passerelle("table", "lint")
    assert done.exit_code == 0
    assert "old.csv:1:5: warning W203" in done.output
    assert "uf, old: fine, 1 finding" in done.output
    assert passerelle("table", "lint", "uf").output == "uf: fine\n"
    assert passerelle("table", "lint", "fu").exit_code == 1


def test_lint_of_a_table_that_is_refused(passerelle, written):
    """An error in a table is exit code 78, whether it is declared or not."""
    (written / "uf.csv").write_text(UF + "cha,1010,T2\n")
    done = passerelle("table", "lint")
    assert done.exit_code == 78
    assert "uf.csv:5:1: error E121: line 3 has the same site and code" in done.output
    assert passerelle("table", "lint", str(written / "uf.csv")).exit_code == 78
    assert passerelle("table", "lint", str(written / "old.csv")).exit_code == 0
    assert passerelle("table", "lint", str(written / "none.csv")).exit_code == 2
    lines = passerelle("--json", "table", "lint").output.splitlines()
    assert {json.loads(line)["code"] for line in lines} == {"E121", "W203"}


def test_lint_when_something_else_is_wrong(passerelle, written):
    """Another error of the configuration is named, and left to `lint`."""
    (written / "routes.yaml").write_text(ROUTES.replace("to: [dpi]", "to: [ipd]"))
    assert passerelle("table", "lookup", "uf", "x").exit_code == 78
    (written / "old.csv").write_text(OLD.replace(";", ","))
    done = passerelle("table", "lint")
    assert done.exit_code == 78
    assert "passerelle lint" in done.stderr


def test_misses(passerelle, live, data):
    """CSV to paste; how often it was asked for goes to stderr."""
    from tests.unit.operations.test_tables import ROUTES

    (data.parent / "routes.yaml").write_text(ROUTES)
    (data.parent / "uf.csv").write_text("#key: site,code\nsite,code,to\ncha,1010,T1\n")
    (data.parent / "other.csv").write_text("code,to\n12,T\n3,x\n")
    done = passerelle("table", "misses")
    assert done.exit_code == 0, done.stderr
    assert done.stdout == "# uf.csv: site,code,to\ncha,CARD,\n"
    assert "1 code, asked for" in done.stderr
    assert json.loads(passerelle("--json", "table", "misses", "uf").stdout)["row"] == ["cha", "CARD", ""]
    assert passerelle("table", "misses", "none").exit_code == 1
