"""What changes from one configuration to another."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.routes.configuration import Configuration
from engine.routes.differences import Differences, differences
from engine.routes.files import KeptFiles
from engine.routes.loader import check, load

ROUTES = """
version: 1
include: [parts/*.yaml]
sites:
  cha: { authorities: { ipp: { oid: 1.2.250.1.999.10.1, hd1: CHA-IPP, hd3: ISO, type: PI } } }
tables: { units: tables/units.csv }
keys:
  order: { path: OBR-3.1 }
sources:
  gam: { type: mllp, site: cha, listen: 127.0.0.1:6101 }
destinations:
  dpi: { type: mllp, connect: 127.0.0.1:5500 }
  lab: { type: mllp, connect: 127.0.0.1:5501, order_by: [order] }
routes:
  adt:
    from: [gam]
    steps:
      - map: { field: PV1-3.1, table: units, take: to, on_missing: keep }
    to: [dpi, lab]
"""
UNITS = "from,to\n100,4000\n"


@pytest.fixture
def changed(tmp_path: Path):
    """Compare routes.yaml with itself after some replacements."""
    (tmp_path / "tables").mkdir()
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "lists.yaml").write_text("lists: { urgent: [S] }\n")

    def read(text: str, units: str) -> Configuration:
        (tmp_path / "tables" / "units.csv").write_text(units)
        (tmp_path / "routes.yaml").write_text(text)
        return load(tmp_path / "routes.yaml", environment={})

    def compare(*replacements: tuple[str, str], units: str = UNITS) -> Differences:
        before, text = read(ROUTES, UNITS), ROUTES
        for old, new in replacements:
            assert old in text
            text = text.replace(old, new)
        return differences(before, read(text, units))

    return compare


def test_comments_and_layout_change_nothing_but_texts(changed) -> None:
    """The files differ, what they say doesn't."""
    same, commented = changed(), changed(("version: 1\n", "version: 1\n# a comment\n"))
    assert (same.count, same.texts) == (0, False)
    assert (commented.count, commented.texts) == (0, True)


def test_each_kind_is_told_by_name(changed) -> None:
    """Added, removed, changed."""
    found = changed(
        ("  lab: {", "  ris: {"), ("to: [dpi, lab]", "to: [dpi, ris]"), (":6101", ":6102"), units=UNITS + "101,4001\n"
    )
    parts = {kind: (part.added, part.removed, part.changed) for kind, part in found.parts.items() if part.count}
    assert parts == {
        "sources": ((), (), ("gam",)),
        "destinations": (("ris",), ("lab",), ()),
        "routes": ((), (), ("adt",)),
        "tables": ((), (), ("units",)),
    }
    assert found.count == 5
    assert found.touched == ("lab",)


def test_a_new_name_that_tells_the_former_one_is_no_removal(changed) -> None:
    """What waits goes along."""
    found = changed(("  lab: { ", "  ris: { renamed_from: lab, "), ("to: [dpi, lab]", "to: [dpi, ris]"))
    part = found.parts["destinations"]
    assert (part.added, part.removed, part.changed, dict(part.renamed)) == ((), (), (), {"lab": "ris"})
    assert found.reordered == ()
    assert found.touched == ("lab",)


@pytest.mark.parametrize(
    ("replacements", "reordered"),
    [
        ([("connect: 127.0.0.1:5500", "connect: 127.0.0.1:5500, order_by: all")], ("dpi",)),
        ([("to: [dpi, lab]", "to: [dpi, { destination: lab, order_by: none }]")], ("lab",)),
        ([("path: OBR-3.1", "path: OBR-2.1")], ("lab",)),
        ([("connect: 127.0.0.1:5500", "connect: 127.0.0.1:5509")], ()),
        ([("  lab: { ", "  ris: { renamed_from: lab, "), ("to: [dpi, lab]", "to: [dpi, ris]"),
          ("order_by: [order]", "order_by: all")], ("ris",)),
    ],
)  # fmt: skip
def test_another_order_is_seen_wherever_it_is_said(changed, replacements, reordered) -> None:
    """At the destination, at a route's entry, in a key that orders."""
    assert changed(*replacements).reordered == reordered


def test_a_configuration_loads_again_from_its_kept_files(tmp_path: Path, changed) -> None:
    """With includes and tables, after the files on disk are gone, and it is the same."""
    changed()
    path = tmp_path / "routes.yaml"
    before = load(path, environment={})
    assert sorted(before.contents) == ["parts/lists.yaml", "routes.yaml", "tables/units.csv"]
    for file in (path, tmp_path / "parts" / "lists.yaml", tmp_path / "tables" / "units.csv"):
        file.unlink()
    again, findings = check(path, files=KeptFiles(path, before.contents))
    assert again == before, findings
    assert again is not None
    assert again.hash == before.hash
    lost, _ = check(path, files=KeptFiles(path, {"routes.yaml": before.contents["routes.yaml"]}))
    assert lost is None
