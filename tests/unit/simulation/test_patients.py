"""The population: deterministic, and nobody in it exists."""

import datetime as dt

import pytest

from engine.simulation.patients import Population, hl7_date
from engine.trials.fictive.people import TEST_INS_OID


def test_the_same_seed_and_number_give_the_same_person():
    """A story can be told again, whatever was asked before."""
    first, second = Population(7), Population(7)
    second.person(3)
    assert [first.person(number) for number in range(50)] == [second.person(number) for number in range(50)]
    assert Population(8).person(1) != first.person(1)


def test_insurance_numbers_can_belong_to_nobody():
    """First digit 5, true key, 15 digits, under the test OID."""
    assert TEST_INS_OID == "1.2.250.1.213.1.4.10"
    for number in range(200):
        ins = Population(1).person(number).ins
        assert ins[0] == "5"
        assert len(ins) == 15
        assert 97 - int(ins[:13]) % 97 == int(ins[13:])


def test_accents_and_apostrophes_occur_and_fit_the_charsets_of_legacy_systems():
    """Every name survives cp1252 and ISO 8859-15."""
    text = "".join(
        person.birth_name + person.usual_name + "".join(person.given) + person.street + person.town
        for person in map(Population(1).person, range(300))
    )
    assert {"É", "'", "Œ", "-"} <= set(text)
    for codec in ("cp1252", "iso8859-15"):
        text.encode(codec)


def test_a_newborn_has_its_mothers_name():
    """And is the same when asked again."""
    population = Population(1)
    mother, born = population.person(5), dt.date(2026, 3, 14)
    child = population.child_of(mother, 100_001, born)
    assert child.birth_name == mother.birth_name
    assert child == population.child_of(mother, 100_001, born)


@pytest.mark.parametrize("number", [-1, 10])
def test_nobody_lives_outside_the_population(number):
    """A wrong number is an error, not another person."""
    with pytest.raises(IndexError):
        Population(1, size=10).person(number)


def test_dates_are_written_as_hl7_writes_them():
    """YYYYMMDD."""
    assert hl7_date(dt.date(1985, 7, 2)) == "19850702"
