"""The fragments that wait, as far as they were asked for."""

from __future__ import annotations

import pytest

from engine.core.changes import Route
from engine.core.identities import Wait
from engine.core.lifecycle import FRAGMENT_WAITING, MessageState
from engine.core.messages import Attachment, StoredMessage
from engine.flow import fragments
from engine.flow.fragments import WaitingFragments

BEGIN, MIDDLE, END = (11,), (10, 21), (20,)


def waits(place: int, *ends: int, code: str = FRAGMENT_WAITING) -> Route:
    return Route(place, "main", "lab", MessageState.RECEIVED, MessageState.WAITING, code=code, wait=Wait(ends, 9))


def ended(place: int, **others: tuple[int, ...]) -> Route:
    return Route(place, "main", "lab", MessageState.WAITING, MessageState.DEAD, **others)  # type: ignore[arg-type]


def test_what_was_asked_for_stays_known() -> None:
    """With what was decided since; a pointer that nobody asked for isn't known, though one waits for it."""
    known = WaitingFragments()
    assert known.unknown([10, 11]) == [10, 11]
    known.learn([10, 11], {3: BEGIN})
    assert known.unknown([10, 11, 20]) == [20]
    assert known.waiting_for([10, 11]) == {3: BEGIN}
    known.adopt(waits(5, *MIDDLE))
    known.adopt(waits(6, 11, code="E-ID-WAITING"))
    assert known.waiting_for([11, 10]) == {3: BEGIN, 5: MIDDLE}
    assert known.linked(BEGIN) is None
    known.learn([20, 21], {5: MIDDLE})
    known.adopt(waits(8, *END))
    assert known.linked(BEGIN) == known.linked(END) == {3: BEGIN, 5: MIDDLE, 8: END}


@pytest.mark.parametrize("route", [ended(8, joins=(3, 5)), ended(8, ends=(3, 5))], ids=["joined", "dead"])
def test_what_ends_is_forgotten(route: Route) -> None:
    """It, and all that end with it; an end of a wait for a patient is no matter."""
    known = WaitingFragments()
    known.learn([10, 11, 20, 21], {3: BEGIN, 5: MIDDLE, 8: END, 9: BEGIN})
    known.adopt(ended(77))
    known.adopt(route)
    assert known.waiting_for([10, 11, 20, 21]) == known.linked(BEGIN) == {9: BEGIN}


def test_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bodies give way to later ones; long ones, and those with files, are never kept; all is forgotten together."""
    monkeypatch.setattr(fragments, "KEPT_BYTES", 800)
    monkeypatch.setattr(fragments, "HASHES_MAX", 2)
    known = WaitingFragments()
    for place in range(1, 11):
        known.keep(StoredMessage("lab", "main", b"x" * 100, 0, place=place))
    known.keep(StoredMessage("lab", "main", b"x" * 101, 0, place=11))
    known.keep(StoredMessage("lab", "main", b"x", 0, place=12, attachments=(Attachment("a", "PDF", b""),)))
    assert [place for place in range(1, 13) if known.body(place) is not None] == list(range(3, 11))
    known.learn([10, 11], {10: BEGIN})
    assert not known.is_full
    known.learn([20], {})
    assert known.is_full
    known.adopt(ended(10))
    assert known.body(10) is None
    known.clear()
    assert (known.body(5), known.unknown([10]), known.is_full) == (None, [10], False)
