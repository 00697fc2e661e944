"""The door: any bytes to a tree, or a refusal with its reason."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pytest

from engine.errors import ParseError
from engine.operations.trees import tree_of

FIXTURES = Path(__file__).resolve().parents[3] / "fixtures" / "messages"
CORPUS = os.environ.get("PASSERELLE_CORPUS", "")


@pytest.mark.parametrize("path", sorted(FIXTURES.iterdir()), ids=lambda path: path.name)
def test_every_fixture_becomes_a_tree(path):
    """HL7 v2, HPRIM, and a text."""
    assert tree_of(path.read_bytes()).children


def test_what_is_no_message_is_lines():
    """An operator may name any file."""
    tree = tree_of(b"hello\nworld")
    assert tree.words == "a text of no format that is known"
    assert len(tree.children) == 2


def test_what_says_that_it_is_a_message_and_is_none_is_refused():
    """With the place."""
    with pytest.raises(ParseError, match="MSH-1"):
        tree_of(b"MSH", "hl7v2")


def test_real_messages_become_trees_or_are_refused():
    """Nothing else is raised, whatever stands in a file (with PASSERELLE_CORPUS)."""
    for path in Path(CORPUS).glob("*/*") if CORPUS else ():
        with contextlib.suppress(ParseError):
            assert tree_of(path.read_bytes()).name
