"""
Message structures in HL7's abstract syntax (HL7 v2.5 § 2.13): `MSH [{SFT}] PATIENT(PID [PD1]) {ORDER<OBR|RQD>}`.

`[ ]` optional, `{ }` repeating (`{ }2..5`: so often), `NAME( )` a group, `NAME< | >` a choice of one.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import Final

ANY: Final = "ANYHL7SEGMENT"
"""Stands for any segment (2.3 to 2.8, problem and pathway messages)."""

DEPTH_MAX: Final = 40
"""Brackets inside brackets; the deepest structure of HL7 has some ten."""

_WORD: Final = re.compile(r"\s*([A-Za-z][A-Za-z0-9_]*|[][{}()<>|]|[0-9]{1,6}\.\.(?:[0-9]{1,6}|\*))")


class StructureError(Exception):
    """A text that is no structure."""


class Item:
    """
    A segment or a group at its place in a structure.

    Attributes:
        name: Of the segment or group.
        least, most: How often it stands; most 0: any number of times.
        children: Of a group, in order; None for a segment.
        choice: Whether one of the children stands, rather than all.
    """

    def __init__(self, name: str, least: int, most: int, children: tuple[Item, ...] | None, *, choice: bool) -> None:
        self.name = name
        self.least = least
        self.most = most
        self.children = children
        self.choice = choice

    @cached_property
    def names(self) -> frozenset[str]:
        """The segments that may stand in it."""
        if self.children is None:
            return frozenset({self.name})
        return frozenset().union(*(child.names for child in self.children))

    @cached_property
    def firsts(self) -> frozenset[str]:
        """The segments with which it may begin when nothing required is left out."""
        if self.children is None:
            return frozenset({self.name})
        found: set[str] = set()
        for child in self.children:
            found |= child.firsts
            if child.least and not self.choice:
                break
        return frozenset(found)

    def holds(self, name: str) -> bool:
        """Tell whether a segment may stand in it."""
        return name in self.names or ANY in self.names

    def begins(self, name: str) -> bool:
        """Tell whether it may begin with a segment."""
        return name in self.firsts or ANY in self.firsts


def parse_structure(name: str, text: str) -> Item:
    """
    Read a structure.

    Args:
        name: Of the structure: that of the root.
        text: In abstract syntax.

    Raises:
        StructureError: It is none; the sentence says what was expected.
    """
    words = _words(text)
    parser = _Parser(words)
    children = parser.items(end="")
    if not children:
        raise StructureError("the structure is empty")
    return Item(name, 1, 1, tuple(children), choice=False)


def _words(text: str) -> list[str]:
    words: list[str] = []
    position = 0
    text = text.rstrip()
    while position < len(text):
        found = _WORD.match(text, position)
        if found is None:
            raise StructureError(f"{text[position:].strip()[:1]!r} can't stand in a structure")
        words.append(found[1])
        position = found.end()
    return words


_CLOSING: Final = {"[": "]", "{": "}", "(": ")", "<": ">"}


class _Parser:
    """Tokens to items."""

    def __init__(self, words: list[str]) -> None:
        self._words = [*words, ""]
        self._position = 0
        self._depth = 0

    def items(self, end: str) -> list[Item]:
        """Read items up to a closing word; those of a choice are parted by `|`."""
        found: list[Item] = []
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise StructureError(f"more than {DEPTH_MAX} brackets inside each other")
        while self._peek() != end:
            found.append(self._item())
            if end == ">" and self._peek() == "|":
                self._position += 1
        self._position += 1
        self._depth -= 1
        return found

    def _peek(self) -> str:
        return self._words[self._position]

    def _often(self, least: int) -> tuple[int, int]:
        """Read how often what stands in { } may stand."""
        word = self._peek()
        if ".." not in word:
            return least, 0
        self._position += 1
        few, _, many = word.partition("..")
        if many != "*" and int(many) < max(int(few), 1):
            raise StructureError(f"{word} says more at least than at most")
        return int(few), 0 if many == "*" else int(many)

    def _item(self) -> Item:
        word = self._peek()
        self._position += 1
        if word in ("[", "{"):
            inner = self.items(_CLOSING[word])
            if len(inner) != 1:
                raise StructureError(f"{word} {_CLOSING[word]} holds one segment or group; give several a name: X( )")
            one = inner[0]
            if word == "[":
                return Item(one.name, 0, one.most, one.children, choice=one.choice)
            least, most = self._often(one.least)
            return Item(one.name, least, most, one.children, choice=one.choice)
        if not word or not word[0].isalpha():
            raise StructureError(f"{word or 'the end'!r} stands where a segment or a group is expected")
        if self._peek() in ("(", "<"):
            opening = self._peek()
            self._position += 1
            children = tuple(self.items(_CLOSING[opening]))
            if not children:
                raise StructureError(f"the group {word} is empty")
            return Item(word, 1, 1, children, choice=opening == "<")
        return Item(word, 1, 1, None, choice=False)
