"""
Groups of segments inside a message: an order with its results, a patient with his orders.

A group begins at one of its heads and ends before the next one, or before a segment of a higher level (HL7 v2.5
§ 2.5.2: groups repeat as they stand): another patient, another order, or another specimen where orders stand under
those. Such a segment takes the place of its like above the groups that follow, so that no result stands under another
order than its own. The names are those of the standard's message structures.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final, NamedTuple

HEADS: Final[dict[str, tuple[str, ...]]] = {
    "PATIENT_RESULT": ("PID",),
    "PATIENT": ("PID",),
    "ORDER_OBSERVATION": ("ORC", "OBR"),
    "ORDER": ("ORC", "OBR"),
    "OBSERVATION_REQUEST": ("OBR",),
    "OBSERVATION": ("OBX",),
    "SPECIMEN": ("SPM",),
    "PROCEDURE": ("PR1",),
    "INSURANCE": ("IN1",),
    "RESOURCES": ("RGS",),
    "NEXT_OF_KIN": ("NK1",),
}
"""The segments with which a group begins, in their order: ORC, or OBR where there is no ORC."""

PATIENT: Final = frozenset({"PID", "P"})
"""Segments that begin another patient: what stood before them is about somebody else."""
_ORDERS: Final = ("ORC", "OBR")
"""What stands above results, specimens of an order, treatments; the highest first."""
_OVER_ORDERS: Final = frozenset({*PATIENT, "FT1"})
"""Segments to which orders belong that follow (DFT), whatever stands before them."""
_FOOT: Final = frozenset({"L"})
"""Segments that end a message, and each part of it."""
_MESSAGE: Final = frozenset({"MSH", "SFT", "UAC", "H", "FHS", "BHS"})
"""Segments of the whole message, which no patient takes along."""


class Group(NamedTuple):
    """One group of a message: positions of segments, from 0."""

    head: list[int]
    """What stands above it: of the message, of its patient."""
    own: list[int]


def groups_of(names: Sequence[str], by: str, kept: Collection[str] = ()) -> list[Group]:
    """
    Cut a message into groups.

    Args:
        names: The names of its segments, in order.
        by: Name of a group (HEADS), or of the segment with which one begins.
        kept: Names of the segments that stay in `head`; empty: all.

    Returns:
        The groups in order. A segment after a group's own ones that begins another patient ends the group, and
        takes the place of the former patient's segments in the heads that follow; another order does the same with
        the former order's where groups stand below it.
    """
    heads = HEADS.get(by, (by,))
    chain = _chain(names)
    if heads == _ORDERS and "ORC" not in chain:
        heads = ("OBR",)
    over = _over(heads, chain, names)
    above: list[int] = []  # what stands over the next group
    groups: list[Group] = []
    open_: list[int] | None = None
    foot = [position for position, name in enumerate(names) if name in _FOOT]
    last = -1  # rank among the heads of the last head in the open group
    for position, name in enumerate(names):
        if name in _FOOT:
            continue
        rank = heads.index(name) if name in heads else -1
        if rank >= 0 and (open_ is None or rank <= last):
            if name in PATIENT:
                above = _without_patient(above, names)
            open_ = []
            groups.append(Group([one for one in above if _stays(names[one], kept)], open_))
        elif name in PATIENT:
            above = _without_patient(above, names)
            open_ = None
        elif name in over:
            above = _without_likes(above, names, over[over.index(name) :])
            open_ = None
        if rank >= 0:
            last = rank
        if open_ is None:
            above.append(position)
        else:
            open_.append(position)
    return [Group(group.head, [*group.own, *foot]) for group in groups]


def _chain(names: Sequence[str]) -> tuple[str, ...]:
    """
    Return which segments stand one below the other in a message, the highest first.

    A specimen has orders where it stands before them (OML^O33, OUL^R22), else an order has specimens. An ORC right
    behind an OBR is a part of that one (OUL^R22 to R24); everywhere else it begins the order.
    """
    first = {name: names.index(name) for name in ("SPM", *_ORDERS) if name in names}
    orders = _ORDERS[1:] if "ORC" in first and names[first["ORC"] - 1] == "OBR" else _ORDERS
    specimens_first = "SPM" in first and all(first["SPM"] <= place for place in first.values())
    return ("SPM", *orders) if specimens_first else orders


def _over(heads: tuple[str, ...], chain: tuple[str, ...], names: Sequence[str]) -> tuple[str, ...]:
    """Return the segments of the chain below which groups with these heads stand."""
    head = heads[0]
    if head in chain:
        return chain[: chain.index(head)]
    if head == "OBX":
        return chain
    if head in _OVER_ORDERS or head not in names:
        return ()
    before = names[: names.index(head)]
    return chain if any(name in before for name in chain) else ()


def _without_patient(above: list[int], names: Sequence[str]) -> list[int]:
    """Leave what belongs to the message: the patient's segments are those from his PID on."""
    return _without_likes(above, names, PATIENT)


def _without_likes(above: list[int], names: Sequence[str], likes: Collection[str]) -> list[int]:
    """Leave what stands before the first segment of these names."""
    first = next((rank for rank, position in enumerate(above) if names[position] in likes), len(above))
    return above[:first]


def _stays(name: str, kept: Collection[str]) -> bool:
    return not kept or name in kept or name in _MESSAGE
