"""Documents as an editor sees them: plain scalars resolved by YAML's core schema."""

from __future__ import annotations

import re
from typing import Any

from engine.routes.document import read_document
from engine.routes.findings import Findings
from engine.transforms.nodes import Entries, Items, Node, Scalar

_CORE = (
    (re.compile(r"true|True|TRUE"), lambda text: True),
    (re.compile(r"false|False|FALSE"), lambda text: False),
    (re.compile(r"null|Null|NULL|~|"), lambda text: None),
    (re.compile(r"[-+]?[0-9]+"), int),
    (re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"), float),
)
"""YAML 1.2.2 § 10.3.2."""


def as_an_editor(text: str) -> Any:
    """Read a document as plain values."""
    document = read_document("r.yaml", text, Findings())
    assert document is not None
    return _value(document)


def _value(node: Node) -> Any:
    if isinstance(node, Items):
        return [_value(item) for item in node.items]
    if isinstance(node, Entries):
        return {key.text: _value(value) for key, value in node.entries}
    assert isinstance(node, Scalar)
    for form, made in _CORE if node.plain else ():
        if form.fullmatch(node.text):
            return made(node.text)
    return node.text
