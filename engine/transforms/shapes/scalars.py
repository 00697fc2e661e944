"""Shapes of single values: texts, names, choices, numbers."""

from __future__ import annotations

import re
from typing import Any, Final

from engine.transforms.nodes import Node, Word
from engine.transforms.shapes.reading import REFERENCE, Reader, Shape, refuse, scalar, shown


class TextShape(Shape):
    """Any text that isn't empty."""

    wants = "a text"

    def read(self, node: Node, reader: Reader) -> Word:
        """Read the node."""
        word = reader.word(node)
        if not word:
            raise refuse(reader, node, "E107", "there is no value here", f"write {self.wants}")
        return word


class AnyText(Shape):
    """A text that may be empty."""

    wants = "a text, which may be empty"

    def read(self, node: Node, reader: Reader) -> Word:
        """Read the node."""
        return reader.word(node)


NAME_FORM: Final = r"^[a-z][a-z0-9_-]{0,62}$"


class NameShape(TextShape):
    """A stable id: metrics, queues and history hang on it."""

    wants = "a name: small letters, digits, _ and -"
    _FORM: Final = re.compile(NAME_FORM.replace("$", r"\Z"))

    def read(self, node: Node, reader: Reader) -> Word:
        """Read the node."""
        word = super().read(node, reader)
        if not self._FORM.match(word):
            raise refuse(
                reader,
                node,
                "E117",
                f"{shown(node)} can't be a name",
                "write small letters, digits, _ and -, a letter first",
            )
        return word

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema."""
        return scalar(NAME_FORM)


class Choice(Shape):
    """One of some words."""

    def __init__(self, *words: str, upper: bool = False) -> None:
        self.words = words
        self.wants = " | ".join(words)
        self._upper = upper

    def read(self, node: Node, reader: Reader) -> str:
        """Read the node."""
        word = reader.word(node)
        text = word.upper() if self._upper else str(word)
        if text not in self.words:
            raise refuse(reader, node, "E110", f"{shown(node)} isn't possible here", reader.suggest(word, self.words))
        return text

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema."""
        words: list[Any] = [*self.words, *(word.lower() for word in self.words if self._upper)]
        words += [int(word) for word in self.words if word.isdecimal()]
        return {"anyOf": [{"enum": words}, {"type": "string", "pattern": REFERENCE}]}


class Number(Shape):
    """A whole number between two bounds."""

    def __init__(self, least: int = 0, most: int = 1_000_000_000) -> None:
        self.least = least
        self.most = most
        self.wants = f"a whole number from {least} to {most}"

    def read(self, node: Node, reader: Reader) -> int:
        """Read the node."""
        word = reader.word(node)
        if not (word.isascii() and word.isdecimal()) or not self.least <= int(word) <= self.most:
            raise refuse(
                reader, node, "E111", f"{shown(node)} isn't a number that is possible here", f"write {self.wants}"
            )
        return int(word)

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema."""
        number = {"type": "integer", "minimum": self.least, "maximum": self.most}
        return {"anyOf": [number, {"type": "string", "pattern": f"^[0-9]+$|{REFERENCE}"}]}
