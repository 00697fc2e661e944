"""Until when messages wait for what isn't there yet, and what happens then: in words."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any, Final

from engine.core.lifecycle import FRAGMENT_WAITING
from engine.identity.policy import OnUnknown, Unknown
from engine.transforms.identifying import rules_for_unknown

if TYPE_CHECKING:
    from engine.operations.desk import Desk
    from engine.routes.configuration import Configuration

_WORDS: Final = {
    Unknown.MINT: "a new patient is made",
    Unknown.DEAD_LETTER: "it becomes a dead letter",
    Unknown.PASS: "it goes on without a federation identifier",
}
_PARTS: Final = {
    "dead_letter": "it becomes a dead letter",
    "deliver": "it goes on by itself, unless its patient may be cut",
}


async def wait_of(desk: Desk, row: dict[str, Any]) -> dict[str, Any]:
    """
    Say of a message until when it waits and what happens then.

    Args:
        desk: Where.
        row: The message, as the store knows it.

    Returns:
        `waits_until_ms` and `then`; nothing of a message that doesn't wait.
    """
    until = await desk.queries.wait_end(int(row["place"]))
    if not until:
        return {}
    parts = row["code"] == FRAGMENT_WAITING
    return {"waits_until_ms": until, "then": what_follows(desk.configuration(), [str(row["source"])], parts=parts)}


def what_follows(configuration: Configuration | None, sources: Collection[str] | None, *, parts: bool) -> str:
    """
    Say what happens to a message whose time is over.

    Args:
        configuration: Today's: it decides. None: none is known.
        sources: Whose messages; None: of all.
        parts: It waits for the other parts of a longer message, not for a patient.

    Returns:
        Words, joined by `or` where sources or routes differ; empty when nothing says it.
    """
    if configuration is None:
        return ""
    if sources is not None:  # some may have had another name when their messages came
        declared = [configuration.sources.get(name) for name in sources]
        sources = [one.name for one in declared if one is not None]
    if parts:
        rules = [one.fragments for name, one in configuration.sources.items() if sources is None or name in sources]
        return _joined(_PARTS[rule.then] for rule in rules if rule.join)
    routes = [route for route in configuration.routes if sources is None or not set(sources).isdisjoint(route.sources)]
    variants = [each for route in routes for each in (route.steps, *(one.steps for one in route.to))]
    steps = [step for each in variants for some in each.values() for step in some]
    return _joined(_identity(rule) for rule in rules_for_unknown(steps) if rule.action is Unknown.HOLD)


def _identity(rule: OnUnknown) -> str:
    then = rule.after_wait
    return f"it goes to {then.destination}" if then.destination else _WORDS[then.action]


def _joined(words: Iterable[str]) -> str:
    return " or ".join(sorted(set(words)))
