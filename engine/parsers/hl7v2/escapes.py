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

A value is cut at its sequences, or at what must become one, by one call; each different piece is looked up once. A
call of ours for each piece would cost five times as much: a value may be nothing but sequences. Long ones are done in
runs, so that the pieces of one run only are there at a time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
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
_TEXT: Final = bytes(code for code in range(256) if code > 0x1F or code == 0x09)
"""All but these control characters."""
RUN_BYTES: Final = 64 * 1024
"""After so many bytes a run ends where nothing is cut in two."""


class _Codebook:
    """The two compiled directions of one set of delimiters."""

    __slots__ = (
        "between", "escaped", "harmless", "mark", "meaning", "plain", "sequences", "specials", "specials_or_kept",
    )  # fmt: skip

    def __init__(self, delimiters: Delimiters) -> None:
        escape = delimiters.escape
        marks = [delimiters.field, *delimiters.structural, *([escape] if escape else [])]
        special = b"|".join([*(re.escape(mark) for mark in marks), _CONTROLS])
        self.mark: Final = escape
        self.plain: Final = all(len(one) == 1 and one.isascii() and not one.isalnum() and one != b"." for one in marks)
        """No special character can stand in the sequence of another one."""
        self.harmless: Final = _TEXT.translate(None, b"".join(marks))
        self.specials: Final = re.compile(b"(" + special + b")")
        kept = b""
        # `.`, `+` and `-` as delimiters cut such sequences in two: then there are none
        if escape and not {b".", b"+", b"-"} & set(marks):
            ends = re.escape(escape)
            kept = ends + _BODY_KEPT + ends + b"|"
        self.specials_or_kept: Final = re.compile(b"(" + kept + special + b")")
        self.between: Final = re.compile(rb"[^0-9A-Za-z.+\-\x80-\xff" + re.escape(escape) + b"]")
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
    return _written(data, book.specials_or_kept, book, _escaper(book, delimiters, codec))


def escape_all(data: bytes, delimiters: Delimiters) -> bytes:
    """Escape one leaf in which no escape character is part of a sequence; as `escape` otherwise."""
    book = _book(delimiters)
    return _written(data, book.specials, book, _escaper(book, delimiters, ""))


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
    if len(data) <= RUN_BYTES:
        return _read(data, mark, book, codec)
    return b"".join([_read(run, mark, book, codec) for run in runs_of_sequences(data, mark)])


def _read(data: bytes, mark: bytes, book: _Codebook, codec: str) -> bytes:
    """Replace the sequences of a run that begins outside of one: every second piece between escape characters."""
    pieces = data.split(mark)
    last = [] if len(pieces) % 2 else [mark, pieces.pop()]  # an escape character that ends nothing
    bodies = pieces[1::2]
    meanings: dict[bytes, bytes] = {}
    for body in dict.fromkeys(bodies):
        known = book.decode(body, codec)
        meanings[body] = mark + body + mark if known is None else known
    pieces[1::2] = map(meanings.__getitem__, bodies)
    return b"".join(pieces + last)


def runs_of_sequences(data: bytes, mark: bytes) -> Iterator[bytes]:
    """Cut a leaf into runs of some 64 KB, where no sequence is open."""
    start = 0
    while len(data) - start > RUN_BYTES:
        end = data.find(mark, start + RUN_BYTES)
        if end >= 0 and data.count(mark, start, end) % 2 == 0:  # it begins a sequence
            end = data.find(mark, end + len(mark))
        if end < 0:
            break
        yield data[start : end + len(mark)]
        start = end + len(mark)
    yield data[start:]


def _written(data: bytes, pattern: re.Pattern[bytes], book: _Codebook, escaper: Callable[[bytes], bytes]) -> bytes:
    """Replace what a pattern finds; its only group is all that it finds."""
    mark = book.mark
    if book.plain and (pattern is book.specials or data.find(mark) < 0):
        found = [bytes((code,)) for code in set(data.translate(None, book.harmless))]
        # what stands for one holds no other but the escape character
        for special in sorted(found, key=mark.__ne__):
            data = data.replace(special, escaper(special))
        return data
    if pattern.search(data) is None:
        return data
    if len(data) <= RUN_BYTES:
        return _written_run(data, pattern, escaper)
    return b"".join([_written_run(run, pattern, escaper) for run in _runs(data, book.between)])


def _written_run(data: bytes, pattern: re.Pattern[bytes], escaper: Callable[[bytes], bytes]) -> bytes:
    pieces = pattern.split(data)
    found = pieces[1::2]
    escaped = {one: escaper(one) for one in dict.fromkeys(found)}
    pieces[1::2] = map(escaped.__getitem__, found)
    return b"".join(pieces)


def _runs(data: bytes, between: re.Pattern[bytes]) -> Iterator[bytes]:
    """Cut behind a byte that can stand in no sequence, nor in a delimiter of several bytes."""
    start = 0
    while len(data) - start > RUN_BYTES:
        cut = between.search(data, start + RUN_BYTES)
        if cut is None:
            break
        yield data[start : cut.end()]
        start = cut.end()
    yield data[start:]


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


def _escaper(book: _Codebook, delimiters: Delimiters, codec: str) -> Callable[[bytes], bytes]:
    mark, escaped = delimiters.escape, book.escaped

    def replace(found: bytes) -> bytes:
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
