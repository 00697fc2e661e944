"""Shapes whose values name parts of a message, or what the configuration declares."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from engine.transforms.nodes import Node
from engine.transforms.shapes.reading import REFERENCE, Reader, Shape

if TYPE_CHECKING:
    from engine.parsers.paths import Path
    from engine.transforms.step import Context, Step
    from engine.transforms.tables import Table
    from engine.transforms.text import Text


class PathShape(Shape):
    """A path of the message."""

    wants = "a path: PID-3[@ipp].1"

    def read(self, node: Node, reader: Reader) -> Path:
        """Read the node."""
        return reader.path(node)

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema: what looks like a path; whether the field exists is for lint to say."""
        brackets = r"(\[[^\]]*\])?"
        field = rf"[1-9][0-9]*{brackets}(\.[1-9][0-9]*){{0,2}}"
        absolute = rf"(\.\./)?[A-Z][A-Z0-9]{{0,2}}{brackets}(-{field})?"
        return {"type": "string", "pattern": rf"^({absolute}|\.{field})$|{REFERENCE}"}


class TemplateShape(Shape):
    """A text with values of the message; it may be empty."""

    wants = 'a text: "abc {PID-3.1} {site}"'

    def __init__(self, *extra: str, paths: bool = True) -> None:
        self._extra = extra
        self._paths = paths

    def read(self, node: Node, reader: Reader) -> Text:
        """Read the node."""
        return reader.template(node, self._extra, paths=self._paths)


class ConditionShape(Shape):
    """A condition, as under `when:`."""

    wants = "a condition: event in [A01, A02]"

    def read(self, node: Node, reader: Reader) -> Callable[[Context], bool]:
        """Read the node."""
        return reader.condition(node)


class TableShape(Shape):
    """The name of a declared table."""

    wants = "the name of a table"

    def read(self, node: Node, reader: Reader) -> Table:
        """Read the node."""
        return reader.table(node)


class StepsShape(Shape):
    """A list of steps; the reader reads them, for the segment at hand where they stand in `foreach`."""

    wants = "a list of steps: one `- verb: …` a line"

    def read(self, node: Node, reader: Reader) -> tuple[Step, ...]:
        """Read the node."""
        return reader.steps(node)

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema, which stands among the definitions."""
        return {"$ref": "#/definitions/steps"}
