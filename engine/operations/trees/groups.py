"""Segments inside the groups of their message structure (`ORDER_OBSERVATION[2]`), where the dictionary knows it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from engine.dictionary.dictionary import Dictionary
from engine.operations.trees.tree import Node
from engine.parsers.hl7v2.header import Header
from engine.validation.grammar import parse_structure
from engine.validation.matching import match_structure


def grouped(segments: list[Node], names: Sequence[str], header: Header, dictionary: Dictionary) -> list[Node]:
    """
    Put the segments of a message into groups.

    Args:
        segments: Their nodes, in order.
        names: Their names.
        header: Says what message it is.
        dictionary: Of its version.

    Returns:
        Segments and groups in the order of the message; the segments alone where its structure isn't known. A
        segment out of order, or without a place in the structure, stays beside the one before it.
    """
    structure = _structure_of(header, dictionary)
    content = dictionary.structure(structure)
    if content is None:
        return segments
    match = match_structure(parse_structure(structure, content), names)
    top: list[Node] = []
    open_: list[tuple[str, Node]] = []
    for node, path, fresh in zip(segments, match.groups, match.fresh, strict=True):
        if fresh >= 0:
            wanted = path.split(".") if path else []
            kept = len(wanted) - fresh
            if wanted[:kept] != [name for name, _ in open_[:kept]]:
                kept = 0
            del open_[kept:]
            for name in wanted[kept:]:
                group = Node(name, name.replace("_", " ").lower(), group=True)
                (open_[-1][1].children if open_ else top).append(group)
                open_.append((name, group))
        (open_[-1][1].children if open_ else top).append(node)
    _number(top)
    return top


def _structure_of(header: Header, dictionary: Dictionary) -> str:
    """Name the structure of the event, because MSH-9.3 is wrong in many systems; that where the event isn't known."""
    marks = header.delimiters
    words = [part.decode("latin-1").strip() for part in marks.components(marks.repetitions(header.field(9))[0])]
    type_, event, said = (*words, "", "", "")[:3]
    known = dictionary.event(type_, event) or (dictionary.event("ACK", "") if type_ == "ACK" else None)
    return known.structure if known is not None and known.structure else said


def _number(nodes: Sequence[Node]) -> None:
    """Count groups of one name that stand beside each other."""
    counts = Counter(node.name for node in nodes if node.group)
    ranks: Counter[str] = Counter()
    for node in nodes:
        if node.group:
            name = node.name
            ranks[name] += 1
            if counts[name] > 1:
                node.name = f"{name}[{ranks[name]}]"
            _number(node.children)
