"""A document with its layout: what stands in which line, how it is quoted, and the comments beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import yaml

from engine.routes.findings import lines_of
from engine.routes.syntax import bracketed_paths

_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_COMMENT: Final = re.compile(r"(?:^|(?<=[ \t]))#")


class NotFormatted(Exception):
    """The document can't be laid out; it isn't changed."""


@dataclass(slots=True)
class Box:
    """A part of the document as it is written."""

    line: int
    """First line, from 0."""
    column: int
    end: int
    """Last line."""


@dataclass(slots=True)
class Words(Box):
    """A scalar; `lines` as they are written, without what stands before and behind."""

    lines: list[str]
    style: str
    """Empty for a plain one, else `"`, `'`, `|` or `>`."""
    value: str
    tied: bool = False
    """It got its quotes because it stands in { } or [ ]: in a line of its own it needs none."""


@dataclass(slots=True)
class Group(Box):
    """A list (keys are None) or a mapping."""

    flow: bool
    """Written with [ ] or { }."""
    is_list: bool
    entries: list[tuple[Words | None, Box]] = field(default_factory=list)


class Comment(NamedTuple):
    """A comment, alone in its line or behind something."""

    column: int
    text: str
    """`#` included."""
    gap: int
    """Blanks before it."""


@dataclass(slots=True)
class Sheet:
    """A whole document."""

    top: Group
    comments: dict[int, Comment]
    """By line: the comment that ends it."""
    blank: frozenset[int]
    """Lines with nothing."""
    begins: bool
    """Whether it begins with `---`."""


def mended(text: str) -> tuple[str, set[tuple[int, int]]]:
    """
    Put quotes around paths with brackets that stand in { } or [ ] without, until the document can be read.

    Returns:
        The text, and the places (line, column from 0) of the quoted paths.
    """
    lines = text.split("\n")
    tied: set[tuple[int, int]] = set()
    for _ in range(len(lines) + 1):
        try:
            for _event in yaml.parse("\n".join(lines), Loader=_LOADER):
                pass
        except yaml.YAMLError as error:
            mark: Any = getattr(error, "problem_mark", None)
            number = mark.line if mark is not None else -1
            if not 0 <= number < len(lines) or not re.search(r"[{\[,]", lines[number][: mark.column + 1]):
                break
            found = list(bracketed_paths(lines[number]))
            if not found:
                break
            for rank, path in enumerate(found):
                tied.add((number, path.start() + 2 * rank))
            lines[number] = re.sub(_any_of(found), lambda path: f'"{path[0]}"', lines[number])
        else:
            break
    return "\n".join(lines), tied


def _any_of(found: list[re.Match[str]]) -> str:
    words = sorted({re.escape(path[0]) for path in found}, key=len, reverse=True)
    return rf"(?<![\w\"'])(?:{'|'.join(words)})(?![\"'])"


def sheet_of(text: str, tied: set[tuple[int, int]]) -> Sheet:
    """
    Read a document with its layout.

    Args:
        text: As `mended` gives it.
        tied: Likewise.

    Raises:
        NotFormatted: It isn't YAML, or uses what routes.yaml doesn't know.
    """
    try:
        return _Reader(text, tied).sheet()
    except yaml.YAMLError:
        raise NotFormatted("the file isn't YAML: passerelle lint says where") from None


class _Reader:
    """Turn events into boxes."""

    def __init__(self, text: str, tied: set[tuple[int, int]]) -> None:
        self._lines = lines_of(text)
        self._tied = tied
        self._events: Iterator[Any] = yaml.parse(text, Loader=_LOADER)
        self._spans: dict[int, list[tuple[int, int]]] = {}
        """By line, columns that scalars take: a # there begins no comment."""

    def sheet(self) -> Sheet:
        """Read the whole document."""
        top: Box | None = None
        begins = False
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                if top is not None:
                    raise NotFormatted("the file holds several documents: passerelle lint says what to do")
                begins = bool(event.explicit)
            elif isinstance(event, yaml.NodeEvent):
                top = self._box(event)
        if not isinstance(top, Group) or top.is_list:
            raise NotFormatted("a file of routes is a mapping")
        comments = self._comments()
        blank = frozenset(number for number, line in enumerate(self._lines) if not line.strip())
        return Sheet(top, comments, blank - self._spans.keys(), begins)

    def _box(self, event: Any) -> Box:
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None or event.tag not in (None, "!"):
            raise NotFormatted("anchors, aliases and tags aren't known: passerelle lint says what to do")
        if isinstance(event, yaml.ScalarEvent):
            return self._words(event)
        return self._group(event)

    def _group(self, event: Any) -> Group:
        group = Group(
            event.start_mark.line, event.start_mark.column, event.start_mark.line, bool(event.flow_style),
            isinstance(event, yaml.SequenceStartEvent),
        )  # fmt: skip
        inner: Any
        for inner in self._events:
            if isinstance(inner, (yaml.SequenceEndEvent, yaml.MappingEndEvent)):
                ended: Any = inner.end_mark
                group.end = ended.line if group.flow else max([group.end, *(one.end for _, one in group.entries)])
                return group
            if group.is_list:
                group.entries.append((None, self._box(inner)))
            else:
                key = self._box(inner)
                if not isinstance(key, Words) or len(key.lines) > 1:
                    raise NotFormatted("a key is one text: passerelle lint says what to do")
                group.entries.append((key, self._box(next(self._events))))
        raise NotFormatted("the file ends too early")  # the parser would have said so

    def _words(self, event: Any) -> Words:
        start: Any = event.start_mark
        end: Any = event.end_mark
        style = event.style or ""
        if style in ("|", ">"):
            return self._block(event, style)
        lines = [self._lines[number] for number in range(start.line, min(end.line, len(self._lines) - 1) + 1)]
        if lines:
            lines[-1] = lines[-1][: end.column]
            lines[0] = lines[0][start.column :]
        words = [line.strip() for line in lines] or [""]
        while len(words) > 1 and not words[-1]:
            words.pop()
        last = start.line + len(words) - 1
        self._take(start.line, start.column, last, end.column if last == end.line else 1 << 30)
        return Words(
            start.line, start.column, last, words, style, event.value, (start.line, start.column) in self._tied
        )

    def _block(self, event: Any, style: str) -> Words:
        """Read `|` or `>`: a header, then lines with a common margin."""
        start = event.start_mark
        header = re.match(r"[|>][-+0-9]*", self._lines[start.line][start.column :])
        assert header is not None, "the parser has seen it"
        last = min(event.end_mark.line, len(self._lines) - 1)
        body = self._lines[start.line + 1 : last + (1 if event.end_mark.column else 0)]
        if "+" not in header[0]:
            while body and not body[-1].strip():
                body.pop()
        margin = min((len(line) - len(line.lstrip(" ")) for line in body if line.strip()), default=0)
        if any(letter.isdigit() for letter in header[0]):
            raise NotFormatted(f"line {start.line + 1}: a text that tells its own indentation can't be laid out")
        end = start.line + len(body)
        self._take(start.line + 1, 0, end, 1 << 30)
        lines = [header[0], *(line[margin:].rstrip("\r") for line in body)]
        return Words(start.line, start.column, end, lines, style, event.value)

    def _take(self, line: int, column: int, last: int, end: int) -> None:
        for number in range(line, last + 1):
            begin = column if number == line else 0
            self._spans.setdefault(number, []).append((begin, end if number == last else 1 << 30))

    def _comments(self) -> dict[int, Comment]:
        found: dict[int, Comment] = {}
        for number, line in enumerate(self._lines):
            taken = self._spans.get(number, ())
            for match in _COMMENT.finditer(line):
                if not any(begin <= match.start() < end for begin, end in taken):
                    before = line[: match.start()]
                    gap = len(before) - len(before.rstrip())
                    found[number] = Comment(match.start(), line[match.start() :].rstrip(), gap)
                    break
        return found
