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
from engine.parsers.hl7v2.layout import name_meant, name_of
from engine.parsers.hl7v2.lines import extents
from engine.parsers.hl7v2.segments import HEAD_MAX

_QUERIES: Final = frozenset({b"QAK", b"QPD", b"QRD", b"QRF", b"URD", b"EQL", b"VTQ", b"SPR", b"ERQ"})
"""Where these stand, a DSC of another style than F belongs to a query or its answer: each message stands for itself."""
_BEGINNINGS: Final = frozenset({b"PID", b"EVN", b"SCH", b"ARQ", b"RF1", b"PRD"})
"""What a message that names a patient begins with, behind CONTROL; results before a PID are of the one before."""
_ENVELOPE: Final = frozenset({b"FHS", b"BHS"})
POINTER_MAX: Final = 1_000
"""Longest pointer; HL7 2.7 has 180."""
_PADDING: Final = bytes(range(33)) + b"\x7f"
"""A line of these alone is none: senders fill up with NUL, and end files with FF or SUB."""


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
    begins: bool
    """It begins as a message does that names its patient: MSH-14 alone makes it no part."""
    damaged: bool
    """A line reads as a segment that says whose what follows is, and its name is damaged: it may be another's."""
    flaw: tuple[str, str] | None
    """Why nobody can tell how it goes on, though its DSC says so: the field, and a sentence."""


def fragment_of(raw: bytes) -> Fragment | None:
    """
    Look whether a message is a part of a longer one.

    Args:
        raw: One message, as received.

    Returns:
        None when it stands for itself, also where its DSC is that of a query or its answer (interactive
        continuation), or says nothing, or when it can't be read.
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
    while len(lines) > 1 and _is_padding(raw, *lines[-1][:2]):
        lines.pop()
    goes_on, flaw = _goes_on(raw, lines, marks)
    if not pointer and not goes_on and flaw is None:
        return None
    end = _end_of(raw, lines, marks) if goes_on and flaw is None else len(raw)
    begin, mid_segment = _begin_of(raw, lines, marks, end)
    named = any(name == b"PID" for _, _, name in lines)
    damaged = any(
        not name.isupper() and name_meant(raw[start : min(stop, start + HEAD_MAX)], marks.field) in _WHOSE
        for start, stop, name in lines
    )
    return Fragment(
        pointer, goes_on, marks, begin, end, mid_segment, named, named and _begins(lines), damaged, flaw
    )  # fmt: skip


def rejoin(messages: list[bytes]) -> list[bytes]:
    """
    Join the messages of one block that continue each other.

    Args:
        messages: In their order, as received.

    Returns:
        The messages, each chain of them as one at the place of its first. One whose continuation isn't there keeps
        its DSC; one whose beginning isn't there, its MSH-14. What `put_together` would refuse stays apart, and so does
        what a pointer concerns that isn't announced and continued in turns: whose the ends are nobody can tell.
    """
    parts = [(raw, fragment_of(raw)) for raw in messages]
    sound = _sound([fragment for _, fragment in parts if fragment is not None])
    chains: list[list[tuple[bytes, Fragment | None]]] = []
    open_: dict[bytes, list[tuple[bytes, Fragment | None]]] = {}
    for raw, fragment in parts:
        chain = open_.pop(fragment.continues, None) if fragment is not None else None
        if chain is None or _hindrance(chain, raw, fragment) is not None:
            chain = []
            chains.append(chain)
        chain.append((raw, fragment))
        if fragment is not None and fragment.goes_on in sound:
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
    if fragment.damaged:
        return False
    own = [name for name in names if name not in ("", "DSC")]
    last_is_text = bool(own) and own[-1] in _TEXTS
    goes_on = fragment.goes_on or fragment.flaw is not None
    if fragment.continues or fragment.mid_segment:
        return _WHO.isdisjoint(own) and (not goes_on or last_is_text or own[-1:] == ["ADD"])
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
    chain: list[tuple[bytes, Fragment | None]] = []
    for raw in messages:
        fragment = fragment_of(raw)
        hindrance = _hindrance(chain, raw, fragment)
        if hindrance is not None:
            raise hindrance
        chain.append((raw, fragment))
    first, last = chain[0][1], chain[-1][1]
    if first is None or first.continues or last is None or last.goes_on:
        raise NotOne("DSC-1", "the first or the last of them isn't there")
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


_Line = tuple[int, int, bytes]
"""Where it begins and ends, and its name."""
_WHO: Final = frozenset({"PID", "PD1", "MRG", "PV1", "PV2", "ZFD"})
"""Segments that say who the patient is, of which stay, and what is concealed."""
_BODY: Final = frozenset({"ORC", "OBR", "TXA"})
"""Behind one of these nothing more is said of the patient named before: an order or a document begins."""
_WHOSE: Final = frozenset(name.encode() for name in _WHO | _BODY)
_TEXTS: Final = frozenset({"OBX", "NTE"})
"""Segments that name neither a patient nor an order; wherever they are cut, what is there is said of the same one."""
_SAME: Final = frozenset({3, 4, 5, 6, 8, 9, 11, 12, 18, 20})
"""Fields of MSH in which all fragments of one message agree: who says it to whom, what it is, how it is written."""
_OF_ONE: Final = frozenset({7, 10, 13})
"""What is each sending's own: when, and which number."""


def _sound(fragments: Sequence[Fragment]) -> set[bytes]:
    """Return the pointers that fragments of one block announce and continue in turns, and no other way."""
    announced: dict[bytes, bool] = {}  # pointer -> nothing has continued it yet
    unsound: set[bytes] = set()
    for each in fragments:
        if each.continues:
            if not announced.get(each.continues) or each.continues == each.goes_on:
                unsound.add(each.continues)
            announced[each.continues] = False
        if each.goes_on:
            if announced.get(each.goes_on):
                unsound.add(each.goes_on)
            announced[each.goes_on] = True
    return announced.keys() - unsound


def _hindrance(chain: Sequence[tuple[bytes, Fragment | None]], raw: bytes, after: Fragment | None) -> NotOne | None:
    """Tell why a fragment can't stand behind others in one message; None: it can."""
    if after is None:
        return NotOne("DSC-1", "one of them is no part")
    if after.flaw is not None:
        return NotOne(*after.flaw)
    if after.damaged:
        return NotOne("PID", "a line of one of them reads as a patient's or an order's, and its name is damaged")
    if not chain:
        return None
    before = chain[-1][1]
    if before is None or before.goes_on != after.continues:
        return NotOne("DSC-1", "its pointer isn't that of the message that continues it")
    if before.flaw is not None or before.damaged:
        return NotOne("DSC", "the part before it is damaged")
    if (before.marks.field, before.marks.declared) != (after.marks.field, after.marks.declared):
        return NotOne("MSH-2", "they have different delimiters")
    if after.named and any(fragment is not None and fragment.named for _, fragment in chain):
        return NotOne("PID", "more than one of them names a patient")
    for number, (ours, theirs) in enumerate(zip(fields_of_header(raw), fields_of_header(chain[0][0]), strict=True), 1):
        if number in _SAME and ours != theirs:
            return NotOne(f"MSH-{number}", f"MSH-{number} isn't the same in all of them")
    return None


def _pointer(data: bytes) -> bytes:
    pointer = data.strip()
    return pointer if pointer != b'""' and len(pointer) <= POINTER_MAX else b""


def _is_padding(raw: bytes, start: int, end: int) -> bool:
    return not raw[start : min(end, start + HEAD_MAX)].strip(_PADDING) and not raw[start:end].strip(_PADDING)


def _goes_on(raw: bytes, lines: list[_Line], marks: Delimiters) -> tuple[bytes, tuple[str, str] | None]:
    """Return under which pointer a message goes on, and why nobody can tell that though it has a DSC."""
    found = [(rank, *_read_dsc(raw, lines[: rank + 1], marks)) for rank, line in enumerate(lines) if line[2] == b"DSC"]
    found = [one for one in found if any(one[1:])]  # else it says that nothing follows
    if not found:
        return b"", None
    rank, said, style, _ = found[-1]
    pointer, is_last = _pointer(said), rank == len(lines) - 1
    if not _QUERIES.isdisjoint([name for _, _, name in lines]):
        return (pointer if style == b"F" and is_last else b""), None
    if len(found) > 1 or not is_last:
        return pointer, ("DSC", "DSC isn't its last segment")
    if not pointer:
        long = len(said) > POINTER_MAX
        return b"", ("DSC-1", f"DSC-1 is longer than {POINTER_MAX:,} characters" if long else "DSC-1 is empty")
    return pointer, None if style in (b"", b"F") else ("DSC-2", "DSC-2 is neither F nor empty, and it is no query")


def _read_dsc(raw: bytes, lines: list[_Line], marks: Delimiters) -> tuple[bytes, bytes, bool]:
    """Return pointer and style of the last of some lines, and whether an ADD before it says that something is cut."""
    start, end, _ = lines[-1]
    fields = [field.strip() for field in raw[start:end].split(marks.field, 3)]
    said, style = (*fields[1:], b"", b"")[:2]
    return b"" if said == b'""' else said, style, _end_of(raw, lines, marks) != start


def _begins(lines: list[_Line]) -> bool:
    return next((name for _, _, name in lines if name not in CONTROL and name not in _ENVELOPE), b"") in _BEGINNINGS


def _begin_of(raw: bytes, lines: list[_Line], marks: Delimiters, end: int) -> tuple[int, bool]:
    for start, stop, name in lines:
        if name == ADD:
            return min(raw.index(ADD, start) + len(ADD) + len(marks.field), stop), True
        if name not in CONTROL:
            return min(start, end), False
    return end, False


def _end_of(raw: bytes, lines: list[_Line], marks: Delimiters) -> int:
    if len(lines) > 2:
        start, stop, name = lines[-2]
        if name == ADD and not raw[raw.index(ADD, start) + len(ADD) : stop].replace(marks.field, b"").strip():
            return start
    return lines[-1][0]
