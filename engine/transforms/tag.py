"""`tag: word`: leave a word on the message's trace; nothing of the message changes."""

from __future__ import annotations

from typing import Any

from engine.transforms.nodes import Node
from engine.transforms.shapes import NameShape, Reader, Verb
from engine.transforms.step import Context, Step


class Tag(Step):
    """Add a word to the context's tags, once."""

    __slots__ = ("_word",)

    def __init__(self, word: str) -> None:
        super().__init__("tag")
        self._word = word

    def apply(self, context: Context) -> None:
        """Tag the message."""
        if self._word not in context.tags:
            context.tags.append(self._word)


def build(word: Any, reader: Reader, node: Node) -> Step:  # noqa: ARG001 - the signature of all verbs
    """Make the step."""
    return Tag(str(word))


VERB = Verb("tag", NameShape(), build, "leave a word on the trace")
