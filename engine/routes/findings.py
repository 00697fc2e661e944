"""What is wrong in a configuration, where, and what to write; as text and as JSON."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

from engine import errors
from engine.transforms.nodes import Mark

_BREAK: Final = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
"""Line breaks of YAML 1.1, as its parser counts them."""
_CREDENTIALS: Final = re.compile(r"(?<=://)[^/@\s\"']+(?=@)")
"""A user and a password in an address: what is cited may stand in a log."""


def lines_of(text: str) -> list[str]:
    """Return the lines of a document, as positions count them."""
    return _BREAK.split(text)


class Related(NamedTuple):
    """The other end of a finding: where a template is used, where a parameter is declared."""

    mark: Mark
    line: str
    """The source line."""
    words: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding: an error refuses the configuration, a warning doesn't."""

    level: str
    """`error` or `warning`."""
    code: str
    """`E120`, `W202`: stable from one version to the next."""
    mark: Mark
    sentence: str
    hint: str = ""
    """What to write."""
    line: str = ""
    """The source line."""
    related: tuple[Related, ...] = ()
    """The other ends: in a template, where it is used."""
    more: int = 0
    """How many further uses of the template have the same finding."""

    def render(self) -> str:
        """Return `file:line:col: error CODE: sentence`, the source line, and a caret under the word."""
        parts = [f"{_place(self.mark)}: {self.level} {self.code}: {self.sentence}"]
        parts += _cited(self.mark, self.line, self.hint)
        for one in self.related:
            parts += [f"   {_place(one.mark)}: {one.words}", *_cited(one.mark, one.line)]
        if self.more:
            parts.append(f"   the same for {_count(self.more, 'other use')}")
        return "\n".join(parts)

    def as_json(self) -> dict[str, Any]:
        """Return the finding as plain values."""
        return {
            "level": self.level,
            "code": self.code,
            **_where(self.mark),
            "sentence": self.sentence,
            "hint": self.hint,
            "related": [{**_where(one.mark), "words": one.words} for one in self.related],
        }


def _place(mark: Mark) -> str:
    return f"{mark.file}:{mark.line}:{mark.column}"


def _where(mark: Mark) -> dict[str, Any]:
    return {"file": mark.file, "line": mark.line, "column": mark.column, "width": mark.width}


def _cited(mark: Mark, line: str, hint: str = "") -> list[str]:
    """Return the source line, and a caret under the word with what to write."""
    if not line:
        return [f"   {hint}"] if hint else []
    line = _CREDENTIALS.sub(lambda found: "*" * len(found[0]), line)
    number = f"{mark.line:5d} | "
    caret = " " * (len(number) - 2) + "| " + " " * (mark.column - 1) + "^" * max(1, mark.width)
    return [f"{number}{line}", f"{caret}{' ' + hint if hint else ''}"]


Declaration = tuple[str, str]
"""Section and name: `("sites", "cha")`."""


class Findings:
    """Collect findings; the same one (a route compiled for three sites, a template used thirty times) once."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, Mark, str], Finding] = {}
        self._uses: dict[tuple[str, Mark, str], set[Mark]] = {}
        self._lines: dict[str, Sequence[str]] = {}
        self._damaged: set[Declaration] = set()
        self.errors = 0
        """How often an error was added; compared before and after a declaration."""

    def damage(self, declaration: Declaration) -> None:
        """Note that a declaration has an error: what doesn't find in it what it wants only follows."""
        self._damaged.add(declaration)

    def source(self, file: str, text: str) -> None:
        """Remember the text of a file, to cite its lines."""
        self._lines[file] = lines_of(text)

    def add(
        self, level: str, code: str, mark: Mark, sentence: str, hint: str = "",
        related: Sequence[tuple[Mark, str]] = (), about: Declaration | None = None,
    ) -> None:  # fmt: skip
        """
        Keep a finding.

        Args:
            level: `error` or `warning`.
            code: One of engine/routes/codes.
            mark: Where. In the body of a template it knows the use, which is cited too.
            sentence: What is wrong, without any secret.
            hint: What to write.
            related: Other places to look at, each with words.
            about: The declaration in which something is missing; not told where that has an error already.
        """
        self.errors += level == "error"
        if about in self._damaged:
            return
        use = mark.via
        ends = [*related]
        while use is not None:
            ends.append((use, "used here"))
            use = use.via
        place, line = self._cite(mark)
        key = (code, place, sentence)
        if key not in self._found:
            cited = tuple([Related(*self._cite(end), words) for end, words in ends])
            self._found[key] = Finding(level, code, place, sentence, hint, line, cited)
        if mark.via is not None:
            self._uses.setdefault(key, set()).add(mark.via)

    def _cite(self, mark: Mark) -> tuple[Mark, str]:
        """Return a position without its use, no wider than its line, and that line."""
        lines = self._lines.get(mark.file, ())
        line = lines[mark.line - 1].rstrip("\r") if 0 < mark.line <= len(lines) else ""
        return Mark(mark.file, mark.line, mark.column, min(mark.width, max(1, len(line) - mark.column + 1))), line

    def all(self) -> list[Finding]:
        """Return them in the order of files, lines and columns."""
        order = {file: rank for rank, file in enumerate(self._lines)}
        found = [
            replace(one, more=len(self._uses[key]) - 1) if len(self._uses.get(key, ())) > 1 else one
            for key, one in self._found.items()
        ]
        return sorted(
            found, key=lambda one: (order.get(one.mark.file, len(order)), one.mark.line, one.mark.column, one.code)
        )

    @property
    def refused(self) -> bool:
        """Whether there is an error."""
        return any(one.level == "error" for one in self._found.values())


class ConfigurationRefused(errors.ConfigurationRefused):
    """
    The configuration has errors; the running one, if any, stays.

    Attributes:
        findings: All of them, warnings included.
    """

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__(render(findings))
        self.findings = tuple(findings)


def render(findings: Iterable[Finding]) -> str:
    """Return all findings as an operator reads them, with a closing line that counts them."""
    all_ = list(findings)
    errors_ = sum(1 for one in all_ if one.level == "error")
    parts = [one.render() for one in all_]
    parts.append(f"{_count(errors_, 'error')}, {_count(len(all_) - errors_, 'warning')}")
    return "\n".join(parts)


def as_json(findings: Iterable[Finding]) -> list[Mapping[str, Any]]:
    """Return all findings as plain values."""
    return [one.as_json() for one in findings]


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
