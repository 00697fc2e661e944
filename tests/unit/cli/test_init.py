"""`passerelle init`, and the looks at a configuration: `graph`, `docs`."""

from __future__ import annotations

import json

import pytest

SITES = ("--site", "cha,CH d'Arvigny,000000026,1.2.250.1.999.10.1", "--site", "chb,CH de Belval,2A0000001")


def test_a_first_configuration(passerelle, data):
    """Clean, tested, with its schema; and never over another one."""
    done = passerelle("init", *SITES, "--group", "GHT Test", "--dpi", "10.0.0.7:5500", "--port", "7001")
    assert done.exit_code == 0, done.stderr
    text = (data.parent / "routes.yaml").read_text()
    assert 'label: "GHT Test"' in text
    assert "listen: 127.0.0.1:7002" in text
    assert (data.parent / "routes.schema.json").is_file()
    assert "fine (2 sources, 1 route, 1 destination)" in passerelle("lint").stdout
    assert passerelle("test").exit_code == 0
    again = passerelle("init", *SITES)
    assert again.exit_code == 1
    assert "nothing was changed" in again.stderr
    assert (data.parent / "routes.yaml").read_text() == text


def test_asked(passerelle, data, monkeypatch):
    """On a terminal; what can't be is asked again."""
    monkeypatch.setattr("engine.cli.init.interactive", lambda: True)
    answers = (
        "GHT Essai\nCH d'Arvigny\n\n12\n000000026\n1.2.x\n1.2.250.1\nCH B\nb\n2A0000001\n\n\nhere\n10.0.0.7:5500\n"
    )
    done = passerelle("init", input=answers)
    assert done.exit_code == 0, done.stderr
    assert "12 is no FINESS number" in done.stderr
    assert "1.2.x is no OID" in done.stderr
    assert "here is no address" in done.stderr
    text = (data.parent / "routes.yaml").read_text()
    assert "  arvigny:\n" in text
    assert 'ipp: { finess: "2A0000001", type: PI }' in text
    assert passerelle("lint").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "which establishments?"),
        (("--site", "cha"), "write NAME,LABEL,FINESS"),
        (("--site", "Cha,x,000000026"), "can't be a name"),
        (("--site", "cha,x,1"), "no FINESS"),
        (("--site", "cha,x,000000026,1"), "no OID"),
        (("--site", "cha,x,000000026", "--site", "cha,y,020000023"), "two establishments have the name cha"),
        (("--site", "cha,x,000000026", "--dpi", "there"), "no address"),
    ],
)
def test_refused(passerelle, data, arguments, words):
    """What can't be is said, and nothing is written."""
    done = passerelle("init", *arguments)
    assert done.exit_code == 2
    assert words in done.stderr
    assert not (data.parent / "routes.yaml").exists()


def test_graph(passerelle):
    """mermaid, dot and JSON; some routes, or all."""
    passerelle("init", *SITES)
    assert passerelle("graph").stdout.startswith("flowchart LR\n")
    assert passerelle("graph", "--format", "dot", "adt_to_dpi").stdout.startswith("digraph routes {\n")
    assert len(json.loads(passerelle("--json", "graph").stdout)["spots"]) == 4
    unknown = passerelle("graph", "adt_to_dip")
    assert unknown.exit_code == 1
    assert "did you mean adt_to_dpi?" in unknown.stderr


def test_docs(passerelle, tmp_path):
    """A page a route, and an index."""
    passerelle("init", *SITES)
    done = passerelle("docs", "--output", str(tmp_path / "pages" / "routes"))
    assert done.exit_code == 0, done.stderr
    assert "2 pages" in done.stdout
    assert (tmp_path / "pages" / "routes" / "adt_to_dpi.md").read_text().startswith("# adt_to_dpi\n")


@pytest.mark.parametrize("name", ["README.md", "adt_to_dpi.md"])
def test_docs_replaces_its_own_pages_alone(passerelle, tmp_path, name):
    """Somebody else's file of that name stays, and nothing beside it is written."""
    passerelle("init", *SITES)
    command = ("docs", "--output", str(tmp_path / "pages"))
    (tmp_path / "pages").mkdir()
    other = tmp_path / "pages" / name
    other.write_bytes("# Notre hôpital\n".encode("cp1252"))
    refused = passerelle(*command)
    assert refused.exit_code == 1
    assert f"{other} isn't a page that passerelle docs made" in refused.stderr
    assert other.read_bytes() == "# Notre hôpital\n".encode("cp1252")
    assert [one.name for one in other.parent.iterdir()] == [name]
    other.unlink()
    assert [passerelle(*command).exit_code for _ in range(2)] == [0, 0]


@pytest.mark.parametrize("command", [("graph",), ("docs",)])
def test_without_a_configuration(passerelle, command):
    """It is said, with the exit code of a refused one."""
    done = passerelle(*command)
    assert done.exit_code == 78, done.output
