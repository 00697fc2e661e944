"""Names that operators type: one that nobody knows is answered with those that exist."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from engine.errors import OperationRefused
from engine.operations.desk import Desk

_SHOWN: Final = 20


async def require_destination(desk: Desk, name: str) -> None:
    """
    Check the name of a destination.

    Raises:
        OperationRefused: Neither the configuration nor the past knows it.
    """
    await _require(desk, name, "destination", "destinations", "delivery")


async def require_source(desk: Desk, name: str) -> None:
    """
    Check the name of a source.

    Raises:
        OperationRefused: Neither the configuration nor the past knows it.
    """
    await _require(desk, name, "source", "sources", "received")


def unknown(noun: str, name: str, names: Iterable[str]) -> OperationRefused:
    """Say `there is no destination 'dpo'; there are archive, dpi`."""
    known = list(dict.fromkeys(names))
    more = f" and {len(known) - _SHOWN:,} more" if len(known) > _SHOWN else ""
    there_are = f"; there are {', '.join(known[:_SHOWN])}{more}" if known else ""
    return OperationRefused(f"there is no {noun} '{name}'{there_are}")


def no_message(place: int) -> OperationRefused:
    """Say that a message isn't there, and where the newest are listed."""
    sentence = f"there is no message {place}; perhaps its retention is over; `passerelle msg find` lists the newest"
    return OperationRefused(sentence)


async def _require(desk: Desk, name: str, noun: str, part: str, counted: str) -> None:
    configuration = desk.configuration()
    declared = list(getattr(configuration, part)) if configuration is not None else []
    if name in declared:
        return
    past = sorted(known for kind, known, _ in await desk.queries.counters() if kind == counted)
    if name not in past:
        raise unknown(noun, name, declared or past)
