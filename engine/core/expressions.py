"""
Regular expressions of analysts: `matches`, `text: "/…/"` of an answer, profiles.

RE2 takes a time that grows with the length of the value and no faster, whatever the pattern: no pattern can hold up
the router. It knows no back references and no look-around (github.com/google/re2/wiki/Syntax).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

VALUE_MAX: Final = 65_536
"""Characters of a value that are looked at: documents in OBX-5 have millions."""
PATTERN_MAX: Final = 1_000
_MEMORY: Final = 1 << 20
"""Bytes that one compiled pattern may take."""
_HINTS: Final = (
    (re.compile(r"\\[1-9]"), "write the text again: back references aren't known"),
    (re.compile(r"\(\?[=!<]"), "use two tests with `and`: look-around isn't known"),
    (re.compile(r"\\Z"), r"write \z for the end of the text"),
)


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
        ExpressionRefused: It isn't a pattern, or one of more than 1,000 characters, or too large when compiled.
    """
    import re2  # only where a pattern is used: three milliseconds and a megabyte

    if len(pattern) > PATTERN_MAX:
        raise ExpressionRefused(f"the regular expression is longer than {PATTERN_MAX} characters", _LARGE)
    options = re2.Options()
    options.log_errors = False
    options.never_capture = True
    options.max_mem = _MEMORY
    try:
        compiled = re2.compile(pattern.encode(), options)
    except re2.error as error:
        raise _refusal(pattern, error) from None
    except UnicodeEncodeError:
        raise ExpressionRefused("the regular expression holds a character that no text has") from None
    search = compiled.search
    return lambda value: search(value[:VALUE_MAX].encode("utf-8", "replace")) is not None


_LARGE: Final = "use a list or a table"


def _refusal(pattern: str, error: Any) -> ExpressionRefused:
    reason = error.args[0] if error.args else b""
    said = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
    if "too large" in said or "repetition size" in said:
        return ExpressionRefused("the regular expression is too large", _LARGE)
    hint = next((words for form, words in _HINTS if form.search(pattern)), "")
    return ExpressionRefused(
        f"this is no regular expression: {said}", hint or "write \\ before . * + ? ( ) [ ] to mean itself"
    )
