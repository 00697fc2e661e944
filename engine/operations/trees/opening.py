"""The door: bytes of any format to a tree."""

from __future__ import annotations

from engine.operations.trees.hl7v2 import hl7v2_tree
from engine.operations.trees.hprim import hprim_tree
from engine.operations.trees.lines import lines_tree
from engine.operations.trees.tree import Node
from engine.parsers.opening import open_message
from engine.parsers.sniff import sniff


def tree_of(raw: bytes, format_: str = "auto", *, charset: str = "cp1252") -> Node:
    """
    Make a tree of one message.

    Args:
        raw: Its bytes.
        format_: As parsers.sniff names it, or `auto`.
        charset: For what declares none.

    Raises:
        ParseError: The bytes are no message of that format.
    """
    actual = sniff(raw) if format_ == "auto" else format_
    if actual == "hl7v2":
        return hl7v2_tree(open_message(raw, actual, default_charset=charset))
    if actual in ("hprim-sante", "hprim-medecin"):
        return hprim_tree(open_message(raw, actual, default_charset=charset))
    return lines_tree(raw, "a text of no format that is known" if actual == "unknown" else actual)
