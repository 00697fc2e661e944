"""Strict traits: what is the same, what may be, what isn't."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.references import References
from engine.identity.traits import Likeness, StrictTraits, Trait, compare_traits, normal_date, trait_hash, words

ANNE = StrictTraits("DURAND", "ANNE", "ANNE MARIE", "19700102", "F", "38185")
REFERENCES = References(b"0123456789abcdef")


def changed(**traits: str) -> StrictTraits:
    return ANNE._replace(**traits)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("D'ÉTÉ", "d ete"), ("LE GOFF-MARTIN", "Le Goff Martin"), ("DUPONT--MARTIN", "DUPONT MARTIN"), ("ŒUF", "OEUF"),
        ("STRAẞE", "STRASSE"), ("L’HÔTE", "L'HOTE"), ("  NAME ", "NAME"),
    ],
)  # fmt: skip
def test_spellings_of_one_name(one, other):
    """Accents, case, hyphen, apostrophe and blank make no difference."""
    assert words(one) == words(other)


@pytest.mark.parametrize(("one", "other"), [("DE LA TOUR", "DELATOUR"), ("DURAND", "DURANT"), ("A B", "B A")])
def test_names_that_differ(one, other):
    """Words count, in their order."""
    assert words(one) != words(other)


@pytest.mark.parametrize(
    ("mine", "theirs", "wanted"),
    [
        (("JEAN", "JEAN PIERRE"), ("JEAN-PIERRE", "JEAN PIERRE"), Likeness.EQUAL),
        (("JEAN", ""), ("JEAN", "JEAN PIERRE MARIE"), Likeness.EQUAL),
        (("JEAN-PIERRE", ""), ("JEAN", "JEAN PIERRE MARIE"), Likeness.EQUAL),
        (("JEAN", "PIERRE MARIE"), ("JEAN", "JEAN PIERRE MARIE"), Likeness.EQUAL),
        (("JEAN", ""), ("JEAN", ""), Likeness.EQUAL),
        (("JEAN", "JEAN PIERRE"), ("JEAN", "JEAN PIERRE MARIE"), Likeness.COMPATIBLE),
        (("JEAN", ""), ("JEAN-PIERRE", ""), Likeness.COMPATIBLE),
        (("", ""), ("JEAN", "JEAN"), Likeness.COMPATIBLE),
        (("JEAN", "JEAN PIERRE"), ("JEAN", "JEAN PAUL"), Likeness.DIFFERENT),
        (("PAUL", ""), ("JEAN", "JEAN PAUL"), Likeness.DIFFERENT),
        (("JEAN PIERRE PAUL", ""), ("JEAN", "JEAN PIERRE"), Likeness.DIFFERENT),
    ],
)
def test_given_names(mine, theirs, wanted):
    """The first one is the start of the list; what one list has more than the other can't be said."""
    one, other = (changed(first_name=first, first_names=list_) for first, list_ in (mine, theirs))
    assert compare_traits(one, other).likeness is wanted
    assert compare_traits(other, one).likeness is wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("19700102", "19700102"), ("197001021530", "19700102"), ("1970", "1970"), ("197001", "197001"),
        ("19700100", "197001"), ("19700000", "1970"), ("19703100", "1970"), ("19701399", "1970"), ("00000000", ""),
        ("", ""), ("02011970X", ""), ('""', ""),
    ],
)  # fmt: skip
def test_dates(text, wanted):
    """Partial and lunar dates keep what is known of them."""
    assert normal_date(text) == wanted


@pytest.mark.parametrize(
    ("traits", "likeness"),
    [
        ({"birth_date": "1970"}, Likeness.COMPATIBLE),
        ({"birth_date": "1971"}, Likeness.DIFFERENT),
        ({"birth_date": "19700103"}, Likeness.DIFFERENT),
        ({"birth_place": ""}, Likeness.COMPATIBLE),
        ({"birth_place": "38000"}, Likeness.DIFFERENT),
        ({"sex": "2"}, Likeness.EQUAL),
        ({"sex": "U"}, Likeness.COMPATIBLE),
        ({"sex": "M"}, Likeness.DIFFERENT),
        ({"birth_name": ""}, Likeness.COMPATIBLE),
    ],
)
def test_one_trait(traits, likeness):
    """Same, not said, different."""
    assert compare_traits(ANNE, changed(**traits)).likeness is likeness


@pytest.mark.parametrize(
    ("one", "other", "beyond"),
    [
        ("JEAN-PIERRE", "JEAN-PAUL", True), ("MARIE-ANNE", "MARIE-CLAIRE", True), ("PAUL-JEAN", "PIERRE-JEAN", True),
        ("JEAN-PIERE", "JEAN PIERRE", False), ("JEAN", "JEAN-PAUL", False), ("JEANNE-MARIE", "JEANE", False),
    ],
)  # fmt: skip
def test_tolerance_of_compound_names(one, other, beyond):
    """Twins may share the first word of their names; a name may be mistyped, or said by its first word."""
    compared = compare_traits(changed(first_name=one, first_names=""), changed(first_name=other, first_names=""))
    assert compared.beyond_tolerance is beyond
    assert compare_traits(changed(first_name=other), changed(first_name=one)).beyond_tolerance is beyond


@pytest.mark.parametrize(
    ("traits", "beyond"),
    [
        ({"birth_name": "MARTIN"}, False),
        ({"first_name": "ANE", "first_names": ""}, False),
        ({"birth_date": "19700201"}, False),
        ({"birth_place": "38000", "birth_date": "19700201"}, False),
        ({"first_name": "LUCIE", "first_names": ""}, True),
        ({"birth_name": "MARTIN", "birth_date": "19710102"}, True),
        ({"birth_name": "MARTIN", "sex": "M"}, True),
    ],
)
def test_tolerance(traits, beyond):
    """One trait may be mistyped or changed; twins have one date, one name and two given names."""
    assert compare_traits(ANNE, changed(**traits)).beyond_tolerance is beyond


def test_a_comparison_says_which():
    """By trait, for people."""
    compared = compare_traits(ANNE, changed(sex="M", birth_place=""))
    assert (compared.different, compared.unknown) == ((Trait.SEX,), (Trait.BIRTH_PLACE,))


@pytest.mark.parametrize("lacking", StrictTraits._fields)
def test_an_incomplete_identity_has_no_hash(lacking):
    """All five, the date in full; the list is in the given names."""
    wanted = lacking == "first_names" or lacking == "first_name"  # the list says the first one
    assert bool(trait_hash(changed(**{lacking: ""}), REFERENCES)) is wanted
    assert trait_hash(changed(birth_date="1970"), REFERENCES) == 0


names = st.text(st.sampled_from("AÉ -'B"), max_size=6)
people = st.builds(
    StrictTraits, names, names, names, st.sampled_from(["19700102", "1970", "", "19700000", "19710102"]),
    st.sampled_from(["M", "F", ""]), st.sampled_from(["38185", "2A004", ""]),
)  # fmt: skip


@given(people, people)
def test_equal_people_have_equal_hashes(one, other):
    """Whoever is equal by comparison is found by the hash; comparisons don't depend on the order."""
    compared = compare_traits(one, other)
    assert compared.likeness is compare_traits(other, one).likeness
    if compared.likeness is Likeness.EQUAL:
        assert trait_hash(one, REFERENCES) == trait_hash(other, REFERENCES) != 0
