"""What a router has still to decide on: objects while everything before them was read, else pages."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from engine.core.messages import StoredMessage
from engine.core.ports import Page, Received
from engine.errors import StoreUnavailable
from engine.flow.backlog import Backlog


def message(place: int) -> StoredMessage:
    return StoredMessage("gam", "main", b"MSH", 0, place=place)


def batch(*places: int, before: int) -> Received:
    return Received([message(place) for place in places], before, places[-1])


class Pages:
    """A store with one page."""

    def __init__(self, *places: int, high: int) -> None:
        self.answer: Page[StoredMessage] = Page([message(place) for place in places], high)
        self.fails = False

    async def unrouted(self, *_: Any) -> Page[StoredMessage]:
        if self.fails:
            raise StoreUnavailable("gone")
        return self.answer


def read(backlog: Backlog, *meanwhile: Received) -> None:
    """Read a page; these commits are announced meanwhile."""
    backlog.reading = True
    page = asyncio.run(backlog.page())
    for one in meanwhile:
        backlog.add(one)
    backlog.take_page(page)
    backlog.reading = False


def places(backlog: Backlog) -> list[int]:
    found = []
    while (one := backlog.take()) is not None:
        found.append(one.place)
    return found


def test_objects_follow_a_page() -> None:
    """Commits that come while it is read, and behind it, are taken as they are; none twice."""
    store: Any = Pages(1, 2, high=3)
    backlog = Backlog("main", store)
    assert backlog.wants_page
    read(backlog, batch(2, 3, before=1), batch(4, 5, before=3))
    assert [one.place for one in backlog.ahead(2)] == [1, 2]
    assert places(backlog) == [1, 2, 4, 5]
    assert not backlog.wants_page
    backlog.add(batch(7, before=5))
    assert places(backlog) == [7]


def test_what_does_not_follow_is_read() -> None:
    """A commit before which something wasn't seen is dropped; the next page brings it."""
    store: Any = Pages(high=3)
    backlog = Backlog("main", store)
    read(backlog)
    backlog.add(batch(9, before=8))
    assert places(backlog) == []
    assert backlog.wants_page


def test_a_page_that_fails() -> None:
    """It may be read again."""
    store: Any = Pages(high=0)
    store.fails = True
    backlog = Backlog("main", store)
    with pytest.raises(StoreUnavailable):
        read(backlog)
    assert backlog.wants_page
    backlog.clear()
    backlog.restart()
    assert len(backlog) == 0
