"""One message step by step, as plain values: for the screen and for JSON; with its values, or masked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from engine.core.lifecycle import DeliveryState
from engine.core.messages import Delivery, show_delivery_id
from engine.routes.configuration import Configuration
from engine.trials.difference import Change
from engine.trials.endings import ending_of
from engine.trials.following import Followed, Stepped
from engine.trials.report import shortened

Row = dict[str, Any]
_UNWANTED: Final = "the route {0} doesn't want it; passerelle explain {0} says which condition doesn't hold"
Show = Callable[[Sequence[Change]], list[Row]]
"""Changes as `{"path", "old", "new"}`; None where there was, or is, nothing."""


def plain(changes: Sequence[Change]) -> list[Row]:
    """Show changes with their values."""
    return [{"path": one.path, "old": _cut(one.old), "new": _cut(one.new)} for one in changes]


def told(followed: Followed, configuration: Configuration, show: Show, *, bodies: bool) -> Row:
    """
    Tell what each step did.

    Args:
        followed: What was followed.
        configuration: Under which.
        show: How changes are shown.
        bodies: Whether rendered bodies may be shown.
    """
    passed = followed.passed
    route = next(one for one in configuration.routes if one.name == followed.route)
    return {
        "route": followed.route,
        "message": passed.name,
        "source": passed.stored.source,
        "site": passed.evaluation.site,
        "type": passed.stored.type,
        "when": route.when_text,
        "wanted": followed.wanted,
        "steps": [_step(one, show, bodies=bodies) for one in followed.steps],
        "exits": [
            {
                "destination": one.destination,
                "steps": [_step(step, show, bodies=bodies) for step in followed.exits[one.destination]],
                "deliveries": [_delivery(delivery) for delivery in passed.deliveries(one.destination)],
            }
            for one in route.to_of(passed.evaluation.site)
        ],
        "ending": ending_of(passed) if followed.wanted is not False else _UNWANTED.format(followed.route),
        "findings": passed.evaluation.findings,
    }  # fmt: skip


def _step(step: Stepped, show: Show, *, bodies: bool) -> Row:
    row: Row = {"verb": step.verb, "label": step.label, "where": "", "runs": step.runs,
                "changes": show(step.changes), "left": step.left, "stopped": step.stopped}  # fmt: skip
    if step.mark is not None:
        row["where"] = f"{step.mark.file}:{step.mark.line}"
    if step.body is not None:
        row["body"] = _cut(step.body.decode("utf-8", "replace")) if bodies else f"({len(step.body)} bytes)"
    return row


def _delivery(delivery: Delivery) -> Row:
    dead = delivery.state is DeliveryState.DEAD
    return {
        "id": show_delivery_id(delivery.id), "state": "dead" if dead else "delivered", "code": delivery.code,
        "field": delivery.field, "reason": delivery.reason, "target": delivery.target,
        "size": len(delivery.rendered or b""), "lanes": len(delivery.lanes),
    }  # fmt: skip


def _cut(text: str | None) -> str | None:
    return None if text is None else shortened(text)
