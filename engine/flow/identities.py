"""
What is known of patients, shared by all routers: rows that were read, with decisions not yet on disk over them.

All routers run in one loop and share this: so there is one writer of identity, whatever the routing groups. A router
that lacks rows reads them, for what waits behind in its buffer too, and decides again. Theory of operation:

- A row in memory is never older than the store's: every decision is laid over the view when it is made. What is read
  never replaces it (`Known.take`), and nothing is let go while a read is under way: so a read that began before a
  commit can't bring a row back as it was.
- Rows that decisions under way have changed are pinned. Others are let go, the oldest first, beyond a bound.
- When the store fails, or refuses a decision, all is let go; nothing is read until every decision under way has its
  outcome, so that what is then read is what is on disk.
- A decision that remembers nothing new may rely on one that is refused. So each says on which view it was made, the
  store refuses all of that view behind one that it refused, and every router starts again from the store: messages of
  a patient are decided again in the order of their places, whichever of them was refused.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable
from itertools import chain, count
from typing import TYPE_CHECKING, Final, NamedTuple

from engine.flow.parting import Parting
from engine.flow.trespassing import Trespassing
from engine.flow.waits import Waits
from engine.identity.crossreference import Known
from engine.identity.decisions import territorial

if TYPE_CHECKING:
    from engine.core.changes import Identify, Route
    from engine.core.identities import IdentityEvent, IdentityRows
    from engine.core.ports import Runtime, Store
    from engine.core.references import References
    from engine.flow.waits import Deciding
    from engine.identity.crossreference import Unread
    from engine.routes.identifying import Usual

ROWS_MAX: Final = 150_000
"""Keys that are kept, about; those of decisions under way beside."""
_READ_MAX: Final = 1_000
_NUMBERS: Final = count(1)
"""Of views: never the same twice while the process runs, because a store remembers which were wrong."""


class _Keys(NamedTuple):
    identifiers: tuple[int, ...] = ()
    patients: tuple[int, ...] = ()
    traits: tuple[int, ...] = ()

    @property
    def size(self) -> int:
        return len(self.identifiers) + len(self.patients) + len(self.traits)


class Shared(Known):
    """The view, with what its owner must ask of it."""

    __slots__ = ()

    def lacks(self, keys: Iterable[int]) -> list[int]:
        """Return the identifiers that were never read."""
        known = self._identifiers
        return [key for key in keys if key not in known]

    def lacks_traits(self, traits: Iterable[int]) -> list[int]:
        """Return the strict traits that were never read."""
        known = self._traits
        return [one for one in traits if one not in known]


class Identities:
    """The cross-reference in memory."""

    def __init__(
        self, store: Store, runtime: Runtime, alert: Callable[[str, str, str], None] | None = None
    ) -> None:  # fmt: skip
        """
        Begin with nothing; `start` before the first decision.

        Args:
            store: Where rows are read.
            runtime: Clock and timer.
            alert: Told of sources that speak of others' numbers, and of what can't be made anew.
        """
        self.trespassing = Trespassing(runtime, alert)
        self._store = store
        self.view = Shared()
        self.usual: dict[tuple[object, ...], Usual] = {}
        """Decisions that changed nothing (routes.identifying)."""
        self._next = 0
        self._started = False
        self.view_number = next(_NUMBERS)
        """Another one, each time that all is let go."""
        self._reading = asyncio.Lock()
        self._kept: deque[_Keys] = deque()
        self._kept_count = 0
        self._pinned: tuple[Counter[int], Counter[int], Counter[int]] = (Counter(), Counter(), Counter())
        self._under_way = 0
        self._let_go = False
        """After a failure: nothing is read before every decision under way has its outcome."""
        self._outcomes = asyncio.Event()
        self.routers: list[Deciding] = []
        """All that decide."""
        self.waits = Waits(store, runtime, self.routers)
        self.parting = Parting(store, runtime, self.routers, alert)

    async def start(self) -> None:
        """Read what a start must know; once."""
        if self._started:
            return
        self._started = True
        facts = await self._store.identity_facts()
        self._next = max(self._next, facts.next_patient)
        if facts.next_wait_ms:
            self.waits.look_at(facts.next_wait_ms)

    def join(self, router: Deciding) -> None:
        """Know one more router."""
        self.routers.append(router)

    # --- numbers ---------------------------------------------------------------------------------------------

    def next_patient(self) -> int:
        """Return the id of a new patient, never the same twice."""
        given = self._next
        self._next += 1
        return given

    def give_back(self, first: int) -> None:
        """Take ids back that nobody used: those from this one on."""
        self._next = min(self._next, first)

    def not_before(self, next_patient: int) -> None:
        """Give no id below this one any more."""
        self._next = max(self._next, next_patient)

    # --- decisions -------------------------------------------------------------------------------------------

    def adopt(self, events: Collection[IdentityEvent]) -> None:
        """Keep what was laid over the view until the store has its outcome (`resolved`)."""
        if events:
            self._under_way += 1
            self._pin(events, 1)

    def abandon(self, events: Collection[IdentityEvent], *, last: bool = False) -> None:
        """Take decisions back that are not submitted after all; `last`: nothing was decided since."""
        for event in reversed(list(events)):
            self.view.revert(event)
        made = [id_ for event in events for id_, (before, _) in event.patients.items() if before is None]
        if last and made:
            self.give_back(min(made))

    def released(self, change: Route | Identify, events: Iterable[IdentityEvent], references: References) -> None:
        """
        Take what a change on disk set in motion: messages whose wait is over, and what waits of parted patients.

        Args:
            change: As the store filled it.
            events: Its decisions on patients.
            references: Hashes the lane keys of their patients.
        """
        if change.parted:
            self.parting.look(name for name, _ in change.parted)
        if change.released:
            patients = {id_ for event in events for id_ in event.patients}
            patients |= {row.patient for event in events for _, row in event.identifiers.values() if row is not None}
            keys = (*change.releases, *(territorial(references, id_) for id_ in patients))
            self.waits.released(change.released, keys)

    def resolved(self, events: Collection[IdentityEvent], *, stored: bool) -> None:
        """
        Take the outcome of a decision that was adopted.

        One that isn't on disk empties the memory, and all routers start again: any of them may have built on it.
        """
        if not events:
            return
        self._under_way -= 1
        self._pin(events, -1)
        if stored:
            for event in events:
                self._keep(_keys_of(event))
        else:
            self.forget()
            for router in self.routers:
                router.start_over("a decision on patients isn't on disk")
        if not self._under_way:
            self._outcomes.set()

    def forget(self) -> None:
        """Let everything go: what is on disk is what counts."""
        self.view = Shared()
        self.usual.clear()
        self.view_number = next(_NUMBERS)
        self._kept.clear()
        self._kept_count = 0
        self._let_go = self._under_way > 0

    def _pin(self, events: Collection[IdentityEvent], by: int) -> None:
        for event in events:
            for counts, keys in zip(self._pinned, _keys_of(event), strict=True):
                for key in keys:
                    counts[key] += by
                    if not counts[key]:
                        del counts[key]

    # --- reading ---------------------------------------------------------------------------------------------

    async def read(
        self, unread: Unread | None, identifiers: Collection[int] = (), traits: Collection[int] = ()
    ) -> None:
        """
        Read what a decision lacks, and what those behind it will ask.

        Raises:
            StoreError: Nothing could be read.
        """
        async with self._reading:
            await self._drained()
            view, number = self.view, self.view_number
            wanted = _Keys(
                tuple(view.lacks(dict.fromkeys((*(unread.identifiers if unread else ()), *identifiers)))),
                tuple(dict.fromkeys(unread.patients)) if unread else (),
                tuple(view.lacks_traits(dict.fromkeys((*(unread.traits if unread else ()), *traits)))),
            )
            before = len(self._kept)
            while wanted.size and number == self.view_number:
                now = _Keys(*(keys[:_READ_MAX] for keys in wanted))
                wanted = _Keys(*(keys[_READ_MAX:] for keys in wanted))
                rows = await self._store.identities(now.identifiers, now.patients, now.traits)
                if number != self.view_number:
                    return
                view.take(rows, now.identifiers, now.patients, now.traits)
                self._keep(_Keys(*map(tuple, map(dict.fromkeys, _joined(now, rows)))))
            self._bound(before)

    async def _drained(self) -> None:
        while self._let_go and self._under_way:
            self._outcomes.clear()
            await self._outcomes.wait()
        self._let_go = False

    def _keep(self, keys: _Keys) -> None:
        self._kept.append(keys)
        self._kept_count += keys.size

    def _unpinned(self, keys: _Keys) -> _Keys:
        """Leave out what decisions under way have changed: it is kept when they are on disk."""
        pairs = zip(keys, self._pinned, strict=True)
        return _Keys(*[tuple([key for key in some if key not in pinned]) for some, pinned in pairs])

    def _bound(self, before: int) -> None:
        """
        Let the oldest rows go, pinned ones stay; called while nothing is being read.

        Args:
            before: How many batches may go. What was just read stays, however much it is: its decision would ask for
                it for ever.
        """
        gone: list[_Keys] = []
        while len(gone) < before and self._kept_count > ROWS_MAX:
            gone.append(self._kept.popleft())
            self._kept_count -= gone[-1].size
        if gone:
            joined = _Keys(*(tuple(chain.from_iterable(some)) for some in zip(*gone, strict=True)))
            self.view.forget(*self._unpinned(joined))


def _joined(asked: _Keys, rows: IdentityRows) -> Iterable[Iterable[int]]:
    """Return the keys that a read brought, those that aren't known included."""
    found = (rows.identifiers, rows.patients, rows.alike)
    return [[*mine, *theirs] for mine, theirs in zip(asked, found, strict=True)]


def _keys_of(event: IdentityEvent) -> _Keys:
    traits = {
        one.traits
        for pair in event.patients.values()
        for row in pair
        if row is not None
        for one in row.assertions
        if one.traits
    }
    patients = {*event.patients, *(id_ for pair in event.reviews for id_ in pair)}
    return _Keys(tuple(event.identifiers), tuple(patients), tuple(traits))
