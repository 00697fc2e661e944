"""
What intake reads of a message before it stores it: the header segment and nothing more.

No patient data is looked at or decoded. It costs the same for 1 KB and for 20 MB.
"""

from __future__ import annotations

import re
from typing import Final

from engine.errors import ParseError
from engine.parsers.hl7v2.delimiters import STANDARD, Delimiters, read_delimiters
from engine.parsers.sniff import BLANKS, UTF8_MARK

TYPE_MAX: Final = 40
CONTROL_ID_MAX: Final = 199
"""MSH-10 has 199 characters in HL7 2.7, 20 before."""

_MESSAGE_IN_BATCH: Final = re.compile(rb"[\r\n][ \t]*(?=MSH[^\w\s])")


class Header:
    """
    The header of one message.

    Attributes:
        format: `hl7v2`, `hprim-sante` or another name of parsers.sniff.
        delimiters: Those of the message.
        fields: As received, so that `fields[n]` is MSH-n (H-n for HPRIM); may be short.
        control_id: MSH-10 (H-2), text; empty when absent. Not a patient value.
        type: `ADT^A01` (the context H-6 for HPRIM), printable ASCII of at most 40 characters, else empty.
    """

    __slots__ = ("control_id", "delimiters", "fields", "format", "type")

    def __init__(self, format_: str, delimiters: Delimiters, fields: list[bytes], control_id: str, type_: str) -> None:
        self.format = format_
        self.delimiters = delimiters
        self.fields = fields
        self.control_id = control_id
        self.type = type_

    @classmethod
    def absent(cls) -> Header:
        """Return what stands for a header where none could be read: nothing but the standard delimiters."""
        return cls("hl7v2", STANDARD, [b"MSH", STANDARD.field, STANDARD.declared], "", "")

    def field(self, number: int) -> bytes:
        """Return one field as received, b"" when the header is shorter."""
        return self.fields[number] if number < len(self.fields) else b""

    def _first(self, number: int) -> str:
        """Return the first component of a coded field as text."""
        data = self.field(number)
        mark = self.delimiters.component
        return show_code(data.split(mark, 1)[0] if mark else data)

    @property
    def processing(self) -> str:
        """MSH-11.1 or H-11: P, T or D (table 0103); empty when absent."""
        return self._first(11)

    @property
    def version(self) -> str:
        """MSH-12.1 or H-12.1: `2.5`, `H2.3`; empty when absent."""
        return self._first(12)

    @property
    def accept_ack(self) -> str:
        """MSH-15, table 0155: when a commit acknowledgement is wanted (AL, NE, ER, SU)."""
        return show_code(self.field(15)) if self.format == "hl7v2" else ""

    @property
    def application_ack(self) -> str:
        """MSH-16, table 0155: when an application acknowledgement is wanted."""
        return show_code(self.field(16)) if self.format == "hl7v2" else ""

    @property
    def charset(self) -> str:
        """MSH-18, ASCII, repetitions separated by `~`; empty when absent."""
        if self.format != "hl7v2" or len(self.fields) < 19:
            return ""
        return declared_charset(self.fields[18], self.delimiters)


def read_header(raw: bytes) -> Header:
    """
    Read the header of an HL7 v2 message.

    Args:
        raw: The bytes as received; a byte order mark, blanks and blank lines before MSH are passed over,
            and in a batch (FHS, BHS) its first message counts.

    Raises:
        ParseError: No MSH, or no delimiters in it. The sentence says which, and what was found instead.
    """
    line = header_line(raw)
    delimiters = read_delimiters(line)
    mark = delimiters.field
    fields = line.split(mark, 21)
    fields.insert(1, mark)
    count = len(fields)
    kind = fields[9] if count > 9 else b""
    control_id = fields[10] if count > 10 else b""
    return Header(
        "hl7v2",
        delimiters,
        fields,
        show_control_id(control_id) if control_id else "",
        _show_type(kind, delimiters) if kind else "",
    )


def header_line(raw: bytes) -> bytes:
    """
    Return the MSH segment, without its end.

    Raises:
        ParseError: There is none.
    """
    start = 0 if raw.startswith(b"MSH") else find_header(raw)
    end = raw.find(b"\r", start)
    if end < 0:
        end = len(raw)
    feed = raw.find(b"\n", start, end)
    return raw[start : end if feed < 0 else feed]


def find_header(raw: bytes) -> int:
    """
    Find the first MSH.

    Returns:
        Its offset in `raw`.

    Raises:
        ParseError: The bytes don't begin with MSH, FHS or BHS, or a batch holds no message.
    """
    start = len(UTF8_MARK) if raw.startswith(UTF8_MARK) else 0
    # blanks are few: strip a window only, so that 20 MB aren't copied
    window = raw[start : start + 65_536]
    start += len(window) - len(window.lstrip(BLANKS))
    name = raw[start : start + 3]
    if name == b"MSH":
        return start
    if name in {b"FHS", b"BHS"}:
        found = _MESSAGE_IN_BATCH.search(raw, start)
        if found:
            return found.end()
        raise ParseError("the batch holds no message: no MSH follows its header", location="MSH", error_code=100)
    raise ParseError(_what_instead(raw, start), location="MSH", error_code=100)


def show_code(data: bytes) -> str:
    """Show a coded value: printable ASCII without blanks around, else nothing."""
    text = data.strip().decode("latin-1")
    return text if text.isascii() and text.isprintable() else ""


def show_control_id(data: bytes) -> str:
    """Show a control id as text, whatever its bytes."""
    if not data.isascii():
        try:
            return data.decode().strip()[:CONTROL_ID_MAX]
        except UnicodeDecodeError:
            pass
    return data.decode("latin-1").strip()[:CONTROL_ID_MAX]


def declared_charset(data: bytes, delimiters: Delimiters) -> str:
    """Return MSH-18 as text for charset.decide."""
    if not data.isascii():
        return ""
    text = data.decode().strip()
    if delimiters is STANDARD:
        return text
    mark = delimiters.repetition
    return text.replace(mark.decode("latin-1"), "~") if mark and mark != b"~" else text


def _show_type(data: bytes, delimiters: Delimiters) -> str:
    """Show MSH-9 as `ADT^A01`: its first two components."""
    mark = delimiters.component
    known = _TYPES.get((data, mark))
    if known is not None:
        return known
    parts = data.split(mark, 2) if mark else [data]
    text = show_code(parts[0])
    if len(parts) > 1:
        trigger = show_code(parts[1])
        if trigger:
            text = f"{text}^{trigger}"
    if len(text) > TYPE_MAX:
        return ""
    if text and len(data) <= TYPE_MAX and len(_TYPES) < 1024:
        _TYPES[data, mark] = text
    return text


_TYPES: Final[dict[tuple[bytes, bytes], str]] = {}
"""MSH-9 already shown, by its bytes and the component separator; bounded: a hospital has some tens."""


def _what_instead(raw: bytes, start: int) -> str:
    head = raw[start : start + 8]
    if not head:
        return "the block is empty: a message begins with MSH"
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")) or head[1:2] == b"\x00":
        return "the bytes are UTF-16: a message is read as UTF-8 or in a single-byte charset"
    if head[:1] == b"H" and not head[1:2].isalnum():
        return "this is HPRIM, and HL7 v2 is expected here: the source needs format: auto or hprim-sante"
    if head[:1] == b"<":
        return "this is XML: only HL7 v2 with delimiters is read"
    if head[:1] == b"{":
        return "this is JSON: only HL7 v2 with delimiters is read"
    if b"MSH" in raw[start : start + 65_536]:
        return "the message doesn't begin with MSH: something stands before it"
    return "there is no MSH segment: a message begins with MSH"
