"""Which of the group's numbers go along with numbers that an officer unlinks: those of before the link, or none."""

from __future__ import annotations

import pytest

from engine.core.identities import IdentityEvent
from engine.identity import acts
from engine.identity.acts import Act
from engine.identity.former import going_along, stale
from tests.support.identity import ARCS, REFERENCES, Group, ipp, message, pid

ACT = Act(who="officer", reason="why", place=9, at_ms=9)


def key(site: str, value: str) -> int:
    return REFERENCES.hash("patient", f"{ARCS[site]}.1|PI", value)


def link(group: Group, keep: int, gone: int) -> None:
    event = acts.link(keep, gone, group.known, ACT)
    assert isinstance(event, IdentityEvent), event
    group.remember(event)


@pytest.fixture
def group() -> Group:
    """Three hospitals know somebody, and officers link them all: 3 to 2, 2 to 1."""
    group = Group()
    for site, value in (("cha", "1"), ("chb", "7"), ("chc", "5")):
        group.hear(message("A28", pid(ipp(site, value))), site)
    link(group, 2, 3)
    link(group, 1, 2)
    return group


def going(group: Group, *numbers: tuple[str, str]) -> list[str]:
    patient = group.disk.patients[1]
    rows = [group.disk.identifiers[one] for one in patient.identifiers]
    found = going_along(patient, rows, [key(*one) for one in numbers], group.events)
    assert [row.patient for row in found] == [1] * len(found)
    return [row.value for row in found]


def number(group: Group, id_: int) -> str:
    return group.policy.number.write(id_)


def test_who_was_joined_last_takes_his_own_and_those_before(group):
    """All that came from him goes: his number, and that of who had ended in him before."""
    assert going(group, ("chb", "7"), ("chc", "5")) == [number(group, 2), number(group, 3)]


def test_who_was_joined_before(group):
    assert going(group, ("chc", "5")) == [number(group, 3)]


@pytest.mark.parametrize(
    "numbers", [[("chb", "7")], [("cha", "1")], [("cha", "1"), ("chc", "5")]],
    ids=["a part of what came", "the one in whom they ended", "of two"],
)  # fmt: skip
def test_what_may_be_anothers_stays(group, numbers):
    """The number leads to who had it with all that was there; which part was meant isn't guessed."""
    assert going(group, *numbers) == []


def test_a_part_went_before(group):
    """What is left of it isn't all that came: who was joined before that has his own, the other number stays."""
    group.remember(unlinked(group, keys=(("chb", "7"),)))
    assert group.patient("chb", "7").number == number(group, 4)
    assert going(group, ("chc", "5")) == [number(group, 3)]


def test_today_s_number_is_nobody_elses(group):
    patient = group.disk.patients[1]
    rows = [group.disk.identifiers[one] for one in patient.identifiers]
    assert {row.value for row in stale(patient, rows)} == {number(group, 2), number(group, 3)}


def unlinked(group: Group, *former: str, keys: tuple[tuple[str, str], ...] = (("chc", "5"),)):
    hashes = [REFERENCES.hash("patient", "1.2.3.9|PN", one) for one in former]
    return acts.unlink(
        [key(*one) for one in keys], group.known, ACT, policy=group.policy, references=REFERENCES,
        next_patient=group.next_patient, sites=("chc",), former=hashes,
    )  # fmt: skip


def test_the_new_patient_has_it_and_nobody_else(group):
    """The row and the number, in one event that can be undone."""
    before = group.disk.copy()
    event = unlinked(group, number(group, 3))
    group.remember(event)
    new = group.patient("chc", "5")
    assert (new.id, new.number) == (4, number(group, 3))
    assert group.disk.patients[1].number == number(group, 1)
    assert REFERENCES.hash("patient", "1.2.3.9|PN", new.number) in new.identifiers
    assert [one.number for one in group.disk.patients.values()].count(new.number) == 1
    group.remember(acts.undo(event, group.known, ACT))
    assert group.disk.copy() == before


def test_what_isn_t_his_former_number_is_refused(group):
    """Something came in between: today's number, or one that is another patient's, doesn't go."""
    group.hear(message("A28", pid(ipp("cha", "2"), name="MOREAU", first="PAUL")))
    for wrong in (number(group, 1), number(group, 4)):
        refusal = unlinked(group, wrong)
        assert isinstance(refusal, acts.Refusal)
        assert "isn't there any more" in refusal.sentence
