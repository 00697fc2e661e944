"""An existing cross-reference, row by row."""

from __future__ import annotations

import pytest

from engine.core.identities import IdentifierKind, PatientRow
from engine.identity.bulk import ADDED, COLUMNS, KNOWN, Bulk, Unfit, names_of, read_entry
from engine.identity.crossreference import Unread
from engine.identity.policy import Registry
from tests.support.identity import AUTHORITIES, NIA, NIR, NOW_MS, REFERENCES, Group

NAMES = names_of(AUTHORITIES.all())
MATRICULE = "270013818500186"
ANNE = {"birth_name": "DURAND", "first_name": "ANNE", "birth_date": "19700102", "sex": "F", "birth_place": "38185"}


class Import(Group):
    """Rows taken over what a group knows."""

    def __init__(self, **policy: object) -> None:
        super().__init__(**policy)
        self.begin()

    def begin(self) -> None:
        """Begin a batch."""
        self.bulk = Bulk(self.known, self.policy, REFERENCES, next_patient=self.last + 1, at_ms=NOW_MS)

    def row(self, number: str, authority: str = "cha/ipp", value: str = "1", **cells: str) -> str:
        """Take one row; what it is refused for, else added or known."""
        given = {"number": number, "authority": authority, "value": value} | cells
        try:
            entry = self.bulk.keyed(read_entry(given, NAMES))
            while True:
                try:
                    return self.bulk.take(entry)
                except Unread as unread:
                    self.read(unread)
        except Unfit as unfit:
            return str(unfit)

    def end(self) -> list[PatientRow]:
        """End the batch; the patients that it changed."""
        events = self.bulk.events(self.place, who="anne", reason="take-over")
        assert events
        self.remember(*events)
        self.last = self.bulk.next_patient - 1
        self.begin()
        return [row for event in events for _, row in event.patients.values() if row is not None]


@pytest.fixture
def rows() -> Import:
    """A group that knows nobody."""
    return Import()


def number(counter: int) -> str:
    """A number of the group."""
    return Group().policy.number.write(counter)


def test_numbers_of_two_hospitals_are_one_patient(rows):
    """And a third row is another's; what each hospital says stands with it."""
    assert rows.row(number(1), "cha/ipp", "7", status="VALI", **ANNE) == ADDED
    assert rows.row(number(1), "chb/ipp", "7", status="PROV", **ANNE) == ADDED
    assert rows.row(number(2), "1.2.3.1.1", "8") == ADDED
    anne, other = rows.end()
    assert [(one.site, one.status, one.birth_name) for one in anne.assertions] == [
        ("cha", "VALI", "DURAND"), ("chb", "PROV", "DURAND")
    ]  # fmt: skip
    assert len(anne.identifiers) == 3, "two local numbers and the group's"
    assert other.assertions == ()
    assert (anne.number, other.number) == (number(1), number(2))


def test_what_is_known_changes_nothing(rows):
    """In the same batch, and in a later one: a file can be taken again."""
    rows.row(number(1))
    assert rows.row(number(1)) == KNOWN
    rows.end()
    assert rows.row(number(1)) == KNOWN
    assert rows.bulk.events(0, who="anne", reason="again") == []


def test_a_number_never_gets_a_second_patient(rows):
    """Whoever of the two came first keeps it."""
    rows.row(number(1))
    assert "is known, as one of patient 1" in rows.row(number(2))
    rows.end()
    assert "is known, as one of patient 1" in rows.row(number(2))


def test_a_patient_has_one_number_in_use_of_a_hospital(rows):
    """The others are those that it replaced."""
    rows.row(number(1), value="1")
    assert "another number in use" in rows.row(number(1), value="2")
    assert rows.row(number(1), value="3", kind="alias") == ADDED
    rows.end()
    kinds = [rows.known.identifier(key).kind for key in rows.known.patient(1).identifiers]
    assert sorted(kinds) == [IdentifierKind.LOCAL, IdentifierKind.FEDERATION, IdentifierKind.ALIAS]


def test_two_people_are_not_made_one(rows):
    """Where what two hospitals say is beyond an error of typing."""
    rows.row(number(1), "cha/ipp", **ANNE)
    twin = ANNE | {"first_name": "LOUISE"}
    assert rows.row(number(1), "chb/ipp", **twin).startswith("first given name aren't those that cha says")
    mistyped = ANNE | {"birth_name": "DURANT"}
    assert rows.row(number(1), "chc/ipp", **mistyped) == ADDED


def test_an_ins_is_one_patients(rows):
    """Qualified, in production, and nobody else's."""
    ins = {"ins_oid": NIR, "ins": MATRICULE}
    assert "qualified identity only" in rows.row(number(1), **ins)
    assert rows.row(number(1), status="QUAL", **ins, **ANNE) == ADDED
    assert rows.row(number(1), "chb/ipp", status="QUAL", **ins, **ANNE) == ADDED
    assert "that of patient 1" in rows.row(number(2), value="2", status="QUAL", **ins, **ANNE)
    other = {"ins_oid": NIR, "ins": "1" + MATRICULE[1:]}
    assert "another INS" in rows.row(number(1), "chc/ipp", status="QUAL", **other, **ANNE)
    assert rows.row(number(1), "chc/ipp", status="QUAL", ins_oid=NIA, ins=MATRICULE, **ANNE) == ADDED
    for oid, value in ((NIR, "123"), ("1.2.250.1.213.1.4.10", MATRICULE), ("1.2.3", MATRICULE), (NIR, "")):
        assert "fifteen characters" in rows.row(number(3), value="3", status="QUAL", ins_oid=oid, ins=value)


def test_the_same_strict_traits_are_a_pair_to_review(rows):
    """Both live on; what is anonymous is never compared."""
    rows.row(number(1), value="1", **ANNE)
    rows.row(number(2), value="2", **ANNE)
    rows.row(number(3), value="3", attributes="anonymous", **ANNE)
    rows.end()
    assert rows.known.review(1, 2) is not None
    rows.row(number(4), value="4", **ANNE)
    rows.end()
    assert rows.known.review(1, 4) is not None
    assert rows.row(number(2), "chb/ipp", "2", **ANNE) == ADDED


def test_no_number_is_given_twice(rows):
    """The counter goes behind the highest number of the file; a mistyped one is seen."""
    rows.row(number(41))
    rows.row("MPI-77", value="2")
    assert [one.id for one in rows.end()] == [1, 42]
    assert rows.bulk.next_patient == 43
    mistyped = number(50)[:-1] + "0"
    assert "mistyped" in rows.row(mistyped, value="3")


def test_another_registrys_numbers_are_taken_as_they_are():
    """Whatever they look like."""
    rows = Import(registry=Registry.FOLLOW)
    assert rows.row(number(50)[:-1] + "0") == ADDED
    assert [one.id for one in rows.end()] == [1]


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ({"number": ""}, "number is empty"),
        ({"value": ""}, "value is empty"),
        ({"authority": "cha/nda"}, "no hospital declares"),
        ({"authority": "1.2.3.9"}, "no hospital declares"),
        ({"kind": "old"}, "kind is empty, local or alias"),
        ({"status": "OK"}, "PROV, VALI, RECUP or QUAL"),
        ({"attributes": "tall"}, "attributes are"),
        ({"birth_name": "X" * 101}, "longer than 100"),
        ({"birth_date": "02/01/1970"}, "birth date is none"),
        ({"birth_date": "19700599"}, "added"),
    ],
)
def test_a_row_that_is_not_written_as_it_must_be(rows, cells, words):
    """What is wrong, without its value."""
    given = {"number": number(1), "authority": "cha/ipp", "value": "1"} | cells
    assert words in rows.row(**given)


def test_the_columns_are_those_of_the_strict_traits():
    """In the order in which they are read."""
    assert COLUMNS[6:12] == ("birth_name", "first_name", "first_names", "birth_date", "sex", "birth_place")


def test_each_patient_has_a_decision_of_his_own(rows):
    """So one can be undone without the others; a pair stands with the later one."""
    rows.row(number(1), value="1", **ANNE)
    rows.row(number(2), value="2", **ANNE)
    one, other = rows.bulk.events(0, who="anne", reason="take-over")
    assert (set(one.patients), set(other.patients)) == ({1}, {2})
    assert (len(one.identifiers), len(other.identifiers)) == (2, 2)
    assert (set(one.reviews), set(other.reviews)) == (set(), {(1, 2)})
