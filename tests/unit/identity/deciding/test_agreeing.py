"""
Who a number stands for: of whom its site was sure last, whatever it says meanwhile without being sure.

One number of a site, or several: what is allowed under the one lets another person in under the others.
"""

from __future__ import annotations

import pytest

from engine.identity.decisions import Outcome
from engine.identity.policy import OnMerge
from tests.support.identity import Group, ipp, message, pid, settled

PAUL = {"name": "MARTIN", "first": "PAUL", "born": "19450607", "sex": "M", "place": "75056"}
NOBODY = {"name": "X", "first": "TROIS", "born": "", "sex": "M", "place": ""}
NAME = {"name": "MARTIN", "first": "", "born": "", "sex": "", "place": ""}
DOUBTED = ("PROV~DOUT", "VALI~DOUB", "VALI~USUR", "VALI~COLP", "VALI~INVA")
MASKED = ("PROV~ANOM", "PROV~FICT")
TRAITS = "E-ID-TRAITS"


def of_anne(*events: str, status: str = "VALI", **group: object) -> Group:
    """A number `a` of Anne's, and by events another one, `r`."""
    made = Group(**group)
    made.hear(message("A28", pid(ipp("cha", "r" if "A40" in events else "a"), status=status)))
    for event in events:
        second = pid(ipp("cha", "r"), status=status) if event == "A24" else f"MRG|{ipp('cha', 'r')}"
        assert settled(made.hear(message(event, pid(ipp("cha", "a"), status=status), second)))
    return made


def says(group: Group, number: str, status: str, event: str = "A31", **who: str) -> str:
    """What becomes of what cha says under a number: the code of its dead letter, or nothing."""
    decision = group.hear(message(event, pid(ipp("cha", number), status=status, **who)))
    assert settled(decision) or decision.outcome is Outcome.DEAD
    return decision.code


def result(group: Group, number: str, status: str = "", **who: str) -> str:
    """The same of a result."""
    return group.hear(message("R01", pid(ipp("cha", number), status=status, **who), type_="ORU")).code


@pytest.mark.parametrize("event", ["A43", "A24", "A40"])
@pytest.mark.parametrize("status", [*DOUBTED, *MASKED, "PROV", "VALI", "PROV~CACH"])
def test_another_person_under_a_second_number(event, status):
    """Neither he nor his result leaves, and the first number goes on as before."""
    group = of_anne(event)
    assert says(group, "r", status, "A01", **PAUL) == TRAITS
    assert says(group, "r", "VALI", **PAUL) == TRAITS
    assert result(group, "r", **PAUL) == TRAITS
    assert result(group, "r", "VALI~DOUB", **PAUL) == TRAITS
    assert says(group, "a", "VALI") == ""
    assert result(group, "r") == ""


@pytest.mark.parametrize("between", [*DOUBTED, "PROV"])
def test_who_is_doubted_is_still_the_same(between):
    """Doubted with his own traits, even corrected a little: he doesn't become another by that."""
    group = of_anne()
    assert says(group, "a", between, place="75056") == ""
    assert says(group, "a", between, name="DURANT", place="75056") == ""
    assert says(group, "a", between, **PAUL) == TRAITS
    assert says(group, "a", "VALI", **PAUL) == TRAITS
    assert result(group, "a", **PAUL) == TRAITS
    assert result(group, "a", "VALI~DOUB", **PAUL) == TRAITS
    assert says(group, "a", "VALI") == ""


@pytest.mark.parametrize("mask", MASKED)
def test_a_mask_is_put_on_and_taken_off(mask):
    """Of one's own single number: results come under either name; somebody else doesn't step out from behind it."""
    group = of_anne()
    assert says(group, "a", mask, **NOBODY) == ""
    assert says(group, "a", mask, **NOBODY) == ""
    assert says(group, "a", "", **NOBODY) == "", "a movement that says no status"
    assert result(group, "a", **NOBODY) == ""
    assert result(group, "a") == ""
    assert result(group, "a", **PAUL) == TRAITS
    assert says(group, "a", "VALI", **PAUL) == TRAITS
    assert says(group, "a", "VALI") == ""
    assert says(group, "a", mask, **PAUL) == ""
    assert says(group, "a", "VALI", **NAME) == TRAITS, "of the mask's other traits he would become Paul"


@pytest.mark.parametrize("status", [*DOUBTED[:1], *MASKED, "PROV", "PROV~DOUT"])
def test_somebody_unknown_becomes_known(status):
    """Unconscious, newborn, born anonymously: of whom the site was never sure, he may be anybody."""
    group = Group()
    assert says(group, "a", status, "A01", **NOBODY) == ""
    assert says(group, "a", "PROV", **PAUL) == ""
    assert says(group, "a", "VALI", **PAUL) == ""
    assert says(group, "a", "VALI") == TRAITS, "and is nobody else from then on"


@pytest.mark.parametrize("status", [*DOUBTED, "PROV"])
@pytest.mark.parametrize("now", ["VALI", "PROV"])
def test_somebody_doubtful_of_two_numbers(status, now):
    """Of whom the site speaks under the other number, nobody can tell."""
    group = of_anne("A24", status=status)
    assert says(group, "r", now, **PAUL) == TRAITS
    assert says(group, "a", now) == ""


def test_somebody_masked_of_two_numbers():
    """Who has one in use may become known; who has two is looked at by an officer."""
    for event, code in (("A40", ""), ("A24", TRAITS)):
        assert says(of_anne(event, status="PROV~ANOM"), "a", "VALI", **PAUL) == code


def test_a_name_alone_under_one_of_several_numbers():
    """Nothing that it says is the same: it may be anybody's. A change of name says more."""
    for event in ("A40", "A43"):
        group = of_anne(event)
        assert says(group, "r", "PROV", **NAME) == TRAITS
        assert says(group, "r", "VALI", name="MARTIN") == ""
    assert says(of_anne(), "a", "VALI", **NAME) == ""


def test_a_merge_into_somebody_doubtful():
    """Who ends was sure: of the survivor, who wasn't, he doesn't become another."""
    for status in (*DOUBTED, *MASKED, "PROV"):
        group = of_anne(on_merge=OnMerge.EMIT)
        assert says(group, "x", status, "A01", **{**NOBODY, "sex": ""}) == ""
        merged = message("A40", pid(ipp("cha", "x"), status="VALI", **PAUL), f"MRG|{ipp('cha', 'a')}")
        assert group.hear(merged).code == TRAITS
        mine = message("A40", pid(ipp("cha", "x"), status=status, **{**NOBODY, "sex": ""}), f"MRG|{ipp('cha', 'a')}")
        if settled(group.hear(mine)):
            assert says(group, "x", "VALI", **PAUL) == TRAITS
        assert says(group, "a", "VALI") == ""


def test_another_hospital_that_doubts():
    """What it was sure of still contradicts, and what it says in doubt is compared too."""
    group = Group(may_assert=frozenset())
    both = message("A28", pid(ipp("cha", "1"), ipp("chb", "7"), status="VALI"))
    group.hear(both, may=("cha", "chb"))
    group.hear(message("A31", pid(ipp("chb", "7"), status="VALI")), "chb")
    group.hear(message("A31", pid(ipp("chb", "7"), status="VALI~DOUB")), "chb")
    other = {"first": "LUCIE", "born": "19720304"}
    assert group.hear(message("A31", pid(ipp("cha", "1"), status="VALI", **other))).code == TRAITS
    assert group.hear(message("A31", pid(ipp("chb", "7"), status="VALI~DOUB", **other)), "chb").code == TRAITS
