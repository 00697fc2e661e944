"""A control id of its own for each message that is made of another: with one id they'd be one message twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from engine.parsers.hl7v2.message import Message

_CONTROL_ID_MAX: Final = 20
"""MSH-10, HL7 v2.5 § 2.16.9.10."""


def number(made: Message, suffix: str) -> None:
    """
    Append a suffix to MSH-10, `4711-2`: receivers take a control id that comes again for a repetition.

    Args:
        made: The message that was made; nothing is done where it has no control id.
        suffix: A few ASCII characters; the id loses its beginning where both are longer than MSH-10 may be.
    """
    header = made.own_head(b"MSH")
    control_id = header.field(10) if header is not None else b""
    if header is not None and control_id:
        end = f"-{suffix}".encode()
        header.set_field(10, control_id[-(_CONTROL_ID_MAX - len(end)) :] + end)
