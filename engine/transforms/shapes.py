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
        """Return the JSON Schema (draft 7) of this shape, for editors."""
        return scalar()


REFERENCE: Final = r"\$\{"
"""Where a text is matched, `${…}` passes: what it stands for isn't known to an editor."""


def scalar(pattern: str = "") -> dict[str, Any]:
    """
    Return the JSON Schema of a text.

    An editor resolves `6101` to a number and `true` to a truth value before it checks; we take both as text.

    Args:
        pattern: What the text must look like, anchored; empty: anything.
    """
    made: dict[str, Any] = {"type": ["string", "number", "boolean"]}
    if pattern:
        made["pattern"] = f"{pattern}|{REFERENCE}"
    return made


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
        return scalar("^[a-z][a-z0-9_-]{0,62}$")


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
