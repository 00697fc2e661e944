"""What a change may do to a row, said once for all stores. Each function raises ChangeRefused and changes nothing."""

from __future__ import annotations

from collections.abc import Collection

from engine.core.changes import Remake, Reopen, Requeue, Route, Treat
from engine.core.lifecycle import (
    FRAGMENT,
    FRAGMENT_WAITING,
    DeliveryState,
    MessageState,
    require_delivery_transition,
    require_message_transition,
)
from engine.core.messages import (
    ORDINAL_BITS,
    Delivery,
    DeliveryFlag,
    DeliveryKind,
    delivery_id,
    place_of,
    show_delivery_id,
)
from engine.errors import ChangeRefused

REFUSALS_KEPT = 1_000
"""Refusals kept for each source."""
REFUSAL_BYTES = 64 * 1024
"""Bytes kept of what was refused."""
TAKEOVERS_KEPT = 100
"""Lines of the log of configurations that are kept whatever their age."""
ANSWER_BYTES = 4 * 1024
"""Bytes kept of an answer."""


def no_message(place: int) -> ChangeRefused:
    """Say that a message doesn't exist, or no longer."""
    return ChangeRefused(f"there is no message {place}")


def no_delivery(delivery: int) -> ChangeRefused:
    """Say that a delivery doesn't exist, or no longer."""
    return ChangeRefused(f"there is no delivery {show_delivery_id(delivery)}")


def other_state(what: str, expected: str, found: str) -> ChangeRefused:
    """Say that something is not in the state that the change expected."""
    return ChangeRefused(f"{what} is {found}, not {expected} as expected: somebody changed it meanwhile")


def something_waits(destination: str, count: int) -> ChangeRefused:
    """Say that a destination can't go while something waits for it."""
    deliveries = "1 delivery waits" if count == 1 else f"{count:,} deliveries wait"
    return ChangeRefused(
        f"{deliveries} for {destination}, which the configuration no longer has: let them leave, or write "
        f"`renamed_from: {destination}` at the destination that takes its place (a `directory` where nobody does)"
    )


def wall(destination: str, behind: int, taken: Collection[int], config: str) -> Delivery:
    """
    Make a wall behind a delivery.

    Args:
        destination: Whose queue.
        behind: The last delivery in front of it.
        taken: Ids of the same message that walls have already.
        config: Hash of the configuration that wants it.
    """
    last = delivery_id(place_of(behind), (1 << ORDINAL_BITS) - 1)
    free = next(key for key in range(last, behind, -1) if key not in taken)
    # copies: 2 says `not alone`, so that it isn't counted as a copy of its message when it ends.
    return Delivery(free, destination, "", kind=DeliveryKind.WALL, config=config, copies=2)


def check_route(route: Route) -> None:
    """Check a routing decision in itself, and write into its deliveries how many they are."""
    require_message_transition(route.expected, route.state)
    deliveries = route.deliveries
    if bool(deliveries) != (route.state == MessageState.ROUTED):
        raise ChangeRefused(f"message {route.place}: a routed message has deliveries, and no other has")
    for delivery in deliveries:
        if delivery.place != route.place:
            raise ChangeRefused(f"delivery {show_delivery_id(delivery.id)} is not of message {route.place}")
    if bool(route.joins) != bool(route.whole) or route.place in route.joins:
        raise ChangeRefused(f"message {route.place} holds its own fragment, and those that join it")
    if route.joins and route.state is MessageState.REJECTED:
        raise ChangeRefused(f"message {route.place} is its sender's: nothing is joined to it")
    if route.ends and (route.state not in _ENDING or route.place in route.ends):
        raise ChangeRefused(f"message {route.place} is neither dead nor waits: nothing dies with it")
    write_copies(deliveries)


def check_joined(place: int, state: MessageState | None) -> None:
    """Check that a fragment may be joined to the message of a routing decision; None: there is none."""
    if state is None:
        raise no_message(place)
    if state not in _OPEN:
        raise other_state(f"message {place}", "a fragment that waits", state.name.lower())
    require_message_transition(state, MessageState.JOINED)


def check_ended(place: int, state: MessageState | None) -> None:
    """Check that a fragment may die with the message of a routing decision; None: there is none."""
    if state is None:
        raise no_message(place)
    if state is not MessageState.WAITING:
        raise other_state(f"message {place}", "waiting", state.name.lower())


def ended_code(route: Route) -> str:
    """Return the code of the fragments that die with a decision: its own, or that of a part where it waits on."""
    return route.code if route.state is MessageState.DEAD else FRAGMENT


def joined_reason(route: Route) -> str:
    """Say where a fragment went."""
    return f"went on as a part of message {route.place}"


def is_part(state: int, code: str) -> bool:
    """Tell whether an arrival is a part of a longer message: the same again is no news, whatever came between."""
    return state == MessageState.JOINED or (state == MessageState.WAITING and code == FRAGMENT_WAITING)


def write_copies(deliveries: list[Delivery]) -> None:
    """Write into the deliveries of one message how many they are."""
    count = len(deliveries)
    for delivery in deliveries:
        # `copies == 1` spares the store a look at the others when it settles: it must be true.
        alone = count == 1 and delivery.kind in (DeliveryKind.BYTES, DeliveryKind.BODILESS)
        delivery.copies = 1 if alone else max(count, 2)


def check_requeue(change: Requeue, old: Delivery) -> None:
    """Check that a delivery may go back to its place."""
    name, state, kind = f"delivery {show_delivery_id(change.delivery.id)}", old.state, old.kind
    if state != DeliveryState.DEAD:
        raise other_state(name, "dead", state.name.lower())
    if kind in (DeliveryKind.FENCE, DeliveryKind.WALL):
        raise ChangeRefused(f"{name} is a {kind.name.lower()}: nothing to send")
    if kind == DeliveryKind.BODILESS and not change.rendered_again:
        raise ChangeRefused(f"{name} has no bytes: its route must run again")
    if old.flags & DeliveryFlag.PARTED and not change.rendered_again:
        raise ChangeRefused(f"{name} was made before its patients were parted: its route must run again")


def check_remake(change: Remake, old: Delivery) -> None:
    """Check what becomes of a delivery that is marked PARTED."""
    name, given = f"delivery {show_delivery_id(old.id)}", change.delivery
    if old.state != DeliveryState.PENDING or old.attempts != change.expected_attempt:
        expected = f"pending after {change.expected_attempt} attempts"
        raise other_state(name, expected, f"{old.state.name.lower()} after {old.attempts}")
    if not old.flags & DeliveryFlag.PARTED:
        raise ChangeRefused(f"{name} isn't marked: there is nothing to make anew")
    if given.state not in (DeliveryState.PENDING, DeliveryState.DEAD):
        raise ChangeRefused(f"{name} can't become {given.state.name.lower()} by being made anew")
    if bool(given.flags & DeliveryFlag.PARTED) != (given.state == DeliveryState.DEAD):
        raise ChangeRefused(f"{name}: the mark goes when it may leave, and stays when it can't")


def keep_doubt(given: Delivery, old: Delivery) -> None:
    """Keep on what was rendered again that the receiver may have the delivery already, and with what in it."""
    given.flags |= old.flags & (DeliveryFlag.POSSIBLE_DUPLICATE | DeliveryFlag.ANOTHER_SENT)


def check_treat(change: Treat, state: DeliveryState) -> None:
    """Check an operator's treatment of one delivery."""
    if state != change.expected:
        raise other_state(
            f"delivery {show_delivery_id(change.delivery)}", change.expected.name.lower(), state.name.lower()
        )
    if change.state == DeliveryState.PENDING:
        raise ChangeRefused("a delivery goes back to its place by Requeue only")
    require_delivery_transition(change.expected, change.state)


def check_reopen(change: Reopen, state: MessageState) -> None:
    """Check that a message may change by itself, without a routing decision."""
    if state != change.expected:
        raise other_state(f"message {change.place}", change.expected.name.lower(), state.name.lower())
    if change.state not in (MessageState.RECEIVED, MessageState.DEAD, MessageState.DISCARDED):
        raise ChangeRefused(f"message {change.place} becomes {change.state.name.lower()} by Route only")
    require_message_transition(change.expected, change.state)


NOT_ROUTED = frozenset({MessageState.RECEIVED, MessageState.DUPLICATE, MessageState.REJECTED})
"""Arrivals that are no first ones for a retransmission: not decided yet, repeated, or refused to their sender."""
LIVE = frozenset({DeliveryState.PENDING, DeliveryState.DELIVERED})
"""Copies that make of a message the first one of its retransmissions: sent, or to be sent."""

_OPEN = frozenset({MessageState.RECEIVED, MessageState.WAITING})
_ENDING = frozenset({MessageState.DEAD, MessageState.WAITING})
"""With which others may die: it died with them, or waits in their place, so that nothing is joined there."""
_DEAD_MESSAGES = frozenset({MessageState.DEAD, MessageState.DISCARDED})
_DEAD_DELIVERIES = frozenset({DeliveryState.DEAD, DeliveryState.DISCARDED})


def is_finished(state: int, deliveries: list[tuple[int, bool]]) -> bool:
    """Tell whether pruning may touch a message: nothing of it is pending, parked or undecided."""
    return state not in _OPEN and not any(queued or other == DeliveryState.PENDING for other, queued in deliveries)


def is_dead(state: int, deliveries: list[int]) -> bool:
    """Tell whether a message is kept as long as dead letters: it, or a copy of it, is dead or discarded."""
    return state in _DEAD_MESSAGES or any(other in _DEAD_DELIVERIES for other in deliveries)


def fill_requeued(given: Delivery, stored: Delivery) -> None:
    """Make the object that is announced equal to the row, so that lanes can take it as it is."""
    given.lanes = stored.lanes
    given.kind = stored.kind
    given.route = stored.route
    given.type = stored.type
    given.payload_kind = stored.payload_kind
    given.target = stored.target
    given.control_id = stored.control_id
    given.config = stored.config
    given.flags = stored.flags
    given.state = stored.state
    given.queued = stored.queued
    given.attempts = stored.attempts
    given.spent = stored.spent
    given.code = given.field = given.reason = ""
    given.copies = stored.copies
    given.replay_of = stored.replay_of


def fill_remade(given: Delivery, old: Delivery, *, rendered_again: bool) -> None:
    """Make the object of a Remake equal to the row that it makes: what it doesn't say stays as it was."""
    keep_doubt(given, old)
    given.destination, given.queued = old.destination, True
    given.attempts, given.spent, given.copies, given.replay_of = old.attempts, old.spent, old.copies, old.replay_of
    if given.state == DeliveryState.PENDING:
        given.due_ms, given.code, given.field, given.reason = old.due_ms, old.code, old.field, old.reason
    if not rendered_again:
        given.route, given.kind, given.type, given.payload_kind = old.route, old.kind, old.type, old.payload_kind
        given.target, given.control_id, given.config = old.target, old.control_id, old.config
        given.payload = given.rendered = None


def bytes_removed(place: int) -> ChangeRefused:
    """Say that a message can't be sent or routed again."""
    return ChangeRefused(f"the bytes of message {place} were removed after their retention")
