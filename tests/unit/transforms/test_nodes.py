"""Positions of words."""

from __future__ import annotations

from engine.transforms.nodes import Entries, Mark, Scalar, Word


def test_columns_inside_a_text():
    """A quote counts, a text over several lines has no columns."""
    mark = Mark("r.yaml", 3, 5)
    assert Scalar(mark, "abc").at(2).column == 7
    assert Scalar(mark, "abc", plain=False).at(2).column == 8
    assert Scalar(mark, "a\nb").at(2) == mark


def test_word_and_entries():
    """A word is a text that knows its node."""
    node = Scalar(Mark("r.yaml", 1, 1), "abc")
    word = Word.of("abc", node)
    assert word == "abc"
    assert word.node is node
    entries = Entries(node.mark, [(node, node)])
    assert entries.get("abc") is node
    assert entries.key("x") is None
