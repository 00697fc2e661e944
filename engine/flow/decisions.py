"""The changes that a router's decisions are: routed, a retransmission, dead by a fault of ours."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from engine.core.changes import Route
from engine.core.lifecycle import FRAGMENT, MessageState
from engine.core.messages import StoredMessage
from engine.core.ports import Place
from engine.routes.decision import Evaluation

INTERNAL: Final = "E-INTERNAL"


def decided(message: StoredMessage, evaluation: Evaluation, lanes: Collection[int], config: str) -> Route:
    """
    Make the change of an evaluation.

    Args:
        message: On which was decided.
        evaluation: What was decided.
        lanes: The lane keys of all its deliveries.
        config: Hash of the configuration.
    """
    joins = message.joins if evaluation.state is not MessageState.REJECTED else ()  # refused: they wait on
    return Route(
        place=message.place,
        group=message.group,
        source=message.source,
        expected=message.state,
        state=evaluation.state,
        site=evaluation.site,
        type=evaluation.type,
        code=evaluation.code,
        field=evaluation.field,
        reason=evaluation.reason,
        config=config,
        linked_to=_own_place(message),
        deliveries=evaluation.deliveries,
        keys=list({*evaluation.keys, *lanes}),
        identity=evaluation.identity,
        releases=evaluation.releases,
        wait=evaluation.wait,
        joins=joins,
        whole=message.raw if joins else b"",
    )


def duplicate(message: StoredMessage, original: Place, config: str) -> Route:
    """Make the change of a retransmission."""
    reason = f"the same control id and bytes as message {original}"
    route = _ended(message, MessageState.DUPLICATE, "E-DUPLICATE", reason, config)
    route.linked_to = original
    return route


def repeated_part(message: StoredMessage, original: Place, config: str) -> Route:
    """Make the change of a part of a longer message that came again, perhaps under another control id."""
    route = duplicate(message, original, config)
    route.reason = f"the same part as message {original}, which waits for the others"
    return route


def fragment_dead(message: StoredMessage, field: str, reason: str, config: str) -> Route:
    """Make the change of a part of a longer message that can't become one with the others."""
    route = _ended(message, MessageState.DEAD, FRAGMENT, reason, config)
    route.field = field
    return route


def faulty(of: StoredMessage | Route, why: str, config: str) -> Route:
    """Make the change of a message on which our own code fails; `why` is a place in it, never a value."""
    reason = f"a fault of Passerelle: {why}; please report it, then retry after the next version"
    return _ended(of, MessageState.DEAD, INTERNAL, reason, config)


def _ended(of: StoredMessage | Route, state: MessageState, code: str, reason: str, config: str) -> Route:
    """Make the change of a message that ends without having gone through its routes."""
    expected = of.expected if isinstance(of, Route) else of.state
    return Route(
        of.place, of.group, of.source, expected, state, of.site, of.type, code, "", reason, config, _own_place(of)
    )  # fmt: skip


def _own_place(of: StoredMessage | Route) -> Place:
    """Return the link of a fragment that goes on alone: from then on it is never taken for one that waits."""
    alone = of.linked_to == of.place if isinstance(of, Route) else of.alone
    return of.place if alone else 0
