"""Messages that waited for a patient and are to be decided on: one router's, each with its old place."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from typing import TYPE_CHECKING, Final

from engine.core.lifecycle import MessageState

if TYPE_CHECKING:
    from engine.core.messages import StoredMessage
    from engine.core.ports import Place, Store

LATE_MAX: Final = 32
LATE_BYTES_MAX: Final = 1_000_000
"""How many messages that waited are taken up at once, and about how many bytes of them."""


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
        self._places: dict[Place, bool] = {}
        """Place -> whether its time is over."""

    def __bool__(self) -> bool:
        return bool(self._places)

    def add(self, places: Iterable[Place], *, expired: bool) -> None:
        """Take places whose wait ended, by its time (`expired`) or because what they waited for is known."""
        for place in places:
            # What is released while the end of its wait is being looked at waits no more.
            self._places[place] = expired and self._places.get(place, True)

    def forget(self, places: Iterable[Place]) -> None:
        """Leave places out: they come by another way."""
        for place in places:
            self._places.pop(place, None)

    def clear(self) -> None:
        """Forget all: the store has them."""
        self._places.clear()

    def ready(self, cursor: Place) -> list[Place]:
        """Return the next ones; what is received again and behind the cursor comes with the backlog."""
        return list(islice((one for one, expired in self._places.items() if expired or one <= cursor), LATE_MAX))

    async def read(self, places: Iterable[Place]) -> list[StoredMessage]:
        """
        Read messages, the first one and what fits beside it; what there isn't is forgotten.

        Some are read before the first is decided on: a read waits for every commit under way, so that one after the
        other would cost a commit each, and all that comes waits behind them.

        Raises:
            StoreError: They can't be read.
        """
        found: list[StoredMessage] = []
        size = 0
        for place in places:
            message = await self._store.message(place)
            if message is None or not self._answers_for(message.group):
                self._places.pop(place, None)
                continue
            found.append(message)
            size += message.held_bytes
            if size > LATE_BYTES_MAX:
                break
        return found

    async def take(self, message: StoredMessage) -> tuple[StoredMessage, bool] | None:
        """
        Take one that was read: as it is now, and whether its time is over; None: there is nothing to decide.

        Raises:
            StoreError: It can't be read again.
        """
        expired = self._places.pop(message.place, None)
        if expired is None:
            return None
        wanted = MessageState.WAITING if expired else MessageState.RECEIVED
        found: StoredMessage | None = message
        if message.state is not wanted:  # it was released, or its time ended, after it was read
            found = await self._store.message(message.place)
        return (found, expired) if found is not None and found.state is wanted else None
