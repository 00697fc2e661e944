"""A configuration knows when its files say something else."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.routes.configuration import Configuration
from engine.routes.files import changed_on_disk
from engine.routes.loader import load

ROUTES = """
version: 1
include: ["routes/*.yaml"]
sites: { cha: {} }
tables: { units: tables/units.csv }
sources: { gam: { type: mllp, site: cha, listen: "127.0.0.1:6101" } }
destinations: { dpi: { type: mllp, connect: "127.0.0.1:5500" } }
"""
ADT = "routes: { adt: { from: [gam], to: [dpi] } }\n"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    for folder in ("routes", "tables"):
        (tmp_path / folder).mkdir()
    (tmp_path / "routes.yaml").write_text(ROUTES)
    (tmp_path / "routes" / "adt.yaml").write_text(ADT)
    (tmp_path / "tables" / "units.csv").write_text("code,dpi\n1,2\n")
    return tmp_path / "routes.yaml"


@pytest.fixture
def running(place: Path) -> Configuration:
    return load(place, environment={})


def test_nothing_has_changed(place: Path, running: Configuration, monkeypatch: pytest.MonkeyPatch) -> None:
    """Written again with the same bytes; also when it was read by a relative path."""
    place.write_text(ROUTES)
    assert changed_on_disk(place, running) == []
    monkeypatch.chdir(place.parent)
    assert changed_on_disk(place, load(Path("routes.yaml"), environment={})) == []


def test_what_has_changed(place: Path, running: Configuration) -> None:
    """routes.yaml, a table, a file that is gone, one that has come under a pattern."""
    place.write_text(f"{ROUTES}# more\n")
    (place.parent / "tables" / "units.csv").write_text("code,dpi\n1,3\n")
    (place.parent / "routes" / "adt.yaml").unlink()
    (place.parent / "routes" / "oru.yaml").write_text("routes: {}\n")
    assert sorted(changed_on_disk(place, running)) == [
        "routes.yaml", "routes/adt.yaml", "routes/oru.yaml", "tables/units.csv",
    ]  # fmt: skip
