"""Dates: both standards write `AAAAMMJJ[HHMM[SS]]`; what systems write besides is understood where it is certain."""

from __future__ import annotations

import re
from typing import Final

from engine.conversion.segments import NULL

_DAY_FIRST: Final = re.compile(rb"(\d\d)/(\d\d)/(\d{4})")
_WITH_MARKS: Final = re.compile(rb"(\d{4})-(\d\d)-(\d\d)(?:[ T](\d\d):(\d\d)(?::(\d\d))?)?")
_NO_DATE: Final = re.compile(rb"[^1-9]*")
_LENGTHS: Final = frozenset({4, 6, 8, 10, 12, 14})
_WITH_ZONE: Final = re.compile(rb"\d{8,14}(?:\.\d{1,4})?[+-]\d{4}")


def is_date(data: bytes) -> bool:
    """
    Tell whether there is a date, certain or not: what follows from one (a death, the end of a stay) needs it.

    Args:
        data: One leaf. A null, words (`N`) and zeros, which some systems write for no date, are none.
    """
    return _NO_DATE.fullmatch(data) is None


def normal_date(data: bytes) -> bytes | None:
    """
    Return a date as HL7 and HPRIM write it.

    Args:
        data: One leaf. Also read: `JJ/MM/AAAA`, `AAAA-MM-JJ HH:MM:SS`.

    Returns:
        The date; None when it isn't certain what was meant (`01/02/26`, `00000000`).
    """
    if not data or data == NULL:
        return data
    if not is_date(data):
        return None
    if data.isdigit() and len(data) in _LENGTHS:
        return data
    plain = data.strip()
    if plain != data and plain.isdigit() and len(plain) in _LENGTHS:
        return plain
    match = _DAY_FIRST.fullmatch(plain)
    if match:
        return match[3] + match[2] + match[1]
    match = _WITH_MARKS.fullmatch(plain)
    if match:
        return b"".join(group or b"" for group in match.groups())
    return plain if _WITH_ZONE.fullmatch(plain) else None
