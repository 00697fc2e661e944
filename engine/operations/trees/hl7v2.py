"""An HL7 v2 message as a tree, named by the dictionary; segments that it doesn't know have numbers only."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from engine.dictionary.dictionary import CODED, VARIES, Dictionary, dictionary_of, extension_of
from engine.dictionary.entries import Part
from engine.operations.trees.groups import grouped
from engine.operations.trees.tree import Mark, Node, for_the_eye
from engine.parsers.hl7v2.escapes import unescape
from engine.parsers.hl7v2.message import Message
from engine.parsers.hl7v2.segments import HEADERS, Segment

Place = tuple[int, int, int, int, int]
"""Position of the segment in the message (from 0), field, repetition, component, subcomponent (from 1, 0: whole)."""

_NULL: Final = '""'
_DATES: Final = frozenset({"DT", "DTM", "TS"})
_DATE: Final = re.compile(r"(\d{4})(?:(\d\d)(?:(\d\d)(?:(\d\d)(\d\d)(\d\d)?(?:\.\d{1,4})?)?)?)?([+-]\d{4})?")


def hl7v2_tree(message: Message, marks: Mapping[Place, Sequence[Mark]] | None = None) -> Node:
    """
    Make a tree of a message.

    Args:
        message: HL7 v2.
        marks: What is wrong, by place; what belongs to no place stands under (-1, 0, 0, 0, 0).
    """
    return _Builder(message, marks or {}).tree()


class _Builder:
    """One tree in the making."""

    def __init__(self, message: Message, marks: Mapping[Place, Sequence[Mark]]) -> None:
        self._message = message
        self._marks = marks
        self._dictionary = _dictionary_of(message) if message.format == "hl7v2" else None
        self._ranks: dict[str, int] = {}
        self._marked = {place[:length] for place in self._marks for length in (3, 4)}
        """Beginnings of places that have a mark at or below them."""
        self._fields: dict[int, set[int]] = {}
        for position, number, *_ in self._marks:
            self._fields.setdefault(position, set()).add(number)

    def tree(self) -> Node:
        """Return the root."""
        message = self._message
        names = message.names
        several = {name for name, count in Counter(names).items() if count > 1}
        root = self._root()
        root.marks += self._marks.get((-1, 0, 0, 0, 0), ())
        for position, name in enumerate(names):
            self._ranks[name] = rank = self._ranks.get(name, 0) + 1
            shown = f"{name}[{rank}]" if name in several else name
            root.children.append(self._segment(position, message.peek(position), shown))
        if self._dictionary is not None:
            root.children = grouped(root.children, names, message.header, self._dictionary)
        return root

    def _root(self) -> Node:
        header = self._message.header
        kind = header.type
        words: list[str] = []
        if self._dictionary is not None:
            type_, _, event = kind.partition("^")
            known = self._dictionary.event(type_, event)
            extension = f", {self._dictionary.extension}" if self._dictionary.extension else ""
            words = [known.words if known else "", f"HL7 {self._dictionary.version}{extension}"]
        return Node(kind or "message", " · ".join(filter(None, words)))

    def _segment(self, position: int, segment: Segment, shown: str) -> Node:
        name = segment.name
        if not name:
            node = Node("?", "no segment: it doesn't begin with a name", value=self._text(segment.line()))
            node.marks += self._marks.get((position, 0, 0, 0, 0), ())
            return node
        node = Node(shown, self._words(name, 0))
        node.marks += self._marks.get((position, 0, 0, 0, 0), ())
        wanted = self._fields.get(position, set())
        for number in range(1, max([segment.count, *wanted]) + 1):
            data = segment.field(number)
            if data or number in wanted:
                node.children.append(self._field(position, segment, shown, number, data))
        return node

    def _field(self, position: int, segment: Segment, shown: str, number: int, data: bytes) -> Node:
        name, place = segment.name, f"{shown}-{number}"
        node = Node(place, self._words(name, number))
        node.marks += self._marks.get((position, number, 0, 0, 0), ())
        if segment.code in HEADERS and number < 3:
            node.value = data.decode(self._message.codec, "replace")
            return node
        part = self._part(segment, number)
        repetitions = self._message.delimiters.repetitions(data)
        for rank, repetition in enumerate(repetitions, 1):
            at = (position, number, rank)
            if len(repetitions) == 1:
                self._fill(node, at, repetition, part, place)
            elif repetition or at in self._marked:
                child = Node(f"{place}[{rank}]")
                self._fill(child, at, repetition, part, child.name)
                node.children.append(child)
        return node

    def _fill(self, node: Node, at: tuple[int, int, int], data: bytes, part: Part | None, place: str) -> None:
        """Put one repetition into a node: its components, or its value."""
        node.marks += self._marks.get((*at, 0, 0), ())
        marks = self._message.delimiters
        components = marks.components(data)
        composite = part is not None and self._dictionary is not None and self._dictionary.type(part.type) is not None
        whole = data in (b"", b'""') or not (composite or (part is None and len(marks.subcomponents(data)) > 1))
        if len(components) == 1 and whole:
            self._leaf(node, data, part)
            return
        texts = [self._text(component) for component in components]
        name, number = self._message.peek(at[0]).name, at[1]
        for rank, component in enumerate(components, 1):
            if not component and (*at, rank) not in self._marked:
                continue
            below = self._below(part, rank)
            child = Node(f"{place}.{rank}", self._words(name, number, rank, 0, texts) or (below.words if below else ""))
            child.marks += self._marks.get((*at, rank, 0), ())
            self._component(child, (*at, rank), component, below, texts)
            node.children.append(child)

    def _component(
        self, node: Node, at: tuple[int, int, int, int], data: bytes, part: Part | None, texts: Sequence[str]
    ) -> None:
        subcomponents = self._message.delimiters.subcomponents(data)
        if len(subcomponents) == 1:
            # `CPAGE` in CX-4 is the first subcomponent of an HD: shown where it stands
            below = self._below(part, 1) or part
            self._leaf(node, data, below)
            return
        name = self._message.peek(at[0]).name
        for rank, subcomponent in enumerate(subcomponents, 1):
            marks = self._marks.get((*at, rank), ())
            if subcomponent or marks:
                below = self._below(part, rank)
                words = self._words(name, at[1], at[3], rank, texts) or (below.words if below else "")
                child = Node(f"{node.name}.{rank}", words, marks=list(marks))
                self._leaf(child, subcomponent, below)
                node.children.append(child)

    def _leaf(self, node: Node, data: bytes, part: Part | None) -> None:
        text = self._text(data)
        node.value = for_the_eye(text)
        if text == _NULL:
            node.meaning = "erase what is known"
        elif part is None or self._dictionary is None:
            return
        elif part.type in _DATES:
            node.meaning = date_in_words(text)
        elif part.table:
            table = self._dictionary.table(part.table)
            node.meaning = table.codes.get(text, "") if table is not None else ""

    # --- names -------------------------------------------------------------------------------------------

    def _words(self, segment: str, field: int, component: int = 0, sub: int = 0, texts: Sequence[str] = ()) -> str:
        if self._dictionary is None:
            return ""
        return self._dictionary.words(segment, field, component, sub, beside=texts)

    def _part(self, segment: Segment, number: int) -> Part | None:
        if self._dictionary is None:
            return None
        part = self._dictionary.field(segment.name, number)
        if part is not None and part.type == VARIES and segment.code == b"OBX":
            return part._replace(type=segment.field(2).decode(self._message.codec, "replace").strip())
        return part

    def _below(self, part: Part | None, rank: int) -> Part | None:
        if part is None or self._dictionary is None:
            return None
        below = self._dictionary.component(part.type, rank)
        if below is not None and rank == 1 and part.table and part.type in CODED:
            return below._replace(table=part.table)  # the table of a coded field is that of its identifier
        return below

    def _text(self, data: bytes) -> str:
        return unescape(data, self._message.delimiters).decode(self._message.codec, "replace")


def date_in_words(text: str) -> str:
    """Write a date of HL7 as people read it: `20260301101500` -> `2026-03-01 10:15:00`; nothing for another text."""
    found = _DATE.fullmatch(text.strip())
    if found is None:
        return ""
    year, month, day, hour, minute, second, zone = found.groups()
    date = "-".join(part for part in (year, month, day) if part)
    time = ":".join(part for part in (hour, minute, second) if part)
    return " ".join(part for part in (date, time, zone) if part)


def _dictionary_of(message: Message) -> Dictionary:
    header = message.header
    version, country = (header.field(number).decode("latin-1") for number in (12, 17))
    return dictionary_of(version, extension_of(version, country, message.names))
