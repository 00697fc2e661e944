"""The neutral tree: what every format becomes for people, and what the command line prints."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

VALUE_MAX: Final = 200
"""Characters of a value that are shown; a document of megabytes is known by its beginning and its size."""


class Mark(NamedTuple):
    """What is wrong with a place."""

    severity: str
    """`error` or `warning`."""
    sentence: str


@dataclass(slots=True)
class Node:
    """One place of a message: the message itself, a segment, a field, a component, a line."""

    name: str
    """As the standard numbers it: `PID`, `PID-5`, `PID-3[2].4.1`."""
    words: str = ""
    """What it is, in words; empty where no dictionary knows it."""
    value: str = ""
    """The text, escapes replaced; empty for what has parts."""
    meaning: str = ""
    """What a code means in its table."""
    children: list[Node] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    group: bool = False
    """A group of the message's structure: its children are segments and groups."""

    def as_json(self) -> dict[str, Any]:
        """Return the node and all below it as plain values; what is empty is left out."""
        out: dict[str, Any] = {"name": self.name}
        for key in ("words", "value", "meaning"):
            text = getattr(self, key)
            if text:
                out[key] = text
        if self.marks:
            out["findings"] = [mark._asdict() for mark in self.marks]
        if self.children:
            out["children"] = [child.as_json() for child in self.children]
        return out


def for_the_eye(text: str) -> str:
    """Return a value on one line: line feeds as arrows, other control characters named, long ones cut."""
    shown = text if len(text) <= VALUE_MAX else f"{text[:VALUE_MAX]}… ({len(text):,} characters)"
    if shown.isprintable():
        return shown
    return "".join(_shown(letter) for letter in shown.replace("\r\n", "\n"))


def _shown(letter: str) -> str:
    if letter in "\r\n":
        return "↵"
    if letter.isprintable() or letter == "\u00a0":
        return letter
    return f"\\x{ord(letter):02x}" if ord(letter) < 256 else f"\\u{ord(letter):04x}"
