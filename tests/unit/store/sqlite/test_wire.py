"""What goes over the socket to the writer process comes out as it went in."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.core.changes import Audit, Change, Fulfil, Intend, Moments, Note, Prune, Receipt, Receive, Refuse, Requeue
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
from tests.conformance.stores import decided, delivery, message, routed, settled

ONE = delivery(7, lanes=(1, -2), payload_kind=PayloadKind.SPLICES, payload=b"\x01\x02", control_id="C", copies=1)
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
