r"""
Escape sequences (HL7 v2.5 § 2.7): \F\ \S\ \T\ \R\ \E\ \P\ \Xhh..\ \.br\ and those for presentation.

Rules, for any text and any delimiters that have an escape character:

- `unescape(escape(text)) == text`.
- What can't become text (\H\, \.sp\, \Zdd\, \X..\ of bytes that are none) stays as it stands, in both directions,
  so that copying a value from one field to another doesn't change its meaning.
- Text in other character sets (\Cxxyy\, \Mxxyyzz\) is read by parsers.hl7v2.switching; to what works on bytes it
  stays as it stands.
- A sequence that means nothing (an accidental `C:\DATA\FILE`) is read as the text it is, and written
  back with its escape character escaped.
- Segment ends and other control characters never enter a message: a line feed is written \.br\, the others \Xhh\.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from engine.parsers.hl7v2.delimiters import STANDARD, Delimiters
from engine.parsers.hl7v2.iso2022 import Switches, is_known

_BODY_KEPT: Final = (
    rb"(?:H|N|\.(?:sp|in|ti|fi|nf|ce|sk)[+-]?[0-9]*|C[0-9A-Fa-f]{4}|M[0-9A-Fa-f]{4}(?:[0-9A-Fa-f]{2})?"
    rb"|Z[0-9A-Fa-f]+|X(?:[0-9A-Fa-f]{2})*[89A-Fa-f][0-9A-Fa-f](?:[0-9A-Fa-f]{2})*)"
)
_KEPT: Final = re.compile(_BODY_KEPT)
_HEXADECIMAL: Final = re.compile(rb"X(?:[0-9A-Fa-f]{2})+")
_CONTROLS: Final = rb"[\x00-\x08\x0a-\x1f]"


class _Codebook:
    """The two compiled directions of one set of delimiters."""

    __slots__ = ("body", "escaped", "meaning", "sequences", "specials", "specials_or_kept")

    def __init__(self, delimiters: Delimiters) -> None:
        escape = delimiters.escape
        marks = [delimiters.field, *delimiters.structural, *([escape] if escape else [])]
        special = b"|".join([*(re.escape(mark) for mark in marks), _CONTROLS])
        self.specials: Final = re.compile(special)
        kept = b""
        # `.`, `+` and `-` as delimiters cut such sequences in two: then there are none
        if escape and not {b".", b"+", b"-"} & set(marks):
            ends = re.escape(escape)
            kept = ends + _BODY_KEPT + ends + b"|"
        self.specials_or_kept: Final = re.compile(kept + special)
        self.sequences: Final = re.compile(re.escape(escape) + b"(.*?)" + re.escape(escape), re.DOTALL)
        roles = [
            (b"F", delimiters.field),
            (b"S", delimiters.component),
            (b"T", delimiters.subcomponent),
            (b"R", delimiters.repetition),
            (b"E", escape),
            (b"P", delimiters.truncation),
        ]
        self.meaning: Final = {letter: mark for letter, mark in roles if mark}
        self.meaning[b".br"] = b"\n"
        self.escaped: Final = {mark: escape + letter + escape for letter, mark in roles[:5] if mark}
        if b"." not in marks:
            self.escaped[b"\n"] = escape + b".br" + escape

    def decode(self, body: bytes, codec: str) -> bytes | None:
        """Return the bytes that a sequence stands for; None when it stays as it stands."""
        known = self.meaning.get(body)
        return known if known is not None else _text_of(body, codec)


def octets_of(body: bytes) -> bytes:
    r"""Return the bytes of a sequence \X..\; none when it is another."""
    return bytes.fromhex(body[1:].decode()) if body[:1] == b"X" and _HEXADECIMAL.fullmatch(body) else b""


def _text_of(body: bytes, codec: str) -> bytes | None:
    r"""Return the bytes of \X..\ where they are text: ASCII, or whatever is text in `codec`, if that is given."""
    octets = octets_of(body)
    if not octets or octets.isascii():
        return octets or None
    return octets if codec and Switches(codec).text(octets) is not None else None


def escape(data: bytes, delimiters: Delimiters, codec: str = "") -> bytes:
    """
    Escape one leaf.

    Args:
        data: The text, encoded in the message's charset.
        delimiters: Those of the message.
        codec: The message's, where it is read with it too (`unescape`, switching.read).

    Raises:
        ValueError: The text holds a delimiter or a control character and the message has no escape character.
    """
    if data.isalnum():
        return data
    book = _book(delimiters)
    return book.specials_or_kept.sub(_escaper(book, delimiters, codec), data)


def escape_all(data: bytes, delimiters: Delimiters) -> bytes:
    """Escape one leaf in which no escape character is part of a sequence; as `escape` otherwise."""
    book = _book(delimiters)
    return book.specials.sub(_escaper(book, delimiters, ""), data)


def unescape(data: bytes, delimiters: Delimiters, codec: str = "") -> bytes:
    r"""
    Replace the sequences of one leaf by what they stand for; unknown ones stay.

    Args:
        data: The leaf, in the message's charset.
        delimiters: Those of the message.
        codec: The message's: then \X..\ beyond ASCII is read too, where it is text.
    """
    mark = delimiters.escape
    if not mark or mark not in data:
        return data
    book = _book(delimiters)

    def replace(match: re.Match[bytes]) -> bytes:
        known = book.decode(match[1], codec)
        return match[0] if known is None else known

    return book.sequences.sub(replace, data)


def translate(data: bytes, old: Delimiters, new: Delimiters) -> bytes:
    """Write one leaf with other delimiters; it means the same."""
    mark = old.escape
    if not mark or mark not in data:
        return escape_all(data, new)
    book = _book(old)
    parts: list[bytes] = []
    position = 0
    for match in book.sequences.finditer(data):
        parts.append(escape_all(data[position : match.start()], new))
        parts.append(_translate_sequence(match, book, new))
        position = match.end()
    parts.append(escape_all(data[position:], new))
    return b"".join(parts)


def _translate_sequence(match: re.Match[bytes], book: _Codebook, new: Delimiters) -> bytes:
    body = match[1]
    known = book.meaning.get(body)
    if known is not None and body != b".br":
        return escape_all(known, new)
    if body == b".br" or _KEPT.fullmatch(body) or _HEXADECIMAL.fullmatch(body):
        return new.escape + body + new.escape
    return escape_all(match[0], new)


def _escaper(book: _Codebook, delimiters: Delimiters, codec: str) -> Callable[[re.Match[bytes]], bytes]:
    mark, escaped = delimiters.escape, book.escaped

    def replace(match: re.Match[bytes]) -> bytes:
        found = match[0]
        if not mark:
            raise ValueError("no escape character")
        known = escaped.get(found)
        if known is not None:
            return known
        if len(found) == 1:
            return mark + b"X%02X" % found[0] + mark
        body = found[len(mark) : -len(mark)]
        if codec and (is_known(body) or _text_of(body, codec) is not None):
            return book.escaped[mark] + body + book.escaped[mark]  # text that looks like a sequence which has a meaning
        return found

    return replace


def sequences_of(delimiters: Delimiters) -> re.Pattern[bytes]:
    """Return what finds the sequences of a message that has an escape character; group 1 is what stands inside."""
    return _book(delimiters).sequences


def meaning_of(body: bytes, delimiters: Delimiters) -> bytes | None:
    r"""Return the delimiter or line feed that a sequence stands for; None for others."""
    return _book(delimiters).meaning.get(body)


_BOOKS: dict[int, tuple[Delimiters, _Codebook]] = {}
"""By identity of the delimiters, which are few and live long; bounded."""


def _book(delimiters: Delimiters) -> _Codebook:
    known = _BOOKS.get(id(delimiters))
    if known is not None and known[0] is delimiters:
        return known[1]
    book = _Codebook(delimiters)
    if len(_BOOKS) < 256:
        _BOOKS[id(delimiters)] = (delimiters, book)
    return book


_book(STANDARD)
