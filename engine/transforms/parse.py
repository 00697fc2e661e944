"""`parse: { field, encoding, format, set, on_error }`: go on with the message that a field carries."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

from engine.errors import ParseError, StepFailed
from engine.parsers import open_message
from engine.parsers.hl7v2.message import DETACHED
from engine.transforms.nodes import Node
from engine.transforms.shapes import Choice, Key, Pairs, Reader, Record, TemplateShape, Verb
from engine.transforms.step import Context, Step
from engine.transforms.valuepaths import OnePath, ValuePath

if TYPE_CHECKING:
    from engine.parsers.hl7v2.message import Message
    from engine.parsers.paths import Path
    from engine.transforms.text import Text


class Parse(Step):
    """Open what a field carries; the steps that follow see that message, and it is what leaves."""

    __slots__ = ("_encoding", "_format", "_pairs", "_path")

    def __init__(self, path: Path, encoding: str, format_: str, pairs: list[tuple[Path, Text]]) -> None:
        """
        Keep what to do.

        Args:
            path: Where it is carried.
            encoding: `text`, `base64` or `hex`.
            format_: As parsers.open_message.
            pairs: Written into it, with values of the message that carries it.
        """
        super().__init__("parse")
        self._path = path
        self._encoding = encoding
        self._format = format_
        self._pairs = pairs

    def apply(self, context: Context) -> None:
        """
        Open it.

        Raises:
            StepFailed: E-PARSE-FIELD: nothing is there, or it is no message of the format.
        """
        values = [text.render(context) for _, text in self._pairs]
        inner = self._opened(context)
        for (path, _), value in zip(self._pairs, values, strict=True):
            path.write(inner, value)
        context.message = inner

    def _opened(self, context: Context) -> Message:
        carrier = context.message
        text = self._path.first(carrier, context.at)
        if not text or text == '""':
            raise StepFailed("E-PARSE-FIELD", "the field carries nothing", field=self._path.text)
        try:
            if self._encoding == "text":
                # what the carrier wrote as a line break (\\.br\\, or CR as \\X0D\\) ends a segment
                data = text.encode(carrier.codec)
            elif self._encoding == "base64":
                data = base64.b64decode("".join(text.split()), validate=True)
            else:
                data = bytes.fromhex(text)
        except (binascii.Error, ValueError):
            raise StepFailed(
                "E-PARSE-FIELD", f"the value isn't written in {self._encoding}", field=self._path.text
            ) from None
        try:
            message = open_message(data, self._format, default_charset=carrier.received_codec, as_utf8=True)
        except ParseError as error:
            raise StepFailed("E-PARSE-FIELD", f"the field carries no message: {error}", field=self._path.text) from None
        message.normalise_delimiters()
        message.base_flag = DETACHED
        return message


def build(arguments: Any, reader: Reader, node: Node) -> Step:  # noqa: ARG001 - the signature of all verbs
    """Make the step."""
    return Parse(arguments["field"], arguments["encoding"], arguments["format"], arguments["set"] or [])


_SHAPE = Record(
    {
        "field": Key(OnePath(), required=True, about="Path of the field that carries a message."),
        "encoding": Key(Choice("base64", "hex", "text"), required=True, about="How it is written there."),
        "format": Key(
            Choice("auto", "hl7v2", "hprim-sante", "hprim-medecin"),
            default="auto",
            about="What it is; auto: as its first segment tells.",
        ),
        "set": Key(
            Pairs(ValuePath(), TemplateShape()),
            about="Written into the message that is carried; {PATH} reads the one that carries it.",
        ),
    }
)
VERB = Verb("parse", _SHAPE, build, "go on with the message that a field carries")
