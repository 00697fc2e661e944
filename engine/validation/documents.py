"""
YAML of profiles to values that know their line: every scalar is text, keys stand once, no anchors.

Faults are collected, so that a profile's author sees all of them at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import yaml

from engine.errors import ProfileRefused

DEPTH_MAX: Final = 12


@dataclass(slots=True)
class Faults:
    """What is wrong with one file."""

    file: str
    found: list[str] = field(default_factory=list)

    def add(self, line: int, sentence: str) -> None:
        """Take a fault; lines count from 1."""
        self.found.append(f"{self.file}:{line}: {sentence}")

    def refuse(self) -> None:
        """Raise ProfileRefused when there is a fault."""
        if self.found:
            raise ProfileRefused(self.file, self.found)


@dataclass(slots=True)
class Text:
    """A scalar."""

    line: int
    text: str


@dataclass(slots=True)
class Items:
    """A list."""

    line: int
    items: list[Value]


@dataclass(slots=True)
class Entries:
    """A mapping, in the order of the file."""

    line: int
    entries: dict[str, Value]
    lines: dict[str, int]

    def __iter__(self) -> Iterator[tuple[str, Value, int]]:
        """Give key, value and line of each entry."""
        return iter([(key, value, self.lines[key]) for key, value in self.entries.items()])


Value = Text | Items | Entries


def read_yaml(text: str, faults: Faults) -> Entries:
    """
    Read a document whose top is a mapping.

    Args:
        text: The file's text.
        faults: Takes what is wrong.

    Raises:
        ProfileRefused: It isn't YAML, or its top is no mapping.
    """
    try:
        top = yaml.compose(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        faults.add(
            mark.line + 1 if mark is not None else 1, f"no YAML: {getattr(error, 'problem', None) or 'unreadable'}"
        )
        faults.refuse()
        raise AssertionError from error  # refuse has raised
    if not isinstance(top, yaml.MappingNode):
        faults.add(1, "a profile is a mapping: extends, severity, fields, tables, structures, rules")
        faults.refuse()
        raise AssertionError  # refuse has raised
    value = _Converter(faults).value(top, 0)
    faults.refuse()
    assert isinstance(value, Entries), "the top is a mapping"
    return value


class _Converter:
    """Nodes of the library to ours."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._seen: set[int] = set()

    def value(self, node: yaml.Node, depth: int) -> Value:
        line = node.start_mark.line + 1
        if id(node) in self._seen or depth > DEPTH_MAX:
            self._faults.add(line, "anchors, aliases and deeper nesting have no place here: write it out")
            return Text(line, "")
        self._seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, line, depth)
        if isinstance(node, yaml.SequenceNode):
            return Items(line, [self.value(item, depth + 1) for item in node.value])
        return Text(line, str(node.value))

    def _mapping(self, node: yaml.MappingNode, line: int, depth: int) -> Entries:
        mapping = Entries(line, {}, {})
        for key, value in node.value:
            at = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                self._faults.add(at, "a key is a text")
            elif key.value in mapping.entries:
                self._faults.add(at, f"{key.value} stands here twice")
            else:
                mapping.entries[key.value] = self.value(value, depth + 1)
                mapping.lines[key.value] = at
        return mapping
