"""
Whether a file ends as its format ends: what was written by half lacks its last line.

HPRIM Santé ends with an L segment, a file of HPRIM Médecin with its closing tag, a batch of HL7 with its trailer
(HL7 v2.5 § 2.10.3). A single HL7 message has no such mark: only its rest tells that nobody writes any more.
"""

from __future__ import annotations

import re
from typing import Final

from engine.errors import ParseError
from engine.parsers.hl7v2.batch import split_batch
from engine.parsers.sniff import BLANKS, UTF8_MARK, is_text, sniff

_TAIL_BYTES: Final = 65_536
_DOS_END: Final = b"\x1a"
_LAST_SANTE: Final = re.compile(rb"[ \t]*L(?:[^\w\s]|\Z)")
_END_TAG: Final = re.compile(rb"[ \t]*\*{3,5}(?:FIN|FINFICHIER)\*{3,5}[ \t]*", re.IGNORECASE)
_FILE_TAG: Final = re.compile(rb"[\r\n][ \t]*\*{3,5}FINFICHIER\*{3,5}[ \t]*(?:[\r\n]|\Z)", re.IGNORECASE)


def lacks_end(raw: bytes, format_: str = "auto") -> str:
    """
    Tell what a file lacks at its end.

    Args:
        raw: Its bytes.
        format_: What its source takes, for bytes that don't tell it themselves.

    Returns:
        A sentence, or empty: it is whole, or nothing tells that it isn't, or it is no message anyway.
    """
    kind = sniff(raw)
    if kind == "unknown":
        kind = format_
    if kind == "hl7v2":
        return _lacks_trailer(raw)
    if kind not in ("hprim-sante", "hprim-medecin") or not is_text(raw):
        return ""
    tail = raw[-_TAIL_BYTES:].rstrip(BLANKS + _DOS_END)
    last = tail[max(tail.rfind(b"\r"), tail.rfind(b"\n")) + 1 :]
    if kind == "hprim-sante":
        return "" if _LAST_SANTE.match(last) else "its last line is no L segment, with which an HPRIM message ends"
    if _END_TAG.fullmatch(last) or _FILE_TAG.search(raw[-_TAIL_BYTES:]):
        return ""
    return "its last line is no closing tag (****FIN****), with which an HPRIM letter ends"


def _lacks_trailer(raw: bytes) -> str:
    name = raw[:_TAIL_BYTES].removeprefix(UTF8_MARK).lstrip(BLANKS)[:3]
    if name not in (b"FHS", b"BHS"):
        return ""
    try:
        findings = split_batch(raw).findings
    except ParseError:
        return ""
    if name == b"FHS":
        return "it begins with FHS and has no FTS, with which a file ends" if "file-not-ended" in findings else ""
    return "it begins with BHS and has no BTS, with which a batch ends" if "batch-not-ended" in findings else ""
