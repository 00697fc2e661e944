"""
What waits at destinations of patients who were parted (decision 0020).

The commit that parts them marks it (DeliveryFlag.PARTED): from then on it doesn't leave as it was made. Here it is
looked through, some at a time, so that memory is bounded whatever waits; what is marked is on disk, so a crash in
between changes nothing. Each one's router says what becomes of it (flow.remaking), and the next is read when that is on
disk. What is in flight is left alone until its outcome is known: delivered, it left as it was made. What has lost its
bytes can neither leave nor be compared: a dead letter, or it would hold its lanes unseen.

Messages that waited for a patient are decided on when all is looked through: their place may be before one that has
still the lanes of former days.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Final

import structlog

from engine.core.changes import Receipt
from engine.core.messages import show_delivery_id
from engine.core.ports import Urgency
from engine.errors import ChangeRefused, StoreError

if TYPE_CHECKING:
    from engine.core.messages import Delivery, StoredMessage
    from engine.core.ports import Runtime, Store
    from engine.flow.waits import Deciding

Taken = tuple["Delivery", "StoredMessage | None", bytes | None, "Deciding"]
"""A delivery, its message, its bytes (None: gone), and the router that says what becomes of it."""
_ROWS: Final = 128
_BYTES: Final = 4_000_000
_AGAIN_SECONDS: Final = 1.0
_TOLD_AFTER: Final = 10
"""Rounds: a refusal now and then is usual, when something else came first."""

_log = structlog.get_logger(__name__)


class Parting:
    """Makes anew what has to be, one destination after the other."""

    def __init__(
        self, store: Store, runtime: Runtime, routers: Sequence[Deciding],
        alert: Callable[[str, str, str], None] | None = None,
    ) -> None:  # fmt: skip
        """
        Begin with nothing to look through.

        Args:
            store: Where it waits.
            runtime: Task and timer.
            routers: All that decide; the list may grow.
            alert: Told (code, destination, sentence) of what can't be made anew and holds its lanes.
        """
        self._store = store
        self._runtime = runtime
        self._routers = routers
        self._alert = alert
        self._refusals: dict[str, int] = {}
        """By destination: rounds, one after the other, in which something was refused."""
        self._todo: dict[str, None] = {}
        """Destinations that may have some."""
        self._later: dict[str, None] = {}
        """Those of which some are in flight, or were refused."""
        self.under_way = False
        """Something is being made anew, or on its way to the disk."""

    @property
    def is_done(self) -> bool:
        """Whether all is looked through, but for what is in flight."""
        return not (self._todo or self.under_way)

    def look(self, destinations: Iterable[str]) -> None:
        """Look through the queues of some destinations."""
        self._todo.update(dict.fromkeys(destinations))
        self.wake()

    def wake(self) -> None:
        """Go on, unless a router rests: it tells when it goes on."""
        if self._todo and not self.under_way and not self._rests:
            self.under_way = True
            self._runtime.spawn(self._work(), "what waits of parted patients")

    @property
    def _rests(self) -> bool:
        return any(one.rests for one in self._routers)

    async def _work(self) -> None:
        try:
            while self._todo and not self._rests:
                name = next(iter(self._todo))
                del self._todo[name]
                try:
                    if not await self._through(name):
                        self._put_off(name)
                except StoreError:
                    self._put_off(name)
        finally:
            self.under_way = False
        for one in self._routers:
            one.wake()

    def _put_off(self, name: str) -> None:
        if not self._later:
            self._runtime.call_later(_AGAIN_SECONDS, self._again)
        self._later[name] = None

    def _again(self) -> None:
        later, self._later = self._later, {}
        self.look(later)

    async def _through(self, name: str) -> bool:
        """
        Look through one queue; False: something is left, or a router rests.

        Raises:
            StoreError: It can't be read.
        """
        after, whole = 0, True
        refused: Delivery | None = None
        while rows := await self._store.parted(name, after, _ROWS):
            sent = self._store.sent()
            free = [row for row in rows if sent.get(row.id, 0) <= row.attempts]
            whole = whole and len(free) == len(rows)
            taken, after = await self._take(free) if free else ([], 0)
            if self._rests:
                return False
            outcomes = [await self._submit(*one) for one in taken]
            for one, outcome in zip(taken, outcomes, strict=True):
                result = await outcome
                whole = isinstance(result, Receipt) and whole
                if isinstance(result, ChangeRefused):
                    refused = refused or one[0]
            if not free or after == free[-1].id:
                after = rows[-1].id
        self._note(name, refused)
        return whole

    def _note(self, name: str, refused: Delivery | None) -> None:
        """Count a round; tell once that what is refused again and again holds its lanes."""
        if refused is None:
            self._refusals.pop(name, None)
            return
        rounds = self._refusals[name] = self._refusals.get(name, 0) + 1
        if rounds == _TOLD_AFTER:
            shown = show_delivery_id(refused.id)
            _log.error("what waits of parted patients can't be made anew", destination=name, delivery=shown)
            if self._alert is not None:
                self._alert(
                    "disagreement", name,
                    f"{name}: the store refuses what delivery {shown} becomes since its patients were parted; "
                    "it holds its lanes, and is tried again each second: please report it",
                )  # fmt: skip

    async def _take(self, rows: Sequence[Delivery]) -> tuple[list[Taken], int]:
        """
        Read the bytes and the messages of deliveries, as many as fit; return also the id of the last one read.

        All are read before the first is decided on: a read waits for every commit under way. The store leaves out what
        has no bytes, and what follows the last that fits.
        """
        data = await self._store.payloads([row.id for row in rows], _BYTES)
        last = max((rank for rank, row in enumerate(rows) if row.id in data), default=len(rows) - 1)
        taken: list[Taken] = []
        size, read = 0, 0
        for row in rows[: last + 1]:
            read = row.id
            message = await self._store.message(row.place)
            if (message is None or row.id not in data) and not await self._waits(row):
                continue
            router = self._router_of(message.group if message is not None else "")
            taken.append((row, message, data.get(row.id), router))
            size += message.held_bytes if message is not None else 0
            if size > _BYTES:
                break
        return taken, read

    async def _waits(self, row: Delivery) -> bool:
        """Whether a delivery still waits as it was read, or somebody ended it meanwhile."""
        now = await self._store.delivery(row.id)
        return now is not None and (now.state, now.attempts) == (row.state, row.attempts)

    def _router_of(self, group: str) -> Deciding:
        return next((one for one in self._routers if one.answers_for(group)), self._routers[0])

    async def _submit(
        self, row: Delivery, message: StoredMessage | None, data: bytes | None, router: Deciding
    ) -> asyncio.Future[Receipt | StoreError]:
        """Submit what its router makes of a delivery; what isn't stored, or refused, is looked at again."""
        outcome: asyncio.Future[Receipt | StoreError] = asyncio.get_running_loop().create_future()

        def done(result: Receipt | StoreError) -> None:
            if not outcome.done():
                outcome.set_result(result)

        remake = router.give_up(row) if message is None or data is None else await router.remake(row, message, data)
        self._store.submit(remake, Urgency.SOON, done)
        return outcome
