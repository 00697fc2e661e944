"""Rules 0 to 4: who is known, what is attached and remembered, what waits, what is reviewed."""

from __future__ import annotations

import pytest

from engine.identity.decisions import Outcome, references_of, territorial
from engine.identity.policy import DEAD_LETTER, MINT, PASS, OnUnknown, Unknown
from tests.support.identity import HOLD, NIR, NOW_MS, REFERENCES, Group, became_known, ins, ipp, message, nda, pid, pn

CONTRACT = frozenset({frozenset({"cha", "chb"})})
INS = ins("270013818500123")


def test_an_admission_makes_a_patient():
    """With a federation identifier, under which he is found too; his number becomes known."""
    group = Group()
    decision = group.hear(message("A28", pid(ipp("cha", "1"))))
    assert decision.outcome is Outcome.DECIDED
    assert decision.patient.number == "00000000196"
    assert decision.events[0].rule == "mint"
    assert REFERENCES.hash("patient", "1.2.3.1.1|PI", "1") in became_known(decision)
    assert group.hear(message("A31", pid(pn("00000000196"))), may=("group", "cha")).patient.id == 1


def test_an_everyday_message_changes_nothing():
    """The same patient, the same stay: known, without event."""
    group = Group()
    raw = message("A01", pid(ipp("cha", "1"), stay=nda("cha", "9")))
    group.hear(raw)
    decision = group.hear(raw)
    assert (decision.outcome, decision.events, decision.patient.id) == (Outcome.KNOWN, [], 1)


def test_the_same_number_in_two_hospitals_is_two_patients():
    """A number is one only with its authority."""
    group = Group()
    group.hear(message("A28", pid(ipp("cha", "1"))))
    group.hear(message("A28", pid(ipp("chb", "1"), name="MARTIN")), "chb")
    assert not group.same(("cha", "1"), ("chb", "1"))
    assert group.reviews() == []


def test_an_ins_qualified_on_both_sides_links():
    """With a contract, and all strict traits equal."""
    group = Group(contracts=CONTRACT)
    group.hear(message("A28", pid(ipp("cha", "1"), INS, status="VALI", name="D'ÉTÉ", first="JEAN-LUC")))
    pid_b = pid(ipp("chb", "7"), INS, status="VALI", name="D ETE", first="Jean Luc", list_="JEAN LUC MARIE")
    decision = group.hear(message("A28", pid_b), "chb")
    assert group.same(("cha", "1"), ("chb", "7"))
    assert decision.events[0].rule == "link-ins"
    assert group.reviews() == []


@pytest.mark.parametrize(
    ("contracts", "changed", "rule"),
    [
        (CONTRACT, {"status": "PROV"}, "ins-one-side"),
        (CONTRACT, {"status": ""}, "ins-one-side"),
        (frozenset(), {}, "ins-no-contract"),
        (CONTRACT, {"place": ""}, "ins-incomplete"),
        (CONTRACT, {"born": "197001"}, "ins-incomplete"),
        (CONTRACT, {"name": "DURANT"}, "ins-traits"),
        (CONTRACT, {"sex": "M"}, "ins-traits"),
    ],
)
def test_what_an_ins_doesnt_link_is_reviewed(contracts, changed, rule):
    """Both live on, and the pair is on the list with its reason."""
    group = Group(contracts=contracts)
    group.hear(message("A28", pid(ipp("cha", "1"), INS, status="VALI")))
    decision = group.hear(message("A28", pid(ipp("chb", "7"), INS, **{"status": "VALI", **changed})), "chb")
    assert decision.outcome is Outcome.DECIDED
    assert not group.same(("cha", "1"), ("chb", "7"))
    assert [one for one in group.reviews() if one[2] == rule] == [(1, 2, rule)]


def test_minors_are_reviewed():
    """Up to the day on which they are eighteen."""
    group = Group(contracts=CONTRACT)
    for number, born in (("1", "20080301"), ("2", "20080302")):
        number_ins = ins(f"10803381850012{number}")
        group.hear(message("A28", pid(ipp("cha", number), number_ins, status="VALI", born=born)))
        group.hear(message("A28", pid(ipp("chb", number), number_ins, status="VALI", born=born)), "chb")
    assert group.same(("cha", "1"), ("chb", "1"))
    assert not group.same(("cha", "2"), ("chb", "2"))


def test_an_ins_of_two_people_is_a_conflict():
    """Qualified on both sides with other traits: dead, both references parked, the pair on the list."""
    group = Group(contracts=CONTRACT)
    group.hear(message("A28", pid(ipp("cha", "1"), INS, status="VALI")))
    group.hear(message("A28", pid(ipp("chb", "7"), name="MARTIN", first="LUC", sex="M")), "chb")
    decision = group.hear(
        message("A31", pid(ipp("chb", "7"), INS, status="VALI", name="MARTIN", first="LUC", sex="M")), "chb"
    )
    assert (decision.outcome, decision.code) == (Outcome.DEAD, "E-ID-INS-ELSEWHERE")
    assert set(decision.parked) >= {territorial(REFERENCES, 1), territorial(REFERENCES, 2)}
    assert group.reviews() == [(1, 2, "conflict")]
    assert not group.same(("cha", "1"), ("chb", "7"))


def test_same_traits_are_reviewed_never_linked():
    """Two hospitals, no INS."""
    group = Group(contracts=CONTRACT)
    group.hear(message("A28", pid(ipp("cha", "1"))))
    group.hear(message("A28", pid(ipp("chb", "7"))), "chb")
    assert not group.same(("cha", "1"), ("chb", "7"))
    assert group.reviews() == [(1, 2, "same-traits")]


@pytest.mark.parametrize("status", ["PROV~ANOM", "PROV~FICT", "PROV~DOUT", "PROV~CACH"])
def test_concealed_identities_are_never_compared(status):
    """Whatever is equal."""
    group = Group(contracts=CONTRACT)
    group.hear(message("A28", pid(ipp("cha", "1"), INS, status=status)))
    group.hear(message("A28", pid(ipp("chb", "7"), INS, status="VALI")), "chb")
    group.hear(message("A28", pid(ipp("chc", "7"), status=status)), "chc")
    assert group.reviews() == []


def test_a_result_waits_for_its_patient():
    """72 hours by default; it is no source of identity."""
    group = Group()
    decision = group.hear(message("R01", pid(ipp("cha", "1")), type_="ORU"))
    assert decision.outcome is Outcome.WAIT
    assert decision.wait.hashes == (REFERENCES.hash("patient", "1.2.3.1.1|PI", "1"),)
    assert decision.wait.until_ms == NOW_MS + 72 * 3600 * 1000
    released = group.hear(message("A28", pid(ipp("cha", "1"))))
    assert decision.wait.hashes[0] in became_known(released)
    assert group.hear(message("R01", pid(ipp("cha", "1")), type_="ORU")).outcome is Outcome.KNOWN


@pytest.mark.parametrize(
    ("on_unknown", "outcome", "code"),
    [
        (MINT, Outcome.DECIDED, ""),
        (PASS, Outcome.PASS, ""),
        (DEAD_LETTER, Outcome.DEAD, "E-ID-UNKNOWN"),
        (OnUnknown(Unknown.SEND, destination="officer"), Outcome.PASS, ""),
    ],
)
def test_what_the_step_says_of_the_unknown(on_unknown, outcome, code):
    """Mint, pass, dead letter, or send where a person looks."""
    decision = Group().hear(message("R01", pid(ipp("cha", "1")), type_="ORU"), on_unknown=on_unknown)
    assert (decision.outcome, decision.code, decision.send_to) == (outcome, code, on_unknown.destination)


def test_a_known_stay_stands_for_its_patient():
    """Without local number, if birth date and sex agree; another date is a conflict, none isn't enough."""
    group = Group()
    group.hear(message("A01", pid(ipp("cha", "1"), stay=nda("cha", "9"))))
    assert group.hear(message("R01", pid(stay=nda("cha", "9"), name="USUAL"), type_="ORU")).patient.id == 1
    wrong = group.hear(message("R01", pid(stay=nda("cha", "9"), born="19710102"), type_="ORU"))
    assert (wrong.outcome, wrong.code) == (Outcome.DEAD, "E-ID-STAY")
    assert group.hear(message("R01", pid(stay=nda("cha", "9"), born=""), type_="ORU")).outcome is Outcome.WAIT


def test_a_source_speaks_of_its_own_numbers():
    """Unless its may_assert says more; a result may refer to any."""
    group = Group()
    group.hear(message("A28", pid(ipp("cha", "1"))))
    wrong = group.hear(message("A31", pid(ipp("cha", "1"), name="X")), "chb")
    assert (wrong.outcome, wrong.code) == (Outcome.DEAD, "E-ID-NOT-ASSERTED")
    assert group.hear(message("A31", pid(ipp("cha", "1"))), "chb", may=("cha", "chb")).patient.id == 1
    assert group.hear(message("R01", pid(ipp("cha", "1")), type_="ORU"), "chb").patient.id == 1


def test_two_numbers_of_one_authority_are_a_conflict():
    """Of one patient, without a merge."""
    group = Group()
    group.hear(message("A28", pid(ipp("cha", "1"))))
    assert group.hear(message("A31", pid(ipp("cha", "1"), ipp("cha", "2")))).code == "E-ID-TWO-NUMBERS"


def test_two_known_numbers_of_one_hospital():
    """In one message: both parked, the pair on the list; numbers that the hospital linked are no conflict."""
    group = Group()
    for number in "12":
        group.hear(message("A28", pid(ipp("cha", number))))
    decision = group.hear(message("A31", pid(ipp("cha", "1"), ipp("cha", "2"), place="")))
    assert decision.code == "E-ID-TWO-NUMBERS"
    assert set(decision.parked) >= {territorial(REFERENCES, 1), territorial(REFERENCES, 2)}
    assert [one[:2] for one in group.reviews()] == [(1, 2)]


def test_the_federation_identifier_is_the_groups():
    """A hospital may not assert it; a source that may speaks of whom it names, and a result only refers."""
    group = Group()
    group.hear(message("A28", pid(ipp("cha", "1"))))
    number = group.patient("cha", "1").number
    assert group.hear(message("A28", pid(pn(number), ipp("cha", "2")))).code == "E-ID-NOT-ASSERTED"
    group.hear(message("A31", pid(pn(number), ipp("chb", "7"))), "chb", may=("group", "chb"))
    assert group.same(("cha", "1"), ("chb", "7"))
    assert group.hear(message("R01", pid(pn(number)), type_="ORU"), "chb").patient.id == 1


def test_absence_never_unlinks():
    """An A31 that lists less than before takes nothing away."""
    group = Group(contracts=CONTRACT)
    group.hear(message("A28", pid(ipp("cha", "1"), INS, status="VALI")))
    group.hear(message("A31", pid(ipp("cha", "1"), status="VALI")))
    assert REFERENCES.hash("ins", NIR, "270013818500123") in group.patient("cha", "1").identifiers


def test_lane_keys_follow_what_is_known():
    """The number's own while nobody knows him, the patient's afterwards."""
    group = Group()
    raw = message("A28", pid(ipp("cha", "1")))
    claims = group.claims(raw)
    group.hear(raw)
    assert references_of(claims, group.known) == (territorial(REFERENCES, 1),)


def test_a_stronger_reason_replaces_a_weaker_one():
    """Of an open pair; the weaker one never comes back."""
    group = Group(contracts=CONTRACT)
    group.hear(message("A28", pid(ipp("cha", "1"))))
    group.hear(message("A28", pid(ipp("chb", "7"))), "chb")
    assert group.reviews() == [(1, 2, "same-traits")]
    group.hear(message("A31", pid(ipp("cha", "1"), INS, status="VALI")))
    group.hear(message("A31", pid(ipp("chb", "7"), INS)), "chb")
    assert group.reviews() == [(1, 2, "ins-one-side")]
    group.hear(message("A31", pid(ipp("chb", "7"), place="")), "chb")
    group.hear(message("A31", pid(ipp("chb", "7"))), "chb")
    assert group.reviews() == [(1, 2, "ins-one-side")]


def test_a_result_joins_nobody():
    """Not even by an INS qualified on both sides: the admissions do."""
    group = Group(contracts=CONTRACT)
    group.hear(message("A28", pid(ipp("cha", "1"), INS, status="VALI")))
    group.hear(message("A28", pid(ipp("chb", "7"))), "chb")
    decision = group.hear(message("R01", pid(ipp("chb", "7"), INS, status="VALI"), type_="ORU"), "chb")
    assert (decision.outcome, decision.patient.id, decision.events) == (Outcome.KNOWN, 2, [])


def test_a_result_may_name_its_patient_by_ins_alone():
    """Under the conditions of a link, without anything being remembered."""
    group = Group(contracts=CONTRACT)
    group.hear(message("A28", pid(ipp("cha", "1"), INS, status="VALI")))
    decision = group.hear(message("R01", pid(ipp("chb", "404"), INS, status="VALI"), type_="ORU"), "chb")
    assert (decision.outcome, decision.patient.id, decision.events) == (Outcome.KNOWN, 1, [])
    assert group.hear(message("R01", pid(ipp("chb", "404"), INS), type_="ORU"), "chb").outcome is Outcome.WAIT


def test_a_result_with_anothers_traits_is_a_conflict():
    """Two traits of its number's patient differ; his usual name in place of the birth name is none."""
    group = Group()
    group.hear(message("A28", pid(ipp("cha", "1"))))
    wrong = group.hear(message("R01", pid(ipp("cha", "1"), first="LUC", born="19800101"), type_="ORU"))
    assert (wrong.outcome, wrong.code) == (Outcome.DEAD, "E-ID-TRAITS")
    usual = pid(ipp("cha", "1"), name="MARRIED").replace("|MARRIED^", "|DURAND^^^^^^L~MARRIED^")
    assert group.hear(message("R01", usual, type_="ORU")).outcome is Outcome.KNOWN


def test_a_number_that_stands_for_somebody_else_now():
    """All of a validated identity is overwritten: conflict; a provisional one may be corrected wholly."""
    group = Group()
    other = {"name": "MARTIN", "first": "LUC", "born": "19800101"}
    group.hear(message("A28", pid(ipp("cha", "1"), status="VALI")))
    assert group.hear(message("A31", pid(ipp("cha", "1"), status="VALI", **other))).code == "E-ID-TRAITS"
    group.hear(message("A28", pid(ipp("cha", "2"), status="PROV")))
    assert group.hear(message("A31", pid(ipp("cha", "2"), status="VALI", **other))).outcome is Outcome.DECIDED


def test_a_shared_patient_of_whom_one_hospital_says_something_else():
    """It was one person when they were linked: another given name now is another person."""
    group = Group(contracts=CONTRACT)
    group.hear(message("A28", pid(ipp("cha", "1"), INS, status="VALI")))
    group.hear(message("A28", pid(ipp("chb", "7"), INS, status="VALI")), "chb")
    assert group.hear(message("A31", pid(ipp("chb", "7"), first="LUCIE")), "chb").code == "E-ID-TRAITS"
    assert (
        group.hear(message("A31", pid(ipp("chb", "7"), first="ANN", status="VALI")), "chb").outcome is Outcome.DECIDED
    )


def test_a_deleted_ins_links_nobody():
    """An A31 may delete it as an A47 does."""
    group = Group(contracts=CONTRACT)
    group.hear(message("A28", pid(ipp("cha", "1"), INS, status="VALI")))
    group.hear(message("A31", pid(ipp("cha", "1"), ins('""'), status="PROV")))
    assert REFERENCES.hash("ins", NIR, "270013818500123") not in group.patient("cha", "1").identifiers


@pytest.mark.parametrize("type_", ["ADT", "ORU"])
def test_a_message_that_names_nobody(type_):
    """Without PID there is nobody to decide on: it doesn't go on as if its patient were known."""
    group = Group()
    group.hear(message("A28", pid(ipp("cha", "2"))))
    raw = message("A40" if type_ == "ADT" else "R01", f"MRG|{ipp('cha', '2')}", type_=type_)
    decision = group.hear(raw)
    assert (decision.outcome, decision.code, decision.events) == (Outcome.DEAD, "E-ID-NOBODY", [])
    assert group.hear(raw, on_unknown=OnUnknown(Unknown.HOLD, 1000)).code == "E-ID-NOBODY"
    assert group.hear(raw, on_unknown=PASS).code == ""


@pytest.mark.parametrize("on_unknown", [MINT, DEAD_LETTER])
def test_an_admission_without_number_of_its_own(on_unknown):
    """It is what would make its patient known: with a stay or without, no other admission is waited for."""
    group = Group()
    strange = "1^^^CPAGE^PI"
    for stay in (nda("cha", "9"), ""):
        decision = group.hear(message("A01", pid(strange, stay=stay)), on_unknown=on_unknown)
        assert (decision.outcome, decision.code, decision.events) == (Outcome.DEAD, "E-ID-NOBODY", [])
        assert "when his admission has come" not in decision.reason
    decision = group.hear(message("A01", pid(strange, stay=nda("cha", "9"))), on_unknown=HOLD)
    assert decision.outcome is Outcome.WAIT, "another source may make its stay known"
    decision = group.hear(message("R01", pid(strange, stay=nda("cha", "9")), type_="ORU"), on_unknown=on_unknown)
    assert decision.code == "E-ID-UNKNOWN", "a result by its stay alone: the admission may come"


@pytest.mark.parametrize("status", ["PROV", "VALI"])
@pytest.mark.parametrize(
    ("said", "behind", "first"),
    [
        ("PROV", ["PD1" + "|" * 12 + "Y"], Outcome.DEAD), ("PROV~CACH", [], Outcome.DEAD),
        ("PROV~DOUT", [], Outcome.DEAD), ("PROV~FICT", [], Outcome.DECIDED), ("PROV~ANOM", [], Outcome.DECIDED),
    ],
)  # fmt: skip
@pytest.mark.parametrize("place", ["38185", ""])
def test_another_person_in_two_steps(status, said, behind, first, place):
    """
    Compared at once, a mask when it is taken off: two people don't become one patient.

    Traits that aren't complete have no hash, and still are traits.
    """
    group = Group(contracts=CONTRACT)
    for site in ("cha", "chb"):
        group.hear(message("A28", pid(ipp(site, "1"), INS, status="VALI")), site)
    assert group.same(("cha", "1"), ("chb", "1"))
    other = {"name": "MARTIN", "first": "PAUL", "born": "19450607", "sex": "M", "place": place}
    assert group.hear(message("A31", pid(ipp("chb", "1"), status=said, **other), *behind), "chb").outcome is first
    decision = group.hear(message("A31", pid(ipp("chb", "1"), status=status, **other)), "chb")
    assert (decision.outcome, decision.code) == (Outcome.DEAD, "E-ID-TRAITS")
