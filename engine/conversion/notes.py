"""
What has no field in the other standard goes into a note, which says what it was and can be read back.

    NTE|3||P-16 (taille) : 170|P-16^taille^HPRIM

NTE-3 is what people read; NTE-4 (since HL7 2.4) says for certain that the note is ours.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from engine.conversion.forms import Form
from engine.conversion.respelling import NORM, Respelling
from engine.conversion.segments import Fields, get, join, leaf, part
from engine.parsers.hl7v2.delimiters import STANDARD
from engine.parsers.hl7v2.escapes import escape_all, unescape
from engine.parsers.hprim.names import field_name

CODING: Final = b"HPRIM"
"""NTE-4.3 of our notes."""

_OURS: Final = re.compile(rb"(H|P|OBR|OBX)-(\d{1,3})(?: \([^)]*\))? : ")
_NOT_OF_P: Final = frozenset({1, 7, 8, 9, 11, 13, 27, 28, 30, 32, 33})
"""Fields that always stand at a place of their own, or nowhere: a text that looks like one of them is a comment."""
_NOTED: Final = {"H": frozenset({10, 13}), "OBR": frozenset({2, 3, 25}), "OBX": frozenset({2, 5})}
"""Fields of which HL7 has room for a part only, or sometimes; besides those beyond its last ones."""
_LAST: Final = {"OBR": 36, "OBX": 16}
_TO_NORM: Final = Respelling(STANDARD, NORM)
_FROM_NORM: Final = Respelling(NORM, STANDARD)


class Note(NamedTuple):
    """A comment, or a field of the other standard."""

    source: bytes
    """NTE-2, C-2: P or L; empty for a field."""
    text: bytes
    """NTE-3, C-3, in HL7's delimiters."""
    segment: str = ""
    """Of the field: `P`; empty for a comment."""
    number: int = 0


def of_field(segment: str, number: int, data: bytes) -> Note:
    """Return the note of one HPRIM field; `data` is in HL7's delimiters, components included."""
    return Note(b"", data, segment, number)


def write(note: Note, rank: int, form: Form) -> bytes:
    """Return a note as NTE segment."""
    fields = [b"NTE", b"%d" % rank, note.source, shown(note)]
    if note.segment and form.since(2, 4):
        fields.append(code(note))
    return b"|".join(fields)


def shown(note: Note) -> bytes:
    """Return the text that people read: of a field, what it is and its value in HPRIM's delimiters."""
    if not note.segment:
        return note.text
    name = field_name(note.segment, note.number)
    begin = f"{note.segment}-{note.number}{f' ({name})' if name else ''} : "
    return begin.encode() + escape_all(_TO_NORM.field(note.text), STANDARD)


def code(note: Note) -> bytes:
    """Return the code of a field's note: NTE-4, or OBX-3."""
    return join(f"{note.segment}-{note.number}".encode(), leaf(field_name(note.segment, note.number)), CODING)


def read(fields: Fields, *, coded: bool = False) -> Note:
    """
    Read an NTE segment.

    Args:
        fields: Of the segment.
        coded: The message's version has NTE-4, so that a note without our code is somebody's comment, whatever its
            text looks like. Before, ours is known by its text, and has no source (NTE-2).
    """
    text, source, code = get(fields, 3), get(fields, 2), get(fields, 4)
    ours = part(code, 3) == CODING if code or coded else not source
    found = _OURS.match(text) if ours else None
    if found is None or not _is_noted(found[1].decode(), int(found[2])):
        return Note(source, text)
    value = _FROM_NORM.field(unescape(text[found.end() :], STANDARD))
    return Note(b"", value, found[1].decode(), int(found[2]))


def _is_noted(segment: str, number: int) -> bool:
    if segment == "P":
        return number not in _NOT_OF_P
    return number in _NOTED[segment] or number > _LAST.get(segment, number)
