"""
The merge that follows from a merge: an A40 with the federation identifiers of the two patients that became one.

A hospital merges its own numbers; who knows the patients by the group's numbers must be told which of these ends
(PAM France 2.11.1, A40 `ADT_A39`: PID-3 the survivor, MRG-1 who ends; HL7 v2.5 § 3.3.40).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from engine.transforms.identifying import identifier
from engine.transforms.numbering import number

if TYPE_CHECKING:
    from engine.identity.authorities import Authority
    from engine.parsers.hl7v2.message import Message
    from engine.transforms.step import Context

_KEPT: Final = ("MSH", "EVN", "PID", "ZFD")
"""ZFD: what PID-32 leaves unsaid of the status of the identity."""


def derived(context: Context, ended: str, living: str, group: Authority, rank: int) -> Context:
    """
    Make the derived merge.

    Args:
        context: The message that joined them, after the steps of the route.
        ended: The federation identifier that ends.
        living: The one that goes on.
        group: Who gave them.
        rank: Among the merges that follow from this message, from 1; its control id gets it: `4711-M1`.
    """
    whole = context.message
    first = whole.positions(b"PID")[:1]
    kept = [
        position for position, name in enumerate(whole.names) if name in _KEPT and (name != "PID" or position in first)
    ]
    message = whole.part(kept)
    _say_what_it_is(message)
    number(message, f"M{rank}")
    pid = message.own_head(b"PID")
    assert pid is not None, "the message named the patients"
    pid.set_field(3, identifier(living, group, message))
    merged = message.add_segment("MRG", after="PID")
    merged.set_field(1, identifier(ended, group, message))
    made = context.fork(message)
    made.type, made.event = "ADT", "A40"
    return made


def is_named(context: Context, number: str) -> bool:
    """Whether the message leaves under this federation identifier: the route's steps wrote it."""
    return context.format == "hl7v2" and any(
        field.find(number.encode()) >= 0 for field in context.message.fields(_PID3)
    )


_PID3: Final = ((b"PID", 3),)


def _say_what_it_is(message: Message) -> None:
    header = message.own_head(b"MSH")
    assert header is not None, "HL7 messages have one"
    header.set_field(9, message.delimiters.component.join((b"ADT", b"A40", b"ADT_A39")))
    header.set_field(18, b"UNICODE UTF-8")
    event = message.own_head(b"EVN")
    if event is not None and event.field(1):
        event.set_field(1, b"A40")
