"""A small group of three hospitals, built without any YAML."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from engine.routes.configuration import Authority, Configuration, Destination, Site, Source
from engine.simulation.systems import Clock, Systems, systems_of

UNITS = ("4021", "4022")


def _site(rank: int, name: str) -> Site:
    def authority(kind: str, oid: str, cx5: str) -> Authority:
        return Authority(name=kind, site=name, type=cx5, oid=oid, hd1=f"{name.upper()}-{kind.upper()}", hd2=oid)

    stays = f"1.2.250.1.999.{rank}2.1"
    return Site(
        name=name,
        finess_ej=f"01000{rank}024",
        finess_eg=f"01078{rank}062",
        authorities={
            "ipp": authority("ipp", f"1.2.250.1.999.{rank}0.1", "PI"),
            "nda": authority("nda", stays, "AN"),
            "visit": authority("visit", stays, "VN"),
        },
    )


def build(directory: Path, ports: dict[str, int], dpi: int = 0) -> Configuration:
    sites = {name: _site(rank, name) for rank, name in enumerate(("cha", "chb", "chc"), 1)}
    sources = [Source(name=f"gam_{name}", type="mllp", site=name, host="127.0.0.1", port=ports.get(f"gam_{name}", 1))
               for name in sites]  # fmt: skip
    sources += [
        Source(name=name, type="mllp", host="127.0.0.1", port=ports.get(name, 1)) for name in ("lis_ght", "ris_ght")
    ]
    sources.append(
        Source(name="labo_ville", type="directory", site="cha", format="hprim-sante", path=str(directory / "in"))
    )
    return Configuration(
        hash="h", text="", files=(), group_authorities={}, sites=sites,
        sources={source.name: source for source in sources},
        destinations={"dpi": Destination(name="dpi", type="mllp", host="127.0.0.1", port=dpi)},
        routes=(), keys={}, lists={}, routes_of={},
    )  # fmt: skip


@pytest.fixture
def configuration(tmp_path: Path) -> Configuration:
    return build(tmp_path, {})


@pytest.fixture
def systems(configuration: Configuration) -> Systems:
    return systems_of(configuration, lambda site: UNITS)


@pytest.fixture
def clock() -> Clock:
    return lambda: dt.datetime(2026, 3, 14, 9, 26, 53, tzinfo=dt.UTC)
