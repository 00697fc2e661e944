"""Paths as verbs take them: to a value rather than to a segment; and a value carried from one to another."""

from __future__ import annotations

from engine.parsers.hl7v2.message import Message
from engine.parsers.hl7v2.segments import Segment
from engine.parsers.parts import text_of
from engine.parsers.paths import Path
from engine.transforms.nodes import Node
from engine.transforms.shapes import PathShape, Reader, refuse


class ValuePath(PathShape):
    """A path to a value: a field, or a part of one."""

    wants = "a path to a value: PID-3[@ipp].1"

    def read(self, node: Node, reader: Reader) -> Path:
        """Read the node."""
        path = super().read(node, reader)
        if not path.relative and not path.field:
            raise refuse(
                reader, node, "E112", f"{path.text} names a segment, not a value", f"write a field: {path.text}-1"
            )
        if (path.segment in ("MSH", "FHS", "BHS") and path.field < 3) or (path.segment == "H" and path.field == 1):
            raise refuse(
                reader, node, "E112", f"{path.text} holds the delimiters of the message", "they are no value to work on"
            )
        return path


class OnePath(ValuePath):
    """A path that leads to one value at most: no star, nothing appended."""

    wants = "a path to one value: PID-3[@ipp].1"

    def read(self, node: Node, reader: Reader) -> Path:
        """Read the node."""
        path = super().read(node, reader)
        if path.is_all or path.appends:
            raise refuse(
                reader,
                node,
                "E112",
                f"{path.text} doesn't lead to one value",
                "select one: [5=PI], [@ipp], [1], [last]",
            )
        return path


def level(path: Path) -> int:
    """0: a repetition, 1: a component, 2: a subcomponent."""
    return 2 if path.subcomponent else 1 if path.component else 0


def carry(data: bytes, origin: Path, target: Path, message: Message, at: Segment | None) -> None:
    """
    Write a value that was read at one path to another.

    Args:
        data: As it stood at `origin`. A part goes where it is a part, structure and escapes too; a
            repetition that goes into a component becomes the text of one leaf.
        origin: Where it was read.
        target: Where it goes.
        message: Where.
        at: The segment to which relative paths belong.
    """
    if level(origin) >= level(target):
        target.write_bytes(message, data, at)
    else:
        target.write(message, text_of(data, message.codec, message.delimiters), at)
