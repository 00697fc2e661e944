"""
Messages that go on in other messages (HL7 v2.5 § 2.10.2.2).

A message that goes on ends with DSC, whose pointer is MSH-14 of the message that continues it. A segment may be cut
between the two: an ADD without fields before DSC says so, and an ADD behind the header of the next one carries it on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from engine.errors import ParseError
from engine.parsers.hl7v2.continuation import ADD, CONTROL
from engine.parsers.hl7v2.delimiters import Delimiters, read_delimiters
from engine.parsers.hl7v2.header import header_line
from engine.parsers.hl7v2.layout import name_of
from engine.parsers.hl7v2.lines import extents

_QUERIES: Final = frozenset({b"QAK", b"QPD", b"QRD", b"QRF", b"URD"})
"""Where these stand, a DSC without a style belongs to the answer to a query: each message stands for itself."""
POINTER_MAX: Final = 180
"""Longest DSC-1 (HL7 2.7)."""


class Fragment(NamedTuple):
    """One message as a part of a longer one."""

    continues: bytes
    """MSH-14; empty: it is the first, or the only one."""
    goes_on: bytes
    """DSC-1; empty: it is the last."""
    marks: Delimiters
    begin: int
    """Where it begins what it adds: behind the segments that say what message this is, and `ADD|`."""
    end: int
    """Where that ends: before DSC, and before an ADD without fields that stands before it."""
    mid_segment: bool
    """What it adds begins in the middle of a segment (ADD)."""
    named: bool
    """It has a PID of its own."""


def fragment_of(raw: bytes) -> Fragment | None:
    """
    Look whether a message is a part of a longer one.

    Args:
        raw: One message, as received.

    Returns:
        None when it stands for itself, also where its DSC is that of an interactive continuation (DSC-2 `I`, and
        answers to queries), or when it can't be read.
    """
    try:
        header = header_line(raw)
        marks = read_delimiters(header)
    except ParseError:
        return None
    fields = header.split(marks.field, 14)
    pointer = _pointer(fields[13]) if len(fields) > 13 else b""
    if not pointer and raw.find(b"DSC", len(header)) < 0:
        return None
    lines = [(start, end, name_of(raw[start : min(end, start + 64)], marks.field)) for start, end in extents(raw)]
    goes_on = _goes_on(raw, lines, marks)
    if not pointer and not goes_on:
        return None
    end = _end_of(raw, lines, marks) if goes_on else len(raw)
    begin, mid_segment = _begin_of(lines, marks, end)
    return Fragment(pointer, goes_on, marks, begin, end, mid_segment, any(name == b"PID" for _, _, name in lines))


def rejoin(messages: list[bytes]) -> list[bytes]:
    """
    Join the messages of one block that continue each other.

    Args:
        messages: In their order, as received.

    Returns:
        The messages, each chain of them as one at the place of its first. One whose continuation isn't there keeps
        its DSC; one whose beginning isn't there, its MSH-14. Two that each name a patient are never made one:
        pointers that a sender always fills with the same would mix up two of them.
    """
    chains: list[list[tuple[bytes, Fragment | None]]] = []
    open_: dict[bytes, list[tuple[bytes, Fragment | None]]] = {}
    for raw in messages:
        fragment = fragment_of(raw)
        chain = open_.pop(fragment.continues, None) if fragment is not None and fragment.continues else None
        if chain is None or fragment is None or not _fits(chain, fragment):
            chain = []
            chains.append(chain)
        chain.append((raw, fragment))
        if fragment is not None and fragment.goes_on:
            open_[fragment.goes_on] = chain
    return [join(chain) if len(chain) > 1 else chain[0][0] for chain in chains]


def join(chain: Sequence[tuple[bytes, Fragment | None]]) -> bytes:
    """
    Return one message of several that continue each other.

    Args:
        chain: In order, each with what `fragment_of` says of it.
    """
    parts: list[bytes] = []
    for rank, (raw, fragment) in enumerate(chain, 1):
        assert fragment is not None, "what continues or goes on is a fragment"
        if parts:
            before = parts[-1].rstrip(b"\r\n")
            parts[-1] = before if fragment.mid_segment else before + b"\r"
        parts.append(raw[fragment.begin if parts else 0 : len(raw) if rank == len(chain) else fragment.end])
    return b"".join(parts)


def may_go_alone(fragment: Fragment, names: Sequence[str]) -> bool:
    """
    Tell whether no cut can concern what a fragment says of its patient, so that it may go on without the others.

    A part that goes on may be cut anywhere in its last segment, whether an ADD says so or not; what is missing behind
    that may say more of the patient, until an order or a document begins. A part that continues another begins with
    what belongs to a patient whom it doesn't name.

    Args:
        fragment: The message as a part.
        names: Its segments, those that go on in ADD as one.
    """
    own = [name for name in names if name not in ("", "DSC")]
    last_is_text = bool(own) and own[-1] in _TEXTS
    if fragment.continues or fragment.mid_segment:
        return _WHO.isdisjoint(own) and (not fragment.goes_on or last_is_text or own[-1:] == ["ADD"])
    behind = max((rank for rank, name in enumerate(own, 1) if name in _WHO), default=0)
    return last_is_text and not _BODY.isdisjoint(own[behind:])


class NotOne(Exception):
    """Messages that point at each other and are no fragments of one; `field` says where, `reason` why."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field = field
        self.reason = reason


def put_together(messages: Sequence[bytes]) -> bytes:
    """
    Join messages that came apart, each in a block of its own.

    More is asked of them than of the messages of one block, whose order says already that they belong together.

    Args:
        messages: In their order, from the first to the last.

    Raises:
        NotOne: The pointers don't fit, the headers differ in more than MSH-7, MSH-10, MSH-13 and MSH-14, or more than
            one of them names a patient.
    """
    chain = [(raw, fragment_of(raw)) for raw in messages]
    first = fields_of_header(messages[0])
    for (raw, fragment), (_, before) in zip(chain[1:], chain[:-1], strict=True):
        if fragment is None or before is None or before.goes_on != fragment.continues:
            raise NotOne("DSC-1", "its pointer isn't that of the message that continues it")
        if (before.marks.field, before.marks.declared) != (fragment.marks.field, fragment.marks.declared):
            raise NotOne("MSH-2", "they have different delimiters")
        for number, (ours, theirs) in enumerate(zip(fields_of_header(raw), first, strict=True), 1):
            if number in _SAME and ours != theirs:
                raise NotOne(f"MSH-{number}", f"MSH-{number} isn't the same in all of them")
    if chain[0][1] is None or chain[0][1].continues or chain[-1][1] is None or chain[-1][1].goes_on:
        raise NotOne("DSC-1", "the first or the last of them isn't there")
    if sum(fragment is not None and fragment.named for _, fragment in chain) > 1:
        raise NotOne("PID", "more than one of them names a patient")
    return join(chain)


def repeats(raw: bytes, other: bytes) -> bool:
    """Tell whether two fragments say the same: only MSH-7, MSH-10 and MSH-13 of a header may differ."""
    ours, theirs = fields_of_header(raw), fields_of_header(other)
    if any(a != b for number, (a, b) in enumerate(zip(ours, theirs, strict=True), 1) if number not in _OF_ONE):
        return False
    return raw.partition(header_line(raw))[2] == other.partition(header_line(other))[2]


def fields_of_header(raw: bytes) -> list[bytes]:
    """Return MSH-1 to MSH-25 of a message that could be read, those that aren't there empty."""
    header = header_line(raw)
    fields = header.split(header[3:4])
    return [header[3:4], *fields[1:25], *[b""] * (25 - len(fields))]


_WHO: Final = frozenset({"PID", "PD1", "MRG", "PV1", "PV2", "ZFD"})
"""Segments that say who the patient is, of which stay, and what is concealed."""
_BODY: Final = frozenset({"ORC", "OBR", "TXA"})
"""Behind one of these nothing more is said of the patient named before: an order or a document begins."""
_TEXTS: Final = frozenset({"OBX", "NTE"})
"""Segments that name neither a patient nor an order; wherever they are cut, what is there is said of the same one."""
_SAME: Final = frozenset({3, 4, 5, 6, 8, 9, 11, 12, 18, 20})
"""Fields of MSH in which all fragments of one message agree: who says it to whom, what it is, how it is written."""
_OF_ONE: Final = frozenset({7, 10, 13})
"""What is each sending's own: when, and which number."""


def _fits(chain: Sequence[tuple[bytes, Fragment | None]], after: Fragment) -> bool:
    """Tell whether what a fragment adds can stand in one message with others: delimiters, and one patient."""
    before = chain[-1][1]
    if before is None or (before.marks.field, before.marks.declared) != (after.marks.field, after.marks.declared):
        return False
    return not after.named or not any(fragment is not None and fragment.named for _, fragment in chain)


def _pointer(data: bytes) -> bytes:
    pointer = data.strip()
    return pointer if pointer != b'""' and len(pointer) <= POINTER_MAX else b""


def _goes_on(raw: bytes, lines: list[tuple[int, int, bytes]], marks: Delimiters) -> bytes:
    start, end, name = lines[-1]
    if name != b"DSC":
        return b""
    fields = raw[start:end].split(marks.field, 3)
    style = fields[2].strip() if len(fields) > 2 else b""
    fragmented = style == b"F" or (not style and _QUERIES.isdisjoint([name for _, _, name in lines]))
    return _pointer(fields[1]) if fragmented and len(fields) > 1 else b""


def _begin_of(lines: list[tuple[int, int, bytes]], marks: Delimiters, end: int) -> tuple[int, bool]:
    for start, stop, name in lines:
        if name == ADD:
            return min(start + len(ADD) + len(marks.field), stop), True
        if name not in CONTROL:
            return min(start, end), False
    return end, False


def _end_of(raw: bytes, lines: list[tuple[int, int, bytes]], marks: Delimiters) -> int:
    if len(lines) > 2:
        start, stop, name = lines[-2]
        if name == ADD and not raw[start + len(ADD) : stop].replace(marks.field, b"").strip():
            return start
    return lines[-1][0]
