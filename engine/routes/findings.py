"""What is wrong in a configuration, where, and what to write; as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine import errors
from engine.transforms.nodes import Mark


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

    def render(self) -> str:
        """Return `file:line:col: error CODE: sentence`, the source line, and a caret under the word."""
        head = f"{self.mark.file}:{self.mark.line}:{self.mark.column}: {self.level} {self.code}: {self.sentence}"
        if not self.line:
            return f"{head}\n   {self.hint}" if self.hint else head
        number = f"{self.mark.line:5d} | "
        caret = " " * (len(number) - 2) + "| " + " " * (self.mark.column - 1) + "^" * max(1, self.mark.width)
        return f"{head}\n{number}{self.line}\n{caret}{' ' + self.hint if self.hint else ''}"

    def as_json(self) -> dict[str, Any]:
        """Return the finding as plain values."""
        return {
            "level": self.level,
            "code": self.code,
            "file": self.mark.file,
            "line": self.mark.line,
            "column": self.mark.column,
            "width": self.mark.width,
            "sentence": self.sentence,
            "hint": self.hint,
        }


class Findings:
    """Collect findings; the same one (a route compiled for three sites) is kept once."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, Mark, str], Finding] = {}
        self._lines: dict[str, Sequence[str]] = {}

    def source(self, file: str, text: str) -> None:
        """Remember the text of a file, to cite its lines."""
        self._lines[file] = text.split("\n")

    def add(self, level: str, code: str, mark: Mark, sentence: str, hint: str = "") -> None:
        """Keep a finding."""
        lines = self._lines.get(mark.file, ())
        line = lines[mark.line - 1].rstrip("\r") if 0 < mark.line <= len(lines) else ""
        width = min(mark.width, max(1, len(line) - mark.column + 1))
        mark = mark._replace(width=width)
        self._found.setdefault((code, mark, sentence), Finding(level, code, mark, sentence, hint, line))

    def all(self) -> list[Finding]:
        """Return them in the order of files, lines and columns."""
        order = {file: rank for rank, file in enumerate(self._lines)}
        return sorted(
            self._found.values(),
            key=lambda one: (order.get(one.mark.file, len(order)), one.mark.line, one.mark.column, one.code),
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
