"""What identities cost the writer: nothing where there are none, some ten statements a commit where there are."""

from __future__ import annotations

from pathlib import Path

from engine.core.changes import Change, Receive
from engine.core.identities import IdentityEvent
from engine.store.identity_rows import pack_patient, read_touched, unpack_patient, write_touched
from engine.store.names import Names
from engine.store.sqlite.books import Books
from engine.store.sqlite.connections import migrate, open_writer
from engine.store.sqlite.driver import Connection
from engine.store.sqlite.rare import RareChanges
from engine.store.sqlite.transaction import Transaction, apply_together
from tests.conformance.identities import attach, fence, mint, patient, review, said, waits
from tests.conformance.stores import delivery, message, routed, settled


class Watched:
    """A connection that counts what it is asked."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.statements: list[str] = []

    def execute(self, query: str, *values: object) -> object:
        self.statements.append(query)
        return self._connection.execute(query, *values)


def opened(path: Path) -> tuple[Watched, Books]:
    connection = open_writer(path / "test.db")
    migrate(connection)
    books = Books(Names())
    books.load(connection)
    return Watched(connection), books


def statements(connection: Watched, books: Books, *changes: Change) -> list[str]:
    """Commit, and return the statements that it took."""
    connection.statements.clear()
    work = Transaction(connection, books, lambda _name: None)
    apply_together(work, list(changes), RareChanges(work).apply)
    work.commit()
    return list(connection.statements)


def test_a_commit_without_identities_is_one_statement(tmp_path: Path) -> None:
    """Receptions, decisions, outcomes: the walk's statement alone, also beside a cross-reference and waits."""
    connection, books = opened(tmp_path)
    statements(connection, books, *(Receive(message(number)) for number in range(5)))
    statements(connection, books, routed(1, delivery(1), identity=[mint(1, 11)]), waits(2, 12))
    assert books.waits_kept
    one = delivery(3)
    assert len(statements(connection, books, Receive(message(9)), routed(3, one))) == 1
    found = statements(connection, books, settled(one), routed(4, delivery(4)), Receive(message(10)))
    assert len(found) == 1
    assert found[0].startswith("INSERT INTO walk")


def test_the_number_of_statements_hardly_depends_on_the_number_of_decisions(tmp_path: Path) -> None:
    """Thirty patients made, with fences proposed and waits released, cost some statements more than one does."""
    connection, books = opened(tmp_path)
    statements(connection, books, *(Receive(message(number)) for number in range(80)))
    statements(connection, books, *(waits(place, 1_000 + place) for place in range(1, 40)))

    def decided(places: range) -> list[str]:
        return statements(connection, books, *(
            routed(
                place, delivery(place, lanes=(place,)),
                identity=[mint(place, place, 1_000 + place, traits=place)],
                fences=[fence(place, place, 500 + place)], releases=(960 + place,),
            )
            for place in places
        ))  # fmt: skip

    one, many = decided(range(41, 42)), decided(range(42, 72))
    assert len(many) <= len(one) + 5
    assert len(one) <= 20, "\n".join(one)
    again = decided(range(72, 73))
    assert len(again) == len(one)


def test_an_event_is_stored_as_its_difference() -> None:
    """What one site says of five changes: the event is far smaller than the two rows."""
    sites = [f"ch{letter}" for letter in "abcde"]
    before = patient(1, *(said(site) for site in sites), identifiers=tuple(range(1 << 60, (1 << 60) + 12)))
    after = patient(1, said("cha", status="PROV"), *before.assertions[1:], identifiers=before.identifiers)
    event = IdentityEvent("assert", 1, 1, patients={1: (before, after)})
    data = write_touched(event)
    assert read_touched(IdentityEvent("assert", 1, 1), data) == event
    assert len(data) < 350


def test_what_a_site_was_sure_of_comes_back() -> None:
    """Under what it doubts now; a row without it is written as ever."""
    sure = said("cha")
    firm = ("D'ÉPÉE", "ZOÉ", "ZOÉ LÉA", "19800101", "F", "75056")
    doubted = said("cha", attributes=("doubtful",), first_name="\udcff", firm=firm)
    for rows in ((sure, doubted), (doubted, sure), (None, doubted), (doubted, None)):
        before, after = (patient(1, row) if row is not None else None for row in rows)
        event = IdentityEvent("assert", 1, 1, patients={1: (before, after)})
        assert read_touched(IdentityEvent("assert", 1, 1), write_touched(event)) == event
    assert unpack_patient(pack_patient(patient(1, sure, doubted))) == patient(1, sure, doubted)
    assert len(pack_patient(patient(1, sure))[2][0]) == 13


def test_small_and_large_events_come_back() -> None:
    """Plain where that is smaller, compressed where it pays; nothing of it is lost."""
    for event in (
        IdentityEvent("apart", 1, 1, reviews={(1, 2): (None, review(1, 2))}),
        mint(1, *range(200)),
        attach(patient(3, said("cha", first_name="\udcff")), 5),
        IdentityEvent("nothing", 1, 1),
    ):
        data = write_touched(event)
        assert read_touched(IdentityEvent(event.rule, event.place, event.at_ms), data) == event
    assert len(write_touched(mint(1, *range(200)))) < 3_000
