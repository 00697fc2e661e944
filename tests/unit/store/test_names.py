"""Interned names."""

from __future__ import annotations

import pytest

from engine.store import names as module
from engine.store.names import Names


def test_the_same_text_has_the_same_number_and_comes_back():
    """And is saved once."""
    names = Names()
    number = names.any("ADT^A01")
    assert names.any("ADT^A01") == number == names.own("ADT^A01") == names.find("ADT^A01")
    assert names.show(number) == "ADT^A01"
    assert names.unsaved == {number: "ADT^A01"}


def test_nothing_is_nothing():
    """An empty text needs no name."""
    names = Names()
    assert names.own("") == names.any("") == ""
    assert names.show("") == ""
    assert names.unsaved == {}


def test_a_sender_can_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch):
    """Beyond the bound, and for long texts, the column holds the text itself; our own names are always interned."""
    monkeypatch.setattr(module, "NAMES_MAX", 2)
    names = Names()
    long = "x" * (module.NAME_CHARACTERS_MAX + 1)
    assert names.any(long) == long
    assert [names.any(text) for text in ("a", "b", "c")] == [1, 2, "c"]
    assert names.show("c") == "c"
    assert names.own("destination") == 3


def test_a_text_that_can_not_be_stored_leaves_no_trace():
    """A lone surrogate raises; the names stay storable."""
    names = Names()
    with pytest.raises(UnicodeEncodeError):
        names.any("\udce9")
    assert names.unsaved == {}
    assert names.find("\udce9") is None


def test_what_the_disk_holds_wins_over_what_was_never_saved():
    """After a failed commit, numbers that were given are never given to another text."""
    names = Names()
    names.load([(4, "dpi")])
    assert names.own("dpi") == 4
    lost = names.own("lost")
    names.load([(4, "dpi")])
    assert names.unsaved == {}
    assert names.own("other") > lost
