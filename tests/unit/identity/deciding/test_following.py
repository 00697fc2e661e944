"""registry: follow: another registry numbers, hospitals are looked up."""

from __future__ import annotations

from engine.identity.decisions import Outcome
from engine.identity.policy import Registry
from tests.support.identity import HOLD, Group, became_known, ins, ipp, message, pid, pn

REGISTRY = ("group", "cha", "chb", "chc")


def group_that_follows() -> Group:
    return Group(registry=Registry.FOLLOW, contracts=frozenset({frozenset({"cha", "chb"})}))


def lists(group: Group, number: str, *numbers: str, event: str = "A31", prior: str = ""):
    segments = [pid(pn(number), *numbers), *([f"MRG|{pn(prior)}"] if prior else [])]
    return group.hear(message(event, *segments), "", may=REGISTRY)


def test_the_registry_says_who_is_who():
    """Its list makes patients, and joins numbers that were apart."""
    group = group_that_follows()
    lists(group, "R1", ipp("cha", "1"))
    lists(group, "R1", ipp("chb", "7"))
    assert group.same(("cha", "1"), ("chb", "7"))
    assert group.patient("cha", "1").number == "R1"


def test_hospitals_are_looked_up():
    """Nothing is linked by their INS; who isn't listed yet has no number until he is."""
    group = group_that_follows()
    for site, number in (("cha", "1"), ("chb", "7")):
        group.hear(message("A28", pid(ipp(site, number), ins("270013818500123"), status="VALI")), site)
    assert not group.same(("cha", "1"), ("chb", "7"))
    assert group.patient("cha", "1").number == ""
    assert group.reviews() == []
    decision = group.hear(message("A28", pid(ipp("chc", "5"))), "chc", on_unknown=HOLD)
    assert decision.outcome is Outcome.WAIT
    listed = lists(group, "R1", ipp("cha", "1"), ipp("chb", "7"), ipp("chc", "5"))
    assert group.same(("cha", "1"), ("chb", "7"))
    assert group.patient("cha", "1").number == "R1"
    assert decision.wait.hashes[0] in became_known(listed)


def test_the_registry_moves_a_number():
    """Absence unlinks nothing; listed under another patient, it is his."""
    group = group_that_follows()
    lists(group, "R1", ipp("cha", "1"), ipp("chb", "7"))
    lists(group, "R1", ipp("cha", "1"))
    assert group.same(("cha", "1"), ("chb", "7"))
    lists(group, "R2", ipp("chb", "7"))
    assert not group.same(("cha", "1"), ("chb", "7"))


def test_the_registry_links_and_unlinks():
    """A24, A37: numbers; two patients of its own are its A40's affair, and which one goes on isn't guessed."""
    group = group_that_follows()
    lists(group, "R1", ipp("cha", "1"))
    lists(group, "R2", ipp("chc", "5"))

    def hear(event: str, one: str, other: str):
        return group.hear(message(event, one, other), "", may=REGISTRY)

    hear("A24", pid(ipp("chb", "7")), pid(pn("R1")))
    assert group.same(("cha", "1"), ("chb", "7"))
    hear("A37", pid(pn("R1"), ipp("cha", "1")), pid(ipp("chb", "7")))
    assert not group.same(("cha", "1"), ("chb", "7"))
    decision = hear("A24", pid(pn("R1"), ipp("cha", "1")), pid(pn("R2"), ipp("chc", "5")))
    assert decision.code == "E-ID-TWO-PATIENTS"
    assert not group.same(("cha", "1"), ("chc", "5"))


def test_the_registry_merges():
    """Its A40 joins two patients, whatever on_merge says."""
    group = group_that_follows()
    lists(group, "R1", ipp("cha", "1"))
    lists(group, "R2", ipp("chb", "7"))
    lists(group, "R1", event="A40", prior="R2")
    assert group.same(("cha", "1"), ("chb", "7"))
    assert len(group.disk.patients) == 1


def test_a_hospital_speaks_not_for_the_registry():
    """A federation identifier from elsewhere says who is meant, and makes nobody known."""
    group = group_that_follows()
    lists(group, "R1", ipp("cha", "1"))
    assert group.hear(message("R01", pid(pn("R1")), type_="ORU"), "cha").patient.number == "R1"
    decision = group.hear(message("A28", pid(pn("R1"), ipp("chb", "9"))), "chb")
    assert (decision.outcome, decision.code) == (Outcome.DEAD, "E-ID-NOT-ASSERTED")
