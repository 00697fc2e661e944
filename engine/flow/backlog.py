"""
The messages that a router has still to decide on: the very objects of recent commits, or pages of the store.

While everything before a commit was read, its objects are taken as they are announced; otherwise they are dropped from
memory and found again by paging. So a backlog of any size costs disk, not memory.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from engine.core.messages import StoredMessage
    from engine.core.ports import Page, Place, Received, Store

_PAGE_MESSAGES: Final = 500
_PAGE_BYTES: Final = 4_000_000
_BUFFER_BYTES: Final = 16_000_000
_EARLY_MAX: Final = 200


class Backlog:
    """Of one routing group."""

    def __init__(self, group: str, store: Store) -> None:
        """Begin with nothing: the first page is still to be read."""
        self._group = group
        self._store = store
        self._buffer: deque[StoredMessage] = deque()
        self._bytes = 0
        self._early: list[Received] = []  # announced while a page is being read
        self._early_lost = False
        self._behind = True
        self.cursor: Place = 0
        """Everything up to here was read."""
        self.reading = False
        """A page is being read; set by who reads it."""

    def __len__(self) -> int:
        return len(self._buffer)

    @property
    def wants_page(self) -> bool:
        """Whether the next page is to be read."""
        return not self._buffer and self._behind and not self.reading

    def take(self) -> StoredMessage | None:
        """Take the next message."""
        if not self._buffer:
            return None
        message = self._buffer.popleft()
        self._bytes -= message.held_bytes
        return message

    def ahead(self, count: int) -> Iterable[StoredMessage]:
        """Return the next messages, which stay."""
        return islice(self._buffer, count)

    def add(self, batch: Received) -> None:
        """Take a commit's objects, or note that they are to be read."""
        if self.reading:
            if len(self._early) < _EARLY_MAX:
                self._early.append(batch)
            else:
                self._early_lost = True
        elif self._behind or not self._absorb(batch):
            self._behind = True  # these objects are dropped from memory and found by paging

    async def page(self) -> Page[StoredMessage]:
        """
        Read one page; `take_page` takes it.

        Raises:
            StoreError: It can't be read.
        """
        self._early.clear()
        self._early_lost = False
        try:
            return await self._store.unrouted(self._group, self.cursor, _PAGE_MESSAGES, _PAGE_BYTES)
        except BaseException:
            self.reading = False
            raise

    def take_page(self, page: Page[StoredMessage]) -> None:
        """Take a page, and the commits that were announced meanwhile, where the page reached them."""
        self._buffer.extend(page.items)
        self._bytes += sum(message.held_bytes for message in page.items)
        self.cursor = max(self.cursor, page.high)
        self._behind = bool(page.items)  # there may be more, unless a later commit follows the page
        for batch in self._early:
            self._behind = not self._absorb(batch)
        self._behind = self._behind or self._early_lost
        self._early.clear()

    def clear(self) -> None:
        """Drop what is in memory."""
        self._early.clear()
        self._buffer.clear()
        self._bytes = 0
        self._behind = True

    def restart(self) -> None:
        """Begin again from the store."""
        self.cursor = 0
        self._behind = True

    def _absorb(self, batch: Received) -> bool:
        """Take a commit's objects if everything before them was read; tell whether they are covered."""
        if batch.before > self.cursor or self._bytes > _BUFFER_BYTES:
            return False
        if batch.high > self.cursor:
            fresh = [message for message in batch.messages if message.place > self.cursor]
            self._buffer.extend(fresh)
            self._bytes += sum(message.held_bytes for message in fresh)
            self.cursor = batch.high
        return True
