"""What a verb is: its name, the shape of its argument, and what makes the step of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from engine.transforms.nodes import Entries, Node
from engine.transforms.shapes.reading import Reader, Shape

if TYPE_CHECKING:
    from engine.transforms.step import Step


def exactly_one(arguments: Mapping[str, Any], reader: Reader, node: Node, *names: str) -> int:
    """
    Ask that one of some keys stands there, and no other.

    Returns:
        How many of them were reported, here or when they were read: 0 or 1.
    """
    present = {key.text for key, _ in node.entries} if isinstance(node, Entries) else set()
    given = [name for name in names if name in present]
    if len(given) == 1:
        return 0 if arguments[given[0]] is not None else 1
    where = (node.key(given[1]) if given and isinstance(node, Entries) else None) or node
    hint = f"write {', '.join(f'{name}:' for name in names[:-1])} or {names[-1]}:, only one"
    reader.error(where, "E105", f"one of {', '.join(names[:-1])} and {names[-1]} is wanted", hint)
    return 1


class Verb(NamedTuple):
    """A verb: its name, the shape of its argument, and what makes the step of it."""

    name: str
    shape: Shape
    build: Callable[[Any, Reader, Node], Step]
    """Gets the argument read, the reader, the argument's node. Raises Unreadable after reporting."""
    summary: str
    beside: Mapping[str, Shape] = {}
    """Keys that stand beside the verb in the step (`do` of `foreach`)."""
