"""
From the end of an attempt to a verdict: delivered, try again and how, or dead.

The order is: the destination's own rules (`answers:`), then MSA-1 when it accepts, then ERR-3 (table 0357),
then MSA-1. ERR-3 comes before a negative MSA-1 because that one's meaning differs between vendors: HL7 v2.5
§ 2.9.2 says that AR is not about the content and may be taken later, some GAM and DPI use AE for a lock.
An acceptance is never doubted by an ERR beside it: it then tells of warnings, and sending again would double
what was taken.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from enum import Enum
from typing import Final, Protocol

from engine.core.ack import ERROR_TEXTS, AckCode, Answer, AnswerError
from engine.core.ports import SendResult


class Outcome(Enum):
    """What the end of an attempt means; the values are what an Attempt keeps."""

    DELIVERED = "ok"
    BUSY = "busy"
    """Not about this message: later."""
    REFUSED = "refused"
    """About this message: it would be refused again."""
    PERHAPS_BUSY = "refused_perhaps_busy"
    """AE or CE without a reason: once more, then it counts as refused."""
    CONNECT = "connect"
    """Nothing left."""
    UNKNOWN = "unknown"
    """It left, and nothing says whether it was taken."""
    PROTOCOL = "protocol"
    """What came back is no answer to it."""


class Verdict:
    """What an attempt came to."""

    __slots__ = ("code", "field", "outcome", "reason")

    def __init__(self, outcome: Outcome, code: str = "", reason: str = "", field: str = "") -> None:
        """
        Keep what is judged.

        Args:
            outcome: The class.
            code: By which dead letters are grouped: `AE 207`, `E-NO-ANSWER`…
            reason: A sentence without any value of the message.
            field: Where the receiver sees the fault (`PID-3`), empty when it doesn't say.
        """
        self.outcome = outcome
        self.code = code
        self.reason = reason
        self.field = field


class Rule(Protocol):
    """One entry of a destination's `answers:` (routes.configuration.AnswerRule)."""

    @property
    def codes(self) -> Collection[str]:
        """Values of ERR-3.1 or MSA-1; empty: any."""

    @property
    def text(self) -> Callable[[str], bool] | None:
        """Search in ERR-8, ERR-3.2, ERR-1.4, MSA-3."""

    @property
    def judged(self) -> str:
        """`ok`, `busy` or `refused`."""


DELIVERED: Final = Verdict(Outcome.DELIVERED)

_BUSY_ERRORS: Final = frozenset({"206", "207"})
_REFUSED_ERRORS: Final = frozenset({"100", "101", "102", "103", "198", "200", "201", "202", "203", "204", "205"})
_ACCEPTS: Final = frozenset({AckCode.AA.value, AckCode.CA.value})
_ERRORS: Final = frozenset({AckCode.AE.value, AckCode.CE.value})
_REJECTS: Final = frozenset({AckCode.AR.value, AckCode.CR.value})
_RULED: Final = {"ok": Outcome.DELIVERED, "busy": Outcome.BUSY, "refused": Outcome.REFUSED}


def judge_send(result: SendResult, reason: str) -> Verdict:
    """
    Judge an attempt that ended without an answer to read.

    Args:
        result: ACCEPTED, NOT_SENT or NO_ANSWER.
        reason: The door's sentence.
    """
    if result is SendResult.ACCEPTED:
        return DELIVERED
    if result is SendResult.NOT_SENT:
        return Verdict(Outcome.CONNECT, "E-CONNECT", reason or "no connection to the receiver")
    return Verdict(Outcome.UNKNOWN, "E-NO-ANSWER", reason or "it was sent, and no answer came")


def judge_unreadable(reason: str) -> Verdict:
    """Judge an answer that can't be read; `reason` says why, without its content."""
    return Verdict(Outcome.PROTOCOL, "E-ACK-UNREADABLE", f"the answer can't be read: {reason}")


def judge_answer(answer: Answer, control_id: str, rules: Sequence[Rule] = (), *, match: bool = True) -> Verdict:
    """
    Judge an acknowledgement.

    Args:
        answer: As it was read.
        control_id: MSH-10 as sent; empty when the format has none.
        rules: The destination's `answers:`, asked before all, in order.
        match: MSA-2 must be the control id (`ack_match: control_id`). A refusal without any MSA-2 is taken as
            ours: a receiver that can't read MSH can't name it.
    """
    code = answer.code
    accepted = code in _ACCEPTS
    if match and control_id and answer.control_id != control_id and (accepted or answer.control_id):
        return Verdict(Outcome.PROTOCOL, "E-ACK-MISMATCH", "the answer names another message in MSA-2")
    for rule in rules:
        if _meets(rule, answer):
            return _ruled(rule, answer)
    if accepted:
        return DELIVERED
    return _judge_refusal(answer)


def _meets(rule: Rule, answer: Answer) -> bool:
    """Whether a rule speaks of this answer; an acceptance only by its code, said in so many words."""
    if rule.codes and answer.code not in rule.codes and not any(error.code in rule.codes for error in answer.errors):
        return False
    if answer.code in _ACCEPTS and rule.text is None and answer.code not in rule.codes:
        return False
    if rule.text is None:
        return True
    if answer.text and rule.text(answer.text):
        return True
    return any(text and rule.text(text) for error in answer.errors for text in (error.user_text, error.code_text))


def _ruled(rule: Rule, answer: Answer) -> Verdict:
    outcome = _RULED[rule.judged]
    if outcome is Outcome.DELIVERED:
        return DELIVERED if answer.code in _ACCEPTS else Verdict(outcome, _code(answer, _first_error(answer)))
    error = _first_error(answer)
    reason = _reason(answer, error) + "; judged by the destination's `answers:`"
    return Verdict(outcome, _code(answer, error), reason, _field(error))


def _judge_refusal(answer: Answer) -> Verdict:
    error = _first_error(answer)
    number = error.code if error is not None else ""
    if number in _BUSY_ERRORS:
        outcome = Outcome.BUSY
    elif number in _REFUSED_ERRORS:
        outcome = Outcome.REFUSED
    elif answer.code in _REJECTS:
        outcome = Outcome.BUSY
    elif answer.code in _ERRORS:
        outcome = Outcome.PERHAPS_BUSY
    else:
        return Verdict(Outcome.PROTOCOL, "E-ACK-CODE", "MSA-1 of the answer is not in table 0008")
    return Verdict(outcome, _code(answer, error), _reason(answer, error), _field(error))


def _first_error(answer: Answer) -> AnswerError | None:
    """The error that decides: a refusing one before a busy one, known codes before a vendor's own."""
    errors = [error for error in answer.errors if error.is_error]
    for wanted in (_REFUSED_ERRORS, _BUSY_ERRORS):
        for error in errors:
            if error.code in wanted:
                return error
    return errors[0] if errors else None


def _code(answer: Answer, error: AnswerError | None) -> str:
    if error is None or not (error.code.isascii() and error.code.isalnum() and len(error.code) <= 12):
        return answer.code
    return f"{answer.code} {error.code}"


def _reason(answer: Answer, error: AnswerError | None) -> str:
    # The receiver's own texts may quote the patient: they stay in the attempt's stored answer.
    if error is not None and error.code.isdecimal() and int(error.code) in ERROR_TEXTS:
        return f"the receiver answered {answer.code}: {ERROR_TEXTS[int(error.code)].lower()} ({error.code})"
    return f"the receiver answered {answer.code} without a code of table 0357"


def _field(error: AnswerError | None) -> str:
    """`PID^1^3` (ERL: segment, sequence, field) as a path, `PID-3`; empty when it isn't one."""
    if error is None or not error.location:
        return ""
    parts = error.location.split("^")
    segment = parts[0]
    if not (len(segment) == 3 and segment.isascii() and segment.isalnum() and segment.isupper()):
        return ""
    if len(parts) > 2 and parts[2].isdecimal() and len(parts[2]) <= 3:
        return f"{segment}-{parts[2]}"
    return segment
