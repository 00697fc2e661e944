"""
What may stand beside the verb of any step: `label`, `when`, `on_error`.

`on_error: keep` goes on as if the step were not there, `{ flag: word }` leaves a finding too; `dead_letter`, which is
so without it, stops the route.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from engine.transforms.nodes import Node
from engine.transforms.shapes import Choice, ConditionShape, Either, Key, NameShape, Reader, Record, Shape, TextShape
from engine.transforms.step import Conditional, Step, Tolerant

_STOP: Final = None


class OnErrorShape(Either):
    """`dead_letter | keep | { flag: word }`: None, or the word of the finding, which may be empty."""

    def __init__(self) -> None:
        super().__init__(
            Choice("dead_letter", "keep"),
            Record({"flag": Key(NameShape(), required=True, about="Word of a finding; what the step did is undone.")}),
        )

    def read(self, node: Node, reader: Reader) -> str | None:
        """Read the node."""
        value = super().read(node, reader)
        if isinstance(value, str):
            return "" if value == "keep" else _STOP
        return str(value["flag"])


BESIDE: Final[Mapping[str, Shape]] = {"label": TextShape(), "when": ConditionShape(), "on_error": OnErrorShape()}
"""Keys of every step, beside its verb."""


def around(step: Step, beside: Mapping[str, Any]) -> Step:
    """Give a step its condition, then what happens when it, or the condition, fails."""
    if "when" in beside:
        step = Conditional(step, beside["when"])
    word = beside.get("on_error", _STOP)
    return step if word is _STOP else Tolerant(step, word)
