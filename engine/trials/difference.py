"""
What differs between two messages, leaf by leaf: `PID-3[2].4.1  CPAGE -> CHA-IPP`.

Segments of one name are compared in their order, after those that are equal at both ends were set aside; so a segment
that was added or removed is told as such. The cost grows with the size of the messages, never faster.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from typing import NamedTuple

from engine.parsers.hl7v2.delimiters import Delimiters
from engine.parsers.hl7v2.message import Message
from engine.parsers.hl7v2.segments import HEADERS, Segment
from engine.parsers.parts import text_of


class Change(NamedTuple):
    """One difference."""

    path: str
    old: str | None
    """None: the segment or the value wasn't there."""
    new: str | None
    """None: it is no longer there."""
    segment: str
    field: int
    """0: the whole segment."""
    component: int = 0
    subcomponent: int = 0
    whole: tuple[str, str] = ("", "")
    """The whole field, before and after, as it stands: for those who may not show its parts."""


class _Side(NamedTuple):
    codec: str
    marks: Delimiters

    def text(self, data: bytes) -> str:
        return text_of(data, self.codec, self.marks)


def changes(before: Message, after: Message) -> list[Change]:
    """Return what differs, in the order of the message before; added segments at the end of those of their name."""
    old, new = _by_name(before), _by_name(after)
    sides = _Side(before.codec, before.delimiters), _Side(after.codec, after.delimiters)
    found: list[Change] = []
    for name in dict.fromkeys([*old, *new]):
        found += _of_name(name, old.get(name, []), new.get(name, []), sides)
    return found


def lines_of(message: Message) -> list[str]:
    """Return a message as text, a segment a line."""
    return [message.peek(position).line().decode(message.codec) for position in range(len(message.names))]


def _by_name(message: Message) -> dict[str, list[Segment]]:
    grouped: dict[str, list[Segment]] = {}
    for position, name in enumerate(message.names):
        grouped.setdefault(name, []).append(message.peek(position))
    return grouped


def _of_name(name: str, old: list[Segment], new: list[Segment], sides: tuple[_Side, _Side]) -> Iterator[Change]:
    """Compare the segments of one name."""
    ours, theirs = [one.line() for one in old], [one.line() for one in new]
    if ours == theirs:
        return
    several = max(len(old), len(new)) > 1
    first = next((rank for rank, (one, other) in enumerate(zip(ours, theirs, strict=False)) if one != other),
                 min(len(old), len(new)))  # fmt: skip
    tail = 0
    while tail < min(len(old), len(new)) - first and ours[-1 - tail] == theirs[-1 - tail]:
        tail += 1
    for rank, (one, other) in enumerate(
        zip_longest(old[first : len(old) - tail], new[first : len(new) - tail]), first + 1
    ):
        label = f"{name}[{rank}]" if several else name
        if one is None or other is None:
            line = (one or other).line()
            text = line.decode(sides[0 if one is not None else 1].codec)
            yield Change(label, text if one is not None else None, text if other is not None else None, name, 0)
        else:
            yield from _fields(label, name, one, other, sides)


def _fields(label: str, name: str, old: Segment, new: Segment, sides: tuple[_Side, _Side]) -> Iterator[Change]:
    for number in range(1, max(old.count, new.count) + 1):
        before, after = old.field(number), new.field(number)
        if before == after and sides[0] == sides[1]:
            continue
        path = f"{label}-{number}"
        if old.code in HEADERS and number < 3:
            if before != after:
                plain = before.decode("latin-1"), after.decode("latin-1")
                yield Change(path, *plain, name, number, whole=plain)
            continue
        fields = before.decode(sides[0].codec), after.decode(sides[1].codec)
        ours, theirs = sides[0].marks.repetitions(before), sides[1].marks.repetitions(after)
        for rank, (one, other) in enumerate(zip_longest(ours, theirs, fillvalue=b""), 1):
            whole = f"{path}[{rank}]" if max(len(ours), len(theirs)) > 1 else path
            for change in _parts(whole, (name, number), one, other, sides):
                yield change._replace(whole=fields)


def _parts(path: str, where: tuple[str, int], old: bytes, new: bytes, sides: tuple[_Side, _Side]) -> Iterator[Change]:
    """Compare components and subcomponents of one repetition."""
    ours, theirs = sides[0].marks.components(old), sides[1].marks.components(new)
    for number, (one, other) in enumerate(zip_longest(ours, theirs, fillvalue=b""), 1):
        component = number if max(len(ours), len(theirs)) > 1 else 0
        first, second = sides[0].marks.subcomponents(one), sides[1].marks.subcomponents(other)
        for rank, (leaf, counterpart) in enumerate(zip_longest(first, second, fillvalue=b""), 1):
            subcomponent = rank if max(len(first), len(second)) > 1 else 0
            before, after = sides[0].text(leaf), sides[1].text(counterpart)
            if before != after:
                ending = (f".{number}" if component or subcomponent else "") + (f".{rank}" if subcomponent else "")
                yield Change(
                    path + ending, before or None, after or None, *where, number if ending else 0, subcomponent
                )
