"""
The YAML of docs/routes and of the README: each block is loaded as it stands there, or executed by another test.

Examples of verbs: tests/unit/transforms/test_pages.py. Tests of routes: tests/unit/trials/test_page.py.
"""

from __future__ import annotations

import pathlib
import re

import pytest
from click.testing import CliRunner

from engine.cli.group import passerelle as root
from engine.parsers.paths import Path
from engine.routes import check
from engine.routes.configuration import Configuration
from engine.routes.schema import DECLARED, SECTIONS, VALUES
from engine.routes.when import compile_when
from engine.transforms.shapes import Record
from engine.transforms.verbs import VERBS
from engine.validation.opening import open_profile
from tests.support.conditions import Scope

ROOT = pathlib.Path(__file__).parents[3]
PAGES = ROOT / "docs" / "routes"
README = (PAGES / "README.md").read_text(encoding="utf-8")
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
    load_sections(tmp_path, text)


def load_sections(folder: pathlib.Path, text: str) -> Configuration:
    """Load sections beside the others that they need; the table is that of the page about tables."""
    (folder / "tables").mkdir()
    (folder / "tables" / "uf_dpi.csv").write_text(csv_of_tables(), encoding="utf-8")
    own = set(re.findall(r"^(\w+):", text, re.MULTILINE))
    rest = "\n".join(words for name, words in BASE.items() if name not in own)
    (folder / "routes.yaml").write_text(f"version: 1\n{rest}\n{text}", encoding="utf-8")
    configuration, findings = check(folder / "routes.yaml", environment={}, tests=[])
    assert [one.render() for one in findings if one.level == "error"] == []
    assert configuration is not None
    return configuration


def csv_of_tables() -> str:
    """The table that docs/routes/tables.md shows."""
    [text] = re.findall(r"```csv\n(.*?)```", (PAGES / "tables.md").read_text(encoding="utf-8"), re.DOTALL)
    return str(text)


def kind_of(page: str, text: str) -> str:
    """Say what a block of YAML is; empty: nobody runs it."""
    names = re.findall(r"^(\w+):", text, re.MULTILINE)
    if names and set(names) <= set(SECTIONS):
        return "sections"
    if text.startswith("- ") and (page in VERBS or page == "quirks"):
        return "example"
    if page in VERBS:
        return "shape" if names and names[0] == page else "profile" if "extends" in names else ""
    if names == ["tests"]:
        return "tests"
    if names and names[0] == "extends":
        return "profile"
    return "source" if names == ["labo_ville"] else ""


ALL = [
    (page.stem, rank, text)
    for page in (*sorted(PAGES.glob("*.md")), PAGES.parents[1] / "README.md")
    for rank, text in enumerate(BLOCK.findall(page.read_text(encoding="utf-8")), 1)
]


@pytest.mark.parametrize(("page", "rank", "text"), ALL, ids=[f"{page}-{rank}" for page, rank, _ in ALL])
def test_no_block_is_left_out(page, rank, text):
    """Each is of a kind that some test loads or executes."""
    assert kind_of(page, text)


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_the_shape_of_a_verb_names_each_of_its_keys(verb):
    """And none that it hasn't: what a page shows first is what one may write."""
    [shape] = [text for page, _, text in ALL if page == verb and kind_of(page, text) == "shape"]
    keys = set(VERBS[verb].shape.keys) if isinstance(VERBS[verb].shape, Record) else set()
    keys |= set(VERBS[verb].beside)
    shown = set(re.findall(r"(?:^|[{,#]|or)\s*(\w+):", shape, re.MULTILINE)) - {verb}
    assert keys <= shown
    assert not {key for key in shown - keys - INSIDE.get(verb, set()) if key.islower()}


INSIDE = {
    "convert": {"side", "of", "width", "fill", "from", "to", "set", "flag", "one"}, "map": {"column", "set", "flag"},
    "normalise_identity": {"hold", "send_to", "then"}, "localise_identity": {"hold", "send_to", "then"},
    "require": {"when", "else"}, "hprim_to_hl7": {"ipp", "nda"}, "render": {"name"},
}  # fmt: skip
"""Keys of mappings inside the shapes."""


@pytest.mark.parametrize("text", [text for page, _, text in ALL if kind_of(page, text) == "source"])
def test_a_source_loads(tmp_path, text):
    """As a declaration of a source of the hospital."""
    lines = "\n".join(f"  {line}" for line in text.replace("labo_ville:\n", "labo_ville:\n  site: cha\n").splitlines())
    route = "routes: { r: { from: labo_ville, to: dpi } }"
    configuration = load_sections(tmp_path, f"sources:\n{lines}\n{route}\n")
    source = configuration.sources["labo_ville"]
    assert source.attachments is not None
    assert source.answer_files is not None


@pytest.mark.parametrize("rank", [0, 1])
def test_profiles_load(rank):
    """That of the page, and that beside the verb."""
    text = [text for page, _, text in ALL if kind_of(page, text) == "profile"][rank]
    assert open_profile("own", text.encode())


def test_the_table_of_the_page_says_what_the_page_says(tmp_path):
    """Rows by site, code and day; the star serves any other code."""
    table = load_sections(tmp_path, "tables:\n  uf_dpi: tables/uf_dpi.csv\n").tables["uf_dpi"]
    lookup, dpi = table.lookup(["site", "code"]), table.column("dpi")
    asked = [("1010", "20260228"), ("1010", "20260301"), ("9", "20260301")]
    found = [lookup.find(("cha", code), day) for code, day in asked]
    assert [row[dpi] if row is not None else "" for row in found] == ["T-CHA-URG", "T-CHA-ACC", "T-CHA-DIV"]


def section(name: str) -> str:
    """A section of docs/routes/README.md."""
    return README.partition(f"\n## {name}\n")[2].partition("\n## ")[0]


def test_the_paths_of_the_page_are_paths():
    """Each one between backticks; those of foreach want a segment at hand."""
    words = [word for word in re.findall(r"`([^`]+)`", section("Paths")) if re.search(r"[\[.-]\d|\[", word)]
    assert len(words) > 15
    for word in words:
        Path.parse(word)


def test_the_conditions_of_the_page_compile():
    """That in its frame, and each one in a sentence."""
    text = section("Conditions")
    frames = re.findall(r"```\n(.*?)\n```", text, re.DOTALL)
    conditions = [frames[0], "age(PID-7) < 18", "patient in list any", "patient is empty"]
    assert all(condition in text.replace("list test_patients", "list any") for condition in conditions)
    for condition in conditions:
        compile_when(condition, Scope())


def test_the_explanation_of_the_page(monkeypatch):
    """Word for word what `explain` prints with the delivered routes."""
    shown = re.findall(r"```\n(passerelle explain .*?)\n```", README, re.DOTALL)
    assert len(shown) == 1
    monkeypatch.chdir(ROOT)
    command, _, printed = shown[0].partition("\n")
    done = CliRunner().invoke(root, [*command.split()[1:], "--routes", str(ROOT / "routes.yaml")])
    assert done.exit_code == 0, done.output
    assert done.stdout.rstrip().endswith(printed)


def test_the_page_names_each_section():
    """With what it is for."""
    cells = re.findall(r"^\| (`.*?) \|", section("Sections"), re.MULTILINE)
    named = set(re.findall(r"`(\w+)(?:: 1)?`", " ".join(cells)))
    assert named == set(SECTIONS)


def test_the_types_of_parameters_are_those_of_the_page():
    """All of them, and no other."""
    [line] = [line for line in (PAGES / "templates.md").read_text("utf-8").splitlines() if line.startswith("- Types:")]
    said = set(re.findall(r"`([a-z]+)`", line))
    assert {*VALUES, *DECLARED, "choice"} <= said


def test_the_pages_have_such_blocks():
    """The search above isn't empty by accident."""
    pages = {"tables", "templates", "sources", "destinations", "sites", "routes", "long-messages"}
    assert {page for page, _, _ in blocks()} >= pages
    assert {kind_of(page, text) for page, _, text in ALL} == {
        "sections", "example", "shape", "profile", "tests", "source",
    }  # fmt: skip
