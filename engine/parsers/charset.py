"""
From MSH-18 (table 0211) to a codec, and from received bytes to their base.

What a system declares and what it emits are two things. Bytes are decoded strictly as declared; where that
fails, or where single-byte is declared and the bytes are valid UTF-8 (which text in Latin letters is never
by chance), the truth is taken and a finding tells it; UTF-8 in which some bytes are broken stays UTF-8 but for those
(parsers.mixed). Nothing here ever fails.

The *base* of a message is what edits are written against: UTF-8, one CR after each segment. It is derived
from the received bytes and one flag byte, always in the same way: a stored difference is only as good as
this derivation, so the numbers and what they do never change.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from engine.parsers.hl7v2.lines import LARGE_BYTES, Line, LongLine, lines_of
from engine.parsers.hl7v2.switching import resolve
from engine.parsers.mixed import CODEC as MIXED
from engine.parsers.mixed import is_mixed
from engine.parsers.sniff import BLANKS, UTF8_MARK

CODECS: Final = (
    "utf-8",
    "cp1252",
    "iso8859-15",
    "latin-1",
    "cp850",
    "cp437",
    "mac-roman",
    "cp1250",
    "iso8859-2",
    "iso8859-3",
    "iso8859-4",
    "iso8859-5",
    "iso8859-6",
    "iso8859-7",
    "iso8859-8",
    "iso8859-9",
    "cp858",
    MIXED,
)
"""Codecs of a base; the index is stored in the flag byte (`flag >> 1`): append only."""

ENDS: Final = 1
"""Bit of the flag: byte order mark and blank lines dropped, one CR after each segment."""
ESCAPES: Final = 0x80
"""Bit of the flag: sequences whose meaning depends on the received character set became characters
(hl7v2.switching)."""

_NAMES: Final[dict[str, str]] = {
    # table 0211, IANA's and Python's names and what people write, without blanks, `-`, `_`, `/` and `ISO`;
    # 8859/1 is read as its superset cp1252, because what declares it emits typographic apostrophes and euros
    "88591": "cp1252",
    "LATIN1": "cp1252",
    "CP1252": "cp1252",
    "WINDOWS1252": "cp1252",
    "ANSI": "cp1252",
    "885915": "iso8859-15",
    "LATIN9": "iso8859-15",
    "UNICODEUTF8": "utf-8",
    "UNICODE": "utf-8",
    "UTF8": "utf-8",
    "CP850": "cp850",
    "IBM850": "cp850",
    "CP858": "cp858",
    "CP437": "cp437",
    "IBM437": "cp437",
    "MACROMAN": "mac-roman",
    "MACINTOSH": "mac-roman",
    "CP1250": "cp1250",
    "WINDOWS1250": "cp1250",
    **{f"8859{part}": f"iso8859-{part}" for part in range(2, 10)},
}
_LATIN: Final = bytes(63 if 0x80 <= code < 0xA0 else code for code in range(256))
_SILENT: Final = frozenset({"", "ASCII", "USASCII"})


class Decision(NamedTuple):
    """How a message is decoded."""

    codec: str
    """A name of CODECS."""
    finding: str
    """Empty, `charset-mismatch`, `charset-mixed`, `charset-unknown`, `charset-undeclared` or `charset-repeated`."""


def codec_of(name: str) -> str:
    """
    Return the codec that a charset's name means here.

    Args:
        name: A value of table 0211 (`8859/15`), an IANA name or a Python one (`ISO-8859-15`).

    Returns:
        One of CODECS; empty when the name says nothing (empty, ASCII) or isn't known.
    """
    known = _KNOWN.get(name)
    if known is None:
        known = _NAMES.get(_plain(name), "")
        if len(_KNOWN) < 256:
            _KNOWN[name] = known
    return known


def alternates_of(declared: str) -> tuple[str, ...]:
    """
    Return the further character sets of a message.

    Args:
        declared: MSH-18 as received, repetitions separated by `~`.

    Returns:
        For each repetition from the second on: one of CODECS, or the name of a set of two bytes a character as
        hl7v2.iso2022 knows it (`IR87`).
    """
    return tuple(codec_of(name) or _plain(name) for name in declared.split("~")[1:])


def decide(raw: bytes, declared: str, default: str) -> Decision:
    """
    Find the codec in which some bytes are written.

    Args:
        raw: The bytes of the message.
        declared: MSH-18 as received; of several repetitions (`~`) the first known one counts.
        default: The source's codec, for a silent or unknown declaration; or one that was decided before.

    Returns:
        The codec, in which `raw` decodes strictly, and a finding when it isn't the declared one.
    """
    declaration = _DECLARED.get(declared)
    if declaration is None:
        declaration = _declaration(declared)
        if len(_DECLARED) < 256:
            _DECLARED[declared] = declaration
    codec, finding = declaration
    if raw.isascii():
        if codec:
            return declaration
        return Decision(codec_of(default) or "cp1252", "" if finding == "charset-undeclared" else finding)
    fallback = "utf-8" if default == MIXED else codec_of(default) or "cp1252"
    actual = _actual(raw, codec or fallback, fallback)
    if actual == MIXED:
        return Decision(actual, "charset-mixed")
    if codec:
        return declaration if actual == codec else Decision(actual, "charset-mismatch")
    if finding == "charset-undeclared" and declared.strip():
        finding = "charset-mismatch"  # ASCII was declared, and this is none
    return Decision(actual, finding)


def base_of(raw: bytes, flag: int) -> bytes:
    """
    Return the base of received bytes, to which stored differences apply (core.splices.apply).

    Args:
        raw: The bytes as received.
        flag: `Message.base_flag`: bit 0 is ENDS, bit 7 ESCAPES, the others the index in CODECS to decode from.
    """
    if not flag:
        return raw
    source = CODECS[(flag & ~ESCAPES) >> 1]
    if flag & ESCAPES:
        raw, source = resolve(raw.removeprefix(UTF8_MARK), source), "utf-8"
    if not flag & ENDS:
        return b"".join(_as_utf8(raw, source))
    if len(raw) <= LARGE_BYTES:
        text = raw.removeprefix(UTF8_MARK).lstrip(BLANKS)
        if source != "utf-8":
            text = recoded(text, source)
        return b"\r".join([line for line in text.splitlines() if line.strip(BLANKS)]) + b"\r"
    lines = lines_of(raw)
    lines[:1] = [bytes(line).lstrip(BLANKS) for line in lines[:1]]
    pieces: list[bytes | memoryview] = []
    for line in lines:
        pieces += _as_utf8(line, source)
        pieces.append(b"\r")
    return b"".join(pieces)


def make_base(raw: bytes, codec: str, *, escapes: bool = False) -> tuple[bytes, int]:
    """
    Make the base of received bytes whose line ends may be anything.

    Args:
        raw: As received.
        codec: As decided for them.
        escapes: There may be sequences whose meaning depends on the codec (hl7v2.switching).

    Returns:
        The base and its flag byte; `raw` itself and 0 when it already is one.
    """
    flag = base_flag("utf-8" if raw.isascii() else codec, ends=True)
    base = base_of(raw, flag)
    if escapes:
        with_escapes = base_flag(codec, ends=True) | ESCAPES
        resolved = base_of(raw, with_escapes)
        if resolved != base:
            return resolved, with_escapes
    return (raw, 0) if base == raw else (base, flag)


def recoded(data: bytes, source: str) -> bytes:
    """Return text of a single-byte codec in UTF-8."""
    if source == "cp1252" and data.translate(_LATIN) is data:
        source = "latin-1"  # the same without 0x80 to 0x9f, and decoded fifteen times faster
    return data.decode(source).encode()


def base_flag(codec: str, ends: bool) -> int:
    """Return the flag byte for a codec of CODECS and whether segment ends are made one CR."""
    return CODECS.index(codec) << 1 | ends


def _as_utf8(data: Line, source: str) -> list[bytes | memoryview]:
    """Return pieces which together are `data` in UTF-8; what is ASCII is not copied, because it may be large."""
    if source == "utf-8":
        return [data.view() if isinstance(data, LongLine) else data]
    if len(data) <= LARGE_BYTES or source == MIXED:  # whose characters have several bytes
        return [recoded(bytes(data), source)]
    view = data.view() if isinstance(data, LongLine) else memoryview(data)
    pieces: list[bytes | memoryview] = []
    for start in range(0, len(view), LARGE_BYTES):
        piece = view[start : start + LARGE_BYTES]
        chunk = bytes(piece)
        pieces.append(piece if chunk.isascii() else recoded(chunk, source))
    return pieces


def _not_ascii(raw: bytes) -> bytes:
    """Return what of a large text isn't ASCII, so that a document isn't decoded; it decodes as the whole does."""
    pieces = []
    for start in range(0, len(raw), LARGE_BYTES):
        piece = raw[start : start + LARGE_BYTES]
        pieces.append(b" " if piece.isascii() else piece)
    return b"".join(pieces)


def _actual(raw: bytes, expected: str, fallback: str) -> str:
    """Name the codec that decodes all of `raw`, which isn't ASCII; UTF-8 first, because it is never by chance."""
    if len(raw) > LARGE_BYTES:
        raw = _not_ascii(raw)
    try:
        raw.decode()
    except UnicodeDecodeError:
        if expected == "utf-8" and is_mixed(raw, fallback):
            return MIXED
        for codec in (expected, fallback, "cp1252"):
            if codec != "utf-8" and raw.translate(_defined(codec)) is raw:
                return codec
        return "latin-1"
    return "utf-8"


def _defined(codec: str) -> bytes:
    """Return a table for `bytes.translate` that changes the bytes which mean nothing in a single-byte codec."""
    known = _DEFINED.get(codec)
    if known is None:
        marks = bytes(range(256)).decode(codec, "replace")
        known = _DEFINED[codec] = bytes(code ^ (mark == "\ufffd") for code, mark in enumerate(marks))
    return known


def _declaration(declared: str) -> Decision:
    """Return what MSH-18 says by itself: a codec or none, and what is odd about it."""
    codec = codec_of(declared)
    if codec:
        return Decision(codec, "")
    repetitions = declared.split("~")
    if len(repetitions) > 1:
        for repetition in repetitions:
            codec = codec_of(repetition)
            if codec:
                return Decision(codec, "charset-repeated")
    if all(_plain(repetition) in _SILENT for repetition in repetitions):
        return Decision("", "charset-undeclared")
    return Decision("", "charset-unknown")


def _plain(name: str) -> str:
    plain = name.upper()
    for mark in (" ", "-", "_", "/"):
        plain = plain.replace(mark, "")
    return plain.removeprefix("ISO")


_DEFINED: Final[dict[str, bytes]] = {}
"""By codec: `translate` gives back the very bytes, without a copy, where it has nothing to change."""
_KNOWN: Final[dict[str, str]] = {}
_DECLARED: Final[dict[str, Decision]] = {}
"""Names and declarations already looked up; bounded, because MSH-18 comes from outside."""
