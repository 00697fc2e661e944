"""Rows as people read them."""

from __future__ import annotations

import pytest

from engine.core.identities import (
    Assertion,
    IdentifierKind,
    IdentifierRow,
    IdentityEvent,
    PatientRow,
    ReviewRow,
    ReviewState,
)
from engine.operations.identities.seeing import Seeing, compared
from tests.support.officers import Office, at_office


def row(value: str, patient: int, kind: IdentifierKind = IdentifierKind.LOCAL) -> IdentifierRow:
    """One number of the first hospital."""
    return IdentifierRow(hash(value), kind, "1.2.250.1.999.10.1|PI", value, patient)


def sentences(tmp_path, event: IdentityEvent, about: int = 0) -> list[str]:
    """What is told of an event, values revealed."""

    async def work(office: Office) -> list[str]:
        return Seeing(office.desk.configuration(), office.desk.references, reveal=True).changes(event, about)

    return at_office(tmp_path, work)


def test_each_change_is_a_sentence(tmp_path):
    """Numbers that come, go, move and are replaced; patients who begin and end; pairs; never a stay."""
    event = IdentityEvent(
        "link", 0, 0,
        identifiers={
            1: (None, row("1", 7)), 2: (row("2", 8), None), 3: (row("3", 8), row("3", 7)),
            4: (row("4", 7), row("4", 7, IdentifierKind.ALIAS)), 5: (None, row("5", 0, IdentifierKind.STAY)),
        },
        patients={7: (None, PatientRow(7, "G7")), 8: (PatientRow(8, "G8"), None)},
        reviews={(7, 8): (None, ReviewRow(7, 8, "same-traits", "", 0, 0, ReviewState.LINKED))},
    )  # fmt: skip
    assert sentences(tmp_path, event) == [
        "patient 7 begins", "patient 8 ends", "1 of cha/ipp is one of patient 7", "2 of cha/ipp is forgotten",
        "3 of cha/ipp goes from patient 8 to 7", "4 of cha/ipp is now replaced",
        "7 and 8 are linked on the review list",
    ]  # fmt: skip
    assert sentences(tmp_path, event, about=8) == [
        "patient 8 ends", "2 of cha/ipp is forgotten", "3 of cha/ipp goes from patient 8 to 7",
        "7 and 8 are linked on the review list",
    ]  # fmt: skip


def test_what_nobody_says_any_more_is_told(tmp_path):
    """What a hospital said of two as one, once they are parted; not what goes along."""
    said = [Assertion(site, "VALI", (), *["X"] * 3, "", "", "", 0, 0, 0, 0) for site in ("cha", "chb")]
    event = IdentityEvent(
        "unlink", 0, 0,
        patients={7: (PatientRow(7, "", tuple(said)), PatientRow(7, "")), 8: (None, PatientRow(8, "", (said[1],)))},
    )  # fmt: skip
    assert sentences(tmp_path, event) == ["what cha said of patient 7 is forgotten", "patient 8 begins"]


def test_many_changes_are_cut(tmp_path):
    """Twenty, and how many more."""
    event = IdentityEvent("import", 0, 0, patients={id_: (None, PatientRow(id_, "")) for id_ in range(1, 31)})
    assert sentences(tmp_path, event)[-1] == "and 10 more"


def test_what_a_hospital_says_now_is_a_change_too(tmp_path):
    """Without a number that moves."""
    event = IdentityEvent("assert", 5, 0, patients={7: (PatientRow(7, ""), PatientRow(7, ""))})
    assert sentences(tmp_path, event) == ["what a hospital says of patient 7"]


def test_nobody_says_who_they_are():
    """Two patients of whom only numbers are known."""
    assert compared(PatientRow(1, ""), PatientRow(2, "")) == "no hospital says who they are"


def test_what_a_site_was_sure_of_is_shown(tmp_path):
    """An officer sees with what a message was compared; masked like the rest."""
    doubted = Assertion(
        "cha", "PROV", ("anonymous",), "X", "", "", "", "", "", 0, 0, 1, 0,
        ("DURAND", "LEA", "", "19800229", "F", ""),
    )  # fmt: skip

    async def work(office: Office) -> list[dict]:
        known = office.desk.configuration(), office.desk.references
        return [Seeing(*known, reveal=reveal).assertion(doubted) for reveal in (True, False)]

    shown, hidden = at_office(tmp_path, work)
    assert (shown["traits"]["birth_name"], shown["was_sure_of"]["birth_name"]) == ("X", "DURAND")
    assert "birth_place" not in shown["was_sure_of"]
    assert "DURAND" not in str(hidden)


@pytest.mark.parametrize(
    ("place", "sex", "words"),
    [
        ("", "F", "birth name, first given name, birth date, sex the same; birth place not known"),
        ("", "M", "sex different; birth name, first given name, birth date the same; birth place not known"),
        ("33063", "F", "all strict traits are the same"),
    ],
)
def test_a_comparison_says_what_is_the_same_too(place, sex, words):
    """Whoever joins two patients sees on how much of them that rests."""

    def said(site: str, letter: str) -> Assertion:
        return Assertion(site, "", (), "DURAND", "LEA", "", "19800229", letter, place, 0, 0, 1, 0)

    one, other = PatientRow(1, "", (said("cha", "F"),)), PatientRow(2, "", (said("chb", sex),))
    assert compared(one, other) == words


@pytest.mark.parametrize(
    ("mine", "theirs", "words"),
    [
        (("LEA", "LEA MARIE"), ("LEA", "LEA MARIE ZOE"), True),
        (("JEAN", ""), ("JEAN PIERRE", ""), True),
        (("LEA", "LEA MARIE"), ("", ""), False),
    ],
)
def test_a_shorter_list_of_given_names_is_said_as_that(mine, theirs, words):
    """Both say a given name: it isn't unknown."""

    def said(site: str, names: tuple[str, str]) -> Assertion:
        return Assertion(site, "", (), "DURAND", *names, "19800229", "F", "33063", 0, 0, 1, 0)

    told = compared(PatientRow(1, "", (said("cha", mine),)), PatientRow(2, "", (said("chb", theirs),)))
    start = "birth name, birth date, sex, birth place the same; "
    assert told == start + (
        "one has fewer given names than the other, otherwise the same" if words else "first given name not known"
    )
