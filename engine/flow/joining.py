"""
Parts of a longer message that came apart (HL7 v2.5 § 2.10.2.2): they wait, and go on as one.

Each is in custody and was acknowledged. A part waits for its two pointers (`Wait.hashes`, the ends of flow.chains);
when the last one is there, the whole goes on at the highest place among them, and the others are joined to it in the
same commit. What waits is looked up in the store, so that it is the same after a crash; what is in memory of it
(flow.fragments) spares the same look-up again.

A false join is worse than none. Parts are joined only in the order in which they came; what would fit against it waits
until its time is over. What can't be told ends at once as dead letters, all parts that are linked, in one commit: one
that stayed could be completed by a part of another message. Parts of the same messages are still on their way: so the
one that showed it waits on, and bars all their pointers. What comes under one of them bars it too, in its turn; each
dies when its time is over. So a pointer is free again when nothing has come under it for `join`.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from engine.core.changes import Route
from engine.core.identities import Wait
from engine.core.lifecycle import FRAGMENT, FRAGMENT_WAITING, MessageState
from engine.errors import ParseError
from engine.flow.chains import (
    CONTINUES,
    GOES_ON,
    Ends,
    bars,
    both,
    chain_of,
    describe,
    end_of,
    name_of,
    neighbours,
    rivals,
)
from engine.flow.decisions import fragment_dead, repeated_part
from engine.flow.fragments import WAITING_MAX, WaitingFragments
from engine.parsers.hl7v2.fragments import Fragment, NotOne, fragment_of, put_together, repeats

if TYPE_CHECKING:
    from engine.core.messages import StoredMessage
    from engine.core.ports import Place
    from engine.flow.evaluating import Turn
    from engine.flow.router import Router
    from engine.routes.decision import Evaluation

_READ_MAX: Final = 64
"""Parts that are read at once."""
_AHEAD_MAX: Final = 64
"""Messages whose pointers are asked for with those of the one at hand."""


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

    def __init__(self, router: Router, ahead: Callable[[int], Iterable[StoredMessage]]) -> None:
        """
        Join on behalf of a router.

        Args:
            router: Whose.
            ahead: Gives the messages that come next.
        """
        self._router = router
        self._ahead = ahead
        self._known = WaitingFragments()
        self._deciding: Counter[Place] = Counter()
        """Parts of which a decision isn't on disk yet: of them the store doesn't tell."""
        self._on_disk = asyncio.Event()
        self._unsure = False
        """Decisions under way aren't among what is known."""
        self._looked: Place = 0
        """The last message that was read ahead."""

    def adopt(self, route: Route) -> None:
        """Note that a decision was submitted."""
        if _concerns(route):
            self._deciding.update(_places(route))
            self._known.adopt(route)
            if route.wait is not None and self._known.unknown(route.wait.hashes):
                self.forget()  # until it is on disk nobody could find it there

    def resolved(self, route: Route, *, stored: bool) -> None:
        """Note that a decision is on disk, or isn't."""
        if not _concerns(route):
            return
        if not stored:
            self.forget()
        for place in _places(route):
            self._deciding[place] -= 1
            if not self._deciding[place]:
                del self._deciding[place]
        if not self._deciding:
            self._on_disk.set()

    def forget(self) -> None:
        """Forget what waits: it is read again."""
        self._known.clear()
        self._unsure = True
        self._looked = 0

    async def decided_on(self, message: StoredMessage, evaluation: Evaluation, turn: Turn) -> Route:
        """
        Decide on a part, or on the whole that it completes.

        Args:
            message: As it came.
            evaluation: That it waits.
            turn: How it comes to be decided on.

        Raises:
            StoreError: The others can't be read.
            Behind: As of `Evaluating.route_of`.
        """
        done = await self.take(message, evaluation, expired=turn.expired)
        if isinstance(done, Route):
            return done
        wide = turn.wide or done.place != message.place  # others came behind it
        # Its wait for the others is over, not one for its patient: that may begin now.
        return await self._router.decided_on(done, turn._replace(wide=wide, expired=False))

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
        assert evaluation.fragment is not None, "it says as what it is read"
        ends = self._ends_of(message.source, evaluation.fragment)
        found = await self._waiting_for(ends)
        barred = bars(found.pop(message.place, ()))
        if expired:
            return self._barred_over(message) if barred else self._over(message, ends, found)
        if barred or any(map(bars, found.values())):
            return self._bar(message, evaluation, ends, found)
        try:
            if evaluation.fragment.flaw is not None:
                raise NotOne(*evaluation.fragment.flaw)
            for twin in rivals(message.place, ends, found):
                return await self._twin(message, twin, same=_may_repeat(message.place, twin, ends, found))
            chain = None
            if all(neighbours(message.place, end, found) for end in ends):  # else nobody need look further
                chain = chain_of(message.place, ends, await self._linked(ends))
            if chain is None:
                return self._wait(message, evaluation, ends, found)
            return await self._whole(message, chain)
        except NotOne as error:
            return await self._end(message, evaluation, ends, error)

    async def is_barred(self, message: StoredMessage) -> bool:
        """
        Tell whether a message is a part under a pointer that is barred: then the same again prolongs that.

        Raises:
            StoreError: It can't be read.
        """
        source = self._router.configuration.sources.get(message.source)
        fragment = fragment_of(message.raw) if message.format == "hl7v2" else None
        if source is None or not source.fragments.join or fragment is None:
            return False
        found = await self._waiting_for(self._ends_of(message.source, fragment))
        return any(map(bars, found.values()))

    def _ends_of(self, source: str, fragment: Fragment) -> Ends:
        """Return the hashes of its pointers."""
        hash_ = self._router.references.hash
        return tuple(
            end_of(hash_("fragment", source, pointer.decode("latin-1")), direction)
            for pointer, direction in ((fragment.continues, CONTINUES), (fragment.goes_on, GOES_ON))
            if pointer
        )

    # --- what waits already ---

    async def _waiting_for(self, ends: Ends) -> dict[Place, Ends]:
        """Return what waits for these ends, or goes on at one of them; what the messages behind ask for is read too."""
        asked_for = both(ends)
        while unknown := self._known.unknown(asked_for):
            if self._known.is_full:
                self.forget()
            if self._unsure:
                await self._quiet()
                self._unsure = False
                continue
            asked = list(dict.fromkeys((*unknown, *self._known.unknown(self._look_ahead()))))
            found = await self._read_waiting(asked)
            if len(found) >= WAITING_MAX:
                return await self._read_waiting(asked_for)
            if not self._unsure:  # else all was forgotten meanwhile
                self._known.learn(asked, found)
        return self._known.waiting_for(asked_for)

    async def _linked(self, ends: Ends) -> dict[Place, Ends]:
        """Return all that hangs together with these ends."""
        known = self._known.linked(ends)
        if known is not None:
            return known
        await self._quiet()
        found = await self._router.store.waiting_for(ends, linked=True)
        if len(found) < WAITING_MAX and not self._unsure:
            self._known.learn({each for own in (ends, *found.values()) for each in both(own)}, found)
        return found

    async def _read_waiting(self, ends: Collection[int]) -> dict[Place, Ends]:
        """Ask the store; what is being decided isn't as the store says, and known if it waits."""
        found = await self._router.store.waiting_for(ends)
        return {place: own for place, own in found.items() if place not in self._deciding}

    def _look_ahead(self) -> list[int]:
        """Return the ends for which the messages that come next will ask."""
        ends: list[int] = []
        for message in self._ahead(_AHEAD_MAX):
            if message.place > self._looked:
                self._looked = message.place
                fragment = fragment_of(message.raw) if message.format == "hl7v2" else None
                if fragment is not None:
                    ends += both(self._ends_of(message.source, fragment))
        return ends

    async def _quiet(self) -> None:
        """Wait until all decisions on parts are on disk."""
        while self._deciding:
            self._on_disk.clear()
            await self._on_disk.wait()

    # --- it waits --------------------------------------------------------------------------------------------

    def _wait(self, message: StoredMessage, evaluation: Evaluation, ends: Ends, found: dict[Place, Ends]) -> Route:
        self._known.keep(message)
        reason = "a part of a longer message: " + ", ".join(describe(message.place, ends, found))
        return self._waits(message, evaluation, ends, reason)

    def _waits(self, message: StoredMessage, evaluation: Evaluation, ends: Ends, reason: str) -> Route:
        rule = self._router.configuration.sources[message.source].fragments
        evaluation.wait = Wait(ends, self._router.runtime.now_ms() + int(rule.join * 1000))
        evaluation.patients = (message.digest,)  # by it the same part again is known, whatever comes between
        evaluation.reason = reason
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
        last = message
        if chain[-1] != message.place:  # it was late itself
            await self._quiet()
            found = await self._router.store.message(chain[-1])
            if found is None or found.attachments:
                raise _gone(chain[-1])
            last = found
        try:
            raw = put_together(await self._read(message, chain))
        except ParseError:
            raise NotOne("MSH", "one of them can't be read") from None
        return replace(last, raw=raw, joins=tuple(chain[:-1]))

    async def _read(self, message: StoredMessage, chain: list[Place]) -> list[bytes]:
        """
        Return the bytes of the parts, some read at once: a read waits for every commit under way.

        Raises:
            NotOne: Together they are too long, or files came with one of them.
        """
        most = self._router.configuration.sources[message.source].max_size
        parts: list[bytes] = []
        size, largest = 0, len(message.raw)
        while len(parts) < len(chain):
            count = max(1, min(_READ_MAX, (most - size) // max(1, largest)))
            for part in await self._some(message, chain[len(parts) : len(parts) + count]):
                parts.append(part)
                size, largest = size + len(part), max(largest, len(part))
            if size > most:
                raise NotOne("DSC-1", f"together they are longer than the source takes (max_size, {most:,} bytes)")
        return parts

    async def _some(self, message: StoredMessage, places: Collection[Place]) -> list[bytes]:
        """Return the bytes of some parts, those that aren't in memory as they are read."""
        if message.attachments:
            raise _gone(message.place)
        bodies = {place: self._known.body(place) for place in places} | {message.place: message.raw}
        read = [place for place in places if bodies[place] is None]
        for place, part in zip(read, await asyncio.gather(*map(self._router.store.message, read)), strict=True):
            if part is None or part.attachments:
                raise _gone(place)
            bodies[place] = part.raw
        return [body for body in (bodies[place] for place in places) if body is not None]

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

    async def _end(self, message: StoredMessage, evaluation: Evaluation, ends: Ends, error: NotOne) -> Route:
        """Make dead letters of all parts that are linked, in one commit; this one bars their pointers."""
        linked = await self._linked(ends)
        linked.pop(message.place, None)
        barred = both(each for own in (ends, *linked.values()) for each in own)
        reason = f"not put together with the parts that it points at: {error.reason}; {self._remedy(message.source)}"
        route = self._waits(message, evaluation, barred, reason)
        route.field, route.ends = error.field, tuple(linked)
        return route

    def _bar(self, message: StoredMessage, evaluation: Evaluation, ends: Ends, found: dict[Place, Ends]) -> Route:
        """Let a part bar its pointers, one of which is barred already; those that bar no others die."""
        barred = both(ends)
        reason = (
            "not put together: parts under the same pointer (DSC-1, MSH-14) couldn't be told apart shortly before; "
            f"{self._remedy(message.source)}"
        )
        route = self._waits(message, evaluation, barred, reason)
        route.ends = tuple(place for place, own in found.items() if bars(own) and set(own) <= set(barred))
        return route

    def _barred_over(self, message: StoredMessage) -> Route:
        """End one that barred its pointers."""
        reason = (
            "not put together: parts under the same pointer (DSC-1, MSH-14) couldn't be told apart; "
            f"{self._remedy(message.source)}"
        )
        return fragment_dead(message, "DSC-1", reason, self._router.configuration.hash)

    def _remedy(self, source: str) -> str:
        rule = self._router.configuration.sources[source].fragments
        return (
            "have the whole sent again under other pointers, or when no part has come under these for "
            f"{rule.join:g} s: one that comes before isn't joined either"
        )


def _concerns(route: Route) -> bool:
    """Tell whether a decision may change what waits for another part."""
    return route.expected is MessageState.WAITING or bool(route.joins) or route.code in (FRAGMENT, FRAGMENT_WAITING)


def _places(route: Route) -> tuple[Place, ...]:
    """Return all messages on which it is."""
    return (route.place, *route.joins, *route.ends)


def _gone(place: Place) -> NotOne:
    return NotOne("DSC-1", f"files came with message {place}, or it isn't there any more")


def _may_repeat(place: Place, twin: Place, ends: Ends, found: dict[Place, Ends]) -> bool:
    """Tell whether two that have an end in common continue the same part, which is there, or are both a beginning."""
    if not all(twin in rivals(place, (end,), found) for end in ends):
        return False
    return bool(ends[0] & GOES_ON or neighbours(place, ends[0], found))
