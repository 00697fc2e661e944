"""The door: bytes of any format to a tree."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from engine.operations.trees.hl7v2 import Place, hl7v2_tree
from engine.operations.trees.hprim import hprim_tree
from engine.operations.trees.lines import lines_tree
from engine.operations.trees.tree import Mark, Node
from engine.parsers.hl7v2.message import Message
from engine.parsers.opening import open_message
from engine.parsers.sniff import sniff
from engine.validation.findings import Finding

Check = Callable[[Message], Iterable[Finding]]


def tree_of(raw: bytes, format_: str = "auto", *, charset: str = "cp1252", check: Check | None = None) -> Node:
    """
    Make a tree of one message.

    Args:
        raw: Its bytes.
        format_: As parsers.sniff names it, or `auto`.
        charset: For what declares none.
        check: Says what is wrong with an HL7 v2 message; faulty places get marks.

    Raises:
        ParseError: The bytes are no message of that format.
    """
    actual = sniff(raw) if format_ == "auto" else format_
    if actual == "hl7v2":
        message = open_message(raw, actual, default_charset=charset)
        return hl7v2_tree(message, _marks(check(message)) if check is not None else None)
    if actual in ("hprim-sante", "hprim-medecin"):
        return hprim_tree(open_message(raw, actual, default_charset=charset))
    return lines_tree(raw, "a text of no format that is known" if actual == "unknown" else actual)


def _marks(findings: Iterable[Finding]) -> dict[Place, list[Mark]]:
    """Sort findings by their place."""
    marks: dict[Place, list[Mark]] = {}
    for finding in findings:
        marks.setdefault(finding.place, []).append(Mark(finding.severity, finding.sentence))
    return marks
