"""`keep: [PATHS]`: of a field, keep the repetitions that paths select; the others are removed, and counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.transforms.nodes import Node
from engine.transforms.shapes import ListOf, Reader, Verb, refuse
from engine.transforms.step import Context, Step
from engine.transforms.valuepaths import ValuePath

if TYPE_CHECKING:
    from engine.parsers.hl7v2.segments import Segment
    from engine.parsers.paths import Path


class SelectingPath(ValuePath):
    """A path to repetitions of a field."""

    wants = "a path to repetitions: PID-3[@ipp]"

    def read(self, node: Node, reader: Reader) -> Path:
        """Read the node."""
        path = super().read(node, reader)
        if path.component:
            text, _, _ = path.text.rpartition("]")
            whole = f"{text}]" if text else path.text.partition(".")[0]
            raise refuse(reader, node, "E112", f"{path.text} ends inside a repetition", f"write {whole}")
        if not path.selects_repetitions or path.appends:
            raise refuse(
                reader, node, "E112", f"{path.text} selects no repetition", f"write {path.text}[@ipp] or [5=PI]"
            )
        return path


class Keep(Step):
    """Remove the repetitions that no path selects; fields that no path names are left."""

    __slots__ = ("_paths",)

    def __init__(self, paths: list[Path]) -> None:
        super().__init__("keep")
        self._paths = paths

    def apply(self, context: Context) -> None:
        """Remove; each removed repetition leaves a finding `removed PID-3`."""
        wanted: dict[tuple[int, int], tuple[Segment, list[bytes], set[int]]] = {}
        for path in self._paths:
            for segment, repetitions, ranks in path.chosen(context.message, context.at):
                entry = wanted.setdefault((id(segment), path.field), (segment, repetitions, set()))
                entry[2].update(ranks)
        mark = context.message.delimiters.repetition
        for (_, field), (segment, repetitions, kept) in wanted.items():
            removed = len(repetitions) - len(kept)
            if removed:
                segment.set_field(field, mark.join([repetitions[rank] for rank in sorted(kept)]))
                context.findings += [f"removed {segment.name}-{field}"] * removed


def build(paths: Any, reader: Reader, node: Node) -> Step:  # noqa: ARG001 - the signature of all verbs
    """Make the step."""
    return Keep(paths)


VERB = Verb("keep", ListOf(SelectingPath(), single=True), build, "keep some repetitions of a field")
