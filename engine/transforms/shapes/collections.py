"""Shapes made of others: lists, mappings, records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from engine.transforms.nodes import Entries, Items, Node, Scalar
from engine.transforms.shapes.reading import Reader, Shape, Unreadable, meant, refuse


class ListOf(Shape):
    """A list; `single` also takes one value alone."""

    def __init__(self, of: Shape, *, single: bool = False, least: int = 1) -> None:
        self.of = of
        self.single = single
        self.least = least
        self.wants = f"a list, each {of.wants}"

    def read(self, node: Node, reader: Reader) -> list[Any]:
        """Read the node."""
        if not isinstance(node, Items):
            if self.single and isinstance(node, Scalar):
                return [self.of.read(node, reader)]
            raise refuse(
                reader,
                node,
                "E106",
                f"a list is wanted here, this is a {node.kind}",
                "write [a, b], or one `- a` a line",
            )
        if len(node.items) < self.least:
            if node.items:
                raise refuse(
                    reader, node, "E107", f"the list is too short: it has {len(node.items)} of at least {self.least}",
                    "add what is missing, or take the list out",
                )  # fmt: skip
            raise refuse(reader, node, "E107", "the list is empty", f"write at least one: {self.of.wants}")
        values, failed = [], False
        for item in node.items:
            try:
                values.append(self.of.read(item, reader))
            except Unreadable:
                failed = True
        if failed:
            raise Unreadable
        return values

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema."""
        many = {"type": "array", "items": self.of.schema(), "minItems": self.least}
        return {"anyOf": [self.of.schema(), many]} if self.single else many


class Pairs(Shape):
    """A mapping with free keys: a list of (key, value), in order."""

    def __init__(self, key: Shape, value: Shape) -> None:
        self.key = key
        self.value = value
        self.wants = f"a mapping: {key.wants} to {value.wants}"

    def read(self, node: Node, reader: Reader) -> list[tuple[Any, Any]]:
        """Read the node."""
        if not isinstance(node, Entries):
            raise refuse(
                reader, node, "E106", f"a mapping is wanted here, this is a {node.kind}", f"write {self.wants}"
            )
        if not node.entries:
            raise refuse(reader, node, "E107", "the mapping is empty", f"write {self.wants}")
        pairs, failed = [], False
        for key, value in node.entries:
            try:
                pairs.append((self.key.read(key, reader), self.value.read(value, reader)))
            except Unreadable:
                failed = True
        if failed:
            raise Unreadable
        return pairs

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema."""
        made = {"type": "object", "additionalProperties": self.value.schema(), "minProperties": 1}
        names = self.key.schema().get("pattern")
        return made | ({"propertyNames": {"pattern": names}} if names else {})


class Key(NamedTuple):
    """One key of a record."""

    shape: Shape
    required: bool = False
    default: Any = None
    missing: str = ""
    """Sentence and hint, parted by `|`, when a required key is missing."""
    about: str = ""
    """What it is for, as an editor shows it."""


class Record(Shape):
    """A mapping with known keys: a dict with every key."""

    wants = "a mapping"

    def __init__(self, keys: Mapping[str, Key]) -> None:
        self.keys = keys

    def read(self, node: Node, reader: Reader) -> dict[str, Any]:
        """Read the node."""
        if not isinstance(node, Entries):
            raise refuse(
                reader,
                node,
                "E106",
                f"a mapping is wanted here, this is a {node.kind}",
                f"keys: {', '.join(self.keys)}",
            )
        values: dict[str, Any] = {name: key.default for name, key in self.keys.items()}
        failed = False
        present = {word.text for word, _ in node.entries}
        for word, child in node.entries:
            name = word.text
            if name not in self.keys:
                hint = reader.suggest(
                    name, [name for name, key in self.keys.items() if not isinstance(key.shape, Reserved)]
                )
                reader.error(word, "E104", f"{name} is no key here", hint)
                name = meant(hint)
                if not name or name in present:
                    continue
                present.add(name)  # read as what was meant: that it is missing would only follow
            key = self.keys[name]
            try:
                values[name] = key.shape.read(child, reader)
            except Unreadable:
                # with the default in place of what was refused, the other findings still come to light
                failed = failed or key.required
        for name, key in self.keys.items():
            if key.required and name not in present:
                sentence, _, hint = (key.missing or f"{name} is missing|add {name}: {key.shape.wants}").partition("|")
                reader.error(node, "E120" if key.missing else "E105", sentence, hint)
                failed = True
        if failed:
            raise Unreadable
        return values

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema."""
        required = [name for name, key in self.keys.items() if key.required]
        out: dict[str, Any] = {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                name: described(key.shape.schema(), key.about)
                for name, key in self.keys.items()
                if not isinstance(key.shape, Reserved)
            },
        }
        if required:
            out["required"] = required
        return out


class Either(Shape):
    """A scalar of one shape, or a mapping or list of another."""

    def __init__(self, scalar: Shape, other: Shape) -> None:
        self.scalar = scalar
        self.other = other
        self.wants = f"{scalar.wants} or {other.wants}"

    def read(self, node: Node, reader: Reader) -> Any:
        """Read the node."""
        return (self.scalar if isinstance(node, Scalar) else self.other).read(node, reader)

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema."""
        return {"anyOf": [self.scalar.schema(), self.other.schema()]}


class Raw(Shape):
    """The node itself: the loader reads it later, in its own way (for each site, with other names in reach)."""

    def __init__(self, later: Shape | None = None) -> None:
        """Keep with which shape it will be read, for the schema; None: anything."""
        self.later = later
        self.wants = later.wants if later is not None else "what the page of this key says"

    def read(self, node: Node, reader: Reader) -> Node:  # noqa: ARG002 - the shape's signature
        """Read the node."""
        return node

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema."""
        return {} if self.later is None else self.later.schema()


class Reserved(Shape):
    """A key of the language that does nothing yet: refused, so that nobody relies on it."""

    wants = "nothing: this version doesn't know it"

    def __init__(self, what: str) -> None:
        """Keep what the key will do, a sentence."""
        self._what = what

    def read(self, node: Node, reader: Reader) -> Any:
        """Refuse the node."""
        raise refuse(reader, node, "E109", f"this key does nothing in this version: {self._what}", "take it out")


def described(schema: dict[str, Any], about: str) -> dict[str, Any]:
    """Return a JSON Schema with a description; a reference can't stand beside one (draft 7)."""
    if not about:
        return schema
    return {"description": about, "allOf": [schema]} if "$ref" in schema else {"description": about} | schema
