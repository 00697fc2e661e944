r"""
Text in other character sets than the message's: \Cxxyy\ and \Mxxyyzz\ (HL7 v2.5 § 2.7.2), \X..\ beyond ASCII (§ 2.7.6).

A message of nothing but such sequences would hold up every other one for seconds: their number is bounded.

A leaf begins in the message's own character set, and so does the next one: what a switch changes ends with its leaf.
A switch that isn't known stays as it stands, in both directions. Where bytes are no text in the character set to
which a leaf switches, its switches are taken for text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from engine.errors import ParseError
from engine.parsers.hl7v2.delimiters import Delimiters, read_delimiters
from engine.parsers.hl7v2.escapes import (
    escape,
    escape_all,
    meaning_of,
    octets_of,
    runs_of_sequences,
    sequences_of,
    unescape,
)
from engine.parsers.hl7v2.header import header_line
from engine.parsers.hl7v2.iso2022 import Switches, encode, is_known, known_bodies

_SWITCHES: Final = (b"C", b"M")
SEQUENCES_MAX: Final = 100_000
"""In all leaves of a message that change the character set; ten times as many where it is told by each sequence."""
_EACH_TOLD: Final = 10
_BEYOND_ASCII: Final = rb"X(?:[0-9A-Fa-f]{2})*?[89A-Fa-f][0-9A-Fa-f]"


def depends_on_charset(data: bytes, mark: bytes, codec: str = "", start: int = 0) -> bool:
    """
    Tell, cheaply, whether a sequence may stand there that means another thing in another character set.

    Args:
        data: A message or a part of one.
        mark: The escape character; b"" where there is none.
        codec: Of `data`, where UTF-8 is what shall be made of it: in UTF-8 bytes are what they will be.
        start: Where to begin.
    """
    if not mark or data.find(mark, start) < 0:
        return False
    if _may_switch(data, mark, start):
        return True
    if codec == "utf-8" or data.find(mark + b"X", start) < 0:
        return False
    return re.compile(re.escape(mark) + _BEYOND_ASCII).search(data, start) is not None


def _may_switch(data: bytes, mark: bytes, start: int = 0) -> bool:
    return any(data.find(mark + letter, start) >= 0 for letter in _SWITCHES)


def read(data: bytes, codec: str, delimiters: Delimiters) -> str:
    """
    Return one leaf as text.

    Args:
        data: The leaf as it stands in the message; it has the escape character.
        codec: The message's.
        delimiters: Those of the message.

    Raises:
        UnicodeDecodeError: It isn't text in the message's codec.
    """
    if not depends_on_charset(data, delimiters.escape, "utf-8"):
        return unescape(data, delimiters, codec).decode(codec)
    return "".join([text for text, _ in _pieces(data, codec, delimiters, delimiters)])


def write(text: str, codec: str, alternates: tuple[str, ...], delimiters: Delimiters) -> bytes | None:
    """
    Return text as one leaf of a message that declares further character sets.

    Args:
        text: Any.
        codec: The message's.
        alternates: The further ones (charset.alternates_of).
        delimiters: Those of the message.

    Returns:
        The leaf; None when a character is in none of the character sets.

    Raises:
        ValueError: The message has no escape character.
    """
    mark = delimiters.escape
    pieces = encode(text, codec, alternates)
    if pieces is None:
        return None
    if not mark:
        raise ValueError("no escape character")
    parts: list[bytes] = []
    for switch, data in pieces:
        parts += (mark + switch + mark, escape_all(data, delimiters)) if switch else (escape(data, delimiters, codec),)
    return b"".join(parts)


def resolve(raw: bytes, codec: str) -> bytes:
    """
    Return a message in UTF-8, in which what depends on the character set has become characters.

    Line ends, structure and all other sequences stay as they are.

    Args:
        raw: The message, without a byte order mark.
        codec: Of the message; decodes all of it.

    Raises:
        ParseError: It has no header, or no delimiters; or more than SEQUENCES_MAX.
    """
    header = header_line(raw)
    old = read_delimiters(header)
    new = read_delimiters(header.decode(codec).encode())
    lines: list[bytes] = []
    leaves = _Leaves(codec, old, new)
    for line in raw.splitlines(keepends=True):
        if depends_on_charset(line, old.escape):
            lines += leaves.resolve_line(line)
        else:
            lines.append(_as_utf8(line, codec))
    return b"".join(lines)


def _as_utf8(data: bytes, codec: str) -> bytes:
    return data if codec == "utf-8" else data.decode(codec).encode()


class _Leaves:
    """Resolves the leaves of one message, and counts what they cost."""

    __slots__ = ("_codec", "_cut", "_left", "_marks", "_new", "_old")

    def __init__(self, codec: str, old: Delimiters, new: Delimiters) -> None:
        self._codec, self._old, self._new = codec, old, new
        self._marks = (old.field, *old.structural)
        self._cut = re.compile(b"|".join(map(re.escape, self._marks)))
        self._left = SEQUENCES_MAX * _EACH_TOLD

    def resolve_line(self, line: bytes) -> Iterator[bytes]:
        """
        Write one line in UTF-8; what lies between leaves with sequences, millions of empty ones perhaps, at once.

        Raises:
            ParseError: The message has too many sequences.
        """
        done = 0
        while (position := line.find(self._old.escape, done)) >= 0:
            begins = [found + len(mark) for mark in self._marks if (found := line.rfind(mark, done, position)) >= 0]
            begin, cut = max(begins, default=done), self._cut.search(line, position)
            end = cut.start() if cut is not None else len(line)
            yield _as_utf8(line[done:begin], self._codec)
            yield self._resolve(line[begin:end])
            done = end
        yield _as_utf8(line[done:], self._codec)

    def _resolve(self, leaf: bytes) -> bytes:
        codec, old, new = self._codec, self._old, self._new
        mark = old.escape
        if not depends_on_charset(leaf, mark):
            self._pay(1)
            return _as_utf8(leaf, codec)
        switches = _may_switch(leaf, mark) and _known_switches(mark).search(leaf) is not None
        self._pay(max(1, leaf.count(mark) // 2 * (_EACH_TOLD if switches else 1)))
        if not switches:
            return b"".join([_resolve_octets(run, codec, old, new) for run in runs_of_sequences(leaf, mark)])
        return b"".join([written for _, written in _pieces(leaf, codec, old, new)])

    def _pay(self, cost: int) -> None:
        self._left -= cost
        if self._left < 0:
            raise ParseError(
                f"more than {SEQUENCES_MAX:,} escape sequences in text of other character sets: "
                "send the message in one that holds all its characters"
            )


@lru_cache(maxsize=16)
def _known_switches(mark: bytes) -> re.Pattern[bytes]:
    """Return what finds the changes of character set that are known, and perhaps text that looks so."""
    ends = re.escape(mark)
    bodies = b"|".join(map(re.escape, known_bodies()))
    return re.compile(ends + b"(?:" + bodies + b")" + ends, re.IGNORECASE)


def _resolve_octets(run: bytes, codec: str, old: Delimiters, new: Delimiters) -> bytes:
    r"""
    Do what `_pieces` does where nothing switches, so that each sequence means the same wherever it stands.

    A value may be nothing but \XE9\: it is cut at its sequences by one call; each different piece is looked up once.
    """
    pieces = sequences_of(old).split(run)
    texts, bodies = pieces[0::2], pieces[1::2]
    switches = Switches(codec)
    written: dict[bytes, bytes] = {}
    for body in dict.fromkeys(bodies):
        text = switches.text(octets) if (octets := octets_of(body)) and not octets.isascii() else None
        if text is not None:
            written[body] = escape_all(text.encode(), new)
        elif body.isascii():
            written[body] = new.escape + body + new.escape
        else:  # no sequence: text between two escape characters, which may end a character of two bytes
            return b"".join([written for _, written in _pieces(run, codec, old, new)])
    plain = {piece: piece.decode(codec).encode() for piece in dict.fromkeys(texts)}
    pieces[0::2] = map(plain.__getitem__, texts)
    pieces[1::2] = map(written.__getitem__, bodies)
    return b"".join(pieces)


def _pieces(leaf: bytes, codec: str, old: Delimiters, new: Delimiters) -> list[tuple[str, bytes]]:
    try:
        return list(_walk(leaf, codec, old, new, follow=True))
    except UnicodeDecodeError:
        return list(_walk(leaf, codec, old, new, follow=False))


def _walk(leaf: bytes, codec: str, old: Delimiters, new: Delimiters, *, follow: bool) -> Iterator[tuple[str, bytes]]:
    """
    Give a leaf piece by piece: as text, and as it is written in UTF-8 with the delimiters `new`.

    `follow`: do what switches say; else they are text, and told to be.

    Raises:
        UnicodeDecodeError: Bytes are no text in the character set in force.
    """
    switches = Switches(codec)
    position, pending = 0, b""
    for match in sequences_of(old).finditer(leaf):
        pending += leaf[position : match.start()]
        position = match.end()
        body = match[1]
        if not body.isascii():
            pending += match[0]  # no sequence: text between two escape characters
            continue
        known, octets = meaning_of(body, old), octets_of(body)
        if switches.lower and (octets or (known and body != b".br")):
            pending += known or octets  # a part of a character
            continue
        if pending:
            yield _plain(pending, switches, new)
            pending = b""
        if is_known(body):
            if follow:
                switches.switch(body)
            else:
                yield (old.escape + body + old.escape).decode(codec), escape_all(new.escape + body + new.escape, new)
            continue
        text = None if octets.isascii() else switches.text(octets)
        if text is not None:
            yield text, escape_all(text.encode(), new)
            continue
        if known is None:
            known = octets if octets and octets.isascii() else match[0]  # what means nothing here stays as it stands
        yield known.decode(codec), new.escape + body + new.escape
    yield _plain(pending + leaf[position:], switches, new)


def _plain(data: bytes, switches: Switches, new: Delimiters) -> tuple[str, bytes]:
    text = switches.decode(data)
    return text, escape_all(text.encode(), new) if switches.lower else text.encode()
