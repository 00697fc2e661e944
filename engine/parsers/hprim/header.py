r"""
The header segment of HPRIM Santé.

H-1 names component, repetition, escape and subcomponent, in this order, and the usual characters are the
inverse of HL7's (`H|~^\&`): they are always read, never assumed. Fields count as in HL7, H-1 being the
delimiters.
"""

from __future__ import annotations

import re
from typing import Final

from engine.errors import ParseError
from engine.parsers.hl7v2.delimiters import read_delimiters
from engine.parsers.hl7v2.header import TYPE_MAX, Header, show_code, show_control_id

_HEADER_LINE: Final = re.compile(rb"(?:\A(?:\xef\xbb\xbf)?[\x00\s]*|^[ \t]*|\r[ \t]*)(H[^\w\s][^\r\n]*)", re.MULTILINE)
HEAD_BYTES: Final = 65_536


def find_header_line(raw: bytes) -> bytes:
    """
    Return the H segment, without its end; garbage before it is passed over.

    Raises:
        ParseError: There is none.
    """
    found = _HEADER_LINE.search(raw[:HEAD_BYTES])
    if not found:
        raise ParseError("there is no H segment: an HPRIM message begins with H and its delimiters", location="H")
    return found[1]


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
    line = find_header_line(raw)
    delimiters = read_delimiters(line, name_length=1)
    fields = line.split(delimiters.field, 21)
    context = show_code(delimiters.components(fields[6])[0]) if len(fields) > 6 else ""
    return Header(
        "hprim-sante",
        delimiters,
        fields,
        show_control_id(fields[2]) if len(fields) > 2 else "",
        context if len(context) <= TYPE_MAX else "",
    )
