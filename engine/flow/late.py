"""
Messages that are decided on beside what comes, each with its old place: one router's.

They waited for a patient who is known now, or until their time was over; or they came while earlier ones of their
patients were in this queue. Rules:

- One of these and one of those that come take turns: a patient of whom thousands of results waited delays nobody else.
- What comes for a patient of whom something is in this queue joins it (`Behind`): no message of a patient passes
  another because of the turns. Who its patients are say their lane keys, and the numbers for which was waited.
- Some are read ahead: a read waits for every commit under way, so that one after the other would cost a commit each.
- What is in this queue isn't counted in the store's load: nobody who sends waits for it.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable
from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple

from engine.core.lifecycle import MessageState

if TYPE_CHECKING:
    from engine.core.messages import StoredMessage
    from engine.core.ports import Place, Store

LATE_MAX: Final = 200
LATE_BYTES_MAX: Final = 1_000_000
"""How many messages are read at once, and about how many bytes of them."""


class Behind(Exception):
    """
    A message that came isn't decided on yet: earlier ones of its patients are still to be.

    Attributes:
        keys: By which what follows it is known.
    """

    def __init__(self, keys: Collection[int]) -> None:
        super().__init__("earlier messages of its patients come first")
        self.keys = tuple(keys)


class _Due(NamedTuple):
    expired: bool
    keys: tuple[int, ...]


class Late:
    """In the order in which they are taken up."""

    def __init__(self, store: Store, answers_for: Callable[[str], bool]) -> None:
        """
        Begin with none.

        Args:
            store: Where they are read.
            answers_for: Whether messages of a group are the router's own.
        """
        self._store = store
        self._answers_for = answers_for
        self._due: dict[Place, _Due] = {}
        self._read: deque[StoredMessage] = deque()
        """The first of them, as far as they were read."""
        self._largest = LATE_BYTES_MAX // 8
        """Of those that were read last: so large may the next ones be."""
        self._keys: Counter[int] = Counter()
        self._came: dict[Place, tuple[int, ...]] = {}
        """Those that didn't wait, but came behind such."""
        self._ending: set[Place] = set()
        """Whose time is over and on which was decided: their outcome isn't on disk yet."""
        self.reading = False
        """Some are being read."""

    def __bool__(self) -> bool:
        return bool(self._due)

    def add(self, places: Iterable[Place], *, expired: bool, keys: Collection[int] = ()) -> None:
        """
        Take messages whose wait ended.

        Args:
            places: Of the messages.
            expired: Their time is over; otherwise what they waited for is known, or they come behind such.
            keys: Lane keys of their patients: what comes with one of them comes behind.
        """
        kept = tuple(keys)
        for place in places:
            known = self._due.get(place)
            if expired:
                # What is released meanwhile waits no more, and one that is decided on is looked at again each second.
                if known is None and place not in self._ending:
                    self._due[place] = _Due(expired, ())
            elif known is None or known.expired:
                self._due[place] = _Due(expired, kept)
                self._keys.update(kept)
                self._store.set_aside(1)

    def put_behind(self, place: Place, keys: Collection[int]) -> None:
        """Take a message that came, and that may not be decided on yet (`Behind`)."""
        self.add((place,), expired=False, keys=keys)
        self._came[place] = tuple(keys)

    def before(self, keys: Collection[int]) -> list[Place]:
        """Return the place before the first message that came and has one of these keys; empty: there is none."""
        for place, own in self._came.items():
            if not set(own).isdisjoint(keys):
                return [place - 1]
        return []

    def joined(self, pairs: Iterable[tuple[int, int]]) -> None:
        """Note that references changed (before, after): what is here of the one is now of the other too."""
        if not self._keys:
            return
        for pair in pairs:
            fresh = [key for key in pair if key not in self._keys]
            if len(fresh) == 1:
                last = next(place for place in reversed(self._due) if not self._due[place].expired)
                self._due[last] = _Due(expired=False, keys=(*self._due[last].keys, *fresh))
                self._keys.update(fresh)

    def check(self, keys: Collection[int]) -> None:
        """
        Check that a message that came may be decided on.

        Args:
            keys: Its lane keys, and the references of its patients.

        Raises:
            Behind: Not before what is here.
        """
        if self._keys and not self._keys.keys().isdisjoint(keys):
            raise Behind(keys)

    def forget(self, places: Iterable[Place]) -> None:
        """Leave places out: they come by another way."""
        for place in places:
            self._drop(place)

    def is_released(self, place: Place) -> bool:
        """Whether a message is here that isn't looked at because its time was over."""
        due = self._due.get(place)
        return due is not None and not due.expired

    def ended(self, place: Place) -> None:
        """Take the outcome of a decision on one whose time was over."""
        self._ending.discard(place)

    def clear(self) -> None:
        """Forget all: the store has them."""
        self._store.set_aside(-sum(not due.expired for due in self._due.values()))
        self._due.clear()
        self._came.clear()
        self._keys.clear()
        self._read.clear()
        self._ending.clear()

    def wants_read(self, cursor: Place) -> bool:
        """Whether the next ones are to be read."""
        return bool(self._due) and not self.reading and len(self._read) < LATE_MAX / 2 and bool(self._next(cursor))

    async def read(self, cursor: Place) -> None:
        """
        Read the next ones, as many as fit if they are like those before; what there isn't is forgotten.

        Args:
            cursor: What is received again and behind it comes with the backlog.

        Raises:
            StoreError: They can't be read.
        """
        self.reading = True
        try:
            places = self._next(cursor)
            found = await asyncio.gather(*map(self._store.message, places))
        finally:
            self.reading = False
        self._largest = max((message.held_bytes for message in found if message is not None), default=self._largest)
        for place, message in zip(places, found, strict=True):
            due = self._due.get(place)
            if due is None:
                continue
            if message is None or not self._answers_for(message.group) or message.state is not _wanted(due):
                self._drop(place)  # decided on meanwhile, pruned, another router's
            else:
                self._read.append(message)

    def take(self) -> tuple[StoredMessage, bool] | None:
        """Take the next one that was read, and whether its time is over."""
        while self._read:
            message = self._read.popleft()
            due = self._due.get(message.place)
            if due is None:
                continue
            if message.state is not _wanted(due):  # released since: all are read again, in their order
                self._read.clear()
                return None
            self._drop(message.place)
            if due.expired:
                self._ending.add(message.place)
            return message, due.expired
        return None

    def _next(self, cursor: Place) -> list[Place]:
        count = max(1, min(LATE_MAX, LATE_BYTES_MAX // max(1, self._largest)))
        read = {message.place for message in self._read}
        due = (place for place, due in self._due.items() if (due.expired or place <= cursor) and place not in read)
        return list(islice(due, count))

    def _drop(self, place: Place) -> None:
        due = self._due.pop(place, None)
        self._came.pop(place, None)
        if due is None or due.expired:
            return
        self._store.set_aside(-1)
        for key in due.keys:
            self._keys[key] -= 1
            if not self._keys[key]:
                del self._keys[key]


def _wanted(due: _Due) -> MessageState:
    return MessageState.WAITING if due.expired else MessageState.RECEIVED
