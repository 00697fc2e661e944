"""
Which format some bytes are, told from their content.

Two different formats share the extension `.hpr`, and a listener may receive HPRIM on an HL7 port: names
and ports tell nothing.
"""

from __future__ import annotations

import re
from typing import Final

HEAD_BYTES: Final = 65_536
"""How far the beginning of a message is looked for."""

UTF8_MARK: Final = b"\xef\xbb\xbf"
BLANKS: Final = b" \t\r\n\x0b\x0c\x00"

_CONTROLS: Final = bytes(code for code in (*range(32), 127) if code not in b"\t\r\n\x0c")
_CONTROL_SHARE: Final = 20
_LETTER_LINES_MIN: Final = 12

_HPRIM_HEADER = re.compile(
    rb"(?:\A(?:\xef\xbb\xbf)?[\x00-\x20]*|[\r\n][ \t]*)(?=H([!-/:-@\[-`{-~])[^\r\n]*\1[^\r\n]*\1)"
)
_HL7_HEADER = re.compile(rb"(?:MSH|FHS|BHS)[^\w\s]")
_HPRIM_XML = re.compile(rb"hprim\.org|<(?:\w+:)?(?:evenements?|acquittements)[A-Z]")
_LETTER_TAG = re.compile(
    rb"(?:\A|[\r\n])[ \t]*\*{3,5}(?:LAB|FIN|FINFICHIER)\*{3,5}(?=[ \t]*(?:[\r\n]|\Z))", re.IGNORECASE
)
_LETTER_DATE = re.compile(rb"\s*\d\d/\d\d/(?:\d{4}|\d\d)\s*")


def sniff(raw: bytes) -> str:
    """
    Name the format of a message.

    Args:
        raw: The bytes as received, without the framing of the transport.

    Returns:
        `hl7v2` (MSH, or a batch that begins with FHS or BHS; also after a byte order mark or blank lines),
        `hprim-sante` (a line `H` and its delimiters, also after garbage), `hprim-medecin` (its closing tags,
        or twelve header lines), `hprim-xml`, or `unknown`.
    """
    head = raw[:HEAD_BYTES].removeprefix(UTF8_MARK).lstrip(BLANKS)
    if _HL7_HEADER.match(head):
        return "hl7v2"
    if head.startswith(b"<"):
        return "hprim-xml" if _HPRIM_XML.search(head) else "unknown"
    if _HPRIM_HEADER.match(head):
        return "hprim-sante"
    if _is_letter(raw, head):
        return "hprim-medecin"
    return "hprim-sante" if _HPRIM_HEADER.search(head) else "unknown"


def is_text(raw: bytes) -> bool:
    """
    Tell whether bytes may be a text that somebody wrote: HPRIM has little else by which it is known.

    A few control characters are (form feeds, the end mark of DOS, sequences for printers); one in twenty, in no
    charset that a laboratory uses.
    """
    head = raw[:HEAD_BYTES]
    return (len(head) - len(head.translate(None, _CONTROLS))) * _CONTROL_SHARE <= len(head)


def may_be_letter(raw: bytes) -> bool:
    """Tell whether a text without a mark of any format may be an HPRIM Médecin letter: its header has twelve lines."""
    return len(raw[:HEAD_BYTES].splitlines()) >= _LETTER_LINES_MIN


def find_hprim(raw: bytes) -> int:
    """Return where the H segment of HPRIM Santé begins, behind whatever stands before it; -1: there is none."""
    found = _HPRIM_HEADER.search(raw[:HEAD_BYTES])
    return found.end() if found else -1


def _is_letter(raw: bytes, head: bytes) -> bool:
    """HPRIM Médecin begins with no mark: line 7 is the birth date, line 10 the examination's, or their neighbours."""
    if _LETTER_TAG.search(head) or _LETTER_TAG.search(raw[-4096:]):
        return True
    lines = head.splitlines()[:14]
    if len(lines) < _LETTER_LINES_MIN:
        return False
    return any(_LETTER_DATE.fullmatch(lines[at]) and _LETTER_DATE.fullmatch(lines[at + 3]) for at in (6, 5, 7))
