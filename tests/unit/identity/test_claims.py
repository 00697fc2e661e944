"""What a message says of patients."""

from __future__ import annotations

import pytest

from engine.core.identities import IdentifierKind
from engine.identity import claims
from engine.identity.claimed import Claimed
from engine.identity.claims import read_claims
from engine.identity.policy import IDENTITY_TYPES
from engine.identity.statuses import Attribute, Status
from engine.identity.traits import StrictTraits
from engine.parsers import open_message
from tests.support.identity import ARCS, AUTHORITIES, NIA, REFERENCES, Group, ins, ipp, message, nda, pid, pn, visit


def first(raw: bytes, site: str = "cha"):
    return Group().claims(raw, site).persons[0]


def test_numbers_of_a_patient():
    """Local ones, the federation's, the INS by its OID; archives, third parties and strangers say nothing."""
    person = first(message("A28", pid(
        ipp("cha", "1"), ipp("chb", "001"), pn("G1"), ins("2", type_="NH"), "A^^^ARCH^MR", "B^^^Doctolib",
        "C^^^X&9.9.9&ISO^PI",
    )))  # fmt: skip
    assert [(one.value, one.site) for one in person.local] == [("1", "cha"), ("001", "chb")]
    assert [(one.value, one.kind) for one in person.federation] == [("G1", IdentifierKind.FEDERATION)]
    assert [one.ins.value for one in person.ins] == ["2"]
    assert person.local[0].hash == REFERENCES.hash("patient", f"{ARCS['cha']}.1|PI", "1")


def test_stays_are_of_their_establishment():
    """A stay and a visit of one value are two; without CX-4 they are the site's own."""
    raw = message("A01", pid(ipp("cha", "1"), stay="77"), "PV1|1" + "|" * 18 + visit("cha", "77"))
    person = first(raw)
    assert [(one.authority, one.value) for one in (*person.accounts, *person.visits)] == [
        (f"{ARCS['cha']}.2|AN", "77"), (f"{ARCS['cha']}.3|VN", "77"),
    ]  # fmt: skip
    assert len({one.hash for one in (*person.accounts, *person.visits)}) == 2
    assert first(raw, "chb").accounts[0].site == "chb"


def test_what_an_event_replaces():
    """MRG-1, 3, 5, 6; an MRG without content replaces nothing."""
    merged = f"MRG|{ipp('cha', '2')}||{nda('cha', '8')}||{visit('cha', '9')}|{visit('cha', '10')}"
    person = first(message("A40", pid(ipp("cha", "1")), merged))
    values = [
        one.value for one in (*person.prior, *person.prior_accounts, *person.prior_visits, *person.prior_alternates)
    ]
    assert values == ["2", "8", "9", "10"]
    assert person.replaces
    assert not first(message("A31", pid(ipp("cha", "1")), "MRG|")).replaces


def test_strict_traits():
    """The birth name (L), whatever stands before it; the birth place of PID-11 BDL."""
    raw = message("A28", pid(ipp("cha", "1"), first="JEAN", list_="JEAN MARIE", status="VALI")).replace(
        b"|DURAND^", b"|USUAL^JO^^^^^D~DURAND^"
    )
    person = first(raw)
    assert person.traits == StrictTraits("DURAND", "JEAN", "JEAN MARIE", "19700102", "F", "38185")
    assert person.names == ("USUAL", "DURAND")
    assert person.status.status is Status.VALIDATED


def test_one_untyped_name_is_the_birth_name():
    """Of two, nobody knows which."""
    assert first(message("A28", "PID|1||1||DUPONT^JO")).traits.birth_name == "DUPONT"
    assert first(message("A28", "PID|1||1||DUPONT^JO~DURAND^JO")).traits.birth_name == ""


@pytest.mark.parametrize("extra", ["PD1" + "|" * 12 + "Y", "PV2" + "|" * 22 + "Y"])
def test_concealed_identities(extra):
    """Said by PD1-12 or PV2-22 as by PID-32."""
    assert Attribute.HIDDEN in first(message("A28", pid(ipp("cha", "1")), extra)).status.attributes
    assert Attribute.ANONYMOUS in first(message("A28", "PID|1||1||X^^^^^^S")).status.attributes
    assert Group().claims(message("A28", pid(ipp("cha", "1")), extra)).trait_key == 0


def test_the_nir_counts_before_the_nia():
    """Of two INS; test spaces, deletions and misshapen ones lead to nobody."""
    nir, nia = "270013818500123", "170013818500123"
    person = first(message("A31", pid(ipp("cha", "1"), ins(nia, NIA), ins(nir))))
    assert person.best_ins.ins.value == nir
    assert first(message("A31", pid(ins("123")))).best_ins is None
    assert first(message("A31", pid(ins(nir, "1.2.250.1.213.1.4.10")))).best_ins is None
    deleted = first(message("A47", pid(ipp("cha", "1"), ins('""'))))
    assert deleted.best_ins is None
    assert deleted.deletes_ins


def test_several_patients():
    """Each PID with its own MRG."""
    claims = Group().claims(message(
        "A40", pid(ipp("cha", "1")), f"MRG|{ipp('cha', '2')}", pid(ipp("cha", "3")), f"MRG|{ipp('cha', '4')}"
    ))  # fmt: skip
    assert [[one.value for one in (*person.local, *person.prior)] for person in claims.persons] == [
        ["1", "2"], ["3", "4"],
    ]  # fmt: skip
    assert len(claims.keys) == 4


def test_the_mother_is_for_order_only():
    """PID-21 is a lane, and no number of the newborn."""
    claims = Group().claims(message("A28", pid(ipp("cha", "1"), mother=ipp("cha", "2"))))
    assert [one.value for one in claims.persons[0].local] == ["1"]
    assert [one.value for one in claims.persons[0].mother] == ["2"]
    assert len(claims.lanes) == 2


def hprim(patient: str, context: str = "ORU"):
    raw = f"H|~^\\&|f.hpr||LAB~LAB||{context}|||CHA~CHA||P|H2.5~C|20260301\r{patient}\rL|1\r".encode()
    return read_claims(
        open_message(raw, as_utf8=True), AUTHORITIES.of("cha"), REFERENCES, site="cha", type_=context, event=""
    )


def test_hprim():
    """P-2 with a fusion, P-4 the stay, P-5 usual name, P-6 birth name, P-11 INS, P-34 birth place."""
    line = "P|1|1~2~FU|LAB7|9|USUAL~ANNE|DURAND~ANNE~ANNE MARIE|19700102|F"
    person = hprim(line).persons[0]
    assert [one.value for one in (*person.local, *person.prior, *person.accounts)] == ["1", "2", "9"]
    assert person.fusion
    assert person.traits == StrictTraits("DURAND", "ANNE", "ANNE MARIE", "19700102", "F", "")
    assert person.local[0].hash == hprim(line).lanes[0]


def test_hprim_repetitions_are_no_part_of_a_number():
    """The first one counts: `1^2` is nobody's number, and would be a new patient."""
    person = hprim("P|1|1^2~3~FU|LAB7|9^8|USUAL~ANNE").persons[0]
    assert [one.value for one in (*person.local, *person.accounts)] == ["1", "9"]
    assert not person.fusion


def test_hprim_nulls_are_no_traits():
    """A date or a sex that is to be deleted contradicts nobody's."""
    person = hprim('P|1|1||9|USUAL~""||""|""').persons[0]
    assert person.traits == StrictTraits("USUAL", "", "", "", "", "")


def test_without_fu_nothing_is_merged():
    """A second component alone says nothing."""
    person = hprim("P|1|1~2||9|USUAL~ANNE").persons[0]
    assert (person.prior, person.fusion, person.traits.birth_name) == ([], False, "USUAL")


def test_results_are_no_source():
    """Of identity: admissions are."""
    assert Group().claims(message("A01", pid(ipp("cha", "1")))).is_source
    assert not Group().claims(message("R01", pid(ipp("cha", "1")), type_="ORU")).is_source
    assert hprim("P|1|1", "ADM").is_source
    assert frozenset({"ADT", "ADM"}) == IDENTITY_TYPES


def test_thousands_of_numbers_in_one_field(monkeypatch):
    """Each once, in order, and none is compared with each other: the loop would stand still over it."""
    compared = []

    class Counting(Claimed):
        __slots__ = ()
        __hash__ = Claimed.__hash__

        def __eq__(self, other):
            compared.append(other)
            return super().__eq__(other)

    monkeypatch.setattr(claims, "Claimed", Counting)
    numbers = [ipp("cha", str(rank)) for rank in range(2000)]
    person = first(message("A28", pid(*numbers, *numbers)))
    assert [one.value for one in person.local] == [str(rank) for rank in range(2000)]
    assert len(compared) < 100


def test_no_patient_at_all():
    """Neither PID nor P: nobody is named, whatever else stands there."""
    assert Group().claims(message("A40", f"MRG|{ipp('cha', '2')}")).persons == []
