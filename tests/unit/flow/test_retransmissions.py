"""Which arrival repeats an earlier one."""

from __future__ import annotations

import asyncio

import pytest

from engine.core.lifecycle import DeliveryState, MessageState
from engine.core.messages import Arrival, Fate, StoredMessage
from engine.flow.retransmissions import ARRIVALS_MAX, Original, Retransmissions
from engine.routes.configuration import Source

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
    assert memory.original_of(message(), WINDOW) == Original(1, live=True)


def test_another_message_of_the_patient_between() -> None:
    """After A then B of one patient, A again is news."""
    memory = Retransmissions()
    memory.remember("gam", arrival(1))
    memory.remember("ris", arrival(2, control_id="B", lanes=(5,)))
    assert memory.original_of(message(), WINDOW) is None


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
        assert memory.original_of(other, WINDOW) is None


def test_files_are_known_by_their_name() -> None:
    """A file without control id repeats by name and bytes."""
    memory = Retransmissions()
    memory.remember("labo", arrival(1, control_id="r.hpr"))
    assert memory.original_of(message(control_id="", source="labo", name="r.hpr"), WINDOW) == Original(1, live=True)


def test_memory_is_bounded() -> None:
    """The oldest arrivals are forgotten: they count as news."""
    memory = Retransmissions()
    memory.restore(
        ("gam", arrival(place, control_id=f"C{place}", lanes=(place + 9,))) for place in range(ARRIVALS_MAX + 5)
    )
    assert memory.original_of(message(control_id="C0"), WINDOW) is None
    assert memory.original_of(message(control_id="C5"), WINDOW) == Original(5, live=True)


@pytest.mark.parametrize(
    ("copies", "repeated"),
    [
        ([], False),
        ([DeliveryState.DEAD], False),
        ([DeliveryState.DISCARDED, DeliveryState.CANCELLED], False),
        ([DeliveryState.PENDING], True),
        ([DeliveryState.DELIVERED], True),
        ([DeliveryState.DEAD, DeliveryState.DELIVERED], True),
    ],
)
def test_only_what_was_sent_can_be_repeated(copies: list[DeliveryState], repeated: bool) -> None:
    """After a message of which every copy died, whenever it did, the same again is a new try."""
    for live in (True, False):
        assert Original(1, live).is_repeated(Fate(MessageState.ROUTED, "", copies)) is repeated
        assert not Original(1, live).is_repeated(None)


def test_a_decision_on_its_way_to_the_disk_counts_as_it_was_made() -> None:
    """The store doesn't show it yet."""
    assert Original(1, live=True).is_repeated(Fate(MessageState.RECEIVED))
    assert not Original(1, live=False).is_repeated(Fate(MessageState.RECEIVED))


def test_the_last_try_is_the_original() -> None:
    """A new try takes the place of the one before."""
    memory = Retransmissions()
    memory.remember("gam", arrival(1, live=False))
    memory.remember("gam", arrival(2))
    assert memory.original_of(message(), WINDOW) == Original(2, live=True)


def test_what_was_filtered_comes_between() -> None:
    """It is a message of the patient all the same."""
    memory = Retransmissions()
    memory.remember("gam", arrival(1))
    memory.remember("gam", arrival(2, control_id="B", digest=8, live=False))
    assert memory.original_of(message(), WINDOW) is None


def test_without_lanes_anything_of_the_source_comes_between() -> None:
    """From the store, destinations without order: the patient isn't known, only the last message can be repeated."""
    memory = Retransmissions()
    memory.restore([("gam", arrival(1, lanes=())), ("lis", arrival(2, control_id="B", lanes=()))])
    assert memory.original_of(message(), WINDOW) == Original(1, live=True)
    memory.remember("gam", arrival(3, control_id="C", lanes=(6,)))
    assert memory.original_of(message(), WINDOW) is None


def test_a_decision_that_was_not_stored_is_forgotten() -> None:
    """Its repeat is news; other messages stay known."""
    memory = Retransmissions()
    memory.remember("gam", arrival(1))
    memory.remember("gam", arrival(2, control_id="B", lanes=(6,)))
    memory.forget("gam", 1)
    memory.forget("nobody", 1)
    assert memory.original_of(message(), WINDOW) is None
    assert memory.original_of(message("B"), WINDOW) == Original(2, live=True)


def test_a_source_that_has_another_name_now() -> None:
    """What it sends again is recognised, whichever name it had when it sent it first."""
    memory = Retransmissions()
    memory.remember("gam", arrival(1))
    memory.rename([Source(name="adm", type="mllp", renamed_from="gam")])
    assert memory.original_of(message(source="adm"), WINDOW) == Original(1, live=True)
    assert memory.original_of(message(source="gam"), WINDOW) == Original(1, live=True)
    memory.remember("gam", arrival(2, control_id="L", lanes=()))  # one that waited
    assert memory.original_of(message("L", source="adm"), WINDOW) == Original(2, live=True)
    memory.forget("gam", 2)
    assert memory.original_of(message("L", source="adm"), WINDOW) is None


def test_a_restart_under_another_name() -> None:
    """The store's arrivals under both names are read."""

    class Arrivals:
        async def recent(self, source: str, _since: int, _limit: int) -> list[Arrival]:
            return [arrival(1)] if source == "gam" else []

    memory = Retransmissions()
    source = Source(name="adm", type="mllp", renamed_from="gam")
    asyncio.run(memory.read(Arrivals(), [source], 0))  # type: ignore[arg-type]
    assert memory.original_of(message(source="adm"), WINDOW) == Original(1, live=True)
