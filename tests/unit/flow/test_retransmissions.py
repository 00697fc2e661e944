"""Which arrival repeats an earlier one."""

from __future__ import annotations

from engine.core.messages import Arrival, StoredMessage
from engine.flow.retransmissions import ARRIVALS_MAX, Retransmissions

WINDOW = 600_000


def message(
    control_id: str = "A1", digest: int = 7, at: int = 1000, source: str = "gam", name: str = ""
) -> StoredMessage:
    return StoredMessage(
        source=source, group="main", raw=b"", received_ms=at, control_id=control_id, digest=digest, name=name
    )


def arrival(
    place: int,
    control_id: str = "A1",
    digest: int = 7,
    at: int = 0,
    lanes: tuple[int, ...] = (5,),
    *,
    live: bool = True,
) -> Arrival:
    return Arrival(place, control_id, digest, at, frozenset(lanes), live)


def test_the_same_again() -> None:
    """Control id and bytes equal, within the window, nothing of that patient between: a retransmission."""
    memory = Retransmissions()
    memory.remember("gam", arrival(1))
    memory.remember("gam", arrival(2, control_id="B", lanes=(6,)))
    assert memory.original_of(message(), WINDOW) == 1


def test_another_message_of_the_patient_between() -> None:
    """After A then B of one patient, A again is news."""
    memory = Retransmissions()
    memory.remember("gam", arrival(1))
    memory.remember("ris", arrival(2, control_id="B", lanes=(5,)))
    assert memory.original_of(message(), WINDOW) == 0


def test_what_differs_is_news() -> None:
    """Other bytes, another source, an empty control id or a late arrival are no retransmission."""
    memory = Retransmissions()
    memory.remember("gam", arrival(1))
    for other in (
        message(digest=8),
        message(source="ris"),
        message(control_id=""),
        message(control_id="A2"),
        message(at=WINDOW + 1),
    ):
        assert memory.original_of(other, WINDOW) == 0


def test_files_are_known_by_their_name() -> None:
    """A file without control id repeats by name and bytes."""
    memory = Retransmissions()
    memory.remember("labo", arrival(1, control_id="r.hpr"))
    assert memory.original_of(message(control_id="", source="labo", name="r.hpr"), WINDOW) == 1


def test_memory_is_bounded() -> None:
    """The oldest arrivals are forgotten: they count as news."""
    memory = Retransmissions()
    memory.restore(
        ("gam", arrival(place, control_id=f"C{place}", lanes=(place + 9,))) for place in range(ARRIVALS_MAX + 5)
    )
    assert memory.original_of(message(control_id="C0"), WINDOW) == 0
    assert memory.original_of(message(control_id="C5"), WINDOW) == 5


def test_only_what_was_sent_can_be_repeated() -> None:
    """After a message that died or was filtered, the same again is a new try; it still came between others."""
    memory = Retransmissions()
    memory.remember("gam", arrival(1))
    memory.remember("gam", arrival(2, control_id="B", digest=8, live=False))
    assert memory.original_of(message("B", 8), WINDOW) == 0
    assert memory.original_of(message(), WINDOW) == 0


def test_without_lanes_anything_of_the_source_comes_between() -> None:
    """From the store, destinations without order: the patient isn't known, only the last message can be repeated."""
    memory = Retransmissions()
    memory.restore([("gam", arrival(1, lanes=())), ("lis", arrival(2, control_id="B", lanes=()))])
    assert memory.original_of(message(), WINDOW) == 1
    memory.remember("gam", arrival(3, control_id="C", lanes=(6,)))
    assert memory.original_of(message(), WINDOW) == 0


def test_a_decision_that_was_not_stored_is_forgotten() -> None:
    """Its repeat is news; other messages stay known."""
    memory = Retransmissions()
    memory.remember("gam", arrival(1))
    memory.remember("gam", arrival(2, control_id="B", lanes=(6,)))
    memory.forget("gam", 1)
    memory.forget("nobody", 1)
    assert memory.original_of(message(), WINDOW) == 0
    assert memory.original_of(message("B"), WINDOW) == 2
