"""`convert: { field, case | trim | pad_left | replace | date | truncate }`: write values in another form."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from engine.errors import StepFailed
from engine.parsers.parts import change_leaves, leaf_of, text_of
from engine.transforms.dates import DateRefused, FormRefused, date_reader, date_writer
from engine.transforms.fallback import Fallback, FallbackShape
from engine.transforms.nodes import Entries, Node, Word
from engine.transforms.shapes import (
    AnyText,
    Choice,
    Either,
    Key,
    ListOf,
    Number,
    Reader,
    Record,
    TextShape,
    Unreadable,
    Verb,
    exactly_one,
    refuse,
)
from engine.transforms.step import Context, Step
from engine.transforms.valuepaths import ValuePath

if TYPE_CHECKING:
    from engine.parsers.paths import Path

Conversion = Callable[[str], str]


class Convert(Step):
    """Convert each leaf that paths lead to; absent and null ones are skipped (docs/routes/README.md, rule 7)."""

    __slots__ = ("_conversion", "_fallback", "_paths", "_told")

    def __init__(self, paths: list[Path], conversion: Conversion, fallback: Fallback | None, told: str = "") -> None:
        """
        Keep what to do.

        Args:
            paths: Where; a path that ends above the leafs converts each leaf below it.
            conversion: From the text of a leaf to another; may raise DateRefused.
            fallback: What then.
            told: A word of a finding when a leaf was changed (`truncated`); empty: none.
        """
        super().__init__("convert")
        self._paths = paths
        self._conversion = conversion
        self._fallback = fallback
        self._told = told

    def apply(self, context: Context) -> None:
        """Convert."""
        message = context.message
        codec, marks = message.codec, message.delimiters
        for path in self._paths:

            def convert(leaf: bytes, path: Path = path) -> bytes:
                text = text_of(leaf, codec, marks)
                converted = self._converted(text, path, context)
                return leaf if converted == text else leaf_of(converted, codec, marks, path.text)

            def change(data: bytes, convert: Callable[[bytes], bytes] = convert) -> bytes:
                return change_leaves(data, marks, convert)

            if path.change(message, change, context.at) and self._told:
                context.findings.append(f"{self._told} {path.text}")

    def _converted(self, text: str, path: Path, context: Context) -> str:
        try:
            return self._conversion(text)
        except DateRefused as refused:
            assert self._fallback is not None, "a conversion that can fail says what then"
            context.value = text
            instead = self._fallback.take(context, StepFailed("E-DATE", str(refused), field=path.text))
            return text if instead is None else instead


_SEQUENCE: Final = re.compile(r"(\\[^\\]+\\)")
"""What stays of escapes in a text (`\\.sp\\`, `\\H\\`): its letters have no case."""


def _case(word: str) -> Conversion:
    change = str.upper if word == "upper" else str.lower

    def convert(text: str) -> str:
        if "\\" not in text:
            return change(text)
        return "".join([one if one.startswith("\\") else change(one) for one in _SEQUENCE.split(text)])

    return convert


def _trim(given: Any) -> Conversion:
    side, characters = (given, "") if isinstance(given, str) else (given["side"], str(given["of"]))
    strip = {"both": str.strip, "left": str.lstrip, "right": str.rstrip}[side]
    # a number of zeros only is the number zero: its last digit stays
    return (lambda text: strip(text, characters) or text[-1:]) if characters else strip


def _pad_left(given: Any) -> Conversion:
    width, fill = given["width"], str(given["fill"])
    return lambda text: text.rjust(width, fill)


def _replace(given: Any) -> Conversion:
    wanted, to = [str(one) for one in given["from"]], str(given["to"])

    def replace(text: str) -> str:
        for one in wanted:
            text = text.replace(one, to)
        return text

    return replace


def _truncate(most: int) -> Conversion:
    return lambda text: text[:most]


def _date(given: Any, reader: Reader, node: Node) -> Conversion:
    readers, writer = [], None
    for word in [*given["from"], given["to"]]:
        try:
            if word is given["to"]:
                writer = date_writer(word)
            else:
                readers.append(date_reader(word))
        except FormRefused as refused:
            raise refuse(reader, getattr(word, "node", node), "E111", refused.reason, refused.hint) from None
    assert writer is not None, "`to` is required"

    def convert(text: str) -> str:
        for number, read in enumerate(readers, 1):
            try:
                return writer(read(text))
            except DateRefused:
                if number == len(readers):
                    raise
        return text

    return convert


class _Fill(TextShape):
    wants = "one character"

    def read(self, node: Node, reader: Reader) -> Word:
        word = super().read(node, reader)
        if len(word) != 1:
            raise refuse(reader, node, "E111", "fill is one character", 'write fill: "0"')
        return word


def build(arguments: Any, reader: Reader, node: Node) -> Step:
    """Make the step."""
    failed = exactly_one(arguments, reader, node, "field", "fields")
    failed += exactly_one(arguments, reader, node, *_CONVERSIONS, "date")
    if failed:
        raise Unreadable
    paths = arguments["fields"] or [arguments["field"]]
    fallback: Fallback | None = arguments["on_error"]
    if arguments["date"] is None:
        if fallback is not None:
            where = node.key("on_error") if isinstance(node, Entries) else None
            raise refuse(reader, where or node, "E118", "only a date can fail to be converted", "remove on_error")
        name = next(name for name in _CONVERSIONS if arguments[name] is not None)
        told = "truncated" if name == "truncate" else ""
        return Convert(paths, _CONVERSIONS[name](arguments[name]), None, told)
    if fallback is None:
        raise refuse(
            reader, node, "E120", "convert can fail: a value may be no date of this form",
            "add on_error: dead_letter | keep | { set: ... } | { flag: ... }",
        )  # fmt: skip
    return Convert(paths, _date(arguments["date"], reader, node), fallback)


_CONVERSIONS: Final[dict[str, Callable[[Any], Conversion]]] = {
    "case": _case, "trim": _trim, "pad_left": _pad_left, "replace": _replace, "truncate": _truncate,
}  # fmt: skip
_SIDES: Final = Choice("both", "left", "right")
_SHAPE = Record(
    {
        "field": Key(ValuePath(), about="The path whose values are converted; above the leaves, each leaf below it."),
        "fields": Key(ListOf(ValuePath()), about="Several such paths."),
        "case": Key(Choice("upper", "lower"), about="Capitals, or small letters."),
        "trim": Key(
            Either(
                _SIDES,
                Record(
                    {
                        "side": Key(_SIDES, default="both", about="At which side; both unless said."),
                        "of": Key(
                            TextShape(), required=True, about="Which characters; of a number of zeros one stays."
                        ),
                    }
                ),
            ),
            about="Take blanks away at this side, or with { side, of } other characters.",
        ),
        "pad_left": Key(
            Record(
                {
                    "width": Key(Number(1, 1000), required=True, about="To how many characters; what is longer stays."),
                    "fill": Key(_Fill(), required=True, about="The one character to fill with."),
                }
            ),
            about="Fill up in front.",
        ),
        "replace": Key(
            Record(
                {
                    "from": Key(ListOf(TextShape(), single=True), required=True, about="Which texts; in this order."),
                    "to": Key(AnyText(), required=True, about='What comes in their place; "" takes them away.'),
                }
            ),
            about="Put a text in the place of others.",
        ),
        "truncate": Key(Number(1, 65_536), about="Keep so many characters; each cut is counted."),
        "date": Key(
            Record(
                {
                    "from": Key(
                        ListOf(TextShape(), single=True),
                        required=True,
                        about="Forms in which dates may stand: hl7, or %d/%m/%Y; the first that fits.",
                    ),
                    "to": Key(TextShape(), required=True, about="Form in which they are written: hl7, or %d/%m/%Y."),
                }
            ),
            about="Write dates in another form.",
        ),
        "on_error": Key(
            FallbackShape(), about="With date, for what is none: dead_letter, keep, { set: text } or { flag: word }."
        ),
    }
)
VERB = Verb("convert", _SHAPE, build, "write values in another form")
