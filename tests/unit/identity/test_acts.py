"""What identity officers do: events like those of rules, or a sentence."""

from __future__ import annotations

import pytest

from engine.core.identities import IdentityEvent, ReviewState
from engine.identity import acts
from engine.identity.acts import Act, Refusal
from engine.identity.crossreference import Unread
from tests.support.identity import REFERENCES, Group, ins, ipp, message, nda, pid

ACT = Act(who="officer", reason="looked at both files", place=9, at_ms=9)


def do(group: Group, act, *arguments, **more):
    """Carry out an act, reading what it asks for, and remember it."""
    group.rounds = 0
    while True:
        try:
            done = act(*arguments, group.known, ACT, **more)
            break
        except Unread as unread:
            group.read(unread)
    if isinstance(done, IdentityEvent):
        group.remember(done)
    return done


def key(site: str, value: str) -> int:
    return REFERENCES.hash("patient", f"1.2.3.{'abc'.index(site[2]) + 1}.1|PI", value)


def unlink(
    group: Group, *numbers: tuple[str, str], sites: tuple[str, ...] = (), unsure: tuple[str, ...] = (),
    another: bool = False,
):  # fmt: skip
    return do(
        group, lambda view, act, **more: acts.unlink([key(*one) for one in numbers], view, act, **more),
        policy=group.policy, references=REFERENCES, next_patient=group.next_patient, sites=sites,
        unsure=unsure, another_person=another,
    )  # fmt: skip


@pytest.fixture
def group() -> Group:
    group = Group()
    group.hear(message("A28", pid(ipp("cha", "1"), stay=nda("cha", "9"))))
    group.hear(message("A28", pid(ipp("chb", "7"))), "chb")
    group.restart()
    return group


def test_link(group):
    """Both numbers lead to who goes on, the review is closed."""
    event = do(group, acts.link, 2, 1)
    assert group.same(("cha", "1"), ("chb", "7"))
    assert group.patient("cha", "1").id == 2
    assert group.disk.reviews[1, 2].state is ReviewState.LINKED
    assert (event.who, event.reason) == ("officer", "looked at both files")


@pytest.mark.parametrize("pair", [(1, 1), (1, 8), (8, 9)])
def test_no_two_patients(group, pair):
    """Refused with what to do next."""
    assert "identity find" in do(group, acts.link, *pair).sentence
    assert isinstance(do(group, acts.mark_apart, *pair), Refusal)


def test_two_numbers_in_use_are_not_linked(group):
    """The hospital must merge them itself."""
    group.hear(message("A28", pid(ipp("cha", "2"), name="OTHER")))
    assert "A40" in do(group, acts.link, 1, 3).sentence


def test_apart(group):
    """Never proposed again, never joined, not twice."""
    assert do(group, acts.mark_apart, 2, 1).rule == "apart"
    assert group.disk.reviews[1, 2].state is ReviewState.APART
    assert "two people" in do(group, acts.link, 1, 2).sentence
    assert "already" in do(group, acts.mark_apart, 1, 2).sentence
    group.hear(message("A31", pid(ipp("cha", "1"), place="38000")))
    group.hear(message("A31", pid(ipp("cha", "1"))))
    assert [row.state for row in group.disk.reviews.values()] == [ReviewState.APART]


def test_unlink_takes_what_the_site_said_along():
    """Numbers, assertion, the INS that only it asserts, and its stays; the two are apart."""
    contract = frozenset({frozenset({"cha", "chb"})})
    group = Group(contracts=contract)
    number = ins("270013818500123")
    group.hear(message("A28", pid(ipp("cha", "1"), number, status="VALI")))
    group.hear(message("A01", pid(ipp("chb", "7"), number, status="VALI", stay=nda("chb", "9"))), "chb")
    assert group.same(("cha", "1"), ("chb", "7"))
    unlink(group, ("chb", "7"), sites=("chb",))
    old, new = group.patient("cha", "1"), group.patient("chb", "7")
    assert (old.apart, new.apart) == ((new.id,), (old.id,))
    assert [one.site for one in new.assertions] == ["chb"]
    assert [one.site for one in old.assertions] == ["cha"]
    assert REFERENCES.hash("ins", "1.2.250.1.213.1.4.8", "270013818500123") in old.identifiers
    stay = message("R01", pid(stay=nda("chb", "9")), type_="ORU")
    assert group.hear(stay, "chb").patient.id == new.id
    again = group.hear(message("A31", pid(ipp("chb", "7"), number, status="VALI")), "chb")
    assert again.code == "E-ID-APART"


def test_unlink_of_one_of_a_sites_two_numbers():
    """Of whom the site spoke nothing shows: neither keeps it, nor the INS, which would join the wrong one elsewhere."""
    group = Group(contracts=frozenset({frozenset({"cha", "chb"})}))
    number, lea = ins("270013818500123"), {"first": "LEA", "status": "VALI"}
    group.hear(message("A28", pid(ipp("cha", "300"), first="LEO", status="VALI")))
    group.hear(
        message("A24", pid(ipp("cha", "300"), first="LEO", status="VALI"), pid(ipp("cha", "200"), number, **lea))
    )
    unlink(group, ("cha", "200"), unsure=("cha",))
    assert [group.patient("cha", one).assertions for one in ("300", "200")] == [(), ()]
    group.hear(message("A28", pid(ipp("chb", "7"), number, **lea)), "chb")
    assert not group.same(("cha", "300"), ("chb", "7"))
    assert not group.same(("cha", "200"), ("chb", "7"))


def test_unlink_refuses(group):
    """The only numbers, unknown ones, those of two patients."""
    assert "all the local numbers" in unlink(group, ("cha", "1")).sentence
    assert "identity find" in unlink(group, ("cha", "404")).sentence
    assert "of one patient" in unlink(group, ("cha", "1"), ("chb", "7")).sentence


@pytest.mark.parametrize("others", [(), (("chb", "7"),)], ids=["his only number", "one of two"])
def test_a_number_that_is_another_persons(group, others):
    """What was said under it stays with who had it; the next message says who has it now."""
    if others:
        do(group, acts.link, 1, 2)
    hers = message("A31", pid(ipp("cha", "1"), name="MOREAU", first="LUCIE", born="19880503", status="VALI"))
    group.hear(message("A31", pid(ipp("cha", "1"), status="VALI")))
    assert group.hear(hers).code == "E-ID-TRAITS"
    old = group.patient("cha", "1")
    event = unlink(group, ("cha", "1"), sites=("cha",), another=True)
    assert group.disk.patients[old.id].assertions == old.assertions
    assert group.patient("cha", "1").assertions == ()
    undone = do(group, lambda view, act: acts.undo(event, view, act))
    assert group.patient("cha", "1") == old
    do(group, lambda view, act: acts.undo(undone, view, act))
    assert group.hear(hers).patient.assertions[0].birth_name == "MOREAU"
    assert group.hear(message("A31", pid(ipp("cha", "1"), status="VALI"))).code == "E-ID-TRAITS"
    assert group.disk.patients[old.id].number == old.number


def test_undo_gives_the_state_before(group):
    """Exactly; and the undo can be undone."""
    before = group.disk.copy()
    event = do(group, acts.link, 1, 2)
    after = group.disk.copy()
    undone = do(group, lambda view, act: acts.undo(event, view, act))
    assert group.disk.copy() == before
    assert (undone.rule, undone.undoes) == ("undo", event.id)
    do(group, lambda view, act: acts.undo(undone, view, act))
    assert group.disk.copy() == after


def test_undo_refuses_over_later_changes(group):
    """Nothing is edited behind somebody's back."""
    event = do(group, acts.link, 1, 2)
    group.hear(message("A31", pid(ipp("cha", "1"), name="DURAND-MARTIN")))
    assert "undo that first" in do(group, lambda view, act: acts.undo(event, view, act)).sentence
