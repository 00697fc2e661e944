"""
`normalise_authorities: { on_unknown: keep }`: complete CX-4 and CX-5 from what the sites declare.

Values are never touched; identifiers whose authority isn't known (third parties, archive numbers, the INS)
stay byte for byte. HL7 v2.5 § 2.A.14; French constraints on data types, CX and HD.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from engine.errors import StepFailed
from engine.identity.spellings import NULL
from engine.transforms.nodes import Node
from engine.transforms.shapes import Choice, Key, ListOf, Reader, Record, TextShape, Verb, refuse
from engine.transforms.step import Context, Step

if TYPE_CHECKING:
    from engine.identity.authorities import Recogniser
    from engine.identity.spellings import Spellings

EXPECTED_TYPES: Final = {"PID-18": "AN", "PV1-19": "VN", "MRG-3": "AN", "MRG-5": "VN"}
"""CX-5 by PAM France where the message has none."""

DEFAULT_FIELDS: Final = ("PID-3", "PID-18", "PV1-19", "MRG-1", "MRG-3")
_FIELD: Final = re.compile(r"([A-Z][A-Z0-9]{2})-([1-9][0-9]{0,2})\Z")


class CxField(NamedTuple):
    """A field of type CX."""

    text: str
    segment: str
    number: int
    expected: str


class CxFieldShape(TextShape):
    """A whole field, whose type is CX."""

    wants = "a whole field of type CX: PID-3"

    def read(self, node: Node, reader: Reader) -> Any:
        """Read the node."""
        word = super().read(node, reader)
        match = _FIELD.match(word)
        if match is None:
            raise refuse(
                reader, node, "E112", f"{word} isn't a whole field", "write PID-3, without component or selection"
            )
        return CxField(str(word), match[1], int(match[2]), EXPECTED_TYPES.get(word, ""))


class NormaliseAuthorities(Step):
    """Rewrite CX-4 and CX-5 of known identifiers in their declared form."""

    __slots__ = ("_fields", "_on_unknown", "_recogniser")

    def __init__(self, fields: list[CxField], recogniser: Recogniser, on_unknown: str) -> None:
        super().__init__("normalise_authorities")
        self._fields = [(field.segment.encode(), field.number, field.expected, field.text) for field in fields]
        self._recogniser = recogniser
        self._on_unknown = on_unknown

    def apply(self, context: Context) -> None:
        """
        Rewrite each field in every segment of its name.

        Raises:
            StepFailed: E-AUTHORITY, with `on_unknown: dead_letter`, for a field none of whose identifiers
                has a known authority.
        """
        message = context.message
        for code, number, expected, text in self._fields:
            positions = message.positions(code)
            if not positions:
                continue
            spellings = self._recogniser.spellings(message.delimiters, expected)
            for position in positions:
                data = message.peek(position).field(number)
                if not data or data == NULL:
                    continue
                written = written_field(data, spellings)
                if written is None:
                    self._unknown(context, text)
                elif written != data:
                    message.own(position).set_field(number, written)

    def _unknown(self, context: Context, field: str) -> None:
        if self._on_unknown == "dead_letter":
            raise StepFailed("E-AUTHORITY", "no identifier has an authority that a site declares", field=field)
        if self._on_unknown == "flag":
            context.findings.append(f"unknown-authority {field}")


def written_field(data: bytes, spellings: Spellings) -> bytes | None:
    """Return a field in its declared form; None: it has no identifier of a known authority."""
    written: list[bytes] = []
    known = False
    for value, spelling in spellings.identifiers(data):
        if spelling.authority is None or not value or value == NULL:
            written.append(value + spelling.received)
        else:
            known = True
            written.append(value + spelling.tail)
    return spellings.repetition.join(written) if known else None


def build(arguments: Any, reader: Reader, node: Node) -> Step:  # noqa: ARG001 - the signature of all verbs
    """Make the step for the reader's site."""
    fields = arguments["fields"] or [
        CxField(text, *_split(text), EXPECTED_TYPES.get(text, "")) for text in DEFAULT_FIELDS
    ]
    return NormaliseAuthorities(fields, reader.site_recogniser(), arguments["on_unknown"])


def _split(text: str) -> tuple[str, int]:
    segment, _, number = text.partition("-")
    return segment, int(number)


_SHAPE = Record(
    {
        "fields": Key(
            ListOf(CxFieldShape(), single=True),
            about="Fields of identifiers; unless said PID-3, PID-18, PV1-19, MRG-1, MRG-3.",
        ),
        "on_unknown": Key(
            Choice("keep", "flag", "dead_letter"),
            required=True,
            missing="a field may hold no identifier of a known authority|add on_unknown: keep | flag | dead_letter",
            about="When no identifier of a field is known: keep it, leave a finding, or a dead letter.",
        ),
    }
)
VERB = Verb("normalise_authorities", _SHAPE, build, "complete assigning authorities from the sites' declarations")
