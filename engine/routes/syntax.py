"""What is wrong with a text that isn't YAML: where, and what to write."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import yaml

from engine.routes.findings import lines_of

_BRACKETS: Final = r"\[[^\[\]\"']*\]"
_PATH: Final = re.compile(
    rf"(?<![\w\"'.$-])[A-Z][A-Z0-9]{{0,2}}(?:{_BRACKETS}(?:-[0-9]+(?:{_BRACKETS})?)?|-[0-9]+{_BRACKETS})(?:\.[0-9]+){{0,2}}"
)
"""A path with brackets, as it may not stand unquoted inside { } and [ ]."""
_KEY: Final = re.compile(r"(?P<blanks>(?: |- )*)(?P<word>[A-Za-z_][\w-]*)(?:\s[^:#]*)?")
"""A line that may be a key and its value, without colon."""
_SIGNS: Final = "@`%&*!|>{}[],?:-#"
"""With these signs YAML begins something else than a text."""


class Trouble(NamedTuple):
    """One place, from 0, and how to say it."""

    line: int
    column: int
    width: int
    sentence: str
    hint: str


def bracketed_paths(line: str) -> Iterator[re.Match[str]]:
    """Yield the paths with brackets that stand in a line outside of quotes."""
    quoted = [(found.start(), found.end()) for found in re.finditer(r"\"(?:\\.|[^\"\\])*\"|'[^']*'", line)]
    for found in _PATH.finditer(line):
        if not any(start <= found.start() < end for start, end in quoted):
            yield found


def trouble_of(text: str, error: yaml.YAMLError) -> Trouble:
    """
    Say what is wrong.

    Args:
        text: The document.
        error: What the parser found.
    """
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    line, column = (mark.line, mark.column) if mark is not None else (0, 0)
    problem = str(getattr(error, "problem", None) or getattr(error, "reason", None) or "it can't be read")
    lines = lines_of(text)
    here = lines[line] if line < len(lines) else ""
    if "\t" in here[: column + 1]:
        return Trouble(line, column, 1, "a tab stands at the beginning of the line", "write blanks")
    path = next(bracketed_paths(here), None) if re.search(r"[{\[,]", here[: column + 1]) else None
    if path is not None:
        where, words = path.start(), path[0]
        sentence = f"{words} can't stand inside {{ }} as it is"
        return Trouble(line, where, len(words), sentence, f'write "{words}" with quotes, or one `key: value` a line')
    if "mapping values are not allowed" in problem:
        forgotten = _without_colon(lines, line)
        if forgotten is not None:
            return forgotten
    begun = _begun(error, problem, lines)
    if begun is not None:
        return begun
    sentence, hint = _known(problem, here, column)
    return Trouble(line, column, 1, f"this isn't YAML: {sentence}", hint)


def _without_colon(lines: list[str], line: int) -> Trouble | None:
    """Point at a key whose colon was forgotten: YAML reads the line, and the next one with it, as one text."""
    before = next((number for number in range(line - 1, -1, -1) if lines[number].strip()), -1)
    found = _KEY.fullmatch(lines[before]) if before >= 0 else None
    here = lines[line]
    if found is None or len(found["blanks"]) > len(here) - len(here.lstrip()):
        return None
    word = found["word"]
    sentence = f"this isn't YAML: no colon stands behind {word}"
    return Trouble(before, len(found["blanks"]), len(word), sentence, f"write {word}: …")


def _begun(error: Any, problem: str, lines: list[str]) -> Trouble | None:
    """Point at the beginning of what has no end: a quote, a bracket, a key."""
    context, mark = str(getattr(error, "context", "") or ""), getattr(error, "context_mark", None)
    if mark is None or mark.line >= len(lines):
        return None
    sign = lines[mark.line][mark.column : mark.column + 1]
    if "quoted scalar" in context:
        sentence = f"the text that begins here is never closed: {sign} is missing"
        return Trouble(mark.line, mark.column, 1, sentence, f"write {sign} where it ends")
    if "scanning an alias" in context or "scanning an anchor" in context:
        word = re.split(r"[\s,\]}]", lines[mark.line][mark.column :], maxsplit=1)[0]
        return Trouble(
            mark.line, mark.column, len(word), f"no text begins with {sign}", f'write it in quotes: "{word}"'
        )
    if "expected ',' or" in problem:
        closing = "}" if "'}'" in problem else "]"
        sentence = f"what {sign} opens isn't closed: , or {closing} is missing"
        return Trouble(mark.line, mark.column, 1, sentence, f"write {closing} where it ends, commas between")
    if "expected ':'" in problem:
        width = max(1, len(lines[mark.line].rstrip()) - mark.column)
        return Trouble(mark.line, mark.column, width, "a key has no value", "write key: value, with a blank")
    return None


def _known(problem: str, here: str, column: int) -> tuple[str, str]:
    sign, before = here[column : column + 1], here[:column]
    moved = (
        "the line begins in another column than those it belongs to",
        "keys of one mapping stand below each other; what belongs to a key stands further right",
    )
    if "mapping values are not allowed" in problem:
        second = re.search(r":\s", before) is not None
        return ('a second ": " stands in this line', 'a text that holds ": " stands in quotes') if second else moved
    if "cannot start any token" in problem and sign in _SIGNS:
        return f"no text begins with {sign}", f'write it in quotes: "{sign}…"'
    if "expected key" in problem or "expected '-' indicator" in problem or "<block end>" in problem:
        if re.search(r"[\"']", before):
            return "something stands behind the quoted text", "quote the whole text; in '…' a quote is written ''"
        return moved
    if "control characters" in problem:
        return "a control character stands in the file", "remove it"
    return problem, "look at the indentation and the quotes of this line and the one before"
