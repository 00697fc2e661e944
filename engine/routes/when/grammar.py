"""A condition's text to its tree; what can't be read says where and what to write."""

from __future__ import annotations

import functools
import pathlib
import re
import unicodedata
from collections.abc import Collection
from typing import Any, Final

import lark

_DEPTH_MAX: Final = 60
_TERMS: Final[dict[str, str]] = {
    "PATH": "a path (PID-3.1)", "KEY": "a key (event)", "COMPARE": "== != < <= > >=", "STRING": '"a text"',
    "WORD": "a word",
    "LIST": "the name of a list", "TABLE": "table NAME",
    "REGEX": "/a regular expression/", "LPAR": "(", "RPAR": ")", "LSQB": "[A01, …]", "RSQB": "]",
    "COMMA": ",", "$END": "the end", "__ANON_0": "list NAME",
}  # fmt: skip
_SIGNS: Final = re.compile(r"[=<>!&|]+")
_OTHER_SIGNS: Final = {"=": "==", "===": "==", "<>": "!=", "=<": "<=", "=>": ">=", "&&": "and", "||": "or", "!": "not"}
"""As other languages write it, and as it is written here."""
_QUOTED: Final = re.compile(r"""\"[^"]*\"|'[^']*'|/(?:\\.|[^/\\])+/""")
_TYPOGRAPHIC: Final = re.compile(r"(?<![^\s,\[(=<>!])[“”„«»‘’‚‹›]")
_BLANK: Final = re.compile(r"[\u00a0\u00ad\u1680\u2000-\u200f\u2028-\u202f\u205f-\u2064\u3000\ufeff]")


class WhenError(Exception):
    """A condition that can't be compiled: what is wrong, in which column (from 0), what to write."""

    def __init__(self, code: str, reason: str, column: int, hint: str = "", *, width: int = 1) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.column = column
        self.hint = hint
        self.width = width


@functools.lru_cache(maxsize=256)
def parse(text: str) -> Any:
    """
    Return the tree of a condition; of the last ones it is kept: a route is compiled once for each site.

    Raises:
        WhenError: It is none.
    """
    depth = most = 0
    for letter in text:
        depth += (letter == "(") - (letter == ")")
        most = max(most, depth)
    if most > _DEPTH_MAX:
        raise WhenError("E113", "the parentheses are nested too deep", 0, "declare a list")
    _check_signs(text)
    try:
        tree = _parser().parse(text).children[0]
    except lark.exceptions.UnexpectedInput as error:
        raise _syntax(text, error) from None
    _check_negations(tree)
    return tree


def _check_signs(text: str) -> None:
    """
    Refuse what a word processor makes of quotes and blanks: it would be a part of the word, which then is never met.

    Raises:
        WhenError: Such a sign stands outside of straight quotes.
    """
    if text.isascii():
        return
    bare = _QUOTED.sub(lambda quoted: " " * len(quoted[0]), text)
    blank = _BLANK.search(bare)
    if blank is not None:
        name = unicodedata.name(blank[0], "").lower() or "an invisible character"
        sentence = f"an invisible character stands here: {name} (U+{ord(blank[0]):04X})"
        raise WhenError("E113", sentence, blank.start(), "delete it, or write a blank")
    quote = _TYPOGRAPHIC.search(bare)
    if quote is not None:
        raise WhenError("E113", f"{quote[0]} is no quote here", quote.start(), 'write straight quotes: "…", or none')


def _check_negations(tree: Any) -> None:
    """
    Refuse `not not not …` without end; whoever compiles a tree goes down with it.

    Raises:
        WhenError: More than _DEPTH_MAX stand one in the other.
    """
    waiting = [(tree, 0)]
    while waiting:
        one, depth = waiting.pop()
        if not isinstance(one, lark.Tree):
            continue
        depth += one.data == "negation"
        if depth > _DEPTH_MAX:
            hint = "leave them out in pairs: not not is nothing"
            raise WhenError("E113", "too many `not` stand one in the other", one.meta.start_pos, hint, width=3)
        waiting += [(child, depth) for child in one.children]


@functools.cache
def _parser() -> lark.Lark:
    grammar = pathlib.Path(__file__).with_name("when.lark").read_text(encoding="ascii")
    return lark.Lark(grammar, parser="lalr", propagate_positions=True, maybe_placeholders=False)


def _syntax(text: str, error: lark.exceptions.UnexpectedInput) -> WhenError:
    column = error.pos_in_stream if isinstance(error.pos_in_stream, int) else len(text)
    wanted: Collection[str] = ()
    if isinstance(error, lark.exceptions.UnexpectedToken):
        wanted = error.accepts or error.expected
        if error.token.type == "$END":
            column = len(text)
    elif isinstance(error, lark.exceptions.UnexpectedCharacters):
        wanted = error.allowed or ()
    names = sorted(_TERMS.get(name, name.lower()) for name in wanted if name != "WS")
    if "PATH" in wanted:
        names = ["a test: event == A01, PID-3.1 exists, not (…)"]
    if "LIST" in wanted and text[: column or None].split()[-1:] == ["table"]:
        names = ["the name of a table"]
    if column >= len(text.rstrip()):
        where = max(0, len(text.rstrip()) - 1)
        return WhenError("E113", "the condition ends too early", where, f"write {' or '.join(names)}")
    for sign in _SIGNS.finditer(text):
        if sign.start() <= column < sign.end() and sign[0] in _OTHER_SIGNS:
            hint = f"write {_OTHER_SIGNS[sign[0]]}"
            return WhenError("E113", f"{sign[0]} isn't known here", sign.start(), hint, width=len(sign[0]))
    word = re.match(r"[\w.-]+|.", text[column:].lstrip())
    shown = word[0] if word is not None else "this"
    hint = f"write {' or '.join(names)}" if names else ""
    return WhenError("E113", f"{shown} can't stand here", column, hint, width=len(shown) if word is not None else 1)
