"""The nouns of claims."""

from __future__ import annotations

from engine.core.identities import IdentifierKind
from engine.core.references import References
from engine.identity.claimed import Claimed, Claims, Person
from engine.identity.statuses import Attribute, IdentityStatus, Status
from engine.identity.traits import StrictTraits, trait_hash

TRAITS = StrictTraits("DURAND", "ANNE", "", "19700102", "F", "38185")
REFERENCES = References(b"0123456789abcdef")


def claims(*persons: Person) -> Claims:
    return Claims(list(persons), REFERENCES, site="cha", type_="ADT", event="A28", lanes=(5, 5, 6))


def test_keys_stand_once():
    """Those of lanes too."""
    assert claims(Person(TRAITS)).keys == (5, 6)


def test_traits_are_hashed_for_whom_may_be_compared():
    """Not for a fictive one; each person has their own."""
    fictive = Person(TRAITS, IdentityStatus(Status.PROVISIONAL, frozenset({Attribute.FICTIVE})))
    made = claims(Person(TRAITS), fictive)
    assert made.trait_key == made.traits_of(made.persons[0]) != 0
    assert made.traits_of(fictive) == 0


def test_traits_are_remembered_of_a_person_not_of_a_place_in_memory():
    """Of who is gone nothing is said of the next one."""
    made = claims()
    for name in ("DURAND", "MARTIN", "PETIT"):
        other = StrictTraits(name, "ANNE", "", "19700102", "F", "38185")
        assert made.traits_of(Person(other)) == trait_hash(other, REFERENCES)


def test_a_person_without_his_stays():
    """All else is said; the message itself still names them."""
    person = Person(TRAITS)
    person.accounts.append(Claimed(7, IdentifierKind.STAY, "1|AN", "7", "cha"))
    assert list(person.without_stays().hashes()) == []
    assert person.without_stays().traits == TRAITS
    assert list(person.hashes()) == [7]


def test_a_message_about_nobody():
    """It has no traits."""
    assert claims().persons == []
    assert claims().trait_key == 0
