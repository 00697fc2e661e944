"""
`passerelle fmt`: a file of routes laid out anew; what it says, and its comments, stay.

    boxes        a text to a document with its layout; quotes for paths that want them
    printing     the layout: two blanks a level, [ ] and { } in one line, or one entry a line
    aligning     columns that were made by hand
"""

from __future__ import annotations

from typing import Any

from engine.routes.document import read_document
from engine.routes.findings import Findings
from engine.routes.formatting.aligning import aligned
from engine.routes.formatting.boxes import NotFormatted, mended, sheet_of
from engine.routes.formatting.printing import print_sheet
from engine.transforms.nodes import Entries, Items, Node, Scalar

__all__ = ["NotFormatted", "formatted"]


def formatted(text: str) -> str:
    """
    Lay a file out anew.

    Paths with brackets that stand without quotes in { } or [ ], where YAML can't read them, come to stand one entry a
    line. Nothing else changes but blanks and line ends.

    Raises:
        NotFormatted: It isn't YAML, or uses what routes.yaml doesn't know.
    """
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    whole, tied = mended(text)
    sheet = sheet_of(whole, tied)
    made = "\n".join(aligned(print_sheet(sheet))) + "\n"
    if _said(made) != _said(whole) or sorted(_comments(made)) != sorted(one.text for one in sheet.comments.values()):
        raise NotFormatted("the file can't be laid out without changing what it says: please report it")
    return made


def _comments(text: str) -> list[str]:
    return [one.text for one in sheet_of(text, set()).comments.values()]


def _said(text: str) -> Any:
    document = read_document("", text, Findings())
    return None if document is None else _plain(document)


def _plain(node: Node) -> Any:
    if isinstance(node, Scalar):
        return node.text
    if isinstance(node, Items):
        return [_plain(item) for item in node.items]
    assert isinstance(node, Entries), "there are no other nodes"
    return [(key.text, _plain(value)) for key, value in node.entries]
