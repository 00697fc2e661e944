"""`split: { by: ORDER_OBSERVATION, keep: [MSH, PID, PV1] }`: make a message of each group of segments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from engine.errors import StepFailed
from engine.transforms.groups import HEADS, groups_of
from engine.transforms.nodes import Node
from engine.transforms.numbering import number
from engine.transforms.segmentnames import SegmentName
from engine.transforms.shapes import Key, ListOf, Reader, Record, TextShape, Verb, refuse
from engine.transforms.step import Context, Multiplying

if TYPE_CHECKING:
    from engine.parsers.hl7v2.message import Message

PARTS_MAX: Final = 10_000


class Split(Multiplying):
    """Cut the message; each part goes on by itself, in order, as a delivery of the same message."""

    __slots__ = ("_by", "_kept")

    def __init__(self, by: str, kept: frozenset[str]) -> None:
        super().__init__("split")
        self._by = by
        self._kept = kept

    def parts(self, message: Message) -> list[Message]:
        """Return a message for each group: what stands above it, and its segments."""
        groups = groups_of(message.names, self._by, self._kept)
        return [message.part([*group.head, *group.own]) for group in groups[: PARTS_MAX + 1]]

    def children(self, context: Context) -> list[Context]:
        """
        Cut; `{rank}` of each part counts from 1, and its control id gets the rank: `4711-2`.

        Raises:
            StepFailed: E-SPLIT: there is no such group, or there are too many.
        """
        parts = self.parts(context.message)
        if not parts:
            raise StepFailed("E-SPLIT", f"the message has no {self._by} to split it by", field=self._by)
        if len(parts) > PARTS_MAX:
            raise StepFailed("E-SPLIT", f"the message has more than {PARTS_MAX} of {self._by}", field=self._by)
        children = []
        for rank, part in enumerate(parts, 1):
            child = context.fork(part)
            child.rank = rank
            if len(parts) > 1:
                number(part, str(rank))
            children.append(child)
        return children


class _GroupName(TextShape):
    """The name of a group, or of the segment with which one begins."""

    wants = "a group: ORDER_OBSERVATION, or the segment with which one begins: OBR"

    def read(self, node: Node, reader: Reader) -> Any:
        """Read the node."""
        word = super().read(node, reader)
        if word in HEADS or (len(word) <= 3 and word.isalnum() and word.isupper()):
            if word in ("MSH", "H"):
                raise refuse(reader, node, "E112", f"a message has one {word}", "name a group inside it")
            return word
        raise refuse(reader, node, "E116", f"there is no group {word}", reader.suggest(word, list(HEADS)))


def build(arguments: Any, reader: Reader, node: Node) -> Split:  # noqa: ARG001 - the signature of all verbs
    """Make the step."""
    return Split(str(arguments["by"]), frozenset(map(str, arguments["keep"] or ())))


_SHAPE = Record(
    {
        "by": Key(
            _GroupName(),
            required=True,
            about="Which group each message has one of: ORDER_OBSERVATION, or the segment with which it begins.",
        ),
        "keep": Key(ListOf(SegmentName()), about="Which segments above the groups each message has; without it all."),
    }
)
VERB = Verb("split", _SHAPE, build, "make a message of each group")
