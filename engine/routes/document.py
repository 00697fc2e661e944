"""YAML events to nodes with line and column: no resolver (every scalar is text), no anchors, no merge keys."""

from __future__ import annotations

from typing import Any, Final

import yaml

from engine.routes.findings import Findings, lines_of
from engine.routes.syntax import trouble_of
from engine.transforms.nodes import Entries, Items, Mark, Node, Scalar

_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The parser in C where PyYAML has it; only its events are used."""

_DEPTH_MAX: Final = 40


class _Refused(Exception):
    """The document was reported and can't be read further."""


def read_document(file: str, text: str, findings: Findings) -> Entries | None:
    """
    Read one YAML document.

    Args:
        file: Its name, as findings cite it.
        text: Its text.
        findings: Gets what is wrong.

    Returns:
        The top mapping; None when there is none, which is reported too.
    """
    findings.source(file, text)
    try:
        node = _Composer(file, text, findings).document()
    except _Refused:
        return None
    except yaml.YAMLError as error:
        trouble = trouble_of(text, error)
        where = Mark(file, trouble.line + 1, trouble.column + 1, trouble.width)
        findings.add("error", "E101", where, trouble.sentence, trouble.hint)
        return None
    if not isinstance(node, Entries):
        where = node.mark if node is not None else Mark(file, 1, 1)
        findings.add(
            "error", "E106", where, "a file of routes is a mapping", "write sites:, sources:, destinations:, routes:"
        )
        return None
    return node


class _Composer:
    """Turn the events of one document into nodes."""

    def __init__(self, file: str, text: str, findings: Findings) -> None:
        self._file = file
        self._lines = lines_of(text)
        self._findings = findings
        self._events = yaml.parse(text, Loader=_LOADER)
        self._depth = 0

    def document(self) -> Node | None:
        """Read the only document of the stream."""
        node: Node | None = None
        seen = 0
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                seen += 1
                if seen > 1:
                    self._refuse(
                        event, "E103", "a file holds one document", "split it, and name the files under include:"
                    )
            elif isinstance(event, yaml.NodeEvent):
                node = self._node(event)
        return node

    def _node(self, event: Any) -> Node:
        if isinstance(event, yaml.AliasEvent):
            self._refuse(
                event, "E103", "anchors and aliases aren't read here", "write it out, or declare a run under steps:"
            )
        if event.anchor is not None:
            self._refuse(event, "E103", "anchors and aliases aren't read here", "remove the &name")
        if event.tag is not None and event.tag != "!":
            self._refuse(event, "E103", "tags aren't read here: every value is a text", "remove the !tag")
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event)
        self._depth += 1
        if self._depth > _DEPTH_MAX:
            self._refuse(event, "E103", "the document is nested too deep", "declare runs of steps under steps:")
        node = self._items(event) if isinstance(event, yaml.SequenceStartEvent) else self._entries(event)
        self._depth -= 1
        return node

    def _scalar(self, event: Any) -> Scalar:
        start, end = event.start_mark, event.end_mark
        plain = not event.style  # libyaml gives "" where PyYAML gives None
        width = end.column - start.column if end.line == start.line else len(event.value)
        mark = Mark(self._file, start.line + 1, start.column + 1, max(1, width))
        if plain and start.line == end.line < len(self._lines):
            rest = self._lines[start.line][end.column :]
            if rest.startswith(" #") and rest[2:3].strip():
                self._findings.add(
                    "warning", "W201", mark.shifted(width + 1, 1), "the text ends here: ` #` begins a comment",
                    "put the text into quotes, or a blank after #",
                )  # fmt: skip
        return Scalar(mark, event.value, plain=plain)

    def _items(self, start: Any) -> Items:
        items: list[Node] = []
        for event in self._events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            items.append(self._node(event))
        return Items(self._mark(start), items)

    def _entries(self, start: Any) -> Entries:
        entries: list[tuple[Scalar, Node]] = []
        seen: dict[str, Mark] = {}
        for event in self._events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            key = self._node(event)
            value = self._node(next(self._events))
            if not isinstance(key, Scalar):
                self._findings.add("error", "E101", key.mark, "a key is a text", "write key: value")
                continue
            if key.text == "<<" and key.plain:
                self._findings.add("error", "E103", key.mark, "merge keys aren't read here", "write it out")
                continue
            if key.text in seen:
                first = seen[key.text]
                self._findings.add(
                    "error", "E102", key.mark, f"{key.text} stands here twice (first in line {first.line})", "keep one"
                )
                continue
            seen[key.text] = key.mark
            entries.append((key, value))
        return Entries(self._mark(start), entries)

    def _mark(self, event: Any) -> Mark:
        return Mark(self._file, event.start_mark.line + 1, event.start_mark.column + 1)

    def _refuse(self, event: Any, code: str, sentence: str, hint: str) -> None:
        start, end = event.start_mark, event.end_mark
        width = end.column - start.column if end.line == start.line else 1
        mark = Mark(self._file, start.line + 1, start.column + 1, max(1, width))
        self._findings.add("error", code, mark, sentence, hint)
        raise _Refused
