"""The parts of a YAML document, with file, line and column; every scalar is text (docs/routes/README.md, rule 1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple


class Mark(NamedTuple):
    """A position in a file, from 1, and how many characters the word has."""

    file: str
    line: int
    column: int
    width: int = 1
    via: Mark | None = None
    """Where a template was used, when this stands in its body: a finding cites both."""

    def shifted(self, columns: int, width: int = 1) -> Mark:
        """Return the position some columns further."""
        return Mark(self.file, self.line, self.column + columns, width, self.via)


class Node:
    """A part of the document."""

    __slots__ = ("mark",)
    kind = "value"

    def __init__(self, mark: Mark) -> None:
        self.mark = mark


_UNBOUND: Final[Mapping[str, Node]] = {}


class Scalar(Node):
    """A text; `plain` when it stands without quotes, so that columns inside it can be shown."""

    __slots__ = ("bindings", "plain", "text")
    kind = "text"

    def __init__(self, mark: Mark, text: str, *, plain: bool = True, bindings: Mapping[str, Node] = _UNBOUND) -> None:
        super().__init__(mark)
        self.text = text
        self.plain = plain
        self.bindings = bindings
        """In the body of a template: what `${param}` stands for."""

    def at(self, column: int, width: int = 1) -> Mark:
        """Return the position of a column (from 0) of the text."""
        if "\n" in self.text:
            return self.mark
        return self.mark.shifted(column + (0 if self.plain else 1), width)


class Items(Node):
    """A list."""

    __slots__ = ("items",)
    kind = "list"

    def __init__(self, mark: Mark, items: list[Node]) -> None:
        super().__init__(mark)
        self.items = items


class Entries(Node):
    """A mapping, in the order of the file; keys are texts and stand once."""

    __slots__ = ("entries",)
    kind = "mapping"

    def __init__(self, mark: Mark, entries: list[tuple[Scalar, Node]]) -> None:
        super().__init__(mark)
        self.entries = entries

    def get(self, name: str) -> Node | None:
        """Return the value under a key."""
        for key, value in self.entries:
            if key.text == name:
                return value
        return None

    def key(self, name: str) -> Scalar | None:
        """Return the key itself, for its position."""
        return next((key for key, _ in self.entries if key.text == name), None)


class Word(str):
    """A text that still knows its node, so that later checks can point at it."""

    __slots__ = ("node",)
    node: Scalar

    @classmethod
    def of(cls, text: str, node: Scalar) -> Word:
        """Attach a node to a text."""
        word = cls(text)
        word.node = node
        return word
