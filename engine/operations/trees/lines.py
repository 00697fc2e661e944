"""What has no fields: one node a line."""

from __future__ import annotations

from engine.operations.masking import decode
from engine.operations.trees.tree import Node, for_the_eye


def lines_tree(raw: bytes, words: str) -> Node:
    """
    Make a tree of a text.

    Args:
        raw: The bytes.
        words: What they are.
    """
    lines = decode(raw).splitlines()
    children = [Node(str(number), value=for_the_eye(line)) for number, line in enumerate(lines, 1) if line.strip()]
    return Node("file", words, children=children)
