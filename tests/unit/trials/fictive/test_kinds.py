"""What each leaf may tell of somebody."""

from __future__ import annotations

import pytest

from engine.dictionary.dictionary import PAM_FR, dictionary_of
from engine.trials.fictive.guises import Guises
from engine.trials.fictive.kinds import FIELDS, HPRIM, TYPES, kind_of
from tests.unit.trials.fictive.conftest import REFERENCES

GUISES = Guises(REFERENCES, 60)


def test_every_kind_has_its_guise():
    """Or is kept."""
    kinds = {kind for table in (TYPES, FIELDS, HPRIM) for each in table.values() for kind in each}
    for kind in kinds - {"keep"}:
        assert isinstance(GUISES.of(kind, "12"), str)


def test_components_behind_the_last_one():
    """Are of its kind: a longer data type of a later version doesn't open a hole."""
    assert [kind_of(("id", "keep"), number) for number in (1, 2, 3, 9)] == ["id", "keep", "keep", "keep"]


@pytest.mark.parametrize("version", ["2.3", "2.5", "2.8"])
@pytest.mark.parametrize("segment", ["PID", "NK1", "MRG", "GT1", "IN1", "PD1"])
def test_nothing_of_a_person_is_kept_by_its_type(version, segment):
    """Names, addresses, phones and identifiers of every version have kinds of their own, or are free text."""
    dictionary = dictionary_of(version, PAM_FR if version == "2.5" else "")
    known = dictionary.segment(segment)
    for part in known.fields if known is not None else ():
        first = FIELDS.get((segment, part.number), TYPES.get(part.type, ("free",)))[0]
        if any(word in part.words for word in ("name", "address", "phone", "ssn", "security number", "mother's")):
            assert first != "keep" or part.type in ("IS", "ID", "NM", "CE", "CWE"), part
