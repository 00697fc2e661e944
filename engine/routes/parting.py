"""
What waits of patients who are parted: whether it may leave as it was made, and how it is made anew (decision 0020).

Pure, like routes.evaluation: what it lacks it asks for (`Unread`, `Asked`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from engine.core.bundle import unpack
from engine.core.lifecycle import DeliveryState
from engine.core.messages import DeliveryFlag, PayloadKind
from engine.core.own_ids import former
from engine.errors import OperationRefused, ParseError
from engine.identity.claims import read_claims
from engine.identity.crossreference import Unread
from engine.identity.decisions import holds_together
from engine.parsers import open_message
from engine.routes.evaluation import render_again

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
    said = [(data, delivery.type)]
    if delivery.flags & DeliveryFlag.DERIVED:
        said.append((stored.raw, stored.type))  # it follows from what its message says of two numbers
    claims: list[Claims] = []
    try:
        claims += [_claims(configuration, stored, raw, type_, references) for raw, type_ in said]
        return all(one.persons and holds_together(one, knowledge.view) for one in claims)
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
