r"""
The acknowledgement of HPRIM Santé: a message of the context ERR, in the delimiters and the version of what it answers.

    H|~^\&|LAB001.ERR||CHA~CH||ERR|||LABO~LABO||P|H2.3~L|202601021530
    ERR|1|LAB001.HPR|202601021530|T|||||||there is no P segment
    L|1||0|3

Without ERR segment the file was accepted. Sender and receiver change places.
"""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from typing import Final

from engine.core.ack import AnswerError
from engine.parsers.hl7v2.delimiters import Delimiters
from engine.parsers.hl7v2.escapes import escape_all
from engine.parsers.hl7v2.header import Header
from engine.parsers.hprim.addenda import fold

TOTAL: Final = b"T"
"""ERR-4: nothing of the file was taken."""
_LINE_END: Final = b"\r\n"


def build_err(
    header: Header, *, name: str, extension: str, now_ms: int, utc_offset_s: int = 0, error: AnswerError | None = None
) -> bytes:
    """
    Write the acknowledgement of an HPRIM Santé file.

    Args:
        header: The file's.
        name: The file's own name: ERR-2.
        extension: Of the acknowledgement's name, H-2.
        now_ms: Milliseconds since 1970 UTC, for H-13 and ERR-3.
        utc_offset_s: Local time: seconds to add to UTC.
        error: Why nothing was taken; None: it was accepted. `location` may be a path (`P-2.1`).

    Returns:
        The file, ASCII in its own words, CRLF after each line.
    """
    marks = header.delimiters
    stamp = datetime.fromtimestamp(now_ms // 1000 + utc_offset_s, UTC).strftime("%Y%m%d%H%M").encode()
    own_name = f"{name.rpartition('.')[0] or name}{extension}" if name else ""
    first = [
        b"H", marks.declared, _leaf(own_name, marks), b"", header.field(9), b"", b"ERR", b"", b"", header.field(4), b"",
        header.field(11), header.field(12), stamp,
    ]  # fmt: skip
    lines = [marks.field.join(first)]
    if error is not None:
        segment, _, field = error.location.partition("-")
        refusal = [
            b"ERR", b"1", _leaf(name, marks), stamp, TOTAL, b"", _leaf(segment, marks), _leaf(field, marks), b"", b"",
            _leaf(error.user_text, marks),
        ]  # fmt: skip
        lines.append(marks.field.join(refusal))
    lines.append(marks.field.join([b"L", b"1", b"", b"0", b"%d" % (len(lines) + 1)]))
    return _LINE_END.join([*(fold(line, marks.field, _LINE_END, "latin-1") for line in lines), b""])


def accepts(answer: bytes) -> bool:
    """Tell whether an acknowledgement of the context ERR accepts: it has no ERR segment."""
    return not any(line.startswith(b"ERR") for line in answer.splitlines())


def _leaf(text: str, marks: Delimiters) -> bytes:
    """Write our own words: ASCII, because the file's charset isn't declared anywhere."""
    data = unicodedata.normalize("NFKD", text).encode("ascii", "ignore")
    try:
        return escape_all(data, marks)
    except ValueError:  # no escape character: what would be structure is left out
        for mark in (marks.field, *marks.structural, b"\r", b"\n"):
            data = data.replace(mark, b" ")
        return data
