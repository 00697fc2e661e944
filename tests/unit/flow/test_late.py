"""Messages that waited: which are taken up next, and as what."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from engine.core.lifecycle import MessageState
from engine.flow import late
from engine.flow.late import Late


class Store:
    """Messages by place."""

    def __init__(self, **states: MessageState) -> None:
        self.messages = {int(name[1:]): self.of(int(name[1:]), state) for name, state in states.items()}

    @staticmethod
    def of(place: int, state: MessageState, group: str = "main") -> Any:
        return SimpleNamespace(place=place, state=state, group=group, held_bytes=10)

    async def message(self, place: int) -> Any:
        return self.messages.get(place)


def of(store: Any) -> Late:
    return Late(store, lambda group: group == "main")


def test_what_is_behind_the_cursor_comes_with_the_backlog() -> None:
    """Unless its time is over: then it isn't received again."""
    it = of(Store())
    it.add([9, 3], expired=False)
    it.add([8], expired=True)
    assert it.ready(5) == [3, 8]
    it.forget([3])
    assert it.ready(5) == [8]
    it.add([8], expired=False)
    assert it.ready(5) == [], "released meanwhile"
    it.clear()
    assert not it


def test_some_are_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many bytes as allowed, at least one; what there isn't, or is another router's, is forgotten."""
    store = Store(p2=MessageState.RECEIVED, p4=MessageState.RECEIVED, p5=MessageState.RECEIVED)
    store.messages[3] = store.of(3, MessageState.RECEIVED, "other")
    monkeypatch.setattr(late, "LATE_BYTES_MAX", 15)
    it = of(store)
    it.add([1, 2, 3, 4, 5], expired=False)
    assert [one.place for one in asyncio.run(it.read(it.ready(9)))] == [2, 4]
    assert it.ready(9) == [2, 4, 5]


def test_a_message_is_taken_as_it_is_now() -> None:
    """Once; one that was decided on meanwhile isn't taken."""
    store = Store(p1=MessageState.RECEIVED, p2=MessageState.WAITING, p3=MessageState.ROUTED)
    it = of(store)
    it.add([1, 3], expired=False)
    it.add([2], expired=True)

    async def take(place: int) -> Any:
        return await it.take(store.of(place, MessageState.WAITING))

    assert asyncio.run(take(1)) == (store.messages[1], False)
    assert asyncio.run(take(1)) is None
    assert asyncio.run(take(2)) == (store.of(2, MessageState.WAITING), True)
    assert asyncio.run(take(3)) is None
