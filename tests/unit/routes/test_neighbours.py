"""Doors that are in one another's way."""

from __future__ import annotations

import pathlib

import pytest

from engine.routes import check
from engine.routes.neighbours import overlap

SITES = """version: 1
sites:
  cha: { finess_ej: "000000026", authorities: { ipp: { oid: 1.2.250.1.999.10.1, type: PI } } }
"""
DPI = "destinations: { dpi: { type: mllp, connect: 127.0.0.1:5500 } }\n"
TO_DPI = "routes: { r: { from: [one, two], to: dpi } }\n"


def lint(folder: pathlib.Path, text: str) -> list[str]:
    """Return the codes of a configuration's findings with what they say."""
    (folder / "routes.yaml").write_text(SITES + text, encoding="utf-8")
    _, findings = check(folder / "routes.yaml", environment={}, tests=[])
    return [f"{one.code} {one.sentence}" for one in findings]


def listeners(one: str, two: str) -> str:
    doors = f"one: {{ type: mllp, site: cha, listen: '{one}' }}, two: {{ type: mllp, site: cha, listen: '{two}' }}"
    return f"sources: {{ {doors} }}\n{DPI}{TO_DPI}"


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("127.0.0.1:6101", "127.0.0.1:6101"),
        ("127.0.0.1:6101", "0.0.0.0:6101"),
        ("0.0.0.0:6101", "10.1.2.3:6101"),
        ("localhost:6101", "127.0.0.1:6101"),
        ("[::]:6101", "[::1]:6101"),
        ("lis.ght.example:6101", "LIS.ght.example:6101"),
    ],
)
def test_two_listeners_at_one_address(one, two, tmp_path):
    """Said by lint, not by the system when the engine starts."""
    assert lint(tmp_path, listeners(one, two)) == ["E119 one listens there already"]


@pytest.mark.parametrize(
    ("one", "two"),
    [("0.0.0.0:6101", "0.0.0.0:6102"), ("10.1.2.3:6101", "10.1.2.4:6101"), ("0.0.0.0:6101", "[::]:6101")],
)
def test_listeners_side_by_side(one, two, tmp_path):
    """Another port, address or family."""
    assert lint(tmp_path, listeners(one, two)) == []


def folders(one: str, two: str) -> str:
    kind = "type: directory, site: cha, format: hprim-sante"
    return f"sources:\n  one: {{ {kind}, {one} }}\n  two: {{ {kind}, {two} }}\n{DPI}{TO_DPI}"


def no_conversion(found: list[str]) -> list[str]:
    return [one for one in found if one[:4] == "E119"]


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("path: in/labo", "path: in/labo"),
        ("path: in/labo, pattern: '*.hpr'", "path: ./in/x/../labo, pattern: 'S*.HPR'"),
    ],
)
def test_two_sources_of_one_folder(one, two, tmp_path):
    """Each file would be taken twice, once as another hospital's."""
    found = no_conversion(lint(tmp_path, folders(one, two)))
    assert found == ["E119 one takes the files of this folder already"]


def test_one_folder_by_another_name(tmp_path):
    """A link to a folder is that folder."""
    (tmp_path / "in").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "in")
    assert len(no_conversion(lint(tmp_path, folders("path: in", "path: link")))) == 1


def test_sources_that_share_a_folder_by_their_patterns(tmp_path):
    """No name fits both; nor do a folder and one below it."""
    assert no_conversion(lint(tmp_path, folders("path: in, pattern: '*.hpr'", "path: in, pattern: '*.hl7'"))) == []
    assert no_conversion(lint(tmp_path, folders("path: in", "path: in/labo"))) == []


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        ("*", "*", True),
        ("*.hpr", "*.HPR", True),
        ("*.hpr", "*.hl7", False),
        ("A*", "*B", True),
        ("A*", "B*", False),
        ("*a*b", "*b*a", False),
        ("*a*b*", "*b*a*", True),
        ("res?.hpr", "res12.hpr", False),
        ("res??.hpr", "res12.hpr", True),
        ("[ab]*.hpr", "[cd]*.hpr", False),
        ("[ab]*.hpr", "[!a]*.hpr", True),
        ("", "*", True),
        ("a", "", False),
    ],
)
def test_patterns_overlap(one, other, both):
    """Exactly: either way round."""
    assert overlap(one, other) is both
    assert overlap(other, one) is both


def test_answers_that_would_be_messages(tmp_path):
    """The folder that is watched, unless the pattern leaves the answers out."""
    own = folders("path: in, answer_files: { path: in }", "path: other, pattern: '*.hpr'")
    assert no_conversion(lint(tmp_path, own)) == ["E119 one would take these answers as messages"]
    others = folders("path: in, answer_files: { path: other }", "path: other")
    assert no_conversion(lint(tmp_path, others)) == ["E119 two would take these answers as messages"]
    apart = folders("path: in, answer_files: { path: other }", "path: other, pattern: '*.hpr'")
    assert no_conversion(lint(tmp_path, apart)) == []


@pytest.mark.parametrize("connect", ["127.0.0.1:6101", "localhost:6101", "0.0.0.0:6101"])
@pytest.mark.parametrize("listen", ["127.0.0.1:6101", "0.0.0.0:6101"])
def test_a_destination_that_is_the_own_door(connect, listen, tmp_path):
    """Its messages would go round for ever."""
    found = lint(
        tmp_path,
        f"sources: {{ gam: {{ type: mllp, site: cha, listen: {listen} }} }}\n"
        f"destinations: {{ dpi: {{ type: mllp, connect: {connect} }} }}\nroutes: {{ r: {{ from: gam, to: dpi }} }}\n",
    )
    assert found == ["E119 what dpi sends comes in at gam, and goes round from there to dpi again"]


CHAIN = """sources:
  first: {{ type: mllp, site: cha, listen: 127.0.0.1:6101 }}
  second: {{ type: directory, site: cha, path: between, pattern: "*.hl7" }}
destinations:
  between: {{ type: directory, path: between }}
  end: {{ type: mllp, connect: "127.0.0.1:{port}" }}
routes:
  a: {{ from: first, to: between }}
  b: {{ from: second, to: end }}
"""


def test_a_way_round_through_two_sources(tmp_path):
    """Each destination of the circle is told; a chain that ends is none."""
    assert [one[:4] for one in lint(tmp_path, CHAIN.format(port=6101))] == ["E119", "E119"]
    assert lint(tmp_path, CHAIN.format(port=6102)) == []


def test_files_that_no_source_takes_come_back_to_nobody(tmp_path):
    """The name of what is written says so."""
    folder = "sources: {{ one: {{ type: directory, site: cha, path: in, pattern: '*.hl7' }} }}\n"
    folder += "destinations: {{ out: {{ type: directory, path: in, file_name: '{{id}}{ending}' }} }}\n"
    folder += "routes: {{ r: {{ from: one, to: out }} }}\n"
    assert lint(tmp_path, folder.format(ending=".done")) == []
    assert [one[:4] for one in lint(tmp_path, folder.format(ending=".hl7"))] == ["E119"]
