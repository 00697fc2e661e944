"""
Character sets by their escape sequences of ISO 2022, as HL7 writes them (HL7 v2.5 § 2.7.2, table 0211).

`28..` and `24..` say what bytes below 0x80 mean from here on (G0), `2D..` and `29..` what those above mean (G1).
"""

from __future__ import annotations

import re
from typing import Final

ASCII: Final = b"C2842"

_UPPER: Final[dict[bytes, str]] = {
    b"C2D41": "latin-1",
    b"C2D42": "iso8859-2",
    b"C2D43": "iso8859-3",
    b"C2D44": "iso8859-4",
    b"C2D4C": "iso8859-5",
    b"C2D47": "iso8859-6",
    b"C2D46": "iso8859-7",
    b"C2D48": "iso8859-8",
    b"C2D4D": "iso8859-9",
    b"C2D62": "iso8859-15",
    b"C2949": "shift_jis",  # JIS X 0201 katakana: the single bytes 0xA1 to 0xDF of Shift JIS
}
"""G1."""

_LOWER: Final[dict[bytes, bytes]] = {
    body: b"\x1b" + bytes.fromhex(body[1:].decode())
    for body in (ASCII, b"C284A", b"M2440", b"M2441", b"M2442", b"M242843", b"M242844")
}
"""G0, with ESC: ASCII, JIS X 0201 Roman; two bytes a character: JIS X 0208 of 1978, GB 2312, JIS X 0208, KS X 1001,
JIS X 0212."""

_CODEC_OF_LOWER: Final = "iso2022_jp_2"
_RUNS: Final = re.compile(rb"[\x00-\x7f]+|[\x80-\xff]+")
_C1: Final = re.compile("[\x80-\x9f]")
_BACK: Final[dict[str, bytes]] = {
    # what is read as cp1252 was declared as 8859/1
    "cp1252": b"C2D41",
    **{codec: body for body, codec in _UPPER.items() if codec != "shift_jis"},
}
"""What switches G1 to a codec."""
_MULTIBYTE: Final[dict[str, bytes]] = {"IR14": b"C284A", "IR87": b"M2442", "IR159": b"M242844", "KSX1001": b"M242843"}
"""MSH-18, without blanks and `ISO`: what switches G0 to it."""


def is_known(body: bytes) -> bool:
    """Tell whether an escape sequence of HL7, without its escape characters, switches to a known character set."""
    body = body.upper()
    return body in _UPPER or body in _LOWER


def known_bodies() -> tuple[bytes, ...]:
    """Return all sequences of which `is_known` says so, in capitals."""
    return (*_UPPER, *_LOWER)


class Switches:
    """
    Decodes one leaf: the character sets in force, from its beginning on.

    Attributes:
        lower: What switched G0 to another one than ASCII: a delimiter's byte may then be a part of a character.
    """

    __slots__ = ("_upper", "lower")

    def __init__(self, codec: str) -> None:
        """Begin in the message's own codec."""
        self.lower = b""
        self._upper = codec

    def switch(self, body: bytes) -> None:
        """Go over to a character set that is known."""
        body = body.upper()
        if body in _UPPER:
            self._upper = _UPPER[body]
        else:
            self.lower = b"" if body == ASCII else _LOWER[body]

    def decode(self, data: bytes) -> str:
        """
        Return text.

        Raises:
            UnicodeDecodeError: The bytes are none in the character sets in force.
        """
        if not self.lower:
            return data.decode(self._upper)
        return "".join(
            [
                (self.lower + run).decode(_CODEC_OF_LOWER) if run[0] < 0x80 else run.decode(self._upper)
                for run in _RUNS.findall(data)
            ]
        )

    def text(self, data: bytes) -> str | None:
        r"""
        Return the text that the bytes of a sequence \X..\ are; None when they are none.

        Bytes under a private agreement between two systems are seldom valid UTF-8; in a single-byte codec, control
        characters from 0x80 on give them away.
        """
        try:
            text = self.decode(data)
        except UnicodeDecodeError:
            return None
        return None if _C1.search(text) else text


def encode(text: str, codec: str, alternates: tuple[str, ...]) -> list[tuple[bytes, bytes]] | None:
    """
    Encode text in a codec, and in others what it can't hold.

    Args:
        text: Any.
        codec: The message's.
        alternates: Further character sets of the message (charset.alternates_of).

    Returns:
        Pieces: what switches before each (`C2D42`; empty: nothing), and its bytes; the last one is in `codec` again.
        None when a character is in none of them, or nothing switches to `codec`.
    """
    back = _BACK.get(codec)
    if back is None:
        return None
    pieces: list[tuple[bytes, bytes]] = []
    before, run = b"", b""
    for character in text:
        way = _way(character, codec, alternates)
        if way is None:
            return None
        switch, data = way
        if switch != before:
            pieces.append((before, run))
            if before:
                pieces.append((ASCII if before in _LOWER else back, b""))
            before, run = switch, b""
        run += data
    pieces.append((before, run))
    if before:
        pieces.append((ASCII if before in _LOWER else back, b""))
    return [piece for piece in pieces if piece != (b"", b"")]


def _way(character: str, codec: str, alternates: tuple[str, ...]) -> tuple[bytes, bytes] | None:
    """Return what to switch to for a character, and its bytes."""
    for way in (codec, *alternates):
        switch = b"" if way == codec else _MULTIBYTE.get(way) or _BACK.get(way)
        if switch is None:
            continue
        try:
            data = character.encode(_CODEC_OF_LOWER if switch in _LOWER else way)
        except UnicodeEncodeError:
            continue
        if switch not in _LOWER:
            return switch, data
        begin, end = _LOWER[switch], _LOWER[ASCII]
        if data.startswith(begin) and data.endswith(end):
            return switch, data[len(begin) : -len(end)]
    return None
