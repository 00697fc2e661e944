"""
Name the authorities of numbers that no site declares, for whoever has to declare them.

A sentence never holds a value of a patient, and a sender may have put anything into CX-4: so it says an OID, a FINESS,
and those names alone that the configuration knows from somewhere (`CPAGE` is an alias at another hospital).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from engine.identity.finess import check_digit_fits
from engine.identity.hd import read_hd
from engine.identity.spellings import INS_ARC, NULL, TYPES_ALIKE, text_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from engine.identity.authorities import Recogniser
    from engine.parsers.hl7v2.delimiters import Delimiters

_PATIENTS: Final = frozenset({"", "PI", "PN", *TYPES_ALIKE})
_ARCS_MIN: Final = 5
"""Below that, what has the form of an OID may be a date."""


def undeclared(field: bytes, recogniser: Recogniser, delimiters: Delimiters) -> list[str]:
    """
    Say who gave the numbers of a field that belong to no declared authority.

    Args:
        field: Of type CX, with all its repetitions.
        recogniser: For the message's site.
        delimiters: Those of the message.

    Returns:
        Each once, as an alias of a site is written: `CPAGE/PI`, `1.2.250.1.999.60.1/PI`. Nothing of the INS, nor of
        numbers that stand for no patient.
    """
    found: dict[str, None] = {}
    for value, spelling in recogniser.spellings(delimiters).identifiers(field):
        if spelling.authority is not None or not value.strip() or value == NULL:
            continue
        parts = [*delimiters.components(value + spelling.received), b"", b"", b"", b""]
        type_ = text_of(parts[4]).strip().upper()
        if type_ in _PATIENTS and INS_ARC not in text_of(parts[3]):
            found[_named(parts[3], type_, recogniser.all_names, delimiters)] = None
    return list(found)


def _named(assigner: bytes, type_: str, names: Collection[str], delimiters: Delimiters) -> str:
    hd = read_hd(assigner, delimiters)
    of_type = f"/{type_}" if type_ else " without type (CX-5)"
    if hd.oid.count(".") >= _ARCS_MIN - 1:
        return hd.oid + of_type
    if check_digit_fits(hd.finess):
        return f"FINESS {hd.finess}{of_type}"
    if hd.name.upper() in names:
        return hd.name + of_type
    if not assigner.strip():
        return "an empty CX-4: write untyped: at the source if they are the sender's own"
    return f"a name in CX-4 that no site declares{of_type}"
