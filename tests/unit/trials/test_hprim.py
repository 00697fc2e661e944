"""Tests of routes that take HPRIM files, with what these name beside them."""

from __future__ import annotations

import pytest

from engine.routes import check
from engine.trials.judging import judge
from engine.trials.running import run_case

ROUTES = """version: 1
sites:
  cha:
    finess_eg: "000780064"
    authorities:
      ipp: {{ oid: 1.2.250.1.999.10.1, hd1: CHA-IPP, hd3: ISO, type: PI }}
sources:
  labo:
    type: directory
    site: cha
    untyped: ipp
    format: hprim-sante
    path: in
    pattern: "*.hpr"
    attachments: {{ on_missing: dead_letter }}
destinations:
  dpi: {{ type: mllp, connect: "127.0.0.1:2575" }}
  town: {{ type: directory, path: out, file_name: "{{id}}.HPR", encode: as_received }}
routes:
  results:
    from: [labo]
    steps: [ hprim_to_hl7: {{ version: "2.5" }} ]
    to: [dpi]
{results}
  kept:
    from: [labo]
    to: [town]
{kept}
"""
FILE = (
    "H|~^\\&|LAB1.HPR||000000026~LABO||ORU|||CHA||P|H2.3~L|20260102\r\nP|1|77|||DURAND~Zoe\r\nOBR|1|~D1|~F1|CR\r\n"
    "OBX|1|FIC|CR~Compte rendu~L||~{name}~PDF\r\nL|1\r\n"
)


@pytest.fixture
def run(tmp_path):
    def go(expect: str, route: str = "results", name: str = "cr1.pdf") -> list[str]:
        (tmp_path / "lab").mkdir()
        (tmp_path / "lab" / "lab1.hpr").write_bytes(FILE.format(name=name).encode())
        (tmp_path / "lab" / "cr1.pdf").write_bytes(b"%PDF")
        (tmp_path / "secret.pdf").write_bytes(b"%PDF")
        test = f"    tests: [ {{ name: one, given: [ {{ file: lab/lab1.hpr }} ], expect: {expect} }} ]"
        text = ROUTES.format(**({"results": "", "kept": ""} | {route: test}))
        (tmp_path / "routes.yaml").write_text(text)
        configuration, findings = check(tmp_path / "routes.yaml", environment={}, tests=[])
        assert not findings
        assert configuration is not None
        (case,) = configuration.cases
        return [one.sentence for one in judge(case, run_case(configuration, case))]

    return go


def test_what_stands_beside_the_file_is_inside(run):
    """The document that it names is read as the folder would."""
    assert run('{ dpi: { PID-3.1: "77", "OBX-5.2": application, "OBX-5.5": JVBERg== } }') == []


@pytest.mark.parametrize("name", ["absent.pdf", "../secret.pdf"])
def test_what_is_not_there(run, name):
    """Or isn't beside it: as when the wait is over."""
    assert run("{ dead_letter: E-ATTACHMENT }", name=name) == []


def test_files_beside_a_delivery(run):
    """They hide nothing of the message."""
    assert run('{ town: { P-2: "77", unchanged: [P-5, "OBX-5"] } }', route="kept") == []
