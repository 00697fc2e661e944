"""What has no fields."""

from __future__ import annotations

from engine.operations.trees.lines import lines_tree


def test_one_node_a_line():
    """Numbered as they stand; blank ones are left out."""
    tree = lines_tree("un\r\n\r\ndeux é".encode("cp1252"), "a text")
    assert (tree.name, tree.words) == ("file", "a text")
    assert [(node.name, node.value) for node in tree.children] == [("1", "un"), ("3", "deux é")]
