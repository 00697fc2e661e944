"""
Regular expressions of what surely fits a shape, on bytes, for the usual delimiters.

A field that matches has no finding; one that doesn't is looked at by `checks`, which decides. So a pattern may
be narrower than the rule, never wider. Each is built so that a separator decides at once which way to go: nothing
is tried twice, and time grows with the length of the field.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import Final

from engine.validation.datatypes import SIMPLE
from engine.validation.shapes import FORBIDDEN, REQUIRED, WITHDRAWN, Shape

Fits = Callable[[bytes], object]
"""Gives something true for a field that has no finding."""

_NULL: Final = '""'
_CODES_MAX: Final = 600
_LENGTH_MAX: Final = 60_000
"""Repeat counts of `re` end at 65,535 in some builds; what a profile limits beyond is left to `checks`."""


def fits(shape: Shape) -> Fits:
    """Return what recognises the fields of a shape that have no finding."""
    if shape.usage in (FORBIDDEN, WITHDRAWN) or _is_far(shape):
        return _never
    pattern = _field(shape)
    return re.compile(pattern.encode("utf-8"), re.DOTALL).fullmatch


def _is_far(shape: Shape) -> bool:
    return shape.length > _LENGTH_MAX or shape.least > 1 or any(_is_far(part) for part in shape.parts)


def _never(data: bytes) -> None:
    del data


def _field(shape: Shape) -> str:
    one = f"(?:{_NULL}|{_repetition(shape)})"
    if shape.most == 1:
        return one
    count = "*" if not shape.most else f"{{0,{shape.most - 1}}}"
    there = "(?=~*[^~])" if shape.usage == REQUIRED else ""  # separators alone aren't what is required
    return f"{there}{one}?(?:~{one}?){count}"


def _repetition(shape: Shape) -> str:
    limit = rf"(?=[^~]{{0,{shape.length}}}(?:~|\Z))" if shape.length else ""
    if not shape.known:
        return rf"{limit}[^~]+"
    if not shape.parts:
        return limit + _leaf(shape)
    return limit + _sequence([_component(part) for part in shape.parts], r"\^")


def _component(shape: Shape) -> tuple[str, bool]:
    """Return the pattern of a component that is there, and whether it must be."""
    required = shape.usage == REQUIRED
    if shape.usage in (FORBIDDEN, WITHDRAWN):
        return "", False
    limit = rf"(?=[^~^]{{0,{shape.length}}}(?:[~^]|\Z))" if shape.length and shape.parts else ""
    if not shape.known:
        return r"[^~^]+", required
    if not shape.parts:
        return _leaf(shape), required
    parts = [
        ("" if part.usage in (FORBIDDEN, WITHDRAWN) else _leaf(part), part.usage == REQUIRED) for part in shape.parts
    ]
    return f"(?:{_NULL}|{limit}{_sequence(parts, '&')})", required


def _sequence(parts: list[tuple[str, bool]], mark: str) -> str:
    """
    Join parts by a separator; what follows the last one that is there may be left out.

    Separators alone are no value.
    """
    blanks = "&" if mark == "&" else r"[\^&]"
    last = max((index for index, (_, required) in enumerate(parts) if required), default=-1)
    text = rf"(?:{mark})*"
    for index in range(len(parts) - 1, -1, -1):
        pattern, required = parts[index]
        one = f"(?:{pattern})" if required else f"(?:{pattern})?" if pattern else ""
        if not index:
            text = one + text
        else:
            text = f"{mark}{one}{text}"
            if index > last:
                text = f"(?:{text})?"
    return rf"(?={blanks}*[^~^&])(?:{text})"


def _leaf(shape: Shape) -> str:
    """Return the pattern of a value; separators that aren't escaped are for `checks` to judge."""
    if shape.matches is not None:  # it judges texts, not bytes
        return _NULL
    if shape.codes is not None:
        codes = _alternatives(shape.codes)
        return f"(?:{_NULL}|{codes})" if codes else _NULL
    simple = SIMPLE.get(shape.type)
    if simple is None:
        # an escape sequence is never shorter than what it stands for
        return rf"[^~^&]{{1,{shape.length}}}" if shape.length else r"[^~^&]+"
    limit = rf"(?=[^~^&]{{1,{shape.length}}}(?:[~^&]|\Z))" if shape.length else ""
    return f"(?:{_NULL}|{limit}{simple.pattern})"


def _alternatives(codes: Collection[str]) -> str:
    """Return one of some words; words that begin alike share their beginning."""
    usable = sorted(code for code in codes if code and not re.search(r"[\^~\\&|]", code))
    if not usable or len(usable) > _CODES_MAX:
        return ""
    return _branches(usable)


def _branches(words: list[str]) -> str:
    """Return what matches exactly these sorted words."""
    if len(words) == 1:
        return re.escape(words[0])
    parts: list[str] = []
    index = 0
    optional = words[0] == ""
    if optional:
        index = 1
    while index < len(words):
        letter = words[index][0]
        end = index
        while end < len(words) and words[end][0] == letter:
            end += 1
        rest = _branches([word[1:] for word in words[index:end]]) if end - index > 1 else re.escape(words[index][1:])
        parts.append(re.escape(letter) + rest)
        index = end
    return f"(?:{'|'.join(parts)})" + ("?" if optional else "")
