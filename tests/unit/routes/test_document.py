"""YAML without a resolver: every scalar is text, with its position."""

from __future__ import annotations

from engine.routes.document import read_document
from engine.routes.findings import Findings
from engine.transforms.nodes import Entries, Items, Scalar


def read(text: str) -> tuple[Entries | None, list[str]]:
    findings = Findings()
    document = read_document("r.yaml", text, findings)
    return document, [one.code for one in findings.all()]


def test_every_scalar_is_text():
    """Nothing becomes a number, a date or a truth value."""
    document, codes = read("finess: 000000026\nno: NO\ntime: 12:30\n")
    assert codes == []
    assert document is not None
    assert {key.text: node.text for key, node in document.entries if isinstance(node, Scalar)} == {
        "finess": "000000026", "no": "NO", "time": "12:30",
    }  # fmt: skip


def test_positions():
    """Lines and columns count from 1; the width is that of the word."""
    document, _ = read("a:\n  - bc\n  - 'd'\n")
    assert document is not None
    items = document.get("a")
    assert isinstance(items, Items)
    first, second = items.items
    assert (first.mark.line, first.mark.column, first.mark.width) == (2, 5, 2)
    assert isinstance(second, Scalar)
    assert not second.plain
    assert second.at(0).column == 6


def test_refused():
    """Anchors, tags, merge keys, several documents, lists on top, too deep: each refused, none crashes."""
    assert read("a: &x 1")[1] == ["E103"]
    assert read("a: !!int 1")[1] == ["E103"]
    assert read("<<: 1")[1] == ["E103"]
    assert read("a: 1\n---\nb: 2")[1] == ["E103"]
    assert read("- a")[1] == ["E106"]
    assert read("")[1] == ["E106"]
    assert read("[" * 60 + "]" * 60)[1] == ["E103"]
    assert read("a: [1")[1] == ["E101"]
    assert read("? [a]\n: 1")[1] == ["E101"]
    assert read("a: \x00")[1] == ["E101"]


def test_key_helpers():
    """A key can be found for its position, and its value."""
    document, _ = read("a: 1\nb: 2\n")
    assert document is not None
    key = document.key("b")
    assert key is not None
    assert key.mark.line == 2
    assert document.key("c") is None
    assert document.get("c") is None
