"""
Parts of a longer message that came apart (HL7 v2.5 § 2.10.2.2): they wait, and go on as one.

Each is in custody and was acknowledged. A part waits for its two pointers (`Wait.hashes`, the ends of flow.chains);
when the last one is there, the whole goes on at the highest place among them, and the others are joined to it in the
same commit. Nothing of it is kept in memory: what waits is looked up in the store, so that it is the same after a
crash.

A false join is worse than none. Parts are joined only in the order in which they came; what would fit against it waits
until its time is over. What can't be told ends at once as dead letters, all parts that are linked, in one commit: one
that stayed could be completed by a part of another message.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from engine.core.changes import Route
from engine.core.identities import Wait
from engine.core.lifecycle import FRAGMENT_WAITING
from engine.errors import ParseError
from engine.flow.chains import CONTINUES, GOES_ON, Ends, chain_of, describe, end_of, name_of, neighbours, other, rivals
from engine.flow.decisions import fragment_dead, is_alone, repeated_part
from engine.parsers.hl7v2.fragments import Fragment, NotOne, put_together, repeats
from engine.routes.decision import FRAGMENT

if TYPE_CHECKING:
    from engine.core.messages import StoredMessage
    from engine.core.ports import Place
    from engine.flow.router import Router
    from engine.routes.decision import Evaluation

_READ_MAX: Final = 64
"""Parts that are read at once."""


class IsFragment(Exception):
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
        # Its wait for the others is over, not one for its patient: that may begin now.
        return await self._router.decided_on(done, **how | {"wide": wide, "expired": False})

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
        store = self._router.store
        found = await store.waiting_for([*ends, *map(other, ends)])
        found.pop(message.place, None)
        if expired:
            return self._over(message, ends, found)
        try:
            for twin in rivals(message.place, ends, found):
                return await self._twin(message, twin, same=_may_repeat(message.place, twin, ends, found))
            chain = None
            if all(neighbours(message.place, end, found) for end in ends):  # else nobody need look further
                chain = chain_of(message.place, ends, await store.waiting_for(ends, linked=True))
            if chain is None:
                return self._wait(message, evaluation, ends, found)
            return await self._whole(message, chain)
        except NotOne as error:
            return await self._end(message, ends, error)

    def _ends_of(self, source: str, fragment: Fragment) -> Ends:
        """Return the hashes of its pointers."""
        hash_ = self._router.references.hash
        return tuple(
            end_of(hash_("fragment", source, pointer.decode("latin-1")), direction)
            for pointer, direction in ((fragment.continues, CONTINUES), (fragment.goes_on, GOES_ON))
            if pointer
        )

    # --- it waits --------------------------------------------------------------------------------------------

    def _wait(self, message: StoredMessage, evaluation: Evaluation, ends: Ends, found: dict[Place, Ends]) -> Route:
        rule = self._router.configuration.sources[message.source].fragments
        until = self._router.runtime.now_ms() + int(rule.join * 1000)
        evaluation.wait = Wait(ends, until)
        evaluation.patients = (message.digest,)  # by it the same part again is known, whatever comes between
        evaluation.reason = "a part of a longer message: " + ", ".join(describe(message.place, ends, found))
        return self._router.evaluating.decision(message, evaluation, late=True)

    def _over(self, message: StoredMessage, ends: Ends, found: dict[Place, Ends]) -> Route | StoredMessage:
        """Do what the source says of a part whose others didn't come."""
        rule = self._router.configuration.sources[message.source].fragments
        if rule.then == "deliver":
            return replace(message, alone=True)
        missing = [name_of(end) for end in ends if not neighbours(message.place, end, found)]
        reason = (
            f"a part of a longer message, of which {' and '.join(missing) or 'one further on'} didn't come within "
            f"{rule.join:g} s, in the order in which they are sent: have the whole sent again"
        )
        field = "DSC-1" if ends[-1] & GOES_ON else "MSH-14"
        return fragment_dead(message, field, reason, self._router.configuration.hash)

    # --- the whole -------------------------------------------------------------------------------------------

    async def _whole(self, message: StoredMessage, chain: list[Place]) -> StoredMessage:
        """
        Return the whole, as the message of the highest place: what was acknowledged before that leaves before it.

        Raises:
            NotOne: They are no parts of one message.
        """
        parts = await self._read(message, chain)
        try:
            raw = put_together([part.raw for part in parts])
        except ParseError:
            raise NotOne("MSH", "one of them can't be read") from None
        last = max(parts, key=lambda part: part.place)
        return replace(last, raw=raw, joins=tuple(place for place in chain if place != last.place))

    async def _read(self, message: StoredMessage, chain: list[Place]) -> list[StoredMessage]:
        """
        Return the parts, some read at once: a read waits for every commit under way.

        Raises:
            NotOne: Together they are too long, or files came with one of them.
        """
        most = self._router.configuration.sources[message.source].max_size
        parts: list[StoredMessage] = []
        size, largest = 0, len(message.raw)
        while len(parts) < len(chain):
            count = max(1, min(_READ_MAX, (most - size) // max(1, largest)))
            for place, part in zip(
                chain[len(parts) :], await self._some(message, chain[len(parts) : len(parts) + count]), strict=False
            ):
                if part is None or part.attachments:
                    raise NotOne("DSC-1", f"files came with message {place}, or it isn't there any more")
                parts.append(part)
                size, largest = size + len(part.raw), max(largest, len(part.raw))
            if size > most:
                raise NotOne("DSC-1", f"together they are longer than the source takes (max_size, {most:,} bytes)")
        return parts

    async def _some(self, message: StoredMessage, places: Collection[Place]) -> list[StoredMessage | None]:
        read = [self._router.store.message(place) for place in places if place != message.place]
        found = {part.place: part for part in await asyncio.gather(*read) if part is not None}
        return [message if place == message.place else found.get(place) for place in places]

    # --- what can't be told ----------------------------------------------------------------------------------

    async def _twin(self, message: StoredMessage, place: Place, *, same: bool) -> Route:
        """
        Decide on a part of which another one has a pointer too.

        Args:
            message: As it came.
            place: Of the other one.
            same: They may be parts of one message; otherwise they are of two, even if they say the same.

        Raises:
            NotOne: It says something else.
        """
        twin = await self._router.store.message(place) if same else None
        if twin is not None and repeats(message.raw, twin.raw):
            return repeated_part(message, place, self._router.configuration.hash)
        raise NotOne("DSC-1", f"messages {place} and {message.place} have a pointer in common and say different things")

    async def _end(self, message: StoredMessage, ends: Ends, error: NotOne) -> Route:
        """Make dead letters of all parts that are linked, in one commit."""
        reason = f"not put together with the parts that it points at: {error.reason}; have the whole sent again"
        linked = await self._router.store.waiting_for(ends, linked=True)
        route = fragment_dead(message, error.field, reason, self._router.configuration.hash)
        route.ends = tuple(place for place in linked if place != message.place)
        return route


def _concerns(route: Route) -> bool:
    """Tell whether a decision changes what waits for another part."""
    return bool(route.joins) or is_alone(route) or route.code in (FRAGMENT, FRAGMENT_WAITING)


def _may_repeat(place: Place, twin: Place, ends: Ends, found: dict[Place, Ends]) -> bool:
    """Tell whether two that have an end in common continue the same part, which is there, or are both a beginning."""
    if not all(twin in rivals(place, (end,), found) for end in ends):
        return False
    return bool(ends[0] & GOES_ON or neighbours(place, ends[0], found))
