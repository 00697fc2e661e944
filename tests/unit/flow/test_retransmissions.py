"""Which arrival repeats an earlier one."""

from __future__ import annotations

from engine.core.messages import Arrival, StoredMessage
from engine.flow.retransmissions import ARRIVALS_MAX, Retransmissions

WINDOW = 600_000


def message(control_id: str = "A1", digest: int = 7, at: int = 1000, source: str = "gam", name: str = "") -> StoredMessage:
    return StoredMessage(
        source=source, group="main", raw=b"", received_ms=at, control_id=control_id, digest=digest, name=name
    )


def arrival(place: int, control_id: str = "A1", digest: int = 7, at: int = 0, lanes: tuple[int, ...] = (5,)) -> Arrival:
    return Arrival(place, control_id, digest, at, frozenset(lanes))


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
        message(digest=8), message(source="ris"), message(control_id=""), message(control_id="A2"),
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
    memory.restore(("gam", arrival(place, control_id=f"C{place}", lanes=())) for place in range(ARRIVALS_MAX + 5))
    assert memory.original_of(message(control_id="C0"), WINDOW) == 0
    assert memory.original_of(message(control_id="C5"), WINDOW) == 5
