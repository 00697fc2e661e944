"""The neutral tree."""

from __future__ import annotations

from engine.operations.trees.tree import VALUE_MAX, Mark, Node, for_the_eye


def test_json_leaves_out_what_is_empty():
    """Names, words, values, meanings, findings, children."""
    node = Node("PID-8", "administrative sex", "F", "female", marks=[Mark("warning", "odd")])
    root = Node("PID", children=[node])
    assert root.as_json() == {
        "name": "PID",
        "children": [
            {"name": "PID-8", "words": "administrative sex", "value": "F", "meaning": "female",
             "findings": [{"severity": "warning", "sentence": "odd"}]},
        ],
    }  # fmt: skip


def test_values_stand_on_one_line():
    """Line feeds are arrows; what would steer a terminal is named; documents are cut."""
    assert for_the_eye("Zoé") == "Zoé"
    assert for_the_eye("a\r\nb\nc") == "a↵b↵c"
    assert for_the_eye("\x1b[31mred\x07") == "\\x1b[31mred\\x07"
    assert for_the_eye("\u202eevil") == "\\u202eevil"
    assert for_the_eye("a\u00a0b") == "a\u00a0b"
    long = for_the_eye("x" * 5_000_000)
    assert long == "x" * VALUE_MAX + "… (5,000,000 characters)"
