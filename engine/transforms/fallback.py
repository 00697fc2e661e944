"""What a verb that can fail does then: `dead_letter | keep | { set: "text" } | { flag: word }`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.errors import StepFailed
from engine.transforms.nodes import Node
from engine.transforms.shapes import Choice, Either, Key, NameShape, Reader, Record, TemplateShape, Unreadable
from engine.transforms.step import Context

if TYPE_CHECKING:
    from engine.transforms.text import Text


class Fallback:
    """What to do with a value with which the verb can't do its work."""

    __slots__ = ("action", "text", "word")

    def __init__(self, action: str, text: Text | None = None, word: str = "") -> None:
        self.action = action
        """`dead_letter`, `keep`, `set` or `flag`."""
        self.text = text
        self.word = word

    def take(self, context: Context, failure: StepFailed) -> str | None:
        """
        Decide on one value.

        Args:
            context: Its `value` is the value at hand, for `{ set: "?{value}" }`.
            failure: Why the verb can't do its work.

        Returns:
            The text to write instead; None: the value stays.

        Raises:
            StepFailed: The failure, with `dead_letter`.
        """
        if self.action == "dead_letter":
            raise failure
        if self.text is not None:
            return self.text.render(context)
        if self.action == "flag":
            context.findings.append(f"{self.word} {failure.field}")
        return None


class FallbackShape(Either):
    """The shape of `on_missing` and `on_error`."""

    def __init__(self) -> None:
        super().__init__(
            Choice("dead_letter", "keep"),
            Record(
                {
                    "set": Key(TemplateShape("value"), about="Text that is written instead."),
                    "flag": Key(NameShape(), about="Word of a finding; the value stays."),
                }
            ),
        )

    def read(self, node: Node, reader: Reader) -> Fallback:
        """Read the node."""
        value = super().read(node, reader)
        if isinstance(value, str):
            return Fallback(value)
        if (value["set"] is None) == (value["flag"] is None):
            reader.error(node, "E110", "one of set and flag is wanted", 'write { set: "text" } or { flag: word }')
            raise Unreadable
        return Fallback("set" if value["set"] is not None else "flag", value["set"], str(value["flag"] or ""))
