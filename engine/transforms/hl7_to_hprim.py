"""`hl7_to_hprim: { version: "2.3", link: C }`: go on with the HPRIM Santé file that results or orders become."""

from __future__ import annotations

from typing import Any

from engine.conversion import hl7_to_hprim
from engine.conversion.documents import kind_of
from engine.conversion.forms import UNSUITABLE
from engine.conversion.hl7_to_hprim import LINKS, VERSIONS
from engine.core.messages import Attachment
from engine.core.references import digest_of
from engine.errors import StepFailed
from engine.parsers.hl7v2.message import DETACHED
from engine.parsers.hprim.message import parse_hprim
from engine.transforms.hprim_to_hl7 import in_utf8
from engine.transforms.nodes import Node
from engine.transforms.shapes import Choice, Key, Reader, Record, Verb
from engine.transforms.step import Context, Step


class Hl7ToHprim(Step):
    """ORU becomes ORU, ORM and OML become ORM; documents become files that go beside it."""

    __slots__ = ("_link", "_version")

    def __init__(self, version: str, link: str) -> None:
        """
        Keep what to make.

        Args:
            version: Of HPRIM Santé: `2.1` to `2.5`.
            link: H-12.2: C, L or R.
        """
        super().__init__("hl7_to_hprim")
        self._version = version
        self._link = link

    def apply(self, context: Context) -> None:
        """
        Convert; `{type}` is the context (H-6) from here on.

        Raises:
            StepFailed: E-CONVERT: neither results nor orders, or about nobody.
        """
        if context.message.format != "hl7v2":
            raise StepFailed(UNSUITABLE, "the message is HPRIM already: give the step a when: format == hl7v2")
        made = hl7_to_hprim(in_utf8(context.message), version=self._version, link=self._link)
        message = parse_hprim(made.data, default_charset="utf-8", as_utf8=True)
        message.base_flag = DETACHED
        context.message, context.format = message, "hprim-sante"
        context.type, context.event = made.type, ""
        context.attachments = tuple(
            Attachment(one.path, kind_of(one.path), one.data, digest_of(one.data)) for one in made.attachments
        )
        context.findings += made.findings


def build(arguments: Any, reader: Reader, node: Node) -> Step:  # noqa: ARG001 - the signature of all verbs
    """Make the step."""
    return Hl7ToHprim(str(arguments["version"]), str(arguments["link"]))


_SHAPE = Record(
    {
        "version": Key(Choice(*VERSIONS), default="2.5", about='H-13.1 of what is made: "2.3"'),
        "link": Key(Choice(*LINKS, upper=True), default="C", about="H-13.2: the kind of link, C, L or R."),
    }
)
VERB = Verb("hl7_to_hprim", _SHAPE, build, "go on with an HPRIM Santé file")
