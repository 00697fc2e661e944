"""Who is meant by a message that was decided on before: whom its number names, if what it says of him agrees."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.core.identities import IdentityEvent, IdentityRows
from engine.identity import acts
from engine.identity.decisions import Decision, Outcome, doubt, recall
from engine.identity.policy import GROUP, Registry
from tests.support.identity import REFERENCES, Group, ipp, message, pid, pn

UNBORN = {"name": "", "first": "", "born": ""}


@pytest.fixture
def group() -> Group:
    group = Group()
    group.hear(message("A28", pid(ipp("cha", "1"))))
    return group


def recalled(group: Group, raw: bytes, site: str = "cha") -> Decision:
    return recall(group.claims(raw, site), group.known, group.policy, passes=False)


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


def test_the_groups_number_alone_was_that_of_two(group):
    """Two who are alike had it: what differs by a letter isn't known to be his."""
    number = f"{group.patient('cha', '1').number}^^^GHT&1.2.3.9&ISO^PN"
    for said, about in (({}, True), ({"first": "ANNA"}, False)):
        claims = group.claims(message("O01", pid(number, **said), type_="ORM"))
        assert (doubt(claims, group.known, group.policy) == "") is about
    beside = group.claims(message("R01", pid(number, ipp("cha", "1"), first="ANNA"), type_="ORU"))
    assert doubt(beside, group.known, group.policy) == ""


def registry(*lists: tuple[str, ...], **said: str) -> Group:
    """A group that follows a registry, which has listed these numbers."""
    group = Group(registry=Registry.FOLLOW)
    for number, *numbers in lists:
        group.hear(message("A31", pid(pn(number), *numbers, **said)), may=(GROUP, "cha", "chb"))
    return group


def recalled_list(group: Group, *numbers: str, event: str = "A31", passes: bool = False, **said: str) -> Decision:
    claims = group.claims(message(event, pid(*numbers, **said)))
    policy = replace(group.policy, may_assert=frozenset({GROUP, "cha", "chb"}))
    return recall(claims, group.known, policy, passes=passes)


def test_the_registrys_list_leaves_without_what_it_moved():
    """It is about whom the registry numbers; of a merge or a new number nothing is left out."""
    group = registry(("R1", ipp("cha", "1"), ipp("chb", "7")), ("R2", ipp("chb", "7")))
    decision = recalled_list(group, pn("R1"), ipp("cha", "1"), ipp("chb", "7"))
    assert (decision.outcome, decision.patient) == (Outcome.KNOWN, group.patient("cha", "1"))
    assert [value for _, value in decision.left_out] == ["7"]
    for event in ("A40", "A47"):
        assert recalled_list(group, pn("R1"), ipp("cha", "1"), ipp("chb", "7"), event=event).code == "E-ID-PARTED"


def test_the_registrys_list_of_another_person():
    """What it says contradicts what it said since, or nobody has its number any more: an officer's."""
    group = registry(("R1", ipp("cha", "1")), ("R2", ipp("cha", "1")))
    assert recalled_list(group, pn("R1"), ipp("cha", "1"), name="").outcome is Outcome.KNOWN
    assert recalled_list(group, pn("R1"), ipp("cha", "1"), first="LUCIE").code == "E-ID-PARTED"
    group.known.take(IdentityRows({}, {}, {}, {}), [REFERENCES.hash("patient", "1.2.3.9|PN", "R3")])
    assert recalled_list(group, pn("R3"), ipp("cha", "1"), passes=True).code == "E-ID-PARTED"


def test_a_hospitals_list_leaves_nothing_out():
    """Only the registry says who has its numbers."""
    group = registry(("R1", ipp("cha", "1")), ("R2", ipp("cha", "1")))
    decision = recall(
        group.claims(message("A31", pid(pn("R1"), ipp("cha", "1")))), group.known, group.policy, passes=False
    )
    assert decision.code == "E-ID-PARTED"
