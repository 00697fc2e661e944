"""
What the tests of routes share: messages as stored, the delivered configuration, small ones of their own.
"""

from __future__ import annotations

import pathlib
from collections.abc import Callable

import pytest

from engine.core.messages import StoredMessage
from engine.core.references import References
from engine.parsers import header_of
from engine.routes import load
from engine.routes.configuration import Configuration

ROOT = pathlib.Path(__file__).parents[3]
MESSAGES = ROOT / "tests" / "fixtures" / "messages"

SMALL = """
version: 1
sites:
  cha:
    finess_ej: "000000026"
    finess_eg: "000780064"
    charset: ISO-8859-1
    authorities:
      ipp: { oid: 1.2.250.1.999.10.1, hd1: CHA-IPP, type: PI }
      nda: { oid: 1.2.250.1.999.12.1, hd1: CHA-SEJOUR, hd3: L, type: AN }
      visit: { oid: 1.2.250.1.999.12.1, hd1: CHA-SEJOUR, hd3: L, type: VN }
  chb:
    finess_ej: "990000028"
    authorities:
      ipp: { oid: 1.2.250.1.999.20.1, hd1: CHB-IPP, type: PI }
keys:
  ipp: { path: "PID-3[@ipp].1" }
  nda: { path: [PID-18.1, PV1-19.1] }
sources:
  gam: { type: mllp, site: cha, listen: "127.0.0.1:6101", untyped: ipp }
  lis:
    type: mllp
    listen: "127.0.0.1:6110"
    site_from: { path: [MSH-4.2, MSH-4.1], table: finess_to_site, on_missing: dead_letter }
destinations:
  dpi: { type: mllp, connect: "127.0.0.1:5500", dead_letter: { lane: park } }
  raw: { type: directory, path: out, encode: as_received, order_by: none, file_name: "{site}-{event}-{id}.hl7" }
  bus: { type: mqtt, connect: "mqtt://127.0.0.1", topic: "ght/{site}/adt/{event}" }
"""


@pytest.fixture(scope="session")
def delivered() -> Configuration:
    """The delivered routes.yaml."""
    return load(ROOT / "routes.yaml", environment={})


@pytest.fixture
def small(tmp_path: pathlib.Path) -> Callable[..., Configuration]:
    """A small configuration with these routes (and other sections) appended; tables as name -> bytes."""

    def make(routes: str, *, base: str = SMALL, **tables: bytes) -> Configuration:
        for name, data in tables.items():
            (tmp_path / f"{name}.csv").write_bytes(data)
        (tmp_path / "routes.yaml").write_text(base + routes, encoding="utf-8")
        return load(tmp_path / "routes.yaml", environment={})

    return make


@pytest.fixture(scope="session")
def references() -> References:
    """Hashes with a key of the tests."""
    return References(b"k" * 32)


@pytest.fixture(scope="session")
def stored() -> Callable[..., StoredMessage]:
    """A stored message, from a fixture's name or from bytes."""

    def make(what: str | bytes, source: str, place: int = 7) -> StoredMessage:
        raw = what if isinstance(what, bytes) else (MESSAGES / what).read_bytes()
        header = header_of(raw)
        kind = "hprim-sante" if raw.startswith(b"H|") else "hl7v2"
        return StoredMessage(
            source=source, group="main", raw=raw, received_ms=1_700_000_000_000, format=kind,
            control_id=header.control_id, type=header.type, place=place,
        )  # fmt: skip

    return make
