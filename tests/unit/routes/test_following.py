"""One mistake, one finding: what only follows from it isn't told."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from engine.routes import check
from engine.routes.casereading import test_files as files_of_tests

ROOT = Path(__file__).parents[3]
MISTAKES = {
    "a section": ("\nsources:\n", "\nsource:\n"),
    "sites": ("\nsites:\n", "\nsite:\n"),
    "destinations": ("\ndestinations:\n", "\ndestination:\n"),
    "steps": ("\nsteps:\n", "\nstep:\n"),
    "a key of a site": ('finess_ej: "000000026"', 'finess_e: "000000026"'),
    "a key of an authority": ("hd1: CHA-IPP, type: PI", "hd1: CHA-IPP, typ: PI"),
    "an authority without its type": ("hd1: CHB-IPP, type: PI", "hd1: CHB-IPP"),
    "an authority without OID": ("ipp:   { oid: 1.2.250.1.999.10.1, hd1", "ipp:   { hd1"),
    "a site that is no mapping": ("  chc:\n", "  chc: x\n  chd:\n"),
    "the type of a source": ("lis_ght:\n    type: mllp", "lis_ght:\n    type: mlp"),
    "the only source of a route": (
        "type: directory\n    site: cha\n    format",
        "type: folder\n    site: cha\n    format",
    ),
    "the section identity": ("registry: own", "registry: mine"),
    "a list": ("urgent: [S, A]", "urgent: S"),
    "a table": ("tables/uf_dpi.csv", "tables/nowhere.csv"),
    "the type of a destination": ("  dpi:\n    type: mllp", "  dpi:\n    type: mlp"),
    "a destination without its type": ("  dpi:\n    type: mllp\n", "  dpi:\n"),
    "the address of a source": ("listen: 127.0.0.1:6101", "listen: 127.0.0.1"),
    "the site of a source": ("gam_cha: { use: gam, with: { site: cha", "gam_cha: { use: gam, with: { site: chx"),
    "a destination": ("connect: 127.0.0.1:5500", "connect: 127.0.0.1"),
    "a verb": ("normalise_authorities: {", "normalise_authority: {"),
    "a segment": ("when: OBR-5 in", "when: OBQ-5 in"),
}


def copy_files(folder: Path) -> None:
    """What the delivered configuration reads beside its file."""
    for name in ("tables", "templates", "tests/fixtures/messages", "tests/routes"):
        shutil.copytree(ROOT / name, folder / name)


@pytest.mark.parametrize("mistake", MISTAKES)
def test_one_mistake_is_one_finding(tmp_path: Path, mistake: str) -> None:
    """In the delivered configuration, where sites, sources and steps are used in many places; in its tests too."""
    right, wrong = MISTAKES[mistake]
    text = (ROOT / "routes.yaml").read_text(encoding="utf-8")
    assert right in text
    (tmp_path / "routes.yaml").write_text(text.replace(right, wrong, 1), encoding="utf-8")
    copy_files(tmp_path)
    tests = files_of_tests(tmp_path)
    assert tests
    configuration, findings = check(tmp_path / "routes.yaml", environment={}, tests=tests)
    assert configuration is None
    assert len(findings) == 1, "\n".join(finding.render() for finding in findings)


def test_two_mistakes_are_two_findings(tmp_path: Path) -> None:
    """An error elsewhere hides nothing: only what is missing in a damaged declaration isn't told."""
    text = (ROOT / "routes.yaml").read_text(encoding="utf-8")
    text = text.replace("hd1: CHA-IPP, type: PI", "hd1: CHA-IPP", 1).replace("untyped: ipp", "untyped: ippp")
    (tmp_path / "routes.yaml").write_text(text, encoding="utf-8")
    copy_files(tmp_path)
    _, findings = check(tmp_path / "routes.yaml", environment={})
    assert [finding.code for finding in findings] == ["E105", "E133", "E133"]  # the template's, at chb and at chc
