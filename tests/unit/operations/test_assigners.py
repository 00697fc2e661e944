"""One identifier has one pseudonym, as received and as sent, in HL7 and in HPRIM."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine.core.messages import StoredMessage
from engine.core.references import References
from engine.operations.assigners import assigners_of, spelt
from engine.operations.masking import Masking, known_words
from engine.operations.pseudonyms import Pseudonyms
from engine.routes.configuration import Configuration
from engine.routes.evaluation import evaluate
from engine.routes.loader import load

ROUTES = """
version: 1
sites:
  cha:
    finess_ej: "000000026"
    authorities:
      ipp: { oid: 1.2.250.1.999.10.1, hd1: CHA-IPP, type: PI }
      nda: { oid: 1.2.250.1.999.12.1, hd1: CHA-NDA, type: AN }
    aliases: { CPAGE/PI: ipp }
sources: { gam: { type: mllp, site: cha, listen: "127.0.0.1:6101", untyped: ipp } }
destinations: { dpi: { type: mllp, connect: "127.0.0.1:5500" } }
routes:
  adt: { from: [gam], steps: [ { normalise_authorities: { on_unknown: keep } } ], to: [dpi] }
"""
REFERENCES = References(b"k" * 32)


@pytest.fixture
def configuration(tmp_path: Path) -> Configuration:
    file = tmp_path / "routes.yaml"
    file.write_text(ROUTES, encoding="utf-8")
    return load(file, environment={})


def masked(configuration: Configuration, raw: bytes, fmt: str = "hl7v2", site: str = "cha") -> list[str]:
    """Return the pseudonyms of a message, in their order."""
    assigners = assigners_of(configuration, site, "gam")
    masking = Masking(Pseudonyms(REFERENCES), known_words(configuration), assigners)
    return re.findall(r"P\.[0-9A-Z]{4}-[0-9A-Z]{4}", masking.text(raw, fmt))


def adt(identifiers: str, stay: str = "") -> bytes:
    return f"MSH|^~\\&|GAM|CHA|||2026||ADT^A01|1|P|2.5\rPID|1||{identifiers}{'|' * 15}{stay}\r".encode()


@pytest.mark.parametrize(
    "identifier",
    [
        "990077123",
        "990077123^^^^PI",
        " 990077123 ^^^CPAGE^PI",
        "990077123^^^&1.2.250.1.999.10.1&ISO^PI",
        "990077123^^^CHA-IPP&1.2.250.1.999.10.1&ISO^PI",
    ],
)
def test_every_spelling_of_a_patient(configuration: Configuration, identifier: str) -> None:
    """As the sender writes it and as the route completes it: the same pseudonym."""
    raw = adt(identifier, "4711")
    stored = StoredMessage(source="gam", group="main", raw=raw, received_ms=1, site="cha", place=1)
    (copy,) = evaluate(configuration, stored, REFERENCES).deliveries
    sent = copy.rendered or b""
    assert b"CHA-IPP&1.2.250.1.999.10.1&ISO^PI" in sent
    patient, stay = masked(configuration, raw)
    assert masked(configuration, sent) == [patient, stay]
    hprim = b"H|~^\\&|F1.HPR||LABO||ORU|||||P|H2.1~C|20260101\rP|1|990077123||4711\r"
    assert masked(configuration, hprim, "hprim-sante") == [patient, stay]
    assert masked(configuration, adt("990077123^^^CHA-IPP&1.2.250.1.999.10.1&ISO^PI")) == [patient]


def test_different_numbers_stay_different(configuration: Configuration) -> None:
    """Another authority, known or not, another value, another site without configuration."""
    raws = ["990077123", "990077124", "990077123^^^OTHER^PI", "990077123^^^THIRD^PI"]
    found = [masked(configuration, adt(one))[0] for one in raws]
    assert len(set(found)) == len(found)
    first, second = masked(configuration, adt("1~1^^^X^PI"))
    assert first != second


def test_without_a_configuration_they_are_as_they_are_spelt() -> None:
    """Nothing else is known; the same spelling has the same pseudonym all the same."""
    assert assigners_of(None, "cha", "gam") is None
    assert spelt(["1", "", "", "CHA&1.2&ISO", "PI", "x"]) == "CHA&1.2&ISO/PI"
    assert spelt(["1"]) == ""
