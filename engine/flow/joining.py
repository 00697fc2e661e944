"""
Parts of a longer message that came apart (HL7 v2.5 § 2.10.2.2): they wait, and go on as one.

Each is in custody and was acknowledged. A part waits for its two pointers (`Wait.hashes`, two hashes that differ in
their lowest bit are the two ends of one pointer); when the last one is there, the whole goes on at the highest place
among them, and the others are joined to it in the same commit. Nothing of it is kept in memory: what waits is looked
up in the store, so that it is the same after a crash.

A false join is worse than none: what can't be told ends at once as dead letters, all parts that it concerns.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from engine.core.changes import Route
from engine.core.identities import Wait
from engine.core.lifecycle import FRAGMENT_WAITING
from engine.errors import ParseError
from engine.flow.decisions import fragment_dead, repeated_part
from engine.parsers.hl7v2.fragments import Fragment, NotOne, put_together, repeats
from engine.routes.decision import FRAGMENT

if TYPE_CHECKING:
    from engine.core.messages import StoredMessage
    from engine.core.ports import Place
    from engine.flow.router import Router
    from engine.routes.decision import Evaluation

PARTS_MAX: Final = 1_000
"""Parts of one message."""
_OTHER_END: Final = 1
"""What two hashes of one pointer differ in: 0, it is continued (MSH-14); 1, it goes on (DSC-1)."""


class Parted(Exception):
    """A message is a part of a longer one, and its source joins them."""

    def __init__(self, evaluation: Evaluation) -> None:
        """
        Keep what was decided without the others.

        Args:
            evaluation: That it waits; `fragment` is set.
        """
        super().__init__()
        self.evaluation = evaluation


class Joining:
    """Of one router; called between two messages only."""

    def __init__(self, router: Router) -> None:
        """Join on behalf of a router."""
        self._router = router
        self._under_way = 0
        """Decisions on parts that aren't on disk yet: before, the store doesn't tell what waits."""
        self._on_disk = asyncio.Event()

    def adopt(self, route: Route) -> None:
        """Note that a decision was submitted."""
        self._under_way += _concerns(route)
        if route.joins:
            counts = self._router.counts
            counts["joined"] = counts.get("joined", 0) + len(route.joins)

    def resolved(self, route: Route) -> None:
        """Note that a decision is on disk, or refused."""
        self._under_way -= _concerns(route)
        if not self._under_way:
            self._on_disk.set()

    async def decided_on(self, message: StoredMessage, evaluation: Evaluation, how: dict[str, Any]) -> Route:
        """
        Decide on a part, or on the whole that it completes.

        Args:
            message: As it came.
            evaluation: That it waits.
            how: Arguments of `Evaluating.route_of`.

        Raises:
            StoreError: The others can't be read.
            Behind: As of `Evaluating.route_of`.
        """
        done = await self.take(message, evaluation, expired=bool(how.get("expired")))
        if isinstance(done, Route):
            return done
        wide = how.get("wide", False) or done.place != message.place  # others came behind it
        return await self._router.decided_on(done, **how | {"wide": wide})

    async def take(self, message: StoredMessage, evaluation: Evaluation, *, expired: bool) -> Route | StoredMessage:
        """
        Take a part.

        Args:
            message: As it came.
            evaluation: That it waits.
            expired: It waited, and its time is over.

        Returns:
            The decision on it (it waits, repeats another, is dead), or the message on which to decide: the whole, or
            the part alone.

        Raises:
            StoreError: The others can't be read.
        """
        while self._under_way:
            self._on_disk.clear()
            await self._on_disk.wait()
        assert evaluation.fragment is not None, "it says as what it is read"
        ends = self._ends_of(message.source, evaluation.fragment)
        if expired:
            return await self._over(message, ends)
        partners = [end ^ _OTHER_END for end in ends]
        found = await self._router.store.waiting_for([*ends, *partners])
        found.pop(message.place, None)
        try:
            for twin, own in found.items():
                if not set(ends).isdisjoint(own):
                    return await self._twin(message, twin)
            chain = None
            if all(any(partner in own for own in found.values()) for partner in partners):
                chain = await self._chain(message.place, ends)
            if chain is None:
                return self._wait(message, evaluation, ends, found)
            return await self._whole(message, chain)
        except NotOne as error:
            return await self._end(message, ends, error)

    def _ends_of(self, source: str, fragment: Fragment) -> tuple[int, ...]:
        """Return the hashes of its pointers."""
        pairs = ((fragment.continues, 0), (fragment.goes_on, _OTHER_END))
        hash_ = self._router.references.hash
        return tuple(
            hash_("fragment", source, pointer.decode("latin-1")) & ~_OTHER_END | end
            for pointer, end in pairs
            if pointer
        )

    # --- it waits --------------------------------------------------------------------------------------------

    def _wait(
        self, message: StoredMessage, evaluation: Evaluation, ends: tuple[int, ...], found: dict[Place, tuple[int, ...]]
    ) -> Route:
        rule = self._router.configuration.sources[message.source].fragments
        until = self._router.runtime.now_ms() + int(rule.join * 1000)
        evaluation.wait = Wait(ends, until)
        evaluation.patients = (message.digest,)  # by it the same part again is known, whatever comes between
        evaluation.reason = "a part of a longer message: " + ", ".join(_neighbours(ends, found))
        return self._router.evaluating.decision(message, evaluation, late=True)

    async def _over(self, message: StoredMessage, ends: tuple[int, ...]) -> Route | StoredMessage:
        """Do what the source says of a part whose others didn't come."""
        rule = self._router.configuration.sources[message.source].fragments
        if rule.then == "deliver":
            return replace(message, alone=True)
        found = await self._router.store.waiting_for([end ^ _OTHER_END for end in ends])
        found.pop(message.place, None)
        missing = [one for one, end in zip(_names(ends), ends, strict=True) if not _holder(end ^ _OTHER_END, found)]
        reason = (
            f"a part of a longer message, of which {' and '.join(missing) or 'one further on'} didn't come within "
            f"{rule.join:g} s: have the whole sent again, or what is missing sent and this one retried"
        )
        field = "DSC-1" if ends[-1] & _OTHER_END else "MSH-14"
        return fragment_dead(message, field, reason, self._router.configuration.hash)

    # --- the whole -------------------------------------------------------------------------------------------

    async def _chain(self, place: Place, ends: tuple[int, ...]) -> list[Place] | None:
        """
        Return the places of all parts from the first to the last; None: one of them isn't there.

        Raises:
            NotOne: They have no beginning, or are too many.
        """
        chain = deque([place])
        for direction, add in ((0, chain.appendleft), (_OTHER_END, chain.append)):
            end = _end_at(direction, ends)
            while end is not None:
                found = await self._router.store.waiting_for([end ^ _OTHER_END])
                ring = end ^ _OTHER_END in ends
                if not found and not ring:
                    return None
                if ring or len(found) > 1 or len(chain) >= PARTS_MAX:
                    raise NotOne("DSC-1", f"their pointers lead nowhere, or they are more than {PARTS_MAX:,}")
                ((other, own),) = found.items()
                add(other)
                end = _end_at(direction, own)
        return list(chain)

    async def _whole(self, message: StoredMessage, chain: list[Place]) -> StoredMessage:
        """
        Return the whole, as the message of the highest place: what was acknowledged before that leaves before it.

        Raises:
            NotOne: They are no parts of one message.
        """
        most = self._router.configuration.sources[message.source].max_size
        parts: list[StoredMessage] = []
        size = 0
        for place in chain:
            part = message if place == message.place else await self._router.store.message(place)
            if part is None or part.attachments:
                raise NotOne("DSC-1", f"files came with message {place}, or it isn't there any more")
            parts.append(part)
            size += len(part.raw)
            if size > most:
                raise NotOne("DSC-1", f"together they are longer than the source takes (max_size, {most:,} bytes)")
        try:
            raw = put_together([part.raw for part in parts])
        except ParseError:
            raise NotOne("MSH", "one of them can't be read") from None
        last = max(parts, key=lambda part: part.place)
        return replace(last, raw=raw, joins=tuple(sorted(place for place in chain if place != last.place)))

    # --- what can't be told ----------------------------------------------------------------------------------

    async def _twin(self, message: StoredMessage, place: Place) -> Route:
        """
        Decide on a part of which another one has a pointer too.

        Raises:
            NotOne: It says something else.
        """
        other = await self._router.store.message(place)
        if other is not None and repeats(message.raw, other.raw):
            return repeated_part(message, place, self._router.configuration.hash)
        raise NotOne("DSC-1", f"messages {place} and {message.place} have a pointer in common and say different things")

    async def _end(self, message: StoredMessage, ends: tuple[int, ...], error: NotOne) -> Route:
        """Make dead letters of all parts that are linked; this one last, so that a crash between makes it again."""
        router, generation = self._router, self._router.generation
        reason = f"not put together with the parts that it points at: {error.reason}; have the whole sent again"
        for place in await self._linked(ends):
            other = await router.store.message(place) if place != message.place else None
            if other is not None:
                router.submit(fragment_dead(other, error.field, reason, router.configuration.hash), generation)
        return fragment_dead(message, error.field, reason, router.configuration.hash)

    async def _linked(self, ends: Iterable[int]) -> list[Place]:
        """Return what waits and is linked by pointers, directly or not."""
        places: dict[Place, None] = {}
        wanted = {end | _OTHER_END for end in ends}
        looked: set[int] = set()
        while wanted and len(places) < PARTS_MAX:
            looked |= wanted
            found = await self._router.store.waiting_for([one for end in wanted for one in (end, end ^ _OTHER_END)])
            places |= dict.fromkeys(found)
            wanted = {end | _OTHER_END for own in found.values() for end in own} - looked
        return list(places)


def _concerns(route: Route) -> bool:
    """Tell whether a decision changes what waits for another part."""
    return bool(route.joins) or route.code in (FRAGMENT, FRAGMENT_WAITING)


def _end_at(direction: int, ends: Iterable[int]) -> int | None:
    return next((end for end in ends if end & _OTHER_END == direction), None)


def _holder(end: int, found: dict[Place, tuple[int, ...]]) -> Place:
    return next((place for place, own in found.items() if end in own), 0)


def _names(ends: Iterable[int]) -> list[str]:
    return ["the part after it (DSC-1)" if end & _OTHER_END else "the part before it (MSH-14)" for end in ends]


def _neighbours(ends: tuple[int, ...], found: dict[Place, tuple[int, ...]]) -> list[str]:
    """Say of each neighbour whether it is there."""
    said = []
    for name, end in zip(_names(ends), ends, strict=True):
        place = _holder(end ^ _OTHER_END, found)
        said.append(f"{name} is message {place}" if place else f"it waits for {name}")
    if all("waits" not in one for one in said):
        said.append("it waits for one further on")
    return said
