"""Numbers, dates and ages: what `<` and its like compare. What is neither stops the route: it isn't just false."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from datetime import date, datetime, timedelta, tzinfo
from typing import Any, Final

from engine.errors import StepFailed

Test = Callable[[str], bool]

_DATE: Final = re.compile(
    r"[0-9]{4}(?:(?:0[1-9]|1[0-2])(?:(?:0[1-9]|[12][0-9]|3[01])[0-9]{0,6})?)?(?:\.[0-9]+)?(?:[+-][0-9]{4})?\Z"
)
"""HL7 v2.5 § 2.A.77 (TS): YYYY[MM[DD[HH[MM[SS[.S…]]]]]][+/-ZZZZ]."""
_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,15}(?:\.[0-9]{1,15})?\Z")
_DATE_DIGITS: Final = 8
"""From so many digits on a literal that is a date is read as one: 2026 is a number."""

SIGNS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "==": operator.eq, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


def comparison(sign: str, wanted: str, name: str, *, numeric: bool) -> Test | None:
    """
    Return what compares a value with a literal.

    Args:
        sign: One of SIGNS.
        wanted: The literal.
        name: What is compared, for errors.
        numeric: Whether it is a number in any case.

    Returns:
        The test, which raises StepFailed (E-COMPARE) for a value of another kind; None: the literal is neither
        number nor date.
    """
    if not numeric and len(wanted) >= _DATE_DIGITS and _DATE.match(wanted):
        return _ordered(SIGNS[sign], sign, _digits(wanted), name)
    return _numeric(SIGNS[sign], sign, float(wanted), name) if _NUMBER.match(wanted) else None


def _numeric(compare: Callable[[Any, Any], bool], sign: str, wanted: float, name: str) -> Test:
    def check(value: str) -> bool:
        text = value.strip()
        if not _NUMBER.match(text):
            raise StepFailed("E-COMPARE", f"{sign} compares a number with what is none", field=name)
        return compare(float(text), wanted)

    return check


def _ordered(compare: Callable[[Any, Any], bool], sign: str, wanted: str, name: str) -> Test:
    """Compare HL7 dates to the precision that both have: 2026 is neither before nor after 20260101."""

    def check(value: str) -> bool:
        if not _DATE.match(value):
            raise StepFailed("E-COMPARE", f"{sign} compares a date with what is none", field=name)
        text = _digits(value)
        shared = min(len(text), len(wanted))
        return compare(text[:shared], wanted[:shared])

    return check


def _digits(text: str) -> str:
    """Leave fractions and zone aside: senders write local time, and most of them no zone."""
    return re.split(r"[.+-]", text, maxsplit=1)[0]


def day_of(received_ms: int, zone: tzinfo) -> int:
    """Return the local day of a moment as a number: 20260301."""
    day = datetime.fromtimestamp(received_ms / 1000, zone)
    return day.year * 10_000 + day.month * 100 + day.day


def age(born: str, today: int, name: str) -> int:
    """
    Count the years from a date of birth to a day.

    An unknown day counts as the first of its month, an unknown month and day as 31 December (RNIV).

    Args:
        born: A date or time of HL7.
        today: The day, 20260301.
        name: The path, for errors.

    Raises:
        StepFailed: E-COMPARE, when it is no date, or lies more than a day after today (clocks differ).
    """
    digits = _digits(born)[:8]
    if not _DATE.match(born):
        raise StepFailed("E-COMPARE", "age() wants a date of birth, this is none", field=name)
    day = int(digits + {4: "1231", 6: "01"}.get(len(digits), ""))
    if day > today and len(digits) == _DATE_DIGITS and day > _next_day(today):
        raise StepFailed("E-COMPARE", "the date of birth lies after the day of the message", field=name)
    return max(0, (today - day) // 10_000)


def _next_day(day: int) -> int:
    after = date(day // 10_000, day // 100 % 100, day % 100) + timedelta(days=1)
    return after.year * 10_000 + after.month * 100 + after.day
