"""
Declared shapes of arguments: one description parses, names what is wrong, and feeds the editor's schema.

A shape reads a node through a `Reader` (the loader), which knows `${…}`, paths, conditions and names. It
reports to the reader and raises `Unreadable`; lists and mappings go on with what follows, so that all
findings come at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from engine.transforms.nodes import Entries, Items, Mark, Node, Scalar, Word

if TYPE_CHECKING:
    from engine.parsers.paths import Path
    from engine.transforms.step import Context, Step
    from engine.transforms.tables import Table
    from engine.transforms.text import Text


class Unreadable(Exception):
    """A node was reported to the reader and has no value."""


class Reader(Protocol):
    """What shapes and verbs ask of the loader."""

    def error(self, where: Node | Mark, code: str, sentence: str, hint: str = "") -> None:
        """Report an error."""

    def warn(self, where: Node | Mark, code: str, sentence: str, hint: str = "") -> None:
        """Report what deserves a look and refuses nothing."""

    def word(self, node: Node) -> Word:
        """Read a text, `${…}` resolved."""

    def path(self, node: Node) -> Path:
        """Read a path, authorities bound to the site."""

    def template(self, node: Node, extra: Sequence[str] = (), *, paths: bool = True) -> Text:
        """Read a text with values of the message."""

    def condition(self, node: Node) -> Callable[[Context], bool]:
        """Read a condition."""

    def steps(self, node: Node, foreach: str = "") -> tuple[Step, ...]:
        """Read a list of steps."""

    def table(self, node: Node) -> Table:
        """Read the name of a table."""

    def file(self, node: Node) -> tuple[str, str]:
        """Read a file of UTF-8 that is named: its name as findings cite it, and its text."""

    def document(self, file: str, text: str) -> Node:
        """Read the text of a file as YAML, which JSON is."""

    def inside(self, foreach: str) -> AbstractContextManager[None]:
        """Read paths that begin with a dot as those of a segment at hand."""

    def site_recogniser(self) -> Any:
        """Return the identity.Recogniser of the site for which steps are compiled."""

    def answered_early(self) -> str:
        """Return a source of the route that answers before its routes run (`ack: after_store`), or nothing."""

    def suggest(self, text: str, allowed: Sequence[str]) -> str:
        """Return `did you mean x?`, or the list of what is allowed."""


class Shape:
    """A shape: `read` gives the value, `describe` says in words what is wanted."""

    wants = "a value"

    def read(self, node: Node, reader: Reader) -> Any:
        """
        Return the value of a node.

        Raises:
            Unreadable: It was reported.
        """
        raise NotImplementedError

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema of this shape."""
        return {"type": "string"}


def refuse(reader: Reader, where: Node | Mark, code: str, sentence: str, hint: str = "") -> Unreadable:
    """Report an error and return the exception to raise."""
    reader.error(where, code, sentence, hint)
    return Unreadable()


def shown(node: Node) -> str:
    """Return a text as it stands in the file: references to secrets unresolved."""
    return (node.text or "nothing") if isinstance(node, Scalar) else f"a {node.kind}"


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


class NameShape(TextShape):
    """A stable id: metrics, queues and history hang on it."""

    wants = "a name: small letters, digits, _ and -"
    _FORM: Final = re.compile(r"[a-z][a-z0-9_-]{0,62}\Z")

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
        return {"type": "string", "pattern": "^[a-z][a-z0-9_-]{0,62}$"}


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
        return {"enum": list(self.words)}


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


_UNITS_OF_TIME: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_UNITS_OF_SIZE: Final = {"b": 1, "kb": 1_000, "mb": 1_000_000, "gb": 1_000_000_000, "kib": 1 << 10, "mib": 1 << 20}
_QUANTITY: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,3})?) ?([A-Za-z]{1,3})\Z")


class Duration(Shape):
    """`30s`, `5m`, `1h`, `500ms`, `2d`: seconds. `0` stands for never or none."""

    wants = "a duration: 500ms, 30s, 5m, 1h, 2d"

    def read(self, node: Node, reader: Reader) -> float:
        """Read the node."""
        word = reader.word(node)
        if word == "0":
            return 0.0
        match = _QUANTITY.match(word)
        if match is None or match[2] not in _UNITS_OF_TIME:
            raise refuse(reader, node, "E111", f"{shown(node)} is no duration", "write 500ms, 30s, 5m, 1h or 2d")
        return float(match[1]) * _UNITS_OF_TIME[match[2]]

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema."""
        return {"type": "string", "pattern": r"^(0|[0-9.]+ ?(ms|s|m|min|h|d))$"}


class Size(Shape):
    """`20MB`, `512KB`: bytes."""

    wants = "a size: 512KB, 20MB, 1GB"

    def read(self, node: Node, reader: Reader) -> int:
        """Read the node."""
        word = reader.word(node)
        match = _QUANTITY.match(word)
        if match is None or match[2].lower() not in _UNITS_OF_SIZE:
            raise refuse(reader, node, "E111", f"{shown(node)} is no size", "write 512KB, 20MB or 1GB")
        return int(float(match[1]) * _UNITS_OF_SIZE[match[2].lower()])


class Address(NamedTuple):
    """A host and a port."""

    host: str
    port: int


class AddressShape(Shape):
    """`127.0.0.1:6101`, `[::1]:6101`, `dpi.ght.local:5500`."""

    wants = "an address: 127.0.0.1:6101, [::1]:6101, name:6101"
    _FORM: Final = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9_.*-]+)):([0-9]{1,5})\Z")

    def read(self, node: Node, reader: Reader) -> Address:
        """Read the node."""
        word = reader.word(node)
        match = self._FORM.match(word)
        if match is None or not 0 < int(match[3]) < 65536:
            raise refuse(reader, node, "E111", f"{shown(node)} is no address", "write 127.0.0.1:6101 or [::1]:6101")
        return Address(match[1] or match[2], int(match[3]))


class PathShape(Shape):
    """A path of the message."""

    wants = "a path: PID-3[@ipp].1"

    def read(self, node: Node, reader: Reader) -> Path:
        """Read the node."""
        return reader.path(node)


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
        return {"type": "object", "additionalProperties": self.value.schema(), "minProperties": 1}


class Key(NamedTuple):
    """One key of a record."""

    shape: Shape
    required: bool = False
    default: Any = None
    missing: str = ""
    """Sentence and hint, parted by `|`, when a required key is missing."""


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
        for word, child in node.entries:
            key = self.keys.get(word.text)
            if key is None:
                reader.error(word, "E104", f"{word.text} is no key here", reader.suggest(word.text, list(self.keys)))
                continue
            try:
                values[word.text] = key.shape.read(child, reader)
            except Unreadable:
                # with the default in place of what was refused, the other findings still come to light
                failed = failed or key.required
        present = {word.text for word, _ in node.entries}
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
            "properties": {name: key.shape.schema() for name, key in self.keys.items()},
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
    """The node itself: the loader reads it later, in its own way."""

    wants = "what the page of this key says"

    def read(self, node: Node, reader: Reader) -> Node:  # noqa: ARG002 - the shape's signature
        """Read the node."""
        return node

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema."""
        return {}


def exactly_one(arguments: Mapping[str, Any], reader: Reader, node: Node, *names: str) -> int:
    """
    Ask that one of some keys stands there, and no other.

    Returns:
        How many of them were reported, here or when they were read: 0 or 1.
    """
    present = {key.text for key, _ in node.entries} if isinstance(node, Entries) else set()
    given = [name for name in names if name in present]
    if len(given) == 1:
        return 0 if arguments[given[0]] is not None else 1
    where = (node.key(given[1]) if given and isinstance(node, Entries) else None) or node
    hint = f"write {', '.join(f'{name}:' for name in names[:-1])} or {names[-1]}:, only one"
    reader.error(where, "E105", f"one of {', '.join(names[:-1])} and {names[-1]} is wanted", hint)
    return 1


class Verb(NamedTuple):
    """A verb: its name, the shape of its argument, and what makes the step of it."""

    name: str
    shape: Shape
    build: Callable[[Any, Reader, Node], Step]
    """Gets the argument read, the reader, the argument's node. Raises Unreadable after reporting."""
    summary: str
    beside: Mapping[str, Shape] = {}
    """Keys that stand beside the verb in the step (`do` of `foreach`)."""
