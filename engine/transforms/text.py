"""Texts with values of the message: `"abc {PID-3.1} {site}"`; `{{` and `}}` stand for braces."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from operator import attrgetter
from typing import NamedTuple

from engine.transforms.step import CONTEXT_NAMES, Context

Part = Callable[[Context], str]


class Piece(NamedTuple):
    """A literal text, or the name or path between braces, with its column (from 0)."""

    literal: bool
    text: str
    column: int


class TextError(Exception):
    """A text that can't be compiled; `column` is from 0."""

    def __init__(self, reason: str, column: int, hint: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.column = column
        self.hint = hint


def pieces(text: str) -> Iterator[Piece]:
    """
    Cut a text at its braces.

    Raises:
        TextError: A brace is open, alone, or empty.
    """
    literal, start, index = "", 0, 0
    while index < len(text):
        here = text[index]
        if here in "{}" and text[index : index + 2] == here * 2:
            literal += here
            index += 2
        elif here == "{":
            end = text.find("}", index)
            inner = text[index + 1 : end].strip() if end > 0 else ""
            if not inner:
                raise TextError("a brace opens and holds no path or name", index, "write {PID-3.1}, or {{ for a brace")
            if literal:
                yield Piece(True, literal, start)
            yield Piece(False, inner, index + 1)
            literal, start = "", end + 1
            index = end + 1
        elif here == "}":
            raise TextError("a brace closes what never opened", index, "write }} for a brace")
        else:
            literal += here
            index += 1
    if literal:
        yield Piece(True, literal, start)


class Text:
    """A compiled text; constant ones have `constant` set."""

    __slots__ = ("_only", "_parts", "constant", "source")

    def __init__(self, source: str, parts: list[str | Part]) -> None:
        self.source = source
        self._parts = parts
        self.constant: str | None = None
        self._only: Part | None = None
        """The only part, where it isn't a literal: `{value}` of every map."""
        if len(parts) == 1 and not isinstance(parts[0], str):
            self._only = parts[0]
        if all(isinstance(part, str) for part in parts):
            self.constant = "".join(part for part in parts if isinstance(part, str))

    def render(self, context: Context) -> str:
        """Return the text for one message; a value that is absent gives nothing."""
        if self.constant is not None:
            return self.constant
        if self._only is not None:
            return self._only(context)
        return "".join([part if part.__class__ is str else part(context) for part in self._parts])  # type: ignore[operator]

    def render_safe(self, context: Context, clean: Callable[[str], str]) -> str:
        """Return the text with each value cleaned (file names, topics); literals stay as written."""
        return "".join([part if isinstance(part, str) else clean(part(context)) for part in self._parts])


def compile_text(
    text: str, path: Callable[[str, int], Part], keys: Collection[str], extra: Collection[str] = ()
) -> Text:
    """
    Compile a text.

    Args:
        text: As written in the route.
        path: Compiles a path that stands between braces; gets its column.
        keys: Names of declared keys.
        extra: Further names known here (`value` inside `map`).

    Raises:
        TextError: As `pieces`, or an unknown name.
    """
    parts: list[str | Part] = []
    for piece in pieces(text):
        if piece.literal:
            parts.append(piece.text)
        elif looks_like_path(piece.text):
            parts.append(path(piece.text, piece.column))
        elif piece.text in CONTEXT_NAMES or piece.text in extra:
            parts.append(name_reader(piece.text))
        elif piece.text in keys:
            parts.append(_first_of_key(piece.text))
        else:
            known = sorted({*CONTEXT_NAMES, *keys, *extra})
            raise TextError(
                f"{piece.text} is neither a path nor a known name", piece.column, f"known names: {', '.join(known)}"
            )
    return Text(text, parts)


def looks_like_path(text: str) -> bool:
    """Paths begin with a capital letter or, relative ones, with a dot; names never do."""
    return text[:1].isupper() or text.startswith(".")


def name_reader(name: str) -> Part:
    """Return the function that reads one of the context's own names."""
    if name in ("rank", "place"):
        return lambda context: str(getattr(context, name))
    return attrgetter(name)


def _first_of_key(name: str) -> Part:
    def read(context: Context) -> str:
        values = context.key(name)
        return values[0] if values else ""

    return read
