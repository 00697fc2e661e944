"""`foreach: OBX` with `do: [steps]`: run steps on each segment of a name; paths like `.5` are relative to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.transforms.nodes import Node
from engine.transforms.segmentnames import SegmentName
from engine.transforms.shapes import Raw, Reader, StepsShape, Verb, refuse
from engine.transforms.step import Context, Step


class Foreach(Step):
    """Run steps on each segment; the list is taken before the first step runs."""

    __slots__ = ("_name", "_steps")

    def __init__(self, name: str, steps: tuple[Step, ...]) -> None:
        super().__init__("foreach")
        self._name = name
        self._steps = steps

    def apply(self, context: Context) -> None:
        """Run the steps; `{rank}` counts from 1. No segment of that name: nothing to do."""
        before = context.at, context.rank
        try:
            for rank, segment in enumerate(context.message.segments(self._name), 1):
                context.at, context.rank = segment, rank
                for step in self._steps:
                    step.apply(context)
        finally:
            context.at, context.rank = before

    def wrapped(self, wrap: Callable[[Step], Step]) -> Step:
        """Wrap the steps inside."""
        return Foreach(self._name, tuple([step.wrapped(wrap) for step in self._steps]))


def build(arguments: Any, reader: Reader, node: Node) -> Step:
    """Make the step; `arguments` is (name of the segment, node of `do`)."""
    name, do = arguments
    if do is None:
        raise refuse(reader, node, "E105", "do is missing", "add do: [steps] beside foreach")
    steps = reader.steps(do, str(name))
    for step in steps:
        if step.multiplies or step.asks:
            why = "makes several messages of one" if step.multiplies else "sees all its segments at once"
            raise refuse(
                reader, step.mark or node, "E118", f"{step.verb} {why}: it can't stand here",
                "write it before foreach, or after",
            )  # fmt: skip
    return Foreach(str(name), steps)


VERB = Verb("foreach", SegmentName(), build, "run steps on each segment of a name", {"do": Raw(StepsShape())})
