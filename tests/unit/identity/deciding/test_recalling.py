"""Who is meant by a message that was decided on before: whom its number names, if what it says of him agrees."""

from __future__ import annotations

import pytest

from engine.core.identities import IdentityEvent
from engine.identity import acts
from engine.identity.decisions import Decision, Outcome, recall
from tests.support.identity import REFERENCES, Group, ipp, message, pid

UNBORN = {"name": "", "first": "", "born": ""}


@pytest.fixture
def group() -> Group:
    group = Group()
    group.hear(message("A28", pid(ipp("cha", "1"))))
    return group


def recalled(group: Group, raw: bytes, site: str = "cha") -> Decision:
    return recall(group.claims(raw, site), group.known, passes=False)


@pytest.mark.parametrize(
    "said",
    [{}, {"name": "DURANT"}, {"place": "69123", "born": "19700103"}, {"first": "", "born": ""}],
    ids=["equal", "mistyped", "another date", "the name alone"],
)
def test_the_same_person(group, said):
    """Within tolerance of what the site says of him."""
    decision = recalled(group, message("R01", pid(ipp("cha", "1"), **said), type_="ORU"))
    assert (decision.outcome, decision.patient) == (Outcome.KNOWN, group.patient("cha", "1"))


@pytest.mark.parametrize(
    "said",
    [{"first": "LUCIE"}, {"name": "MOREAU", "born": "19900102"}, UNBORN],
    ids=["a sister", "somebody else", "the sex alone"],
)
def test_another_person(group, said):
    """The number stands for somebody else now, or nothing shows that it doesn't: never his."""
    decision = recalled(group, message("R01", pid(ipp("cha", "1"), **said), type_="ORU"))
    assert (decision.outcome, decision.code) == (Outcome.DEAD, "E-ID-PARTED")
    assert "aren't known to be his" in decision.reason
    assert decision.parked
    assert not decision.events


def test_a_usual_name_is_no_other_name(group):
    """PID-5 with the birth name in a second repetition, and another date mistyped."""
    used = pid(ipp("cha", "1"), born="19700103").replace("DURAND^ANNE^^^^^L", "MARTIN^ANNE^^^^^D~DURAND^ANNE^^^^^U")
    assert recalled(group, message("R01", used, type_="ORU")).outcome is Outcome.KNOWN


def test_another_hospitals_word_counts_where_its_own_is_missing(group):
    """An order of another hospital names the patient by the group's number."""
    number = f"{group.patient('cha', '1').number}^^^GHT&1.2.3.9&ISO^PN"
    assert recalled(group, message("O01", pid(number), type_="ORM"), "chb").outcome is Outcome.KNOWN
    assert recalled(group, message("O01", pid(number, first="LUCIE"), type_="ORM"), "chb").code == "E-ID-PARTED"


def test_nobody_has_said_who_he_is(group):
    """A number that was just taken from its patient: nothing shows whose message it is."""
    group.hear(message("A24", pid(ipp("cha", "1")), pid(ipp("cha", "2"))))
    key = REFERENCES.hash("patient", "1.2.3.1.1|PI", "2")
    act = acts.Act(who="officer", reason="another person's", place=9, at_ms=9)
    event = acts.unlink(
        [key], group.known, act, policy=group.policy, references=REFERENCES, next_patient=group.next_patient
    )
    assert isinstance(event, IdentityEvent)
    group.remember(event)
    decision = recalled(group, message("A31", pid(ipp("cha", "2"))))
    assert decision.code == "E-ID-PARTED"
    assert "no hospital has said yet who that is" in decision.reason
