"""
Acknowledgements: written for what we receive, read for what we sent (HL7 v2.5 § 2.9.2, 2.14.8, 2.14.5).

An acknowledgement has the request's delimiters, processing id, version and charset, and its sender and
receiver the other way round. What comes from the request is copied as bytes, never decoded.
"""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from typing import Final

from engine.core.ack import ERROR_TEXTS, Answer, AnswerError
from engine.errors import ParseError
from engine.parsers.charset import codec_of
from engine.parsers.hl7v2.delimiters import STANDARD, Delimiters
from engine.parsers.hl7v2.escapes import escape, unescape
from engine.parsers.hl7v2.header import Header, find_header, header_line, read_header, show_control_id

NO_HEADER: Final = Header.absent()
"""What is answered to when nothing could be read of a message."""

HEADER_BYTES_MAX: Final = 10_000
"""No system means a longer header: its answer doesn't repeat it, and its message is a dead letter."""
ECHOED_BYTES_MAX: Final = 1_000
"""Of each field, where the header is longer than any real one."""
ANSWER_TEXT_MAX: Final = 1000
"""Characters kept of a text that a receiver sends."""


def build_ack(
    header: Header,
    *,
    code: str,
    now_ms: int,
    ack_id: str,
    text: str = "",
    error: AnswerError | None = None,
    utc_offset_s: int = 0,
) -> bytes:
    """
    Write the acknowledgement of a message.

    Args:
        header: The message's, or NO_HEADER.
        code: MSA-1, table 0008: AA, AE, AR, CA, CE, CR.
        now_ms: Milliseconds since 1970 UTC, for MSH-7.
        ack_id: MSH-10 of the acknowledgement, ASCII.
        text: MSA-3; no value of the message.
        error: For ERR: in the form of 2.5 (ERR-2, 3, 4, 8) from that version on and where the version isn't
            known, in the older one (ERR-1) before. `location` may be a path (`PID-3.1`) or an ERL.
        utc_offset_s: MSH-7 is local time: seconds to add to UTC.

    Returns:
        The message, one CR after each segment. Text is in the request's charset, or ASCII where it can't be.
    """
    if header.format != "hl7v2":
        header = _as_hl7(header)
    marks = header.delimiters
    fields = header.fields
    if sum(map(len, fields)) > HEADER_BYTES_MAX:
        fields = [field[:ECHOED_BYTES_MAX] for field in fields]  # an answer is no mirror of megabytes
    if len(fields) < 19:
        fields = fields + [b""] * (19 - len(fields))
    version = fields[12]
    generation = _GENERATIONS.get(version)
    if generation is None:
        generation = _generation(version, marks)
    mark = marks.field
    parts = [
        b"MSH", marks.declared, fields[5], fields[6], fields[3], fields[4], _stamp(now_ms // 1000 + utc_offset_s), b"",
        _ack_type(fields[9], marks, generation), ack_id.encode(), fields[11] or b"P", version,
    ]  # fmt: skip
    if fields[18]:
        parts += (b"", b"", b"", b"", b"", fields[18])
    parts[-1] += b"\rMSA"
    parts += (code.encode(), fields[10])
    if text:
        parts.append(_encode(text, header))
    if error is not None:
        parts[-1] += b"\r" + _error_segment(error, header, generation)
    parts[-1] += b"\r"
    return mark.join(parts)


def error_of(refused: ParseError) -> AnswerError:
    """Return the ERR that tells a sender why its message wasn't read."""
    return AnswerError(
        code=str(refused.error_code),
        code_text=ERROR_TEXTS.get(refused.error_code, ""),
        location=refused.location,
        severity="E",
        user_text=refused.reason,
    )


def read_ack(raw: bytes) -> Answer:
    """
    Read an acknowledgement.

    Args:
        raw: What a receiver answered; any delimiters and segment ends.

    Returns:
        What it says. ERR of 2.5 (ERR-2, 3, 4, 8; CPage writes its text into ERR-3.5) and the older form,
        where everything stands in ERR-1 (`MSH^1^12^203&Unsupported version&HL70357`).

    Raises:
        ParseError: It has no MSH or no MSA.
    """
    marks = STANDARD if raw.startswith(b"MSH|^~\\&|") else read_header(raw).delimiters
    start = 0 if raw.startswith(b"MSH") else find_header(raw)
    charset = ""
    answer: Answer | None = None
    for line in raw[start:].splitlines():
        name = line.lstrip()[:3]
        if name == b"MSA" and answer is None:
            fields = line.strip(b" \t\x00").split(marks.field)
            charset = _charset_of(raw, marks) if not line.isascii() else ""
            answer = Answer(
                _text(_field(fields, 1), charset, marks).strip(),
                show_control_id(_field(fields, 2)),
                _text(_field(fields, 3), charset, marks),
            )
        elif name == b"ERR" and answer is not None:
            charset = charset or (_charset_of(raw, marks) if not line.isascii() else "")
            answer.errors += _read_errors(line.split(marks.field), charset, marks)
    if answer is None:
        raise ParseError("the answer has no MSA segment: it is no acknowledgement", location="MSA", error_code=100)
    return answer


# --- writing ------------------------------------------------------------------------------------------------


_last_stamp: tuple[int, bytes] = (-1, b"")


def _stamp(second: int) -> bytes:
    """Write MSH-7, `YYYYMMDDHHMMSS`; kept for the acknowledgements of the same second."""
    global _last_stamp  # noqa: PLW0603 - a memory of one value, which is a function of its argument
    known, stamp = _last_stamp
    if known != second:
        stamp = datetime.fromtimestamp(second, UTC).strftime("%Y%m%d%H%M%S").encode()
        _last_stamp = (second, stamp)
    return stamp


_GENERATIONS: Final[dict[bytes, int]] = {}
"""By MSH-12 as received: 0 before 2.3.1, 1 before 2.5, 2 from then on; bounded."""


def _generation(version: bytes, marks: Delimiters) -> int:
    numbers = marks.components(version)[0].strip().split(b".")
    generation = 2
    if numbers[0].isdigit() and all(number.isdigit() for number in numbers[1:]):
        number = tuple(int(number[:4]) for number in numbers[:3])
        generation = (number >= (2, 3, 1)) + (number >= (2, 5))
    if len(_GENERATIONS) < 256:
        _GENERATIONS[version] = generation
    return generation


def _ack_type(kind: bytes, marks: Delimiters, generation: int) -> bytes:
    """Write MSH-9: `ACK^A01^ACK` from 2.3.1 on, `ACK^A01` before, `ACK` without trigger."""
    mark = marks.component
    components = marks.components(kind)
    trigger = components[1] if len(components) > 1 else b""
    if not trigger or not mark:
        return b"ACK"
    return b"ACK" + mark + trigger + (mark + b"ACK" if generation else b"")


def _error_segment(error: AnswerError, header: Header, generation: int) -> bytes:
    marks = header.delimiters
    # without a component separator nothing structured can be said
    location = _location(error.location)
    text = _encode(error.user_text, header)
    code_text = _encode(error.code_text or ERROR_TEXTS.get(_number(error.code), ""), header)
    code = _encode(error.code, header)
    mark, sub = marks.component or b" ", marks.subcomponent or b" "
    if generation < 2:
        place = [*location[:3], *[b""] * (3 - len(location[:3]))]
        return marks.field.join([b"ERR", mark.join([*place, sub.join([code, code_text, b"HL70357"])])])
    coded = mark.join([code, code_text, b"HL70357"])
    fields = [b"ERR", b"", mark.join(location), coded, (error.severity or "E").encode("ascii", "replace")]
    return marks.field.join([*fields, b"", b"", b"", text] if text else fields)


def _location(location: str) -> list[bytes]:
    """Turn `PID-3.1` into the parts of an ERL (segment, sequence, field, repetition, component, subcomponent)."""
    if not location:
        return []
    if "^" in location:
        return [part.encode("ascii", "replace") for part in location.split("^")]
    segment, _, rest = location.partition("-")
    field, *below = rest.split(".") if rest else [""]
    parts = [segment, "1", *([field] if field else []), *(["1", *below] if below else [])]
    return [part.encode("ascii", "replace") for part in parts]


def _encode(text: str, header: Header) -> bytes:
    """Encode and escape our own words for a sender."""
    if not text:
        return b""
    marks = header.delimiters
    try:
        data = text.encode("ascii" if text.isascii() else codec_of(header.charset.split("~")[0]) or "ascii")
    except UnicodeEncodeError:
        data = unicodedata.normalize("NFKD", text).encode("ascii", "ignore")
    try:
        return escape(data, marks)
    except ValueError:
        for mark in (marks.field, *marks.structural, b"\r", b"\n"):
            data = data.replace(mark, b" ")
        return data


def _as_hl7(header: Header) -> Header:
    """Return what an HL7 acknowledgement of an HPRIM message echoes: its file name and processing id."""
    fields = [*NO_HEADER.fields, *[b""] * 16]
    fields[10] = header.control_id.encode("ascii", "ignore")
    fields[11] = header.processing.encode()
    return Header("hl7v2", STANDARD, fields, header.control_id, "")


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 6 else -1


# --- reading ------------------------------------------------------------------------------------------------


def _field(fields: list[bytes], number: int) -> bytes:
    return fields[number] if number < len(fields) else b""


def _charset_of(raw: bytes, marks: Delimiters) -> str:
    fields = header_line(raw).split(marks.field, 18)
    declared = fields[17].decode("latin-1") if len(fields) > 17 else ""
    return codec_of(declared.split("~")[0])


def _text(data: bytes, charset: str, marks: Delimiters) -> str:
    """Decode a text of a receiver, whatever it is."""
    if not data:
        return ""
    data = unescape(data, marks)
    if data.isascii():
        return data.decode()[:ANSWER_TEXT_MAX]
    for codec in ("utf-8", charset or "cp1252"):
        try:
            return data.decode(codec)[:ANSWER_TEXT_MAX]
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1")[:ANSWER_TEXT_MAX]


def _read_errors(fields: list[bytes], charset: str, marks: Delimiters) -> list[AnswerError]:
    coded = _field(fields, 3)
    if coded or not _field(fields, 1):
        if not any(fields[1:]):
            return []
        return [_read_error(fields, coded, charset, marks)]
    return [_read_older(repetition, charset, marks) for repetition in marks.repetitions(fields[1])]


def _read_error(fields: list[bytes], coded: bytes, charset: str, marks: Delimiters) -> AnswerError:
    """Read ERR-2, 3, 4, 8 (HL7 v2.5 § 2.14.5)."""
    parts = [_text(part, charset, marks) for part in marks.components(coded)]
    parts += [""] * (5 - len(parts))
    location = marks.repetitions(_field(fields, 2))[0]
    user_text = _text(_field(fields, 8), charset, marks) or parts[4] or _text(_field(fields, 7), charset, marks)
    return AnswerError(
        code=parts[0].strip(),
        code_text=parts[1] or parts[4],
        location="^".join(_text(part, charset, marks) for part in marks.components(location)),
        severity=_text(_field(fields, 4), charset, marks).strip(),
        user_text=user_text,
    )


def _read_older(repetition: bytes, charset: str, marks: Delimiters) -> AnswerError:
    """Read one ELD of ERR-1: segment, sequence, field, and a code with its text as subcomponents."""
    parts = marks.components(repetition)
    code = [_text(part, charset, marks) for part in marks.subcomponents(parts[3])] if len(parts) > 3 else [""]
    return AnswerError(
        code=code[0].strip(),
        code_text=code[1] if len(code) > 1 else "",
        location="^".join(_text(part, charset, marks) for part in parts[:3]).rstrip("^"),
    )
