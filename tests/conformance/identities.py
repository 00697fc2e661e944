"""Rows of the cross-reference for the conformance suite: few fields differ from one to the next."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from engine.core.changes import Route
from engine.core.identities import (
    Assertion,
    IdentifierKind,
    IdentifierRow,
    IdentityEvent,
    PatientRow,
    ReviewRow,
    Wait,
)
from engine.core.lifecycle import MessageState
from engine.core.messages import Delivery, DeliveryKind


def said(site: str = "cha", *, traits: int = 0, **values: Any) -> Assertion:
    """What a site says of a patient."""
    one = Assertion(
        site, "VALI", ("homonym",), "D'ÉPÉE", "ZOÉ", "ZOÉ LÉA", "19800101", "F", "75056", 0, traits, 1, 2_000
    )  # fmt: skip
    return replace(one, **values)


def patient(key: int, *assertions: Assertion, identifiers: tuple[int, ...] = (), **values: Any) -> PatientRow:
    """A patient."""
    return PatientRow(key, f"G{key:09}", assertions, identifiers, **values)


def identifier(hash_: int, owner: int, value: str = "", kind: IdentifierKind = IdentifierKind.LOCAL) -> IdentifierRow:
    """An identifier of a patient."""
    return IdentifierRow(hash_, kind, "1.2.250.1.71.4.2.7^PI", value or f"V{hash_}", owner)


def stay(hash_: int, under: int) -> IdentifierRow:
    """A stay, under a local number."""
    return IdentifierRow(hash_, IdentifierKind.STAY, "1.2.250.1.71.4.2.8^AN", f"S{hash_}", 0, under)


def mint(key: int, *hashes: int, place: int = 1, traits: int = 0) -> IdentityEvent:
    """A patient is new, with his identifiers."""
    row = patient(key, said(traits=traits, place=place), identifiers=tuple(sorted(hashes)))
    return IdentityEvent(
        "mint", place, 2_000,
        identifiers={hash_: (None, identifier(hash_, key)) for hash_ in hashes}, patients={key: (None, row)},
    )  # fmt: skip


def attach(row: PatientRow, hash_: int, *, place: int = 1, at_ms: int = 2_000) -> IdentityEvent:
    """A patient gets one more identifier."""
    after = replace(row, identifiers=tuple(sorted((*row.identifiers, hash_))))
    return IdentityEvent(
        "attach", place, at_ms, identifiers={hash_: (None, identifier(hash_, row.id))}, patients={row.id: (row, after)}
    )


def reverse(event: IdentityEvent, *, who: str = "alice") -> IdentityEvent:
    """What undoes an event."""
    return IdentityEvent(
        "undo", event.place, 3_000, who, "typed twice", event.id,
        {key: (after, before) for key, (before, after) in event.identifiers.items()},
        {key: (after, before) for key, (before, after) in event.patients.items()},
        {key: (after, before) for key, (before, after) in event.reviews.items()},
    )  # fmt: skip


def review(low: int, high: int, **values: Any) -> ReviewRow:
    """A pair on the review list."""
    return replace(ReviewRow(low, high, "same-traits", "two patients with the same strict traits", 1, 2_000), **values)


def fence(place: int, *lanes: int, destination: str = "dpi") -> Delivery:
    """A fence as the router proposes it."""
    return Delivery(place << 16, destination, "", lanes, DeliveryKind.FENCE, config="c1")


def waits(place: int, *hashes: int, until_ms: int = 9_000, group: str = "main") -> Route:
    """The decision that a message waits."""
    wait = Wait(hashes, until_ms)
    return Route(
        place, group, "gam", MessageState.RECEIVED, MessageState.WAITING, code="E-ID-WAIT", reason="unknown", wait=wait
    )
