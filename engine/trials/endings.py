"""How a message or a delivery ended, and how that is told."""

from __future__ import annotations

from typing import Final

from engine.core.lifecycle import FRAGMENT_WAITING, DeliveryState, MessageState
from engine.routes.cases import Outcome
from engine.trials.running import Passed

_PARTS: Final = "; to try it as a whole, put all parts into one file, in their order"


def fits(wanted: Outcome, code: str, field: str, reason: str) -> bool:
    """Compare an ending with the expected one; what the test doesn't say fits."""
    return (
        wanted.code in ("", code)
        and wanted.field in ("", field)
        and (not wanted.reason or wanted.reason in reason)
    )  # fmt: skip


def told(wanted: Outcome) -> str:
    """Say what was expected."""
    words = {"dead_letter": "a dead letter", "rejected": "a rejection"}.get(wanted.kind, f"to be {wanted.kind}")
    return " ".join(filter(None, (words, wanted.code, wanted.field, f'"{wanted.reason}"' if wanted.reason else "")))


def ending_of(passed: Passed) -> str:
    """Say what became of a message, as the second half of a sentence."""
    evaluation = passed.evaluation
    if evaluation.state is not MessageState.ROUTED:
        words = " ".join(filter(None, (evaluation.code, evaluation.field)))
        hint = _PARTS if evaluation.code == FRAGMENT_WAITING else ""
        return f"it is {evaluation.state.name.lower()} ({words}: {evaluation.reason}{hint})"
    parts = []
    for one in evaluation.deliveries:
        if one.state is DeliveryState.DEAD:
            parts.append(
                f"it is dead for {one.destination} ({' '.join(filter(None, (one.code, one.field)))}: {one.reason})"
            )
        else:
            parts.append(f"it is delivered to {one.destination}")
    return ", ".join(parts)
