"""Codes of deliveries: ours for attempts that failed, and the receiver's own (`AE 204`: tables 0008 and 0357)."""

from __future__ import annotations

from typing import Final

from engine.core.ack import ERROR_TEXTS, AckCode
from engine.operations.codes.meaning import Meaning

_ATTEMPT: Final = "attempt"

MEANINGS: Final = (
    Meaning(
        "E-POISON", "dead letter",
        "This message alone failed several times while the receiver accepted others.",
        "`passerelle dead show ID` tells each attempt; give that to the receiver's support. Then retry, or pass.",
    ),
    Meaning(
        "E-CONNECT", _ATTEMPT,
        "The receiver couldn't be reached; nothing was sent. It is tried again by itself, for as long as it takes.",
        "`passerelle probe DEST` says whether it is the name, the route or the port; then call the contact.",
    ),
    Meaning(
        "E-NO-ANSWER", _ATTEMPT,
        "It was sent, and no answer came in time: the receiver may have it. It is sent again.",
        "If it lasts, call the destination's contact: the receiver takes messages and doesn't answer.",
    ),
    Meaning(
        "E-ACK-UNREADABLE", _ATTEMPT,
        "The receiver answered with something that is no acknowledgement.",
        "Look whether the address is the right system's; then call the destination's contact.",
    ),
    Meaning(
        "E-ACK-MISMATCH", _ATTEMPT,
        "The receiver's answer names another message (MSA-2): it may answer late, or to somebody else.",
        "If it never gives the right number, write ack_match: any at the destination and apply; else call the contact.",
    ),
    Meaning(
        "E-ACK-CODE", _ATTEMPT,
        "The receiver's answer has a code in MSA-1 that the standard doesn't know.",
        "Say what it means under answers: of the destination and apply; or have the receiver corrected.",
    ),
)  # fmt: skip

_CODES: Final = {
    AckCode.AE: "The receiver's application found an error in the message",
    AckCode.AR: "The receiver's application rejects the message",
    AckCode.CE: "The receiver could not take the message",
    AckCode.CR: "The receiver rejects the message before reading it",
}
_PASSES: Final = frozenset({206, 207})


def meaning_of_answer(code: str) -> Meaning | None:
    """
    Put a receiver's answer in words: MSA-1 by table 0008, ERR-3 by table 0357.

    Args:
        code: As core.judgment writes it: `AE`, `AE 204`.

    Returns:
        None: it is no negative answer.
    """
    answer, _, number = code.partition(" ")
    if answer not in AckCode.__members__ or AckCode(answer) not in _CODES:
        return None
    what, error = _CODES[AckCode(answer)], int(number) if number.isascii() and number.isdecimal() else -1
    if error in ERROR_TEXTS:
        what += f": {ERROR_TEXTS[error].lower()} (table 0357)"
    elif number:
        what += f", with a code of its own: {number}"
    return Meaning(code, "dead letter", f"{what}.", _then(error))


def _then(error: int) -> str:
    if error in _PASSES:
        return "It may pass by itself, and is tried again; if it lasts, call the destination's contact."
    return (
        "`passerelle dead show ID` names the field where the receiver gives one. Have it mended at the receiver, then "
        "retry; or `passerelle dead pass ID`: the patient's other messages go on. The route can change the message too."
    )
