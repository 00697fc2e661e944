"""
What waits of patients who are parted: whether it may leave as it was made, and how it is made anew (decision 0020).

Pure, like routes.evaluation: what it lacks it asks for (`Unread`, `Asked`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from engine.core.bundle import unpack
from engine.core.lifecycle import DeliveryState
from engine.core.messages import DeliveryFlag, PayloadKind
from engine.core.own_ids import former
from engine.errors import OperationRefused, ParseError
from engine.identity.claims import read_claims
from engine.identity.crossreference import Unread
from engine.identity.decisions import doubt, holds_together, is_about
from engine.parsers import open_message
from engine.routes.evaluation import look_ahead, render_again

if TYPE_CHECKING:
    from engine.core.asking import Answers
    from engine.core.messages import Delivery, StoredMessage
    from engine.core.references import References
    from engine.identity.claimed import Claims
    from engine.routes.configuration import Configuration
    from engine.routes.identifying import Knowledge

PARTED: Final = "E-ID-PARTED"


class Cause(NamedTuple):
    """Why a delivery can't be made anew."""

    reason: str
    """A sentence without any value of the message."""
    field: str = ""
    lanes: tuple[int, ...] = ()
    """Those of its patients, as far as they are known."""


def stands(
    configuration: Configuration, stored: StoredMessage, delivery: Delivery, data: bytes, references: References,
    knowledge: Knowledge,
) -> bool:  # fmt: skip
    """
    Tell whether a delivery may leave as it was made: its numbers name one patient each time, by what is known now.

    Args:
        configuration: Today's.
        stored: Its message.
        delivery: Its row.
        data: Its bytes.
        references: Makes the hashes.
        knowledge: What is known.

    Returns:
        False also where the bytes can't be read: what a route rendered is made anew, and compared.

    Raises:
        Unread: Rows were never read.
    """
    if delivery.payload_kind is PayloadKind.BUNDLE:
        data = unpack(data).data
    view, claims = knowledge.view, []
    try:
        sent = _claims(configuration, stored, data, delivery.type, references)
        received = look_ahead(configuration, replace(stored, alone=True), references, knowledge)
        claims = [sent] if received is None else [sent, received]
        if not sent.persons or not holds_together(sent, view):
            return False
        if delivery.flags & DeliveryFlag.DERIVED:  # it follows from what its message says of two numbers
            cause = received or _claims(configuration, stored, stored.raw, stored.type, references)
            return bool(cause.persons) and holds_together(cause, view)
        if received is None:  # its source is gone
            return True
        policy = configuration.policies[stored.source]
        return is_about(sent, received, view, policy) and not doubt(received, view, policy)
    except (ParseError, ValueError):
        return False
    except Unread as unread:
        raise unread.with_identifiers(key for one in claims for key in one.keys) from None


def _claims(
    configuration: Configuration, stored: StoredMessage, data: bytes, type_: str, references: References
) -> Claims:
    source = configuration.sources.get(stored.source)
    recogniser = configuration.authorities.of(stored.site, source.untyped if source is not None else "")
    kind, _, event = type_.partition("^")
    return read_claims(
        open_message(data), recogniser, references, site=stored.site, type_=kind, event=event.partition("^")[0]
    )


def made_anew(
    configuration: Configuration, stored: StoredMessage, delivery: Delivery, data: bytes, references: References,
    answers: Answers, knowledge: Knowledge, at_ms: int,
) -> Delivery | Cause:  # fmt: skip
    """
    Make a delivery anew by what is known now, in its place; nothing is decided again.

    Its lanes are today's and its former ones: what came behind it may wait under either.

    Args:
        configuration: Today's: that of its route, as with a retry.
        stored: Its message.
        delivery: Its row.
        data: Its bytes.
        references: Makes the hashes.
        answers: Replies of the hospital's own code.
        knowledge: What is known; `recalls`.
        at_ms: As for `evaluate`.

    Returns:
        The delivery, ready to send; or why there is none.

    Raises:
        Asked, Unread: As `evaluate`.
    """
    if delivery.flags & DeliveryFlag.DERIVED:
        return Cause("this merge follows from what was taken back since")
    doubtful = _doubt(configuration, stored, references, knowledge)
    if doubtful:
        return Cause(doubtful, "PID-3")
    try:
        again = render_again(
            configuration, stored, references, delivery.route, delivery.destination, delivery.id, delivery.part,
            answers, knowledge, at_ms, former(delivery, data),
        )  # fmt: skip
    except OperationRefused as refused:
        return Cause(str(refused))
    lanes = tuple(dict.fromkeys((*again.lanes, *delivery.lanes)))
    if again.state is not DeliveryState.PENDING:
        inner = "" if again.code == PARTED else f"{again.code}: "
        return Cause(f"{inner}{again.reason}", again.field, lanes)
    again.lanes = lanes
    mark_made_anew(again, delivery, data)
    return again


def _doubt(
    configuration: Configuration, stored: StoredMessage, references: References, knowledge: Knowledge
) -> str:  # fmt: skip
    """Say why nothing shows who is meant, whatever the route does; empty: something does, or rendering will tell."""
    claims = look_ahead(configuration, replace(stored, alone=True), references, knowledge)
    if claims is None:
        return ""
    try:
        return doubt(claims, knowledge.view, configuration.policies[stored.source])
    except Unread as unread:
        raise unread.with_identifiers(claims.keys) from None


def mark_made_anew(again: Delivery, former: Delivery, data: bytes) -> None:
    """
    Mark what is made of other bytes where the former ones may have arrived: people have to tell the receiver.

    Args:
        again: As it is made now.
        former: Its row; only what was made before its patients were parted is marked.
        data: Its former bytes.
    """
    if former.flags & DeliveryFlag.PARTED and former.flags & DeliveryFlag.POSSIBLE_DUPLICATE and again.rendered != data:
        again.flags |= DeliveryFlag.ANOTHER_SENT
