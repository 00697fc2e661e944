"""`hprim_to_hl7: { message: ORU_R01, version: "2.5" }`: go on with the HL7 messages that an HPRIM file becomes."""

from __future__ import annotations

from typing import Any

from engine.conversion import Lines, parts_of, to_hl7
from engine.conversion.forms import MESSAGES, UNSUITABLE, VERSIONS
from engine.errors import StepFailed
from engine.parsers import open_message
from engine.parsers.charset import make_base
from engine.parsers.hl7v2.message import DETACHED, Message
from engine.transforms.nodes import Node
from engine.transforms.shapes import Choice, Key, Number, Reader, Record, TextShape, Verb, refuse
from engine.transforms.step import Context, Multiplying


class HprimToHl7(Multiplying):
    """One message a patient or letter, each in the lanes of its own; a fusion's A40 goes ahead."""

    __slots__ = ("_lines", "_on_missing", "_version", "_wanted")

    def __init__(self, wanted: str, version: str, on_missing: str, lines: Lines) -> None:
        """
        Keep what to make.

        Args:
            wanted: One of conversion.forms.MESSAGES; empty: what the file's context asks for.
            version: MSH-12.
            on_missing: What a file that isn't there does: `dead_letter` or `pointer`.
            lines: Where a letter's header has the hospital's numbers.
        """
        super().__init__("hprim_to_hl7")
        self._wanted = wanted
        self._version = version
        self._on_missing = on_missing
        self._lines = lines

    def parts(self, message: Message) -> list[Message]:
        """Return, for each message that is made, the part of the file that it is about: one patient's."""
        return [message.part(positions) for positions in parts_of(message)]

    def children(self, context: Context) -> list[Context]:
        """
        Convert; `{type}` and `{event}` are those of what was made, from here on.

        Raises:
            StepFailed: E-CONVERT: it is no HPRIM file, its context has no form in HL7 or not the wanted one;
                E-ATTACHMENT: a file that it names isn't here.
        """
        message = context.message
        if message.format == "hl7v2":
            raise StepFailed(UNSUITABLE, "the message is HL7 already: give the step a when: format != hl7v2")
        message = in_utf8(message)
        files = {one.name: one.data for one in context.attachments if one.data is not None}
        made = to_hl7(
            message, wanted=self._wanted, version=self._version, attachments=files, on_missing=self._on_missing,
            lines=self._lines,
        )  # fmt: skip
        children: list[Context] = []
        for rank, one in enumerate(made.messages, 1):
            child = context.fork(_opened(one.data))
            child.format, child.rank, child.attachments = "hl7v2", rank, ()
            child.type, _, child.event = one.type.partition("^")
            children.append(child)
        if not children:
            raise StepFailed(UNSUITABLE, "the file holds no letter")
        children[0].findings += made.findings  # once for all of them
        return children


def in_utf8(message: Message) -> Message:
    """Return the message as it is read for conversions and decisions: steps of `as_received` get the received bytes."""
    if message.codec == "utf-8":
        return message
    data = message.to_bytes()
    if message.format == "hl7v2":
        data, _ = make_base(data, message.codec, escapes=True)
    else:
        data = data.decode(message.codec).encode()
    return open_message(data, message.format, default_charset="utf-8", as_utf8=True)


def _opened(data: bytes) -> Message:
    message = Message.parse(data, default_charset="utf-8", as_utf8=True)
    message.base_flag = DETACHED
    return message


class Version(TextShape):
    """A version of HL7, as MSH-12 says it."""

    wants = 'a version of HL7: "2.5", 2.5^FRA^2.11'

    def read(self, node: Node, reader: Reader) -> Any:
        """Read the node."""
        word = super().read(node, reader)
        if word.partition("^")[0] not in VERSIONS:
            raise refuse(reader, node, "E110", f"HL7 {word} isn't written", reader.suggest(word, list(VERSIONS)))
        return word


def build(arguments: Any, reader: Reader, node: Node) -> HprimToHl7:  # noqa: ARG001 - the signature of all verbs
    """Make the step."""
    lines = Lines(**arguments["lines"]) if arguments["lines"] is not None else Lines()
    return HprimToHl7(str(arguments["message"]), str(arguments["version"]), str(arguments["on_missing"]), lines)


_SHAPE = Record(
    {
        "message": Key(
            Choice(*MESSAGES), default="", about="What is made; unless said what the context of the file asks for."
        ),
        "version": Key(Version(), default="2.5", about='MSH-12 of what is made: "2.5", 2.5^FRA^2.11'),
        "on_missing": Key(
            Choice("dead_letter", "pointer"),
            default="dead_letter",
            about="For a file that it names and that did not come: dead_letter, or an RP that points at it.",
        ),
        "lines": Key(
            Record(
                {
                    "ipp": Key(Number(1, 12), default=0, about="Line of the patient number."),
                    "nda": Key(Number(1, 12), default=0, about="Line of the stay number."),
                }
            ),
            about="Of letters: which of the twelve header lines hold numbers of the hospital.",
        ),
    }
)
VERB = Verb("hprim_to_hl7", _SHAPE, build, "go on with the HL7 messages of an HPRIM file")
