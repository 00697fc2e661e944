"""How fragments hang together: neighbours, rivals, chains."""

from __future__ import annotations

import pytest

from engine.flow import chains
from engine.flow.chains import bars, both, chain_of, describe, neighbours, rivals
from engine.parsers.hl7v2.fragments import NotOne

BEGIN, MIDDLE, END = (11,), (10, 21), (20,)


def test_neighbours_stand_on_their_side() -> None:
    """What goes on is continued by what came behind it only."""
    waiting = {5: MIDDLE, 3: BEGIN, 7: BEGIN, 9: END, 2: END}
    assert neighbours(5, 10, waiting) == [3]
    assert neighbours(5, 21, waiting) == [9]
    assert neighbours(8, 10, waiting) == [3, 7]


def test_rivals() -> None:
    """Two begin or continue the same; not where another begins between two that continue it."""
    assert rivals(9, BEGIN, {1: BEGIN}) == [1]
    assert rivals(9, END, {1: END}) == [1]
    assert rivals(9, END, {1: END, 5: (21,)}) == []
    assert rivals(1, END, {9: END, 5: (21,)}) == []
    assert rivals(9, END, {6: END, 5: (21,), 10: (21,)}) == [6]
    assert rivals(9, MIDDLE, {9: MIDDLE, 5: (21,)}) == [5]


def test_chains() -> None:
    """From any of its parts; not where one is missing, or on the wrong side."""
    whole = {1: BEGIN, 4: MIDDLE, 8: END}
    for place, ends in whole.items():
        assert chain_of(place, ends, whole) == [1, 4, 8]
    assert chain_of(8, END, {**whole, 2: END}) == [1, 4, 8], "one that is too old"
    assert chain_of(8, END, {4: MIDDLE}) is None
    assert chain_of(8, END, {1: MIDDLE, 4: BEGIN}) is None
    assert chain_of(4, MIDDLE, {5: BEGIN, 8: END}) is None


def test_what_is_no_chain(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pointer used twice; more parts than may be."""
    with pytest.raises(NotOne):
        chain_of(8, END, {1: BEGIN, 2: BEGIN, 4: MIDDLE})
    monkeypatch.setattr(chains, "PARTS_MAX", 2)
    assert chain_of(8, (10,), {1: BEGIN}) == [1, 8]
    with pytest.raises(NotOne):
        chain_of(8, END, {1: BEGIN, 4: MIDDLE})


def test_a_ring_is_no_chain() -> None:
    """Places ascend, so that there is none."""
    assert chain_of(8, (10, 21), {4: (20, 11)}) is None
    assert chain_of(8, (10, 11), {}) is None


def test_description() -> None:
    """Of each neighbour whether it is there, or is on the wrong side."""
    assert describe(5, MIDDLE, {3: BEGIN, 9: END})[2:] == ["it waits for one further on"]
    assert describe(5, MIDDLE, {7: BEGIN}) == [
        "it waits for the part before it (MSH-14) (message 7 isn't that: it came behind this one)",
        "it waits for the part after it (DSC-1)",
    ]


def test_what_bars() -> None:
    """It holds both ends of its pointers, and no chain goes through it."""
    assert both(MIDDLE) == (10, 11, 21, 20)
    assert bars(both(BEGIN))
    assert bars((10, 11))
    assert not bars(MIDDLE)
    assert chain_of(8, END, {1: BEGIN, 4: both(MIDDLE)}) is None
