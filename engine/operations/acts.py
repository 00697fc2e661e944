"""
Acts of operators: small intentions that the stage concerned executes in its own order.

Each act is audited before anything happens, recorded as intentions, and its outcome awaited while an engine
runs. Without one the intentions stay, and the engine executes them when it starts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from engine.core.changes import Audit, Intend
from engine.core.messages import Intention
from engine.errors import OperationRefused
from engine.operations.desk import Answer, Desk
from engine.operations.wording import several

RECORDED: Final = "recorded; it will be carried out when the engine starts"
UNDER_WAY: Final = "under way; ask `passerelle audit` or look again"
ACTS_MAX: Final = 10_000
"""Intentions of one act; more are done in several."""
_SUBJECT_IDS: Final = 8
_POLL_SECONDS: Final = 0.02


@dataclass(slots=True, kw_only=True)
class Act:
    """One intention to be: which stage does what to what."""

    stage: str
    verb: str
    arguments: dict[str, str | int | bool | list[int]] = field(default_factory=dict)
    label: str
    """Id or name, as people write it."""


def require_reason(reason: str) -> str:
    """
    Return the reason without blanks around it.

    Raises:
        OperationRefused: There is none (usage).
    """
    if not reason.strip():
        raise OperationRefused("a reason is needed (--reason): it stands in the audit trail", exit_code=2)
    return reason.strip()[:500]


def require_count(found: int, expect: int | None, noun: str, plural: str = "") -> None:
    """
    Compare the number of what an act would change with the number expected.

    Raises:
        OperationRefused: They differ (exit code 3), or there are too many for one act.
    """
    if expect is not None and found != expect:
        raise OperationRefused(f"{several(found, noun, plural)}, not {expect:,}: nothing was changed", exit_code=3)
    if found > ACTS_MAX:
        raise OperationRefused(f"{several(found, noun, plural)} are too many for one act (at most {ACTS_MAX:,})")


async def carry_out(desk: Desk, acts: Sequence[Act], *, who: str, verb: str, reason: str, subject: str = "") -> Answer:
    """
    Audit, record and follow some acts of one request.

    Args:
        desk: Where.
        acts: What; their order is kept by each stage.
        who: Name of the operator.
        verb: What the request was called, for the audit trail (`dead retry`).
        reason: Why; checked.
        subject: What the audit trail says that it is about; the labels of the acts when empty.

    Returns:
        count, accepted, refused, waiting, and `rows`: id, accepted (None while it waits), outcome.
    """
    reason = require_reason(reason)
    now = desk.now_ms()
    intends = [Intend(Intention(act.stage, act.verb, act.arguments, who, reason, now)) for act in acts]
    subject = subject or _subject(acts)
    receipts = await desk.commit(Audit(now, who, verb, subject, reason), *intends)
    ids = [receipt.place for receipt in receipts[1:]]
    outcomes: list[tuple[bool, str] | None]
    if desk.live is None:
        outcomes = [None] * len(ids)
    else:
        outcomes = await _follow(desk, ids)
    waiting = RECORDED if desk.live is None else UNDER_WAY
    rows: list[dict[str, Any]] = []
    for act, outcome in zip(acts, outcomes, strict=True):
        accepted, words = outcome if outcome is not None else (None, waiting)
        rows.append({"id": act.label, "accepted": accepted, "outcome": words})
    return {
        "v": 1,
        "count": len(rows),
        "accepted": sum(row["accepted"] is True for row in rows),
        "refused": sum(row["accepted"] is False for row in rows),
        "waiting": sum(row["accepted"] is None for row in rows),
        "rows": rows,
    }


def outcome_words(accepted: Sequence[bool | None]) -> str:
    """Write `accepted`, `refused`, `pending`, or `2 accepted, 1 refused`; None stands for one that waits."""
    counts = {"accepted": accepted.count(True), "refused": accepted.count(False), "pending": accepted.count(None)}
    found = {word: count for word, count in counts.items() if count}
    if not found:
        return ""
    return next(iter(found)) if len(found) == 1 else ", ".join(f"{count:,} {word}" for word, count in found.items())


async def _follow(desk: Desk, ids: Sequence[int]) -> list[tuple[bool, str] | None]:
    """Ask for the outcomes, in order, until all are there or the time is over."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + desk.outcome_within
    outcomes: list[tuple[bool, str] | None] = []
    for intention in ids:
        outcome = await desk.queries.intention_outcome(intention)
        while outcome is None and loop.time() < deadline:
            await asyncio.sleep(_POLL_SECONDS)
            outcome = await desk.queries.intention_outcome(intention)
        outcomes.append(outcome)
    return outcomes


def _subject(acts: Sequence[Act]) -> str:
    labels = list(dict.fromkeys(act.label for act in acts))
    shown = ", ".join(labels[:_SUBJECT_IDS])
    return shown if len(labels) <= _SUBJECT_IDS else f"{shown} and {len(labels) - _SUBJECT_IDS:,} more"
