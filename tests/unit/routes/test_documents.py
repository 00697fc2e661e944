"""The YAML of docs/routes that no verb's page executes: it loads as it stands there."""

from __future__ import annotations

import pathlib
import re

import pytest

from engine.routes import check
from engine.routes.schema import SECTIONS

PAGES = pathlib.Path(__file__).parents[3] / "docs" / "routes"
BLOCK = re.compile(r"```yaml\n(.*?)```", re.DOTALL)
BASE = {
    "sites": """sites:
  cha: { finess_ej: "000000026", authorities: { ipp: { oid: 1.2.250.1.999.10.1, hd1: CHA-IPP, type: PI } } }
  chb: { finess_ej: "2A0000001", authorities: { ipp: { oid: 1.2.250.1.999.20.1, hd1: CHB-IPP, type: PI } } }""",
    "sources": """sources:
  gam_cha: { type: mllp, site: cha, listen: 127.0.0.1:6101 }
  lis_ght: { type: mllp, site: cha, listen: 127.0.0.1:6110 }""",
    "destinations": "destinations: { dpi: { type: mllp, connect: 127.0.0.1:5500 } }",
    "routes": "routes: { adt_to_dpi: { from: gam_cha, to: dpi } }",
}


def blocks() -> list[tuple[str, int, str]]:
    """Blocks that are sections of routes.yaml, with their pages."""
    found = []
    for page in sorted(PAGES.glob("*.md")):
        for rank, text in enumerate(BLOCK.findall(page.read_text(encoding="utf-8")), 1):
            names = re.findall(r"^(\w+):", text, re.MULTILINE)
            if names and set(names) <= set(SECTIONS):
                found.append((page.stem, rank, text))
    return found


@pytest.mark.parametrize(
    ("page", "rank", "text"), blocks(), ids=lambda value: str(value) if len(str(value)) < 30 else ""
)
def test_sections_load(tmp_path, page, rank, text):
    """Beside what they name, without an error."""
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "uf_dpi.csv").write_text("#key: site,code\nsite,code,dpi\ncha,1010,A\n", encoding="utf-8")
    own = set(re.findall(r"^(\w+):", text, re.MULTILINE))
    rest = "\n".join(words for name, words in BASE.items() if name not in own)
    (tmp_path / "routes.yaml").write_text(f"version: 1\n{rest}\n{text}", encoding="utf-8")
    _, findings = check(tmp_path / "routes.yaml", environment={}, tests=[])
    assert [one.render() for one in findings if one.level == "error"] == []


def test_the_pages_have_such_blocks():
    """The search above isn't empty by accident."""
    assert {page for page, _, _ in blocks()} >= {"tables", "templates"}
