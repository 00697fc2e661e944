"""What a shape is, and what it asks of the loader that reads the file."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Final, Protocol

from engine.transforms.nodes import Mark, Node, Scalar, Word

if TYPE_CHECKING:
    from engine.parsers.paths import Path
    from engine.transforms.step import Context, Step
    from engine.transforms.tables import Table
    from engine.transforms.text import Text


class Unreadable(Exception):
    """A node was reported to the reader and has no value."""


class Reader(Protocol):
    """What shapes and verbs ask of the loader."""

    def error(
        self, where: Node | Mark, code: str, sentence: str, hint: str = "", about: tuple[str, str] | None = None
    ) -> None:
        """Report an error; `about`: the declaration (section, name) in which something is missing."""

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

    def allows_python(self) -> bool:
        """Whether code of the hospital's own may run."""

    def registry(self) -> str:
        """Return what stands under `identity.registry`: `own`, `follow`; empty: patients aren't known here."""

    def patient_authorities(self) -> Mapping[str, Any]:
        """Return by site the identity.Authority under which it numbers its patients (CX-5 PI)."""

    def destinations(self) -> Collection[str]:
        """Return the names of the declared destinations."""

    def answered_early(self) -> str:
        """Return a source of the route that answers before its routes run (`ack: after_store`), or nothing."""

    def suggest(self, text: str, allowed: Sequence[str]) -> str:
        """Return `did you mean x?`, or the list of what is allowed."""


class Shape(ABC):
    """A shape: `read` gives the value, `describe` says in words what is wanted."""

    wants = "a value"

    @abstractmethod
    def read(self, node: Node, reader: Reader) -> Any:
        """
        Return the value of a node.

        Raises:
            Unreadable: It was reported.
        """

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


def refuse(
    reader: Reader, where: Node | Mark, code: str, sentence: str, hint: str = "", about: tuple[str, str] | None = None
) -> Unreadable:
    """Report an error and return the exception to raise; arguments as those of `Reader.error`."""
    reader.error(where, code, sentence, hint, about)
    return Unreadable()


def meant(hint: str) -> str:
    """Return x of `did you mean x?`, or nothing."""
    found = re.fullmatch(r"did you mean (.+)\?", hint)
    return found[1] if found is not None else ""


def shown(node: Node) -> str:
    """Return a text as it stands in the file: references to secrets unresolved."""
    return (node.text or "nothing") if isinstance(node, Scalar) else f"a {node.kind}"
