"""A44 and the other events of stays: a stay goes where the standard says, and wherever its number goes."""

from __future__ import annotations

import pytest

from engine.identity.decisions import Outcome
from engine.identity.policy import OnMerge
from tests.support.identity import Group, ipp, message, nda, pid, visit


def mrg(number: str = "", stay: str = "", seen: str = "", alternate: str = "") -> str:
    return f"MRG|{number}||{stay}||{seen}|{alternate}"


def pv1(seen: str = "", alternate: str = "") -> str:
    return "PV1|1" + "|" * 18 + seen + "|" * 31 + alternate


def result(group: Group, stay: str, site: str = "cha"):
    """A result that names nothing but a stay, and its patient's id."""
    decision = group.hear(message("R01", pid(stay=nda(site, stay)), type_="ORU"), site)
    return decision.patient.id if decision.patient else decision.outcome


@pytest.fixture
def group() -> Group:
    group = Group()
    group.hear(message("A01", pid(ipp("cha", "1"), stay=nda("cha", "S1"))))
    group.hear(message("A01", pid(ipp("cha", "2"), stay=nda("cha", "S2"))))
    return group


@pytest.mark.parametrize("where", ["PID-18", "MRG-3"])
def test_a_stay_moves(group, where):
    """PID-18, or MRG-3 where PID-18 is empty."""
    stay = nda("cha", "S1")
    moved = pid(ipp("cha", "2"), stay=stay if where == "PID-18" else "")
    decision = group.hear(message("A44", moved, mrg(ipp("cha", "1"), stay)))
    assert decision.events[0].rule == "move-stay"
    assert result(group, "S1") == 2


def test_a_stay_moves_before_its_merge():
    """CPage sends A44 ahead of its A40, and the survivor may be unknown yet: taken as they come."""
    group = Group(on_merge=OnMerge.EMIT)
    group.hear(message("A01", pid(ipp("cha", "1"), stay=nda("cha", "S1"))))
    group.hear(message("A44", pid(ipp("cha", "2"), stay=nda("cha", "S1")), mrg(ipp("cha", "1"), nda("cha", "S1"))))
    assert result(group, "S1") == 2
    group.hear(message("A40", pid(ipp("cha", "2")), mrg(ipp("cha", "1"))))
    assert group.same(("cha", "1"), ("cha", "2"))
    assert result(group, "S1") == 2


@pytest.mark.parametrize("on_merge", OnMerge)
def test_a_merge_that_names_a_stay_of_the_number_that_ends(on_merge):
    """HL7 v2.5 § 3.3.40: it was that number's, and leads wherever that number leads; nothing is said of the other's."""
    group = Group(on_merge=on_merge)
    for number, stay in (("1", "S1"), ("2", "S2")):
        group.hear(message("A01", pid(ipp("cha", number), stay=nda("cha", stay))))
    decision = group.hear(
        message(
            "A40",
            pid(ipp("cha", "2"), stay=nda("cha", "S2")),
            mrg(ipp("cha", "1"), nda("cha", "S8"), visit("cha", "V8")),
        )
    )
    assert decision.outcome is Outcome.DECIDED
    joined = on_merge is OnMerge.EMIT
    assert result(group, "S8") == (2 if joined else 1)
    assert result(group, "S1") == (2 if joined else 1)
    assert result(group, "S2") == 2


def test_a_merge_that_names_a_third_patients_stay(group):
    """It contradicts what is known: nothing is guessed. Of a number that nobody knows nothing is remembered."""
    group.hear(message("A01", pid(ipp("cha", "3"), stay=nda("cha", "S3"))))
    decision = group.hear(message("A40", pid(ipp("cha", "2")), mrg(ipp("cha", "1"), nda("cha", "S3"))))
    assert (decision.outcome, decision.code) == (Outcome.DEAD, "E-ID-STAY")
    assert result(group, "S3") == 3
    group.hear(message("A40", pid(ipp("cha", "2")), mrg(ipp("cha", "9"), nda("cha", "S9"))))
    assert result(group, "S9") is Outcome.WAIT


def test_a_merge_moves_no_stay(group):
    """PAM France: that is A44's; joined by it, both numbers are one patient's."""
    group.hear(message("A40", pid(ipp("cha", "2")), mrg(ipp("cha", "1"))))
    assert result(group, "S1") == 1
    assert result(group, "S2") == 2


def test_a_third_patients_stay_doesnt_move(group):
    """Neither source nor target has it: conflict."""
    group.hear(message("A28", pid(ipp("cha", "3"))))
    decision = group.hear(
        message("A44", pid(ipp("cha", "3"), stay=nda("cha", "S1")), mrg(ipp("cha", "2"), nda("cha", "S1")))
    )
    assert (decision.outcome, decision.code) == (Outcome.DEAD, "E-ID-STAY")
    assert result(group, "S1") == 1


def test_a44_of_a_stay_that_nobody_knows(group):
    """It is the new patient's from then on; a second A44 of the same changes nothing."""
    raw = message("A44", pid(ipp("cha", "2"), stay=nda("cha", "S9")), mrg(ipp("cha", "1"), nda("cha", "S9")))
    group.hear(raw)
    assert result(group, "S9") == 2
    assert group.hear(raw).outcome is Outcome.KNOWN


@pytest.mark.parametrize("event", ["A41", "A35"])
def test_two_stays_become_one(group, event):
    """Both are found under the patient's number."""
    group.hear(message("A01", pid(ipp("cha", "1"), stay=nda("cha", "S3"))))
    group.hear(message(event, pid(ipp("cha", "1"), stay=nda("cha", "S1")), mrg(ipp("cha", "1"), nda("cha", "S3"))))
    assert result(group, "S1") == result(group, "S3") == 1
    taken = message(event, pid(ipp("cha", "1"), stay=nda("cha", "S1")), mrg(ipp("cha", "1"), nda("cha", "S2")))
    assert group.hear(taken).code == "E-ID-TAKEN"


def test_a_stay_is_renumbered(group):
    """A49: found under both; onto another patient's stay it is a conflict; an unknown one is no error."""
    group.hear(message("A49", pid(ipp("cha", "1"), stay=nda("cha", "S8")), mrg(stay=nda("cha", "S1"))))
    assert result(group, "S8") == result(group, "S1") == 1
    taken = message("A49", pid(ipp("cha", "1"), stay=nda("cha", "S2")), mrg(stay=nda("cha", "S1")))
    assert group.hear(taken).code == "E-ID-TAKEN"
    unknown = message("A49", pid(ipp("cha", "1"), stay=nda("cha", "S7")), mrg(stay=nda("cha", "S404")))
    assert group.hear(unknown).outcome is Outcome.KNOWN


@pytest.mark.parametrize("event", ["A06", "A07"])
def test_a_stay_is_renumbered_with_its_class(group, event):
    """HL7 lets A06 and A07 carry the old number; another patient's number in MRG-1 is never passed on unread."""
    group.hear(message(event, pid(ipp("cha", "1"), stay=nda("cha", "S8")), mrg(ipp("cha", "1"), nda("cha", "S1"))))
    assert result(group, "S8") == 1
    odd = message(event, pid(ipp("cha", "1"), stay=nda("cha", "S8")), mrg(ipp("cha", "2"), nda("cha", "S1")))
    assert group.hear(odd).code == "E-ID-EVENT"


def test_visits(group):
    """A45 moves them, A42 merges them, A50 renumbers them, A51 renumbers alternate ones."""
    group.hear(message("A01", pid(ipp("cha", "1")), pv1(visit("cha", "V1"))))
    group.hear(
        message("A45", pid(ipp("cha", "2")), mrg(ipp("cha", "1"), seen=visit("cha", "V1")), pv1(visit("cha", "V1")))
    )

    def seen(number: str):
        raw = message("R01", pid(), pv1(visit("cha", number)), type_="ORU")
        return group.hear(raw).patient.id

    assert seen("V1") == 2
    group.hear(
        message("A50", pid(ipp("cha", "2")), mrg(ipp("cha", "2"), seen=visit("cha", "V1")), pv1(visit("cha", "V2")))
    )
    assert seen("V2") == 2
    group.hear(
        message("A42", pid(ipp("cha", "2")), mrg(ipp("cha", "2"), seen=visit("cha", "V3")), pv1(visit("cha", "V2")))
    )
    assert seen("V3") == 2
    alternate = mrg(ipp("cha", "2"), alternate=visit("cha", "V2"))
    group.hear(message("A51", pid(ipp("cha", "2")), alternate, pv1(alternate=visit("cha", "V4"))))
    assert seen("V4") == 2


def test_several_visits_move_at_once(group):
    """A45: one PID, then MRG and PV1 of each; an alternate number moves as the visit's own."""
    for number in ("V1", "V2", "V3"):
        group.hear(message("A01", pid(ipp("cha", "1")), pv1(visit("cha", number))))
    moving = [
        segment for number in ("V1", "V2")
        for segment in (mrg(ipp("cha", "1"), seen=visit("cha", number)), pv1(visit("cha", number)))
    ]  # fmt: skip
    alternate = [mrg(ipp("cha", "1"), alternate=visit("cha", "V9")), pv1(alternate=visit("cha", "V9"))]
    group.hear(message("A45", pid(ipp("cha", "2")), *moving, *alternate))

    def seen(number: str):
        raw = message("R01", pid(), pv1(visit("cha", number)), type_="ORU")
        return group.hear(raw).patient.id

    assert [seen(number) for number in ("V1", "V2", "V3", "V9")] == [2, 2, 1, 2]


def test_a_stay_moves_under_both_its_numbers(group):
    """A44 may give it another one (HL7 v2.5 § 3.3.44): the old one isn't left to whom it was taken from."""
    moved = pid(ipp("cha", "2"), stay=nda("cha", "S3"))
    group.hear(message("A44", moved, mrg(ipp("cha", "1"), nda("cha", "S1"))))
    assert (result(group, "S3"), result(group, "S1")) == (2, 2)


def test_a18_merges_stays_where_it_names_one(group):
    """HL7 v2.5 § 3.3.18; without one in MRG-3 that of PID-18 is remembered as an admission's."""
    group.hear(message("A18", pid(ipp("cha", "1"), stay=nda("cha", "S1")), mrg(ipp("cha", "8"), nda("cha", "S8"))))
    group.hear(message("A18", pid(ipp("cha", "1"), stay=nda("cha", "S7")), mrg(ipp("cha", "9"))))
    assert (result(group, "S8"), result(group, "S7")) == (1, 1)


@pytest.mark.parametrize("event", ["A44", "A41", "A42", "A45", "A49", "A50"])
def test_an_event_of_stays_without_them(group, event):
    """It is never passed on unread."""
    assert group.hear(message(event, pid(ipp("cha", "1")), mrg(ipp("cha", "1")))).code == "E-ID-UNPAIRED"


def test_stays_of_two_establishments(group):
    """Equal numbers of two sites are two stays."""
    group.hear(message("A01", pid(ipp("chb", "7"), stay=nda("chb", "S1"))), "chb")
    assert result(group, "S1") == 1
    assert result(group, "S1", "chb") == 3


def test_an_ordinary_message_moves_no_stay(group):
    """Its number decides who he is; the two go to the review list."""
    group.hear(message("A02", pid(ipp("cha", "2"), stay=nda("cha", "S1"))))
    assert result(group, "S1") == 1
    assert (1, 2) in group.disk.reviews
