"""
Where the parts of an HPRIM Médecin file lie: headers, lines of text, the coded block.

A letter is twelve lines of header, its text, since version 2 a coded block after `****LAB****`, and `****FIN****`;
several letters may stand before `****FINFICHIER****`. The header is found by the birth date in its line 7 and the
date of the examination in its line 10, because lines too many and lines left out are common. Tags may be indented
or in small letters, with three to five stars.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from engine.parsers.sniff import UTF8_MARK

HEADER_LINES: Final = 12
MARK: Final = b"|"
"""Separates the fields of a RES line."""

_LINE: Final = re.compile(rb"([^\r\n]*)(?:\r\n|\r|\n|\Z)")
_TAG: Final = re.compile(rb"\s*\*{3,5}(LAB|FIN|FINFICHIER)\*{3,5}\s*", re.IGNORECASE)
_CODED: Final = re.compile(rb"\s*(RES|TEX)(?:\||\s*\Z)", re.IGNORECASE)
_DATE: Final = re.compile(rb"\s*\d\d/\d\d/(?:\d{4}|\d\d)\s*")
_TOWN: Final = re.compile(rb"\s*\d{5}\s+\S.*")
_INSURED: Final = re.compile(rb"\s*[\dAB ]{13,}\s*")
_LETTER_LINES_MIN: Final = 7
"""A letter goes to its birth date at least; less after `****FIN****` is what some transport adds."""
_BIRTH: Final = 6
"""Index of line 7."""
_BLANK: Final = b" \t\x00\x1a\x0c"


class Line(NamedTuple):
    """One line of the text, without its end."""

    data: bytes
    start: int
    end: int


Place = tuple[int, int]


class Part(NamedTuple):
    """What becomes one segment."""

    code: bytes
    """ENT, TXT, RES, TEX, or empty for a line that belongs to no letter."""
    fields: list[bytes]
    """As the segment's fields, from 1."""
    start: int
    end: int
    lines: list[Place | None]
    """ENT: where each header line lies, None where it is missing; else empty."""


def lay_out(text: bytes) -> tuple[list[Part], list[str]]:
    """
    Find the parts of a file.

    Args:
        text: Any line ends; a byte order mark is passed over.

    Returns:
        The parts in order (none: the file is empty), and findings: `letter-header` (lines too many or too few),
        `letter-not-ended` (no `****FIN****`), `text-after-end` (lines that belong to no letter).
    """
    lines = _lines_of(text)
    parts: list[Part] = []
    findings: dict[str, None] = {}
    position = 0
    ended = False
    while position < len(lines):
        stop, tag = _next_end(lines, position)
        chunk = lines[position:stop]
        full = any(line.data.strip(_BLANK) for line in chunk)
        if full and _is_letter(chunk, first=not parts, ended=ended):
            parts += _letter(chunk, findings)
            if not tag:
                findings["letter-not-ended"] = None
        elif full:
            parts += [_loose(line) for line in chunk if line.data.strip(_BLANK)]
            findings["text-after-end"] = None
        ended = ended or tag == b"FINFICHIER"
        position = stop + 1
    return parts, list(findings)


def _is_letter(chunk: Sequence[Line], *, first: bool, ended: bool) -> bool:
    """Tell a letter from what some transport adds; behind the end of the file only one with its dates is believed."""
    if len(chunk) < _LETTER_LINES_MIN or ended:
        return first or (len(chunk) >= _LETTER_LINES_MIN and _dated(chunk) is not None)
    return True


def _lines_of(text: bytes) -> list[Line]:
    start = len(UTF8_MARK) if text.startswith(UTF8_MARK) else 0
    found = [Line(match[1], match.start(1), match.end(1)) for match in _LINE.finditer(text, start)]
    found.pop()  # what follows the last line end, or the end of the text
    return found


def _next_end(lines: Sequence[Line], position: int) -> tuple[int, bytes]:
    """Return the index of the line that ends a letter or the file, and its tag; past the last line without one."""
    for index in range(position, len(lines)):
        tag = _tag_of(lines[index].data)
        if tag in (b"FIN", b"FINFICHIER"):
            return index, tag
    return len(lines), b""


def _tag_of(line: bytes) -> bytes:
    if line.find(b"***") < 0:
        return b""
    match = _TAG.fullmatch(line)
    return match[1].upper() if match else b""


def _letter(chunk: list[Line], findings: dict[str, None]) -> list[Part]:
    before, header, body = _cut_header(chunk)
    if before or len(header) < HEADER_LINES or None in header:
        findings["letter-header"] = None
    header += [None] * (HEADER_LINES - len(header))
    parts = [_loose(line) for line in before]
    there = [line for line in header if line is not None]
    places = [(line.start, line.end) if line is not None else None for line in header]
    fields = [line.data if line is not None else b"" for line in header]
    parts.append(Part(b"ENT", fields, there[0].start, there[-1].end, places))
    coded = False
    for line in body:
        if _tag_of(line.data) == b"LAB":
            coded = True
            continue
        parts.append(_coded(line) if coded else Part(b"TXT", [line.data], line.start, line.end, []))
    return parts


def _coded(line: Line) -> Part:
    """Return a line of the coded block; one that is neither RES nor TEX is text."""
    match = _CODED.match(line.data)
    if match is None:
        return Part(b"TXT", [line.data], line.start, line.end, [])
    code, rest = match[1].upper(), line.data[match.end() :]
    return Part(code, rest.split(MARK) if code == b"RES" else [rest], line.start, line.end, [])


def _loose(line: Line) -> Part:
    return Part(b"", [line.data], line.start, line.end, [])


def _cut_header(chunk: list[Line]) -> tuple[list[Line], list[Line | None], list[Line]]:
    """Return the lines too many before a header, its lines (None: left out), and what follows it."""
    birth = _find_birth(chunk)
    extra = max(birth - _BIRTH, 0)
    front: list[Line | None] = list(chunk[extra:birth])
    missing = _BIRTH - len(front)
    if missing > 0:  # address lines are left out: before the town, where there is one
        has_town = front and front[-1] is not None and _TOWN.fullmatch(front[-1].data)
        at = len(front) - 1 if has_town else len(front)
        front[at:at] = [None] * missing
    rest = chunk[birth:]
    back: list[Line | None] = list(rest[: HEADER_LINES - _BIRTH])
    taken = len(back)
    if _is_date(rest, 2) and not _is_date(rest, 3):  # one of lines 8 and 9 is left out
        back.insert(2 if _INSURED.fullmatch(rest[1].data) else 1, None)
        back.pop()
        taken = len(back) - 1
    return chunk[:extra], front + back, rest[taken:]


def _find_birth(chunk: Sequence[Line]) -> int:
    """Return the index of line 7; where it should be when no date tells."""
    dated = _dated(chunk)
    if dated is not None:
        return dated
    for index in _near(chunk):
        if _is_date(chunk, index) and (_TOWN.fullmatch(chunk[index - 1].data) or _is_date(chunk, index + 2)):
            return index
    return min(_BIRTH, len(chunk))


def _dated(chunk: Sequence[Line]) -> int | None:
    """Return the index of a date with another one three lines on, the nearest to line 7."""
    return next((index for index in _near(chunk) if _is_date(chunk, index) and _is_date(chunk, index + 3)), None)


def _near(chunk: Sequence[Line]) -> list[int]:
    return sorted(range(3, min(10, len(chunk))), key=lambda index: abs(index - _BIRTH))


def _is_date(lines: Sequence[Line], index: int) -> bool:
    return index < len(lines) and bool(_DATE.fullmatch(lines[index].data))
