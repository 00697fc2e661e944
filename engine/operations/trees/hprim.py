"""A message of HPRIM Santé or HPRIM Médecin as a tree, in the norm's words, which are French."""

from __future__ import annotations

from collections import Counter
from typing import Final

from engine.operations.trees.hl7v2 import date_in_words
from engine.operations.trees.tree import Mark, Node, for_the_eye
from engine.parsers.hl7v2.escapes import unescape
from engine.parsers.hl7v2.message import Message
from engine.parsers.hl7v2.segments import Segment
from engine.parsers.hprim.names import component_name, field_name, meaning, segment_name

_DATES: Final = frozenset(
    {"H-13", "P-7", "P-32", "P-33", "OBR-6", "OBR-7", "OBR-8", "OBR-14", "OBR-22", "OBR-36", "OBX-14", "P-23"}
)
_WORDS: Final = {
    "patient-count": ("L", 3, "another number of patients is in the file"),
    "segment-count": ("L", 4, "another number of segments is in the file"),
    "letter-header": ("ENT", 0, "the header doesn't have the twelve lines of the norm: check them"),
    "letter-not-ended": ("ENT", 0, "the letter isn't ended by ****FIN****"),
}
"""Findings of the parsers: where they are shown, and as what."""


def hprim_tree(message: Message) -> Node:
    """
    Make a tree of a message.

    Args:
        message: HPRIM Santé (HprimMessage) or HPRIM Médecin (LetterMessage).
    """
    root = _root(message)
    names = message.names
    several = {name for name, count in Counter(names).items() if count > 1}
    ranks: Counter[str] = Counter()
    for position, name in enumerate(names):
        ranks[name] += 1
        segment = message.peek(position)
        if segment.name:
            shown = f"{name}[{ranks[name]}]" if name in several else name
            root.children.append(_segment(message, segment, shown))
        else:
            text = (segment.line() or segment.field(1)).decode(message.codec, "replace")
            lost = Mark("warning", "this line belongs to no segment and no letter")
            root.children.append(Node("?", value=for_the_eye(text), marks=[lost]))
    return root


def _root(message: Message) -> Node:
    if message.format == "hprim-medecin":
        return Node("letters", "HPRIM Médecin")
    header = message.header
    words = meaning("H-6", header.type)
    version = f"HPRIM Santé {header.version.removeprefix('H')}".strip()
    return Node(header.type or "message", " · ".join(filter(None, (words, version))))


def _segment(message: Message, segment: Segment, shown: str) -> Node:
    node = Node(shown, segment_name(segment.name), marks=_marks(message, segment.name, 0))
    if segment.code in (b"TXT", b"TEX"):
        _leaf(message, node, segment.field(1), "")
        return node
    for number in range(1, segment.count + 1):
        data = segment.field(number)
        if data:
            node.children.append(_field(message, segment.name, f"{shown}-{number}", number, data))
    return node


def _field(message: Message, name: str, shown: str, number: int, data: bytes) -> Node:
    node = Node(shown, field_name(name, number), marks=_marks(message, name, number))
    if name == "H" and number == 1:
        node.value = data.decode(message.codec, "replace")
        return node
    repetitions = message.delimiters.repetitions(data)
    for rank, repetition in enumerate(repetitions, 1):
        child = node if len(repetitions) == 1 else Node(f"{shown}[{rank}]")
        components = message.delimiters.components(repetition)
        if len(components) == 1:
            _leaf(message, child, repetition, f"{name}-{number}")
        for part, component in enumerate(components, 1):
            if component and len(components) > 1:
                below = Node(f"{child.name}.{part}", component_name(name, number, part))
                _leaf(message, below, component, f"{name}-{number}.{part}")
                child.children.append(below)
        if child is not node and (child.value or child.children):
            node.children.append(child)
    return node


def _leaf(message: Message, node: Node, data: bytes, place: str) -> None:
    text = unescape(data, message.delimiters).decode(message.codec, "replace")
    node.value = for_the_eye(text)
    node.meaning = date_in_words(text) if place in _DATES else meaning(place, text.strip())


def _marks(message: Message, segment: str, field: int) -> list[Mark]:
    """Return what the parsers found at a place."""
    return [
        Mark("warning", sentence)
        for finding, (where, number, sentence) in _WORDS.items()
        if (where, number) == (segment, field) and finding in message.findings
    ]
