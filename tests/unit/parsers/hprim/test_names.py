"""Names of fields, in the norm's words."""

from __future__ import annotations

import pytest

from engine.parsers.hprim.names import component_name, field_name, meaning, segment_name


@pytest.mark.parametrize(
    ("segment", "number", "name"),
    [
        ("H", 6, "contexte"), ("P", 2, "identifiant du demandeur"), ("P", 25, "localisation"), ("P", 41, "courriel"),
        ("OBR", 25, "statut"), ("OBR", 36, "date prévue"), ("OBX", 16, "validateur"), ("ENT", 7, "date de naissance"),
        ("RES", 13, "borne haute 2"), ("P", 42, ""), ("P", 0, ""), ("ZZZ", 1, ""),
    ],
)  # fmt: skip
def test_names(segment: str, number: int, name: str) -> None:
    """By the numbers of paths; nothing for what the norm doesn't know."""
    assert field_name(segment, number) == name


def test_segments() -> None:
    """What they are."""
    assert segment_name("C") == "commentaire"
    assert segment_name("ZZZ") == ""


def test_components_and_codes() -> None:
    """Of the composite fields; nothing for what the norm doesn't know."""
    assert component_name("P", 25, 3) == "unité"
    assert component_name("P", 25, 4) == component_name("P", 3, 1) == ""
    assert meaning("OBR-25", "M") == "partiel"
    assert meaning("H-12.2", "C") == "laboratoire et clinique"
    assert meaning("P-8", "x") == meaning("P-3", "x") == ""
