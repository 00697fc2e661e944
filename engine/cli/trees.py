"""Trees of messages on the screen: a place a line, a faulty one marked and its finding below it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

from engine.cli.options import options
from engine.cli.printing import console, print_json
from engine.operations.trees import Node

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

_WORDS_MAX: Final = 44
"""Longer names push their own value to the right, and nobody else's."""
_COLOURS: Final = {"error": "bold red", "warning": "yellow"}


class _Line(NamedTuple):
    """One line of a segment: how deep, and what."""

    depth: int
    node: Node


def print_tree(root: Node) -> None:
    """Print one message: with --json an object on one line, else lines for people."""
    if options().json:
        print_json(root.as_json())
        return
    from rich.text import Text

    screen = console()
    screen.print(Text.assemble((root.name, "bold"), f"  {root.words}" if root.words else ""))
    for mark in root.marks:
        screen.print(Text(f"> {mark.severity}: {mark.sentence}", style=_COLOURS.get(mark.severity, "")))
    for child in root.children:
        _print_below(child, "", screen)


def _print_below(node: Node, indent: str, screen: Console) -> None:
    """Print a group and what is in it, or a segment with its fields side by side."""
    from rich.text import Text

    if node.group:
        screen.print(Text(f"  {indent}{node.name}", style="dim"))
        for child in node.children:
            _print_below(child, f"{indent}  ", screen)
        return
    lines = list(_lines(node, 0))
    name_width = max(2 * line.depth + len(line.node.name) for line in lines)
    words_width = min(max(len(line.node.words) for line in lines[1:]) if len(lines) > 1 else 0, _WORDS_MAX)
    for line in lines:
        screen.print(_shown(line, name_width, words_width, indent))
        for mark in line.node.marks:
            words = f"> {indent}{' ' * 2 * line.depth}  {mark.severity}: {mark.sentence}"
            screen.print(Text(words, style=_COLOURS.get(mark.severity, "")))


def _lines(node: Node, depth: int) -> Iterator[_Line]:
    yield _Line(depth, node)
    for child in node.children:
        yield from _lines(child, depth + 1)


def _shown(line: _Line, name_width: int, words_width: int, indent: str) -> Text:
    from rich.text import Text

    node = line.node
    name = f"{' ' * 2 * line.depth}{node.name}"
    mark = ">" if node.marks else " "
    if not line.depth:
        style = "bold"
        rest = f"  {node.words}" if node.words else ""
        return Text.assemble(f"{mark} {indent}", (name, style), rest, f"  {node.value}" if node.value else "")
    value = f"{node.value}  ({node.meaning})" if node.meaning else node.value
    worst = next((one for one in ("error", "warning") if any(m.severity == one for m in node.marks)), "")
    text = f"{mark} {indent}{name:<{name_width}}  {node.words:<{words_width}}  {value}".rstrip()
    return Text(text, style=_COLOURS.get(worst, ""))
