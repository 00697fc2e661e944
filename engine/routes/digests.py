"""
What a declaration says, in one short text: two of them are equal when nothing that was said changed.

Templates, defaults and the environment count; comments and layout don't, nor the tests of a route, nor the order of
keys but in steps, where `set` writes in that order. Secrets count by their names: a digest is shown, and a password
could be guessed from it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import Any, Final

from engine.routes.templates import REFERENCE
from engine.transforms.nodes import Entries, Items, Node, Scalar

_BYTES: Final = 8
_ORDERED: Final = ("steps", "do")
"""Under these keys the order of all keys counts."""


def digest_of(node: Node, environment: Mapping[str, str], runs: Callable[[str], Node | None]) -> str:
    """
    Return the digest of one declaration, 16 hexadecimal digits.

    Args:
        node: As read, templates and defaults already in it.
        environment: For `${env:NAME}`.
        runs: Gives the steps of a named run or template, which count as if they stood here.
    """
    if isinstance(node, Entries):
        node = Entries(node.mark, [(key, value) for key, value in node.entries if key.text != "tests"])
    said = json.dumps(Said(environment, runs).of(node), ensure_ascii=False)
    return blake2b(said.encode("utf-8", "replace"), digest_size=_BYTES).hexdigest()


class Said:
    """From nodes to plain values; `use: name` of a step becomes [name, steps]."""

    def __init__(self, environment: Mapping[str, str], runs: Callable[[str], Node | None]) -> None:
        self._environment = environment
        self._runs = runs
        self._open: list[str] = []

    def of(self, node: Node, *, ordered: bool = False) -> Any:
        """Return a node as plain values."""
        if isinstance(node, Scalar):
            return self._text(node)
        if isinstance(node, Items):
            return [self.of(item, ordered=ordered) for item in node.items]
        assert isinstance(node, Entries), "there are no other nodes"
        said = {self._text(key): self.of(value, ordered=ordered or key.text in _ORDERED) for key, value in node.entries}
        name = node.get("use")
        if isinstance(name, Scalar):
            said["use"] = [said["use"], self._run(self._text(name))]
        return said if ordered else dict(sorted(said.items()))

    def _run(self, name: str) -> Any:
        body = self._runs(name)
        if body is None or name in self._open:
            return None
        self._open.append(name)
        said = self.of(body, ordered=True)
        self._open.pop()
        return said

    def _text(self, node: Scalar) -> str:
        if "${" not in node.text:
            return node.text
        return REFERENCE.sub(lambda match: self._value(match[1].strip(), node) or match[0], node.text)

    def _value(self, name: str, node: Scalar) -> str:
        bound = node.bindings.get(name)
        if bound is not None:
            said = self.of(bound)
            return said if isinstance(said, str) else json.dumps(said)
        kind, _, rest = name.partition(":")
        return self._environment.get(rest, "") if kind == "env" else ""
