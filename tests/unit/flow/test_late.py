"""Messages that are decided on beside what comes: which are taken up next, as what, and what comes behind them."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from engine.core.lifecycle import MessageState
from engine.flow import late
from engine.flow.late import Behind, Late

RECEIVED, WAITING = MessageState.RECEIVED, MessageState.WAITING


class Store:
    """Messages by place."""

    def __init__(self, **states: MessageState) -> None:
        self.messages = {int(name[1:]): self.of(int(name[1:]), state) for name, state in states.items()}
        self.aside = 0

    @staticmethod
    def of(place: int, state: MessageState, group: str = "main") -> Any:
        return SimpleNamespace(place=place, state=state, group=group, held_bytes=10)

    async def message(self, place: int) -> Any:
        return self.messages.get(place)

    def set_aside(self, count: int) -> None:
        self.aside += count


def of(store: Any) -> Late:
    return Late(store, lambda group: group == "main")


def taken(it: Late, cursor: int = 99) -> list[tuple[int, bool]]:
    """Read once, and take all that was read."""
    asyncio.run(it.read(cursor))
    found = []
    while (one := it.take()) is not None:
        found.append((one[0].place, one[1]))
    return found


def test_what_is_behind_the_cursor_comes_with_the_backlog() -> None:
    """Unless its time is over: then it isn't received again."""
    store = Store(p3=RECEIVED, p8=WAITING, p9=RECEIVED)
    it = of(store)
    it.add([9, 3], expired=False)
    it.add([8], expired=True)
    assert store.aside == 2
    assert taken(it, 5) == [(3, False), (8, True)]
    assert not it.wants_read(5)
    assert it.wants_read(9)
    it.forget([9])
    assert not it
    assert store.aside == 0, "nobody's load"


def test_as_many_are_read_as_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the size of those before, at least one; what there isn't, or is another router's, is forgotten."""
    monkeypatch.setattr(late, "LATE_MAX", 32)
    store = Store(**{f"p{n}": RECEIVED for n in range(2, 50)})
    store.messages[3] = store.of(3, RECEIVED, "other")
    it = of(store)
    it.add(range(1, 50), expired=False)
    assert taken(it) == [(n, False) for n in (2, 4, 5, 6, 7, 8)], "none was seen yet: a few"
    assert taken(it) == [(n, False) for n in range(9, 41)]
    monkeypatch.setattr(late, "LATE_BYTES_MAX", 15)
    assert taken(it) == [(41, False)]


def test_a_message_is_taken_as_it_is_now() -> None:
    """Released after it was read, it is read again; what was decided on meanwhile isn't taken."""
    store = Store(p1=RECEIVED, p2=WAITING, p3=MessageState.ROUTED)
    it = of(store)
    it.add([2], expired=True)
    it.add([1, 3], expired=False)
    asyncio.run(it.read(9))
    it.add([2], expired=False)
    store.messages[2] = store.of(2, RECEIVED)
    assert it.take() is None
    assert taken(it) == [(2, False), (1, False)]
    assert not it


def test_one_whose_time_is_over_is_taken_up_once() -> None:
    """Until its outcome is known: it is looked at each second."""
    it = of(Store(p1=WAITING))
    it.add([1], expired=True)
    assert taken(it) == [(1, True)]
    it.add([1], expired=True)
    assert not it
    it.add([1], expired=False)
    assert it.is_released(1)
    it.clear()
    it.add([1], expired=True)
    assert not it.is_released(1)
    assert taken(it) == [(1, True)]
    it.ended(1)
    it.add([1], expired=True)
    assert it


def test_what_comes_for_its_patients_comes_behind() -> None:
    """Also when they are joined meanwhile; until the last one of them was taken."""
    it = of(Store(p1=RECEIVED, p2=RECEIVED, p3=WAITING))
    it.add([3], expired=True, keys=[7])
    it.check([7])
    it.add([1], expired=False, keys=[7, 8])
    it.add([2], expired=False, keys=[7])
    with pytest.raises(Behind) as behind:
        it.check({5, 8})
    assert set(behind.value.keys) == {5, 8}
    it.check([5])
    it.joined([(3, 4), (8, 5)])
    for key in (5, 7, 8):
        with pytest.raises(Behind):
            it.check([key])
    it.check([3, 4])
    assert taken(it) == [(3, True), (1, False), (2, False)]
    it.check([5, 7, 8])
