"""What waits in a folder, and whom it keeps back."""

from __future__ import annotations

from engine.transports.directory.folder import Found
from engine.transports.directory.keptback import KeptBack, Known

FOUND = Found("a.hpr", 10, 5)


def kept() -> KeptBack[Known]:
    made: KeptBack[Known] = KeptBack()
    made.files["a.hpr"] = Known(10, 5, 1.0)
    return made


def test_a_file_is_known_as_long_as_it_is_the_same():
    """By size and time: who writes into it makes another of it."""
    it = kept()
    assert it.unchanged(FOUND) is it.files["a.hpr"]
    for other in (Found("a.hpr", 11, 5), Found("a.hpr", 10, 6), Found("b.hpr", 10, 5)):
        assert it.unchanged(other) is None


def test_a_look_begins_with_what_is_there():
    """What is gone is forgotten, and who was kept back is looked at again."""
    it = kept()
    it.hold({b"1"})
    it.hold({b"2"})
    assert (it.count, it.keys) == (2, {b"1", b"2"})
    it.begin([FOUND])
    assert (it.count, it.keys, list(it.files)) == (0, set(), ["a.hpr"])
    it.begin([])
    assert it.files == {}
