"""The doors of this room, by format."""

from __future__ import annotations

import re
from typing import Final

from engine.errors import ParseError
from engine.parsers.extent import HPRIM_LINES_MAX, SEGMENTS_MAX, check_extent
from engine.parsers.hl7v2.delimiters import STANDARD
from engine.parsers.hl7v2.header import Header, read_header
from engine.parsers.hl7v2.message import Message
from engine.parsers.hprim.header import read_hprim_header
from engine.parsers.hprim.letter import parse_letters
from engine.parsers.hprim.message import parse_hprim
from engine.parsers.sniff import sniff

_XML_ROOT: Final = re.compile(rb"<(?:\w+:)?((?:evenements?|acquittements)[A-Za-z]*)")


def header_of(raw: bytes, format_: str = "auto") -> Header:
    """
    Read the header of a message.

    Args:
        raw: The bytes as received.
        format_: `hl7v2`, `hprim-sante`, `hprim-medecin`, or `auto` to look at the bytes.

    Returns:
        The header; for HPRIM Médecin, which has none, one without fields, control id or type.

    Raises:
        ParseError: The bytes are no message of that format.
    """
    actual = sniff(raw) if format_ == "auto" else format_
    if actual == "hprim-sante":
        return read_hprim_header(raw)
    if actual == "hprim-medecin":
        if not raw.strip():
            raise ParseError("the file is empty")
        return Header("hprim-medecin", STANDARD, [], "", "")
    if actual == "hprim-xml":
        raise refuse_xml(raw)
    return read_header(raw)


def open_message(
    raw: bytes, format_: str = "auto", *, default_charset: str = "cp1252", as_utf8: bool = True
) -> Message:
    """
    Read a message of any format.

    Args:
        raw: The bytes as received.
        format_: As `header_of`.
        default_charset: The source's codec.
        as_utf8: As Message.parse.

    Raises:
        ParseError: The bytes are no message of that format, or it is beyond the limits of parsers.extent.
    """
    actual = sniff(raw) if format_ == "auto" else format_
    check_extent(raw, HPRIM_LINES_MAX if actual == "hprim-sante" else SEGMENTS_MAX)
    if actual == "hprim-sante":
        return parse_hprim(raw, default_charset=default_charset, as_utf8=as_utf8)
    if actual == "hprim-medecin":
        return parse_letters(raw, default_charset=default_charset, as_utf8=as_utf8)
    if actual == "hprim-xml":
        raise refuse_xml(raw)
    return Message.parse(raw, default_charset=default_charset, as_utf8=as_utf8)


def refuse_xml(raw: bytes) -> ParseError:
    """Return the refusal of HPRIM XML, which is named and not read."""
    root = _XML_ROOT.search(raw[:4096])
    name = f" ({root[1].decode()})" if root else ""
    return ParseError(
        f"this is HPRIM XML{name}, which Passerelle doesn't read: ask the sender for HPRIM Santé or HL7 v2",
        error_code=200,
    )
