"""
Identity rows as plain values, for a database and for the wire: tuples and lists of numbers and texts.

What a patient's row became is written as its difference to what it was: an event is kept as long as its link lives,
and most events change one assertion of several.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any, Final

from engine.core.identities import (
    Assertion,
    IdentifierKind,
    IdentifierRow,
    IdentityEvent,
    PatientRow,
    ReviewRow,
    ReviewState,
)

_COMPRESSED_FROM: Final = 200
_LEVEL: Final = 2
"""Of compression: a few hundred bytes gain nothing by more."""
_ASCII: Final = json.JSONEncoder(separators=(",", ":")).encode
_TEXT: Final = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode
_assertion_values: Final = attrgetter(*(name for name in Assertion.__slots__ if name != "firm"))
_SAID: Final = len(Assertion.__slots__) - 1
_review_values: Final = attrgetter("low", "high", "rule", "sentence", "place", "at_ms", "state._value_")
# Looked up rather than called: an enum's constructor costs more than the rest of a row.
KINDS: Final = {kind.value: kind for kind in IdentifierKind}
REVIEW_STATES: Final = {state.value: state for state in ReviewState}


def pack_patient(row: PatientRow) -> tuple[Any, ...]:
    """Return a patient's row as plain values."""
    return row.id, row.number, list(map(_values_said, row.assertions)), row.identifiers, row.apart


def unpack_patient(values: Sequence[Any]) -> PatientRow:
    """Return the row of `pack_patient`'s values, lists for tuples allowed."""
    key, number, assertions, identifiers, apart = values
    return PatientRow(key, number, tuple(map(_assertion, assertions)), tuple(identifiers), tuple(apart))


def _assertion(values: Sequence[Any]) -> Assertion:
    site, status, attributes, *rest = values
    if len(values) > _SAID:
        rest[-1] = tuple(rest[-1])
    return Assertion(site, status, tuple(attributes), *rest)


def _values_said(row: Assertion) -> tuple[Any, ...]:
    """Return what a site says as plain values; of what it was sure before, only where that is another matter."""
    values: tuple[Any, ...] = _assertion_values(row)
    return (*values, row.firm) if row.firm else values


def pack_identifier(row: IdentifierRow) -> tuple[Any, ...]:
    """Return an identifier's row as plain values."""
    return row.hash, row.kind.value, row.authority, row.value, row.patient, row.under


def unpack_identifier(values: Sequence[Any]) -> IdentifierRow:
    """Return the row of `pack_identifier`'s values."""
    hash_, kind, authority, value, patient, under = values
    return IdentifierRow(hash_, KINDS[kind], authority, value, patient, under)


def pack_review(row: ReviewRow) -> tuple[Any, ...]:
    """Return a pair of the review list as plain values."""
    values: tuple[Any, ...] = _review_values(row)
    return values


def unpack_review(values: Sequence[Any]) -> ReviewRow:
    """Return the row of `pack_review`'s values."""
    low, high, rule, sentence, place, at_ms, state = values
    return ReviewRow(low, high, rule, sentence, place, at_ms, REVIEW_STATES[state])


def pack_touched(event: IdentityEvent) -> tuple[Any, ...]:
    """Return what an event touched, before and after, as plain values."""
    return (
        [(_or_none(pack_identifier, one), _or_none(pack_identifier, two)) for one, two in event.identifiers.values()],
        [(_or_none(pack_patient, one), _patient_after(one, two)) for one, two in event.patients.values()],
        [(_or_none(pack_review, one), _or_none(pack_review, two)) for one, two in event.reviews.values()],
    )


def unpack_touched(event: IdentityEvent, values: Sequence[Any]) -> IdentityEvent:
    """Write into an event what `pack_touched` returned."""
    identifiers, patients, reviews = values
    for one, two in identifiers:
        event.identifiers[(one or two)[0]] = _or_none(unpack_identifier, one), _or_none(unpack_identifier, two)
    for one, two in patients:
        before = _or_none(unpack_patient, one)
        after = _read_patient_after(before, two)
        event.patients[(before or after).id] = before, after  # type: ignore[union-attr]
    for one, two in reviews:
        low, high = (one or two)[:2]
        event.reviews[low, high] = _or_none(unpack_review, one), _or_none(unpack_review, two)
    return event


def pack_event(event: IdentityEvent) -> tuple[Any, ...]:
    """Return an event as plain values."""
    return event.rule, event.place, event.at_ms, event.who, event.reason, event.undoes, pack_touched(event)


def unpack_event(values: Sequence[Any]) -> IdentityEvent:
    """Return the event of `pack_event`'s values, without an id."""
    *head, touched = values
    return unpack_touched(IdentityEvent(*head), touched)


def write_touched(event: IdentityEvent) -> bytes:
    """Return what an event touched, as the bytes that are stored: JSON, compressed where that pays."""
    text = _ASCII(pack_touched(event)).encode("ascii")
    return zlib.compress(text, _LEVEL) if len(text) >= _COMPRESSED_FROM else text


def read_touched(event: IdentityEvent, data: bytes) -> IdentityEvent:
    """Write into an event what `write_touched` returned."""
    # JSON begins with a bracket, a zlib stream never does (RFC 1950).
    return unpack_touched(event, json.loads(data if data[:1] == b"[" else zlib.decompress(data)))


def write_text(values: Any) -> str:
    """Return plain values as a JSON text that a database can hold, lone surrogates escaped."""
    text = _TEXT(values)
    try:
        text.encode()
    except UnicodeEncodeError:
        return _ASCII(values)
    return text


def _or_none(function: Any, row: Any) -> Any:
    return None if row is None else function(row)


def _patient_after(before: PatientRow | None, after: PatientRow | None) -> Any:
    """Return the row after: whole where it is new, else its number and what differs: nothing said, nothing changed."""
    if after is None or before is None:
        return _or_none(pack_patient, after)
    old = {each.site: each for each in before.assertions}
    sites = {each.site for each in after.assertions}
    changed = [_values_said(each) for each in after.assertions if old.get(each.site) != each]
    gone = [site for site in old if site not in sites]
    return {
        "n": after.number,
        **({"a": changed} if changed else {}),
        **({"g": gone} if gone else {}),
        **({"i": after.identifiers} if after.identifiers != before.identifiers else {}),
        **({"x": after.apart} if after.apart != before.apart else {}),
    }


def _read_patient_after(before: PatientRow | None, values: Any) -> PatientRow | None:
    if not isinstance(values, Mapping):
        return None if values is None else unpack_patient(values)
    assert before is not None
    assertions = {each.site: each for each in before.assertions if each.site not in values.get("g", ())}
    assertions |= {each.site: each for each in map(_assertion, values.get("a", ()))}
    return PatientRow(
        before.id,
        values["n"],
        tuple(assertions[site] for site in sorted(assertions)),
        tuple(values.get("i", before.identifiers)),
        tuple(values.get("x", before.apart)),
    )
