"""What goes over the socket to the writer process comes out as it went in."""

from __future__ import annotations

import marshal
from dataclasses import replace

import pytest

from engine.core.changes import (
    Audit,
    Change,
    Fulfil,
    Identify,
    Intend,
    Moments,
    Note,
    Prune,
    Receipt,
    Receive,
    Refuse,
    Requeue,
)
from engine.core.identities import IdentityEvent, Wait
from engine.core.lifecycle import DeliveryState, MessageState
from engine.core.messages import Attempt, DeliveryFlag, Intention, PayloadKind, Refusal
from engine.errors import ChangeRefused, StoreUnavailable
from engine.store.announcing import DONE
from engine.store.sqlite.report import Report
from engine.store.sqlite.wire import (
    LENGTH_BYTES,
    Batch,
    fill,
    length_of,
    read_batch,
    read_report,
    write_batch,
    write_report,
)
from tests.conformance.identities import fence, identifier, mint, patient, review, stay
from tests.conformance.identities import said as asserted
from tests.conformance.stores import decided, delivery, message, routed, settled

ONE = delivery(7, lanes=(1, -2), payload_kind=PayloadKind.SPLICES, payload=b"\x01\x02", control_id="C", copies=1)
BEFORE = patient(1, asserted("cha"), asserted("chb"), identifiers=(11, 12), apart=(3,))
AFTER = patient(1, asserted("cha", sex="M"), asserted("chc", attributes=()), identifiers=(12, 13))
TOUCHED = IdentityEvent(
    "assert", 7, 1, "alice", "é \udcff", 5, {13: (None, stay(13, 12)), 11: (identifier(11, 1, "\x00"), None)},
    {1: (BEFORE, AFTER), 2: (patient(2), None)}, {(1, 2): (review(1, 2), None), (1, 3): (None, review(1, 3))},
)  # fmt: skip
CHANGES: list[Change] = [
    Receive(message(3, raw=b"\x00\xff" * 1_000)),
    routed(7, ONE, keys=[1, -(1 << 63)]),
    routed(7, delivery(7), delivery(7, 1, "archive", state=DeliveryState.DEAD, code="E-MAP-MISS", queued=False)),
    decided(8, MessageState.FILTERED),
    settled(ONE, DeliveryState.PENDING, due_ms=5, reason="é"),
    settled(ONE, attempt=Attempt(ONE.id, 1, 2, 3, "busy", "AE 207", b"MSH|")),
    settled(ONE, flags=DeliveryFlag.RESULT),
    Refuse(Refusal("gam", "192.0.2.7", 1, "E-NO-HEADER", "no header", 3, b"abc")),
    Requeue(ONE, rendered_again=True),
    Note({("a", "b", "c"): 2}),
    Moments({("received", "gam"): 2}),
    Audit(1, "alice", "reveal", "7", "why"),
    Prune(1, 2, 3),
    routed(7, ONE, identity=[mint(1, 11, -12, traits=7), TOUCHED], fences=[fence(7, 1, -2)], releases=(11, -12)),
    decided(8, MessageState.WAITING, wait=Wait((5, -6), 9_000)),
    replace(decided(8, MessageState.DEAD), expected=MessageState.WAITING),
    Identify(mint(1, 11), [fence(7, 1)], (11,), place=7, also=[TOUCHED], next_patient=9),
]


def carried(*changes: Change) -> list[Change]:
    values = write_batch(Batch([(number, change, 10) for number, change in enumerate(changes, 1)]))
    assert int.from_bytes(length_of(values), "little") == len(values)
    batch = read_batch(memoryview(values))
    assert [number for number, _, _ in batch.changes] == list(range(1, len(changes) + 1))
    return [change for _, change, _ in batch.changes]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: type(change).__name__)
def test_a_change_comes_out_as_it_went_in(change: Change) -> None:
    """Every field, with its type."""
    (found,) = carried(change)
    assert found == change
    assert repr(found) == repr(change)


def test_bytes_in_memory_stay_there() -> None:
    """What is sent to the receiver isn't stored from here: it doesn't travel."""
    (found,) = carried(routed(7, replace(ONE, rendered=b"x" * 1_000)))
    assert found.deliveries[0].rendered is None  # type: ignore[union-attr]


def test_who_has_nothing_to_do_with_identities_sends_nothing_of_them() -> None:
    """The values of a plain decision are its own and its deliveries', as before there were identities."""
    _, ((_, _, plain, _),) = marshal.loads(write_batch(Batch([(1, routed(7, ONE), 10)])))
    _, ((_, _, more, _),) = marshal.loads(write_batch(Batch([(1, routed(7, ONE, releases=(1,)), 10)])))
    assert (len(plain), len(more)) == (2, 3)


def test_what_the_store_decided_of_identities_comes_back() -> None:
    """Ids of events, the fences kept, who was released: of a decision, of an act, of an act inside an intention."""
    kept = fence(7, 1, 2)
    kept.id, kept.copies = 7 << 16 | 40_000, 2
    theirs = routed(7, ONE, identity=[replace(mint(1, 11), id=4)], fences=[kept], releases=(11,), released=[3, 5])
    acted = Identify(replace(mint(2, 21), id=5), [kept], (21,), [6], 7, [replace(mint(3, 31), id=6)])
    report = Report([(theirs, 1, DONE), (acted, 2, DONE), (Fulfil(1, True, "linked", [acted]), 3, DONE)], 3, 100)
    said = read_report(write_report([1, 2, 3], report)[LENGTH_BYTES:])
    ours = routed(7, ONE, identity=[mint(1, 11)], fences=[fence(7, 8), fence(7, 1, 2)], releases=(11,))
    acts = [Identify(mint(2, 21), [fence(7, 1, 2)], (21,), [], 7, [mint(3, 31)]) for _ in range(2)]
    fill(ours, said.filled[1])
    fill(acts[0], said.filled[2])
    fill(Fulfil(1, True, "linked", [acts[1]]), said.filled[3])
    assert ours == theirs
    assert acts == [acted, acted]


def test_the_end_is_told() -> None:
    """The last batch says so."""
    assert read_batch(write_batch(Batch(end=True))).end


def test_a_report_comes_out_as_it_went_in() -> None:
    """Outcomes by number, errors with their class and sentence, what is new in the books."""
    intend = Intend(Intention("router", "retry", {}, "alice", "because", 1, id=4))
    refused = ChangeRefused("no")
    report = Report(
        [(CHANGES[0], 5, Receipt(9)), (CHANGES[1], 6, DONE), (CHANGES[4], 7, refused), (intend, 8, Receipt(4))],
        3, 100, [StoreUnavailable("full"), None], {("received", "gam", "total"): 9}, {4: "gam"}, 10, 0.5,
    )  # fmt: skip
    said = read_report(write_report([5, 6, 7, 8], report)[LENGTH_BYTES:])
    assert [(number, type(outcome)) for number, outcome in said.outcomes] == [
        (5, Receipt), (6, Receipt), (7, ChangeRefused), (8, Receipt),
    ]  # fmt: skip
    assert said.outcomes[0][1] == Receipt(9)
    assert said.outcomes[1][1] is DONE
    assert str(said.outcomes[2][1]) == "no"
    assert [type(each) for each in said.trouble] == [StoreUnavailable, type(None)]
    assert (said.counters, said.names, said.next_place, said.seconds) == (report.counters, report.names, 10, 0.5)
    ours = Intend(replace(intend.intention, id=0))
    fill(ours, said.filled[8])
    assert ours.intention.id == 4


def test_what_the_store_fills_is_filled_in_ours() -> None:
    """A requeued delivery is announced as its row is, also inside an intention's outcome."""
    ours, theirs = delivery(7, state=DeliveryState.DEAD), delivery(7, code="", flags=9, attempts=2)
    fill(Fulfil(1, True, "done", [Requeue(ours)]), Fulfil(1, True, "done", [Requeue(theirs)]))
    assert (ours.state, ours.flags, ours.attempts) == (DeliveryState.PENDING, 9, 2)
