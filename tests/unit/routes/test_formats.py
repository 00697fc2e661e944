"""Formats that don't fit."""

from __future__ import annotations

import pathlib

import pytest

from engine.routes import check

ROUTES = """version: 1
sites: {{ cha: {{ finess_ej: "000000026", authorities: {{ ipp: {{ oid: 1.2.250.1.999.10.1, type: PI }} }} }} }}
sources:
  gam: {{ type: mllp, site: cha, listen: "127.0.0.1:6101" }}
  labo: {{ type: directory, site: cha, path: in, format: {format} }}
destinations:
  dpi: {{ type: mllp, connect: "127.0.0.1:5500" }}
  kept: {{ type: directory, path: out }}
routes:
  r: {{ from: [{sources}], steps: [ {steps} ], to: [{to}] }}
  rest: {{ from: [gam, labo], to: [kept] }}
"""
TO_HL7 = "{ hprim_to_hl7: { message: ORU_R01 } }"
SET = "{ set: { MSH-3: X } }"


def lint(folder: pathlib.Path, *, form="hprim-sante", sources="labo", steps=SET, to="dpi, kept") -> list[str]:
    routes = ROUTES.format(format=form, sources=sources, steps=steps, to=to)
    (folder / "routes.yaml").write_text(routes, encoding="utf-8")
    _, findings = check(folder / "routes.yaml", environment={}, tests=[])
    return [f"{one.code} {one.sentence}" for one in findings]


def test_hprim_that_goes_as_it_is(tmp_path):
    """To who is spoken to by MLLP, and told once; a folder may have it."""
    assert lint(tmp_path) == ["W212 dpi gets HPRIM by MLLP, as labo brings it"]
    assert lint(tmp_path, to="kept", steps=SET) == ["W204 no route delivers to dpi"]


@pytest.mark.parametrize(
    "given",
    [
        {"steps": TO_HL7},
        {"to": f"{{ destination: dpi, steps: [ {TO_HL7} ] }}"},
        {"form": "auto"},
        {"form": "hl7v2"},
        {"form": "hl7v2", "steps": f"{{ when: format != hl7v2, {TO_HL7[2:]}"},
        {"sources": "gam, labo", "steps": f"{{ when: format != hl7v2, {TO_HL7[2:]}"},
    ],
)
def test_what_is_converted_or_told_apart(given, tmp_path):
    """By a step of the route or of the exit, or by a condition that nobody follows here."""
    assert lint(tmp_path, **given) == []


def test_hprim_that_no_source_reads(tmp_path):
    """The source would refuse every file."""
    found = lint(tmp_path, form="hl7v2", steps=TO_HL7)
    assert found == ["W212 labo reads HL7: no HPRIM comes to hprim_to_hl7"]
