r"""
The header segment of HPRIM Santé.

H-1 names component, repetition, escape and subcomponent, in this order, and the usual characters are the
inverse of HL7's (`H|~^\&`): they are always read, never assumed. Fields count as in HL7, H-1 being the
delimiters. Like any segment it may go on in addenda.
"""

from __future__ import annotations

import re
from typing import Final

from engine.errors import ParseError
from engine.parsers.hl7v2.delimiters import DECLARED_MAX, Delimiters, read_delimiters
from engine.parsers.hl7v2.header import TYPE_MAX, Header, show_code, show_control_id
from engine.parsers.hprim.addenda import rejoin
from engine.parsers.sniff import HEAD_BYTES, find_hprim

_ANY_HEADER: Final = re.compile(rb"(?:\A(?:\xef\xbb\xbf)?[\x00-\x20]*|[\r\n][ \t]*)(?=H[^\w\s])")
"""An H that doesn't look like a whole header: found so that the refusal can say what it lacks."""


def find_hprim_header(raw: bytes) -> int:
    """
    Find the H segment; garbage before it is passed over.

    Returns:
        Its offset in `raw`.

    Raises:
        ParseError: There is none.
    """
    start = find_hprim(raw)
    if start >= 0:
        return start
    found = _ANY_HEADER.search(raw[:HEAD_BYTES])
    if not found:
        raise ParseError("there is no H segment: an HPRIM message begins with H and its delimiters", location="H")
    return found.end()


def read_hprim_header(raw: bytes) -> Header:
    """
    Read the header of an HPRIM Santé message.

    Args:
        raw: The bytes as received.

    Returns:
        The header: H-2 (the file's name) is the control id, H-6 (ADM, ORM, ORU, REG, FAC, ERR) the type.

    Raises:
        ParseError: No H segment, or no delimiters in it.
    """
    start = find_hprim_header(raw)
    delimiters = header_delimiters(raw, start)
    return header_from(next(rejoin(raw, start, delimiters.field)).data, delimiters)


def header_delimiters(raw: bytes, start: int) -> Delimiters:
    """
    Read the delimiters from the H segment, which begins at `start`.

    Raises:
        ParseError: There are none in it.
    """
    return read_delimiters(raw[start : start + DECLARED_MAX + 1], name_length=1)


def header_from(line: bytes, delimiters: Delimiters) -> Header:
    """Read the header from its segment, addenda rejoined."""
    fields = line.split(delimiters.field, 21)
    context = show_code(delimiters.components(fields[6])[0]) if len(fields) > 6 else ""
    return Header(
        "hprim-sante",
        delimiters,
        fields,
        show_control_id(fields[2]) if len(fields) > 2 else "",
        context if len(context) <= TYPE_MAX else "",
    )
