"""Every code has its page, and every page does what it says."""

from __future__ import annotations

import pathlib
import re

import pytest

from engine.routes import check
from engine.routes.codes import Page, codes, page_of
from engine.routes.schema import SECTIONS

ROOT = pathlib.Path(__file__).parents[3]
GOLDEN = pathlib.Path(__file__).parent / "golden"
BASE = {
    "sites": 'sites: { cha: { finess_ej: "000000026", authorities: { ipp: { oid: 1.2.250.1.999.10.1, type: PI } } } }',
    "sources": "sources: { gam: { type: mllp, site: cha, listen: 127.0.0.1:6101 } }",
    "destinations": (
        "destinations: { dpi: { type: mllp, connect: 127.0.0.1:5500 }, raw: { type: directory, path: out } }"
    ),
    "tables": "tables: { uf: uf.csv }",
}
ROUTES = """routes:
  r:
{route}
  other:
    from: [gam]
    steps:
      - map: {{ field: PV1-10, table: uf, take: dpi, on_missing: keep }}
      - render: {{ format: xml, template: note.xml }}
    to: [raw]
"""
"""The other route uses what the first one doesn't."""
ROUTE = "    from: [gam]\n    to: [dpi]"
FILES = {
    "uf.csv": "code,dpi\n1010,T-URG\n",
    "note.xml": "<note>{PV1-3.1}</note>\n",
    "clean.py": "def clean(message):\n    pass\n",
    "extra.yaml": "lists: { extra: [A] }\n",
}
ENVIRONMENT = {"DPI_ADDRESS": "127.0.0.1:5500", "PASSERELLE_SECRET_BUS": "s"}
WITHOUT_DIFF = {"E108": "bytes can't be shown in a diff: test_loader has it"}


def indented(text: str, blanks: int) -> str:
    return "".join(f"{' ' * blanks}{line}\n" if line else "\n" for line in text.splitlines()).rstrip("\n")


def configuration(text: str) -> str:
    """Put steps, keys of a route, or sections where they belong in a small configuration."""
    sections = dict(BASE)
    if text.startswith("- "):
        routes = ROUTES.format(route=f"    from: [gam]\n    steps:\n{indented(text, 6)}\n    to: [dpi]")
    elif (key := re.match(r"\w+", text)) is not None and key[0] not in SECTIONS:
        routes = ROUTES.format(route=indented(text, 4))
    else:
        for name in re.findall(r"^(\w+):", text, re.MULTILINE):
            sections.pop(name, None)
        own = re.search(r"^routes:\n", text, re.MULTILINE)
        rest = ROUTES.format(route=ROUTE)
        if own is not None:  # the other route goes on as well
            rest = rest[rest.index("  other:") :]
        return "version: 1\n" + "\n".join(sections.values()) + f"\n{text}\n" + rest
    return "version: 1\n" + "\n".join([*sections.values(), routes])


def lint(folder: pathlib.Path, page: Page, kept: str) -> list[str]:
    """Write one side of the diff (`-` or `+`) into a configuration and return the codes of its findings."""
    lines = [line for line in page.diff.splitlines() if line[:1] in (" ", kept)]
    text = "\n".join(line[1:] for line in lines)
    for name, words in FILES.items():
        (folder / name).write_text(words, encoding="utf-8")
    if page.file:
        (folder / page.file).write_text(text + "\n", encoding="utf-8")
        calls = f"- python: {{ file: {page.file}, call: clean, reads: [PID] }}"
        text = calls if page.file.endswith(".py") else "lists: { some: [A] }"
    (folder / "routes.yaml").write_text(configuration(text), encoding="utf-8")
    allowed = {} if page.code == "E153" else {"PASSERELLE_PYTHON": "yes"}
    _, findings = check(folder / "routes.yaml", environment=ENVIRONMENT | allowed, tests=[])
    return [one.code for one in findings]


@pytest.mark.parametrize("code", [code for code in codes() if code not in WITHOUT_DIFF])
def test_the_diff_mends_it(code, tmp_path):
    """What stands before has the finding, and no error beside it; what stands after is clean."""
    page = page_of(code)
    assert page is not None
    before = set(lint(tmp_path, page, "-"))
    assert code in before
    assert {one for one in before if one[0] == "E"} <= {code}
    assert lint(tmp_path, page, "+") == []


def test_every_code_has_its_page_and_every_page_its_code():
    """Wherever a finding is reported."""
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "engine").rglob("*.py")]
    reported = {code for text in sources for code in re.findall(r'"([EW][0-9]{3})"', text)}
    assert reported == set(codes())
    assert len(reported) >= 40


def test_every_code_has_a_golden_file():
    """A test that triggers it, and shows how it is told."""
    golden = {path.stem.split("_")[0] for path in GOLDEN.glob("*.yaml")} | {"several"}
    assert set(codes()) - golden == set()


def test_pages_are_written_alike():
    """A title, a paragraph, a diff."""
    for code in codes():
        page = page_of(code)
        assert page is not None
        assert page.code == code
        assert len(page.prose) > 40
        assert bool(page.diff) is (code not in WITHOUT_DIFF)
        assert f"({code})" not in page.title


@pytest.mark.parametrize("code", ["E999", "e120", "../E120", "E12", ""])
def test_no_page(code):
    """What is no code has none."""
    assert page_of(code) is None
