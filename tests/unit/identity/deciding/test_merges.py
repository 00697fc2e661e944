"""A40 and its like, A47, A24 and A37, HPRIM fusions: what each does with the numbers of patients."""

from __future__ import annotations

import pytest

from engine.core.identities import IdentifierKind, ReviewState
from engine.core.references import References
from engine.identity.claims import read_claims
from engine.identity.decisions import Outcome, territorial
from engine.identity.policy import OnMerge
from engine.parsers import open_message
from tests.support.identity import (
    ARCS,
    AUTHORITIES,
    NIA,
    NIR,
    REFERENCES,
    Group,
    ins,
    ipp,
    message,
    nda,
    pid,
)

CONTRACT = frozenset({frozenset({"cha", "chb"})})
NUMBER, OTHER, TEMPORARY = "270013818500123", "270013818500456", "170013818500123"


def mrg(*numbers: str, stay: str = "") -> str:
    return f"MRG|{'~'.join(numbers)}||{stay}"


def row(group: Group, site: str, value: str):
    return group.disk.identifiers.get(REFERENCES.hash("patient", f"{ARCS[site]}.1|PI", value))


def ins_row(group: Group, value: str, oid: str = NIR):
    return group.disk.identifiers.get(REFERENCES.hash("ins", oid, value))


def two(**policy: object) -> Group:
    """Two patients of one hospital; the second one is known in another hospital too."""
    group = Group(contracts=CONTRACT, **policy)
    group.hear(message("A28", pid(ipp("cha", "1"))))
    group.hear(message("A28", pid(ipp("cha", "2"), ins(NUMBER), status="VALI", place="38000")))
    group.hear(message("A28", pid(ipp("chb", "7"), ins(NUMBER), status="VALI", place="38000")), "chb")
    assert group.same(("cha", "2"), ("chb", "7"))
    return group


@pytest.mark.parametrize("event", ["A40", "A18", "A30", "A34", "A36"])
def test_a_merge_that_joins_two_patients_is_reviewed(event):
    """Both stay usable; the number that ended is no one's number in use any more."""
    group = two()
    decision = group.hear(message(event, pid(ipp("cha", "1")), mrg(ipp("cha", "2"))), "cha")
    assert decision.outcome is Outcome.DECIDED
    assert not group.same(("cha", "1"), ("cha", "2"))
    assert (1, 2, "merge") in group.reviews()
    assert row(group, "cha", "2").kind is IdentifierKind.ALIAS
    assert decision.emits == []


def test_a_merge_emits_when_the_group_says_so():
    """All of the one is the other's; a derived A40 tells the numbers of the federation."""
    group = two(on_merge=OnMerge.EMIT)
    decision = group.hear(message("A40", pid(ipp("cha", "1")), mrg(ipp("cha", "2"))))
    assert group.same(("cha", "1"), ("cha", "2"))
    assert group.same(("cha", "1"), ("chb", "7"))
    assert decision.emits == [("00000000295", "00000000196")]
    assert 2 not in group.disk.patients
    assert decision.events[0].rule == "merge"


def test_an_officer_completes_a_reviewed_merge():
    """The hospital's number that ended doesn't stand in the way of linking."""
    from engine.identity import acts

    group = two()
    group.hear(message("A40", pid(ipp("cha", "1")), mrg(ipp("cha", "2"))))
    done = acts.link(1, 2, group.known, acts.Act(who="officer", reason="x", place=9, at_ms=9))
    group.remember(done)
    assert group.same(("cha", "1"), ("chb", "7"))


def test_an_unknown_survivor_is_a_rename():
    """The A28 of the survivor may come later: it is known then."""
    group = two()
    decision = group.hear(message("A40", pid(ipp("cha", "3")), mrg(ipp("cha", "1"))))
    assert decision.events[0].rule == "rename"
    assert group.same(("cha", "1"), ("cha", "3"))
    assert group.hear(message("A28", pid(ipp("cha", "3")))).outcome is Outcome.KNOWN


def test_chains_are_flat_and_cycles_refused():
    """1 in 3 in 4: all lead to the living one; 4 in 1 would be a cycle."""
    group = Group(on_merge=OnMerge.EMIT)
    for number in "134":
        group.hear(message("A28", pid(ipp("cha", number))))
    group.hear(message("A40", pid(ipp("cha", "3")), mrg(ipp("cha", "1"))))
    group.hear(message("A40", pid(ipp("cha", "4")), mrg(ipp("cha", "3"))))
    assert {row(group, "cha", number).patient for number in "134"} == {3}
    decision = group.hear(message("A40", pid(ipp("cha", "1")), mrg(ipp("cha", "4"))))
    assert (decision.outcome, decision.code) == (Outcome.DEAD, "E-ID-CYCLE")
    again = group.hear(message("A40", pid(ipp("cha", "4")), mrg(ipp("cha", "1"))))
    assert again.outcome is Outcome.KNOWN


@pytest.mark.parametrize("on_merge", OnMerge)
def test_twins_are_not_merged(on_merge):
    """Traits beyond tolerance: both parked, on the list."""
    group = Group(on_merge=on_merge)
    group.hear(message("A28", pid(ipp("cha", "1"), first="ANNE")))
    group.hear(message("A28", pid(ipp("cha", "2"), first="LUCIE")))
    decision = group.hear(message("A40", pid(ipp("cha", "1"), first="ANNE"), mrg(ipp("cha", "2"))))
    assert (decision.outcome, decision.code) == (Outcome.DEAD, "E-ID-TRAITS")
    assert set(decision.parked) == {territorial(REFERENCES, 1), territorial(REFERENCES, 2)}
    assert group.reviews() == [(1, 2, "conflict")]
    assert row(group, "cha", "2").kind is IdentifierKind.LOCAL


def test_another_hospitals_two_numbers_forbid_a_merge():
    """They are two people there, or a merge that only that hospital can do."""
    group = two(on_merge=OnMerge.EMIT)
    group.hear(message("A28", pid(ipp("chb", "8"), ins(OTHER), status="VALI", name="DURANT")), "chb")
    group.hear(message("A31", pid(ipp("cha", "1"), ins(OTHER), status="VALI", name="DURANT")))
    assert group.same(("cha", "1"), ("chb", "8"))
    decision = group.hear(message("A40", pid(ipp("cha", "1"), name="DURANT"), mrg(ipp("cha", "2"))))
    assert decision.code == "E-ID-TWO-NUMBERS"


def test_a_merge_from_the_wrong_site():
    """Its numbers are not the source's: dead letter."""
    group = two()
    decision = group.hear(message("A40", pid(ipp("cha", "1")), mrg(ipp("cha", "2"))), "chb")
    assert (decision.outcome, decision.code) == (Outcome.DEAD, "E-ID-NOT-ASSERTED")


def test_a_merge_without_a_pair():
    """It is never passed on unread."""
    assert two().hear(message("A40", pid(ipp("cha", "1")), "MRG|2^^^X&9.9&ISO^PI")).code == "E-ID-UNPAIRED"


@pytest.mark.parametrize("event", ["A31", "A39", "A48"])
def test_an_event_with_mrg_that_nobody_reads(event):
    """Dead letter of class identity."""
    assert two().hear(message(event, pid(ipp("cha", "1")), mrg(ipp("cha", "2")))).code == "E-ID-EVENT"


@pytest.mark.parametrize("event", ["A40", "A47"])
def test_an_unknown_source_is_no_error(event):
    """Nothing is done with it: who comes under that number later is somebody of his own, however alike he is."""
    group = two()
    decision = group.hear(message(event, pid(ipp("cha", "1")), mrg(ipp("cha", "9"))))
    assert (decision.outcome, row(group, "cha", "9")) == (Outcome.KNOWN, None)
    assert group.hear(message("A28", pid(ipp("cha", "9")))).outcome is Outcome.DECIDED
    assert not group.same(("cha", "1"), ("cha", "9"))


def test_a_number_moves_to_another_patient():
    """A43: joined where the group says so; never taken from who has others in use."""
    group = two(on_merge=OnMerge.EMIT)
    assert group.hear(message("A43", pid(ipp("cha", "1")), mrg(ipp("cha", "2")))).emits == []
    assert not group.same(("cha", "1"), ("cha", "2"))
    assert (1, 2, "link") in group.reviews()
    group.hear(message("A28", pid(ipp("cha", "3"))))
    assert group.hear(message("A43", pid(ipp("cha", "1")), mrg(ipp("cha", "3")))).emits == [
        ("00000000394", "00000000196")
    ]
    assert group.same(("cha", "1"), ("cha", "3"))
    assert row(group, "cha", "3").kind is IdentifierKind.LOCAL
    assert group.hear(message("A43", pid(ipp("cha", "8")), mrg(ipp("cha", "2")))).code == "E-ID-UNKNOWN"


def test_late_messages_of_a_merged_number():
    """They reach the living patient, and say nothing of him any more."""
    group = two(on_merge=OnMerge.EMIT)
    group.hear(message("A40", pid(ipp("cha", "1")), mrg(ipp("cha", "2"))))
    decision = group.hear(message("A31", pid(ipp("cha", "2"), name="OLD")))
    assert (decision.patient.id, decision.events) == (1, [])


def test_a_fusion_in_hprim_is_a_merge():
    """P-2 with FU; the message goes on with the patient who goes on."""
    group = Group(on_merge=OnMerge.EMIT)
    group.hear(message("A28", pid(ipp("cha", "1"))))
    group.hear(message("A28", pid(ipp("cha", "2"))))
    raw = b"H|~^\\&|f.hpr||LAB~LAB||ORU|||CHA~CHA||P|H2.5~C|20260301\rP|1|2~1~FU||||||\rL|1\r"
    claims = read_claims(
        open_message(raw, as_utf8=True), AUTHORITIES.of("cha"), REFERENCES, site="cha", type_="ORU", event=""
    )
    decision = group.decide(claims)
    assert decision.patient.id == 2
    assert group.same(("cha", "1"), ("cha", "2"))


# --- A47 -----------------------------------------------------------------------------------------------------


def test_a_number_is_renamed():
    """The old one still leads to the patient; the unpaired don't change."""
    group = two()
    group.hear(message("A47", pid(ipp("cha", "5")), mrg(ipp("cha", "2"))))
    assert group.same(("cha", "5"), ("chb", "7"))
    assert row(group, "cha", "2").kind is IdentifierKind.ALIAS
    assert row(group, "cha", "5").kind is IdentifierKind.LOCAL
    group.hear(message("A47", pid(ipp("cha", "2")), mrg(ipp("cha", "5"))))
    assert row(group, "cha", "2").kind is IdentifierKind.LOCAL


def test_onto_a_living_number_is_a_conflict():
    """It should have been a merge."""
    group = two()
    decision = group.hear(message("A47", pid(ipp("cha", "1")), mrg(ipp("cha", "2"))))
    assert (decision.outcome, decision.code) == (Outcome.DEAD, "E-ID-TAKEN")
    assert set(decision.parked) == {territorial(REFERENCES, 1), territorial(REFERENCES, 2)}


def test_an_ins_is_corrected():
    """The wrong one leads to nobody any more, unless another site asserts it."""
    group = Group()
    group.hear(message("A28", pid(ipp("cha", "1"), ins(NUMBER), status="VALI")))
    group.hear(message("A47", pid(ipp("cha", "1"), ins(OTHER), status="VALI"), mrg(ins(NUMBER))))
    assert ins_row(group, NUMBER) is None
    assert ins_row(group, OTHER).patient == 1


def test_an_ins_is_deleted():
    """NIR and NIA together, when a site is no longer sure; what another site asserts stays."""
    group = Group(contracts=CONTRACT)
    group.hear(message("A28", pid(ipp("cha", "1"), ins(NUMBER), ins(TEMPORARY, NIA), status="VALI")))
    group.hear(message("A47", pid(ipp("cha", "1"), ins('""'), status="PROV"), mrg(ins(NUMBER))))
    assert ins_row(group, NUMBER) is ins_row(group, TEMPORARY, NIA) is None
    group = two()
    group.hear(message("A47", pid(ipp("cha", "2"), ins('""'), status="PROV", place="38000"), mrg(ins(NUMBER))))
    assert ins_row(group, NUMBER).patient == 2
    assert group.same(("cha", "2"), ("chb", "7"))


def test_a_nia_becomes_a_nir():
    """By an A31 with both or with the NIR alone; another site that still has the NIA is linked by it."""
    group = Group(contracts=CONTRACT)
    group.hear(message("A28", pid(ipp("cha", "1"), ins(TEMPORARY, NIA), status="VALI")))
    group.hear(message("A31", pid(ipp("cha", "1"), ins(NUMBER), status="VALI")))
    assert ins_row(group, NUMBER).patient == ins_row(group, TEMPORARY, NIA).patient == 1
    group.hear(message("A28", pid(ipp("chb", "7"), ins(TEMPORARY, NIA), status="VALI")), "chb")
    assert group.same(("cha", "1"), ("chb", "7"))
    group.hear(message("A31", pid(ipp("chb", "7"), ins(NUMBER), ins(TEMPORARY, NIA), status="VALI")), "chb")
    assert len(group.disk.patients) == 1


def test_a_downgraded_identity_links_nobody():
    """What a site no longer has qualified is one-sided."""
    group = Group(contracts=CONTRACT)
    group.hear(message("A28", pid(ipp("cha", "1"), ins(NUMBER), status="VALI")))
    group.hear(message("A31", pid(ipp("cha", "1"), status="PROV")))
    group.hear(message("A28", pid(ipp("chb", "7"), ins(NUMBER), status="VALI")), "chb")
    assert not group.same(("cha", "1"), ("chb", "7"))
    assert (1, 2, "ins-one-side") in group.reviews()


def test_another_nir_on_a_shared_patient_is_a_conflict():
    """One of the two hospitals has the wrong person."""
    group = two()
    decision = group.hear(message("A31", pid(ipp("cha", "2"), ins(OTHER), status="VALI", place="38000")))
    assert decision.code == "E-ID-TWO-INS"


# --- A24, A37 ------------------------------------------------------------------------------------------------


def test_link_even_if_unknown():
    """Both numbers stay in use; two patients of the group are reviewed."""
    group = Group()
    group.hear(message("A24", pid(ipp("cha", "1")), pid(ipp("cha", "2"))))
    assert group.same(("cha", "1"), ("cha", "2"))
    assert {row(group, "cha", number).kind for number in "12"} == {IdentifierKind.LOCAL}
    group.hear(message("A28", pid(ipp("cha", "3"))))
    group.hear(message("A24", pid(ipp("cha", "1")), pid(ipp("cha", "3"))))
    assert not group.same(("cha", "1"), ("cha", "3"))
    assert (1, 2, "link") in group.reviews() or (1, 2, "same-traits") in group.reviews()


def test_unlink():
    """The second person's numbers go to a patient of their own; the two are never proposed again."""
    group = Group()
    group.hear(message("A24", pid(ipp("cha", "1")), pid(ipp("cha", "2"))))
    decision = group.hear(message("A37", pid(ipp("cha", "1")), pid(ipp("cha", "2"))))
    assert [one.id for one in decision.patients] == [1, 2]
    assert not group.same(("cha", "1"), ("cha", "2"))
    assert group.disk.patients[1].apart == (2,)
    again = group.hear(message("A37", pid(ipp("cha", "1")), pid(ipp("cha", "2"))))
    assert again.findings == ["not-linked"]


LEO = {"first": "LEO", "status": "VALI"}
LEA = {"first": "LEA", "status": "VALI"}


@pytest.mark.parametrize("on_merge", OnMerge)
@pytest.mark.parametrize("said", [True, False], ids=["says who they are", "says little"])
def test_who_is_unlinked_takes_her_ins_along(on_merge, said):
    """A site has one assertion a patient; after its A37 nothing shows whose it is, and neither keeps it."""
    group = Group(contracts=CONTRACT, on_merge=on_merge)
    if on_merge is OnMerge.EMIT:
        group.hear(message("A28", pid(ipp("cha", "200"), ins(NUMBER), **LEA)))
    group.hear(message("A28", pid(ipp("cha", "300"), **LEO)))
    group.hear(message("A24", pid(ipp("cha", "300"), **LEO), pid(ipp("cha", "200"), ins(NUMBER), **LEA)))
    assert group.same(("cha", "300"), ("cha", "200"))
    persons = [pid(ipp("cha", "300"), **LEO), pid(ipp("cha", "200"), ins(NUMBER), **LEA)]
    nothing = dict.fromkeys(("name", "first", "born", "sex", "place", "status"), "")
    silent = [pid(ipp("cha", number), **nothing) for number in ("300", "200")]
    assert group.hear(message("A37", *(persons if said else silent))).outcome is Outcome.DECIDED
    group.hear(message("A28", pid(ipp("chb", "7"), ins(NUMBER), **LEA)), "chb")
    assert not group.same(("cha", "300"), ("chb", "7"))
    assert group.same(("cha", "200"), ("chb", "7")) is said


def test_what_a_hospital_said_goes_with_its_only_number():
    """Unlinked by a registry that speaks for several; its INS with it."""
    group = Group(contracts=frozenset({frozenset({"chb", "chc"})}))
    may = ("cha", "chb", "chc")
    group.hear(message("A28", pid(ipp("cha", "1"), **LEO)))
    group.hear(message("A24", pid(ipp("cha", "1"), **LEO), pid(ipp("chb", "7"), **LEO)), may=may)
    group.hear(message("A31", pid(ipp("chb", "7"), ins(NUMBER), **LEO)), "chb")
    group.hear(message("A37", pid(ipp("cha", "1"), **LEO), pid(ipp("chb", "7"), **LEO)), may=may)
    assert "chb" not in [one.site for one in group.patient("cha", "1").assertions]
    assert ins_row(group, NUMBER).patient == group.patient("chb", "7").id
    group.hear(message("A28", pid(ipp("chc", "5"), ins(NUMBER), **LEO)), "chc")
    assert group.same(("chb", "7"), ("chc", "5"))
    assert not group.same(("cha", "1"), ("chc", "5"))


def test_an_unlink_that_says_nothing_of_a_number_that_ended():
    """Into which of the two it was merged no row says: a result under it would be the other's."""
    group = Group(on_merge=OnMerge.EMIT)
    for number in ("200", "100"):
        group.hear(message("A28", pid(ipp("cha", number), **LEA)))
    group.hear(message("A40", pid(ipp("cha", "200"), **LEA), mrg(ipp("cha", "100"))))
    group.hear(message("A28", pid(ipp("cha", "300"), **LEO)))
    group.hear(message("A24", pid(ipp("cha", "300"), **LEO), pid(ipp("cha", "200"), **LEA)))
    both = pid(ipp("cha", "300"), **LEO), pid(ipp("cha", "200"), **LEA)
    assert group.hear(message("A37", *both)).code == "E-ID-TWO-NUMBERS"
    assert group.same(("cha", "300"), ("cha", "100"))
    hers = pid(ipp("cha", "200"), ipp("cha", "100"), **LEA)
    assert group.hear(message("A37", pid(ipp("cha", "300"), **LEO), hers)).outcome is Outcome.DECIDED
    late = group.hear(message("R01", pid(ipp("cha", "100"), **LEA), type_="ORU"))
    assert late.patient.id == group.patient("cha", "200").id != group.patient("cha", "300").id


def test_unlink_of_two_whom_nothing_joined():
    """A link that waits for an officer is revoked: nobody is asked to join them any more."""
    group = Group()
    for number in ("1", "2"):
        group.hear(message("A28", pid(ipp("cha", number))))
    group.hear(message("A24", pid(ipp("cha", "1")), pid(ipp("cha", "2"))))
    assert group.disk.reviews[1, 2].state is ReviewState.OPEN
    decision = group.hear(message("A37", pid(ipp("cha", "1")), pid(ipp("cha", "2"))))
    assert decision.findings == ["not-linked"]
    assert group.disk.reviews[1, 2].state is ReviewState.APART
    assert [group.disk.patients[id_].apart for id_ in (1, 2)] == [(2,), (1,)]


@pytest.mark.parametrize("event", ["A40", "A47"])
def test_a_number_ends_once(event):
    """Renamed before, it can't be renamed to another number: the patient would have two in use without a merge."""
    group = Group()
    group.hear(message("A28", pid(ipp("cha", "1"))))
    group.hear(message("A47", pid(ipp("cha", "2")), mrg(ipp("cha", "1"))))
    assert group.hear(message(event, pid(ipp("cha", "3")), mrg(ipp("cha", "1")))).code == "E-ID-TWO-NUMBERS"
    assert row(group, "cha", "3") is None
    assert group.hear(message("A47", pid(ipp("cha", "2")), mrg(ipp("cha", "1")))).outcome is Outcome.KNOWN


def test_hashes_of_two_numbers():
    """A row that isn't the number's own stops the message: nothing is decided by half a number."""

    class Crude(References):
        def hash(self, name: str, authority: str, value: str) -> int:
            return super().hash(name, authority, "x" if name == "patient" and authority.endswith("PI") else value)

    group = Group()
    crude = Crude(b"0123456789abcdef")
    for number, code in (("1", ""), ("2", "E-ID-HASH")):
        read = open_message(message("A28", pid(ipp("cha", number), stay=nda("cha", "9"))), as_utf8=True)
        claims = read_claims(read, AUTHORITIES.of("cha"), crude, site="cha", type_="ADT", event="A28")
        assert group.decide(claims).code == code


def test_the_code_of_a_dead_letter_is_plain_text():
    """It travels to the store's process, which takes no subclass of text."""
    group = two()
    decision = group.hear(message("A47", pid(ipp("cha", "1")), mrg(ipp("cha", "2"))))
    assert decision.outcome is Outcome.DEAD
    assert (type(decision.code), decision.code) == (str, "E-ID-TAKEN")
