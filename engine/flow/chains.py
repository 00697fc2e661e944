"""
How fragments hang together by the pointers for which they wait (HL7 v2.5 § 2.10.2.2); pure.

A fragment has one or two *ends*: hashes of its pointers. The two ends of one pointer differ in their lowest bit: 0, it
continues another (MSH-14); 1, it goes on in another (DSC-1).

A sender waits for the acknowledgement of each fragment before it sends the next one, so the places of one message
ascend. What would fit against that order belongs to another message, under a pointer that was used again.

One that *bars* waits for nothing: it holds both ends of its pointers, so that what comes under one of them is known to
be of messages that can't be told apart.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from typing import Final

from engine.core.ports import Place
from engine.parsers.hl7v2.fragments import NotOne

PARTS_MAX: Final = 1_000
"""Fragments of one message."""
CONTINUES: Final = 0
GOES_ON: Final = 1
"""What the ends of one pointer differ in."""

Ends = tuple[int, ...]


def end_of(pointer: int, direction: int) -> int:
    """Return one of the two ends of a pointer, given its hash."""
    return pointer & ~GOES_ON | direction


def other(end: int) -> int:
    """Return the other end of the same pointer."""
    return end ^ GOES_ON


def both(ends: Iterable[int]) -> Ends:
    """Return some ends, and the other one of each pointer."""
    return tuple(dict.fromkeys(each for end in ends for each in (end, other(end))))


def bars(ends: Ends) -> bool:
    """
    Tell whether one that waits bars its pointers: nothing that comes under one of them is joined.

    It holds both ends of each. A part whose MSH-14 is its own DSC-1 does so too: under that pointer nothing is sure.
    """
    return any(other(end) in ends for end in ends)


def neighbours(place: Place, end: int, waiting: Mapping[Place, Ends]) -> list[Place]:
    """Return what may stand beside a fragment at one of its ends: it came before, or behind, as the end says."""
    holders = _holders(other(end), waiting)
    return [one for one in holders if (one > place if end & GOES_ON else one < place)]


def rivals(place: Place, ends: Ends, waiting: Mapping[Place, Ends]) -> list[Place]:
    """
    Return fragments that have an end of this one too.

    Two that continue the same are none where another begins to go on between them: the earlier one came before it,
    and can't be its continuation.
    """
    found: dict[Place, None] = {}
    for end in ends:
        between = [] if end & GOES_ON else _holders(other(end), waiting)
        for one in _holders(end, waiting):
            low, high = sorted((one, place))
            if one != place and not any(low < each < high for each in between):
                found[one] = None
    return list(found)


def chain_of(place: Place, ends: Ends, waiting: Mapping[Place, Ends]) -> list[Place] | None:
    """
    Return the places of all fragments from the first to the last; they ascend. None: one of them isn't there.

    Args:
        place: Of one of them.
        ends: Its ends.
        waiting: What is linked to it.

    Raises:
        NotOne: A pointer is used twice, or they are too many.
    """
    holders: dict[int, list[Place]] = {}
    for one, own in waiting.items():
        for one_end in own:
            holders.setdefault(one_end, []).append(one)
    chain = deque([place])
    for direction, add in ((CONTINUES, chain.appendleft), (GOES_ON, chain.append)):
        at = place
        end: int | None = _end_at(direction, ends)
        while end is not None:
            near = [one for one in holders.get(other(end), ()) if (one > at if direction else one < at)]
            if not near:
                return None
            if len(near) > 1 or len(chain) >= PARTS_MAX:
                raise NotOne("DSC-1", f"a pointer is used twice, or they are more than {PARTS_MAX:,}")
            (at,) = near
            if bars(waiting[at]):
                return None
            add(at)
            end = _end_at(direction, waiting[at])
    return list(chain)


def describe(place: Place, ends: Ends, waiting: Mapping[Place, Ends]) -> list[str]:
    """Say of each neighbour whether it is there."""
    said = []
    for end in ends:
        name, near = name_of(end), neighbours(place, end, waiting)
        against = [one for one in _holders(other(end), waiting) if one != place and one not in near]
        if near:
            said.append(f"{name} is message {near[0]}")
        elif against:
            when = "before" if against[0] < place else "behind"
            said.append(f"it waits for {name} (message {against[0]} isn't that: it came {when} this one)")
        else:
            said.append(f"it waits for {name}")
    if all("waits" not in one for one in said):
        said.append("it waits for one further on")
    return said


def name_of(end: int) -> str:
    """Name the neighbour at an end."""
    return "the part after it (DSC-1)" if end & GOES_ON else "the part before it (MSH-14)"


def _holders(end: int, waiting: Mapping[Place, Ends]) -> list[Place]:
    return [place for place, own in waiting.items() if end in own]


def _end_at(direction: int, ends: Iterable[int]) -> int | None:
    return next((end for end in ends if end & GOES_ON == direction), None)
