"""
Dates from one form to another: HL7's own (`hl7`), or a pattern as `%d/%m/%Y`.

HL7's TS and DTM (v2.5 § 2.A.22, 2.A.77) say as much as is known: YYYY[MM[DD[HH[MM[SS[.S[S[S[S]]]]]]]]][+/-ZZZZ]. A
form that asks for more than a value says is an error, never a guess.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Final

HL7: Final = "hl7"
_HL7: Final = re.compile(
    r"(?P<Y>\d{4})(?:(?P<m>\d\d)(?:(?P<d>\d\d)(?:(?P<H>\d\d)(?:(?P<M>\d\d)(?:(?P<S>\d\d)(?:\.\d{1,4})?)?)?)?)?)?"
    r"(?P<z>[+-]\d{4})?",
    re.ASCII,
)
_PARTS: Final = {"Y": "year", "m": "month", "d": "day", "H": "hour", "M": "minute", "S": "second", "z": "zone"}
_ORDER: Final = "YmdHMS"
_DIRECTIVE: Final = re.compile(r"%(.?)", re.DOTALL)

Parts = dict[str, str]
"""By directive (`Y`, `m`…, `z`): digits with their zeros; what isn't known is left out."""


class DateRefused(ValueError):
    """A value that isn't of the form, or says less than what is asked for; holds no value."""


class FormRefused(ValueError):
    """A form that can't be: what is wrong, and what to write."""

    def __init__(self, reason: str, hint: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint


def date_reader(form: str) -> Callable[[str], Parts]:
    """
    Compile the reading of a form.

    Returns:
        A function that raises DateRefused on a value of another form, or on a date that doesn't exist.

    Raises:
        FormRefused: The form can't be read.
    """
    pattern = _HL7 if form == HL7 else re.compile(_pattern(form), re.ASCII)

    def read(value: str) -> Parts:
        match = pattern.fullmatch(value)
        if match is None:
            raise DateRefused(f"the value isn't a date of the form {form}")
        parts = {name: digits for name, digits in match.groupdict().items() if digits is not None}
        return _checked({name: digits if name == "z" else digits.zfill(2) for name, digits in parts.items()})

    return read


def date_writer(form: str) -> Callable[[Parts], str]:
    """
    Compile the writing of a form.

    Returns:
        A function that raises DateRefused when a part that the form asks for isn't known.

    Raises:
        FormRefused: The form has a directive that doesn't exist.
    """
    if form == HL7:
        return _write_hl7
    letters = [match[1] for match in _DIRECTIVE.finditer(form)]
    for letter in letters:
        if letter not in {*_PARTS, "y", "%"}:
            raise _unknown(letter)
    if not {*letters} - {"%"}:
        raise FormRefused("the form has no part of a date", "write hl7, or a pattern: %d/%m/%Y")

    def write(parts: Parts) -> str:
        return _DIRECTIVE.sub(lambda match: _part(match[1], parts), form)

    return write


def _part(letter: str, parts: Parts) -> str:
    if letter == "%":
        return "%"
    name = "Y" if letter == "y" else letter
    if name not in parts:
        raise DateRefused(f"the date doesn't say its {_PARTS[name]}")
    return parts[name][2:] if letter == "y" else parts[name]


def _write_hl7(parts: Parts) -> str:
    known = ""
    for letter in _ORDER:
        if letter not in parts:
            break
        known += parts[letter]
    return known + parts.get("z", "")


def _pattern(form: str) -> str:
    """Make a regular expression; one digit is enough where marks that are no digits stand around."""
    pieces = re.split(r"(%.?)", form)  # texts and directives in turn
    seen: set[str] = set()
    out = re.escape(pieces[0])
    for rank in range(1, len(pieces), 2):
        letter, before, after = pieces[rank][1:], pieces[rank - 1], pieces[rank + 1]
        if letter == "%":
            out += "%" + re.escape(after)
            continue
        _require_readable(letter, seen)
        seen.add(letter)
        parted = (rank == 1 or before) and (rank == len(pieces) - 2 or after)
        alone = parted and not before[-1:].isdigit() and not after[:1].isdigit()
        digits = {"Y": r"\d{4}", "z": r"[+-]\d{4}"}.get(letter, r"\d\d?" if alone else r"\d\d")
        out += f"(?P<{letter}>{digits}){re.escape(after)}"
    if "Y" not in seen:
        raise FormRefused("the form has no year", "write hl7, or a pattern with %Y: %d/%m/%Y")
    return out


def _require_readable(letter: str, seen: set[str]) -> None:
    if letter == "y":
        raise FormRefused("two digits don't say the century", "write %Y; there is no sure way to read such a year")
    if letter not in _PARTS:
        raise _unknown(letter)
    if letter in seen:
        raise FormRefused(f"%{letter} stands twice", "write each part once")


def _unknown(letter: str) -> FormRefused:
    return FormRefused(f"%{letter} is no part of a date", "parts: %Y %m %d %H %M %S %z, and %% for a percent sign")


def _checked(parts: Parts) -> Parts:
    try:
        date(int(parts["Y"]), int(parts.get("m", 1)), int(parts.get("d", 1)))
    except ValueError:
        raise DateRefused("there is no such day") from None
    if int(parts.get("H", 0)) > 23 or int(parts.get("M", 0)) > 59 or int(parts.get("S", 0)) > 59:
        raise DateRefused("there is no such time")
    return parts
