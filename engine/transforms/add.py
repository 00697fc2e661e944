"""`add: { segment: PV1, after: PID, set: {…} }`: make a segment where there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.errors import StepFailed
from engine.transforms.nodes import Node
from engine.transforms.segmentnames import SegmentName
from engine.transforms.shapes import Key, Pairs, Reader, Record, TemplateShape, Verb
from engine.transforms.step import Context, Step
from engine.transforms.valuepaths import ValuePath

if TYPE_CHECKING:
    from engine.parsers.paths import Path
    from engine.transforms.text import Text


class Add(Step):
    """Add a segment after the last one of another name; one that exists is left, and only written to."""

    __slots__ = ("_after", "_name", "_pairs")

    def __init__(self, name: str, after: str, pairs: list[tuple[Path, Text]]) -> None:
        super().__init__("add")
        self._name = name
        self._after = after
        self._pairs = pairs

    def apply(self, context: Context) -> None:
        """
        Add and fill.

        Raises:
            StepFailed: E-NO-SEGMENT when the segment to stand behind is absent.
        """
        message = context.message
        if not message.segments(self._name):
            before = message.segments(self._after)
            if not before:
                raise StepFailed(
                    "E-NO-SEGMENT", f"there is no {self._after} to add {self._name} after", field=self._after
                )
            message.add_segment(self._name, after=before[-1])
        for path, text in self._pairs:
            path.write(message, text.render(context), context.at)


def build(arguments: Any, reader: Reader, node: Node) -> Step:  # noqa: ARG001 - the signature of all verbs
    """Make the step."""
    return Add(str(arguments["segment"]), str(arguments["after"]), arguments["set"] or [])


_SHAPE = Record(
    {
        "segment": Key(SegmentName(), required=True, about="Name of the segment to make: PV1, ZBE."),
        "after": Key(SegmentName(), required=True, about="Name of the segment behind whose last one it comes."),
        "set": Key(
            Pairs(ValuePath(), TemplateShape()),
            about="What it holds: PATH: text, {PATH} reads the message. Written also where the segment was there.",
        ),
    }
)
VERB = Verb("add", _SHAPE, build, "make a segment where there is none")
