"""
Simple data types (HL7 v2.5 § 2.A): which texts are values of them.

Each type has a pattern that takes what is surely right in one go, and a function that decides about the rest.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

_DAY: Final = r"(?:(?:0[13578]|1[02])(?:0[1-9]|[12]\d|3[01])|(?:0[469]|11)(?:0[1-9]|[12]\d|30)|02(?:0[1-9]|1\d|2[0-8]))"
_MONTH: Final = r"(?:0[1-9]|1[0-2])"
_TIME: Final = r"(?:[01]\d|2[0-3])(?:[0-5]\d(?:[0-5]\d(?:\.\d{1,4})?)?)?"
_ZONE: Final = r"(?:[+-](?:0\d|1[0-4])[0-5]\d)?"
_LEAP_DAY: Final = re.compile(r"(\d{4})0229(.*)", re.DOTALL)


class Simple(NamedTuple):
    """A simple data type that not every text is a value of."""

    pattern: str
    """Regular expression of what is surely right."""
    wanted: str
    """In words, for a finding."""
    accepts: Callable[[str], bool]
    """Decides about any text."""


def _matcher(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern, re.ASCII)
    return lambda text: compiled.fullmatch(text) is not None


def _date_matcher(pattern: str) -> Callable[[str], bool]:
    matches = _matcher(pattern)

    def accepts(text: str) -> bool:
        found = _LEAP_DAY.fullmatch(text)
        if found is not None and calendar.isleap(int(found[1])):
            text = f"{found[1]}0228{found[2]}"
        return matches(text)

    return accepts


_DT: Final = rf"\d{{4}}(?:{_DAY}|{_MONTH})?"
_DTM: Final = rf"\d{{4}}(?:{_DAY}(?:{_TIME})?|{_MONTH})?{_ZONE}"
_TM: Final = _TIME + _ZONE
_NM: Final = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)"

SIMPLE: Final[Mapping[str, Simple]] = {
    "DT": Simple(_DT, "a date: YYYY[MM[DD]]", _date_matcher(_DT)),
    "DTM": Simple(_DTM, "a date and time: YYYY[MM[DD[HHMM[SS]]]], with +ZZZZ if need be", _date_matcher(_DTM)),
    "TS": Simple(_DTM, "a date and time: YYYY[MM[DD[HHMM[SS]]]], with +ZZZZ if need be", _date_matcher(_DTM)),
    "TM": Simple(_TM, "a time: HH[MM[SS]]", _matcher(_TM)),
    "NM": Simple(_NM, "a number", _matcher(_NM)),
    "SI": Simple(r"\d+", "a whole number", _matcher(r"\d+")),
}
"""By name; the simple types that aren't here (ST, TX, FT, ID, IS, GTS…) take any text."""

TEXTS: Final = frozenset({"ST", "TX", "FT", "GTS"})
"""Types in which senders forget to escape a delimiter."""
