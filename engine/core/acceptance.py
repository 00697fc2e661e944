"""
Which acknowledgements a message asks for (HL7 v2.5 § 2.9.2 original mode, § 2.9.3 enhanced mode, table 0155).

Original mode (MSH-15 and MSH-16 both absent): one application acknowledgement. Enhanced mode: a commit
acknowledgement as MSH-15 asks, then an application acknowledgement as MSH-16 asks. A value that table 0155
doesn't know counts as absent: a sender that writes one there waits for an answer.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

from engine.core.ack import AckCode


class Acceptance(Enum):
    """What became of a received message."""

    ACCEPTED = "accepted"
    """In custody."""
    ERROR = "error"
    """Its content can't be taken; sending it again unchanged is useless."""
    REJECTED = "rejected"
    """Not taken for another reason; it may be sent again."""


_CONDITIONS: Final = frozenset({"AL", "NE", "ER", "SU"})
_COMMIT: Final = {
    Acceptance.ACCEPTED: AckCode.CA,
    Acceptance.ERROR: AckCode.CE,
    Acceptance.REJECTED: AckCode.CR,
}
_APPLICATION: Final = {
    Acceptance.ACCEPTED: AckCode.AA,
    Acceptance.ERROR: AckCode.AE,
    Acceptance.REJECTED: AckCode.AR,
}


def commit_code(accept_ack: str, application_ack: str, acceptance: Acceptance) -> AckCode | None:
    """
    Return the commit acknowledgement to send, or None.

    Args:
        accept_ack: MSH-15 (table 0155: AL, NE, ER, SU), or empty.
        application_ack: MSH-16, or empty.
        acceptance: What became of the message.
    """
    if accept_ack not in _CONDITIONS and application_ack not in _CONDITIONS:
        return None
    return _COMMIT[acceptance] if _asked(accept_ack, acceptance) else None


def application_code(accept_ack: str, application_ack: str, acceptance: Acceptance) -> AckCode | None:
    """
    Return the application acknowledgement to send, or None; the arguments are those of `commit_code`.

    In enhanced mode a message that was not committed gets no application acknowledgement (§ 2.9.3.1).
    """
    if accept_ack not in _CONDITIONS and application_ack not in _CONDITIONS:
        return _APPLICATION[acceptance]
    if acceptance is not Acceptance.ACCEPTED and _asked(accept_ack, acceptance):
        return None
    return _APPLICATION[acceptance] if _asked(application_ack, acceptance) else None


def _asked(condition: str, acceptance: Acceptance) -> bool:
    if condition == "AL":
        return True
    if condition == "ER":
        return acceptance is not Acceptance.ACCEPTED
    if condition == "SU":
        return acceptance is Acceptance.ACCEPTED
    return False
