"""
Guard regular expressions of `matches` and `text: "/…/"`: no pattern can make the router think for long.

Python's `re` backtracks. Until a linear-time library is a dependency, what backtracks without bound is
refused when the configuration loads: nested unbounded repeats, back references, look-around, and more than
two unbounded repeats; and only the first 256 characters of a value are looked at.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

VALUE_MAX: Final = 256
_UNBOUNDED_MAX: Final = 2
_QUANTIFIER: Final = re.compile(r"[*+]|\{[0-9]*,\}|\?|\{[0-9]+(?:,[0-9]+)?\}")


class ExpressionRefused(Exception):
    """A pattern that isn't allowed; `hint` says what to write."""

    def __init__(self, reason: str, hint: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint


def compile_expression(pattern: str) -> Callable[[str], bool]:
    """
    Compile the text between two slashes.

    Returns:
        A function that says whether the pattern is found in a value (case counts).

    Raises:
        ExpressionRefused: It isn't a pattern, or one that could take long.
    """
    _guard(pattern)
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise ExpressionRefused(
            f"this is no regular expression: {error.msg}", "write \\ before . * + ? ( ) [ ] to mean itself"
        ) from None
    search = compiled.search
    return lambda value: search(value[:VALUE_MAX]) is not None


def _guard(pattern: str) -> None:  # noqa: C901 - one pass over the pattern reads better whole
    if len(pattern) > 200:
        raise ExpressionRefused("the regular expression is longer than 200 characters", "use a list or a table")
    open_groups: list[bool] = [False]  # for each open group: does it hold an unbounded repeat or an alternative
    unbounded = index = 0
    closed: bool | None = None
    while index < len(pattern):
        here = pattern[index]
        if here == "\\":
            if pattern[index + 1 : index + 2].isdigit():
                raise ExpressionRefused("back references aren't allowed", "write the text again")
            index, closed = index + 2, None
            continue
        if here == "[":
            index, closed = _class_end(pattern, index), None
            continue
        if here == "(":
            if pattern[index + 1 : index + 2] == "?" and pattern[index + 2 : index + 3] != ":":
                raise ExpressionRefused("(?…) is only allowed as (?:…)", "use two tests with `and`")
            open_groups.append(False)
            index, closed = index + (3 if pattern.startswith("(?:", index) else 1), None
            continue
        if here == ")":
            closed = open_groups.pop() if len(open_groups) > 1 else False
            open_groups[-1] = open_groups[-1] or closed
            index += 1
            continue
        quantifier = _QUANTIFIER.match(pattern, index)
        if quantifier is None:
            if here == "|":
                open_groups[-1] = open_groups[-1] or len(open_groups) > 1
            index, closed = index + 1, None
            continue
        text = quantifier[0]
        if text != "?":
            if closed:
                raise ExpressionRefused("a repeat of a group that itself repeats or has alternatives can take for ever",
                                        "write it without the outer repeat")  # fmt: skip
            if text in "*+" or text.endswith(",}"):
                unbounded += 1
                open_groups[-1] = True
        index, closed = quantifier.end(), None
        if pattern[index : index + 1] == "?":
            index += 1
    if unbounded > _UNBOUNDED_MAX:
        raise ExpressionRefused(
            f"more than {_UNBOUNDED_MAX} of * and + can take long", "use `like`, `contains`, or {1,20} instead of +"
        )


def _class_end(pattern: str, index: int) -> int:
    index += 1
    if pattern[index : index + 1] == "^":
        index += 1
    if pattern[index : index + 1] == "]":
        index += 1
    while index < len(pattern) and pattern[index] != "]":
        index += 2 if pattern[index] == "\\" else 1
    return index + 1
