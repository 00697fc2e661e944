"""
What each leaf of a message may tell of somebody, by data type and place; what isn't named here is free text.

    keep      it names nobody: codes, quantities, authorities, units
    label     words beside a code; kept in a few fields only
    free      text that somebody wrote: letters become x, digits 9
    id, nir   identifiers; insurance numbers
    family, given, street, town, zip, cog, phone, email
    date      moved by a number of weeks
    check     a check digit of an identifier that is replaced
    document  what is encoded in base64
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

Kinds = tuple[str, ...]
"""Of the components of a data type; those behind the last one are of its kind."""
_KEEP: Final = ("keep",)
_DATE: Final = ("date",)

_CODED: Final = ("keep", "label", "keep", "keep", "label", "keep", "keep", "keep", "label", "keep")
_NAME: Final = ("family", "given", "given", "free", "keep", "free")
_PERSON: Final = (
    "id", "family", "given", "given", "free", "keep", "free", "keep", "keep", "keep", "check", "keep", "keep", "keep",
    "free",
)  # fmt: skip
_ADDRESS: Final = ("street", "free", "town", "free", "zip", "keep", "keep", "free", "cog", "free", "keep", "date")

TYPES: Final[Mapping[str, Kinds]] = {
    **dict.fromkeys(["ID", "IS", "SI", "NM", "TM", "HD", "VID", "PT", "MSG", "CM_MSG", "PL", "CQ", "SN"], _KEEP),
    **dict.fromkeys(["MO", "CP"], _KEEP),
    **dict.fromkeys(["CE", "CWE", "CNE", "CF"], _CODED),
    **dict.fromkeys(["TS", "DTM", "DT", "DR"], _DATE),
    "DLD": ("keep", "date"),
    "FC": ("keep", "date"),
    "EI": ("id", "keep"),
    "EIP": ("id",),
    "CX": ("id", "check", "keep", "keep", "keep", "keep", "date", "date", "keep"),
    "CK": ("id", "check", "keep"),
    "XPN": (*_NAME, "keep", "keep", "free", "date", "keep", "date", "date", "free"),
    "PN": _NAME,
    "FN": ("family",),
    "XCN": _PERSON,
    "CN": _PERSON,
    "CNN": _PERSON,
    "NDL": ("free",),
    "PPN": (*_PERSON[:14], "date", "free"),
    "XON": ("label", "keep", "id", "check", "keep", "keep", "keep", "keep", "keep", "keep"),
    "XAD": _ADDRESS,
    "AD": _ADDRESS[:8],
    "XTN": ("phone", "keep", "keep", "email", "phone", "phone", "phone", "phone", "free", "free", "free", "phone"),
    "TN": ("phone",),
    "DLN": ("id", "keep", "date"),
    "ED": ("keep", "keep", "keep", "keep", "document"),
}  # fmt: skip
"""By HL7 data type (HL7 v2.5 chapter 2.A)."""

FIELDS: Final[Mapping[tuple[str, int], Kinds]] = {
    **{("MSH", number): _KEEP for number in (1, 2, 10, 21)},
    **{("OBX", number): _KEEP for number in (3, 4, 6, 7)},
    ("MSA", 2): _KEEP,
    ("EVN", 1): _KEEP,
    ("OBR", 4): _KEEP,
    ("OBR", 15): _KEEP,
    ("SPM", 4): _KEEP,
    ("ZBE", 7): _KEEP,
    ("ZBE", 8): _KEEP,
    ("PID", 19): ("nir",),
    ("PID", 23): ("town",),
    ("GT1", 12): ("nir",),
    ("NK1", 37): ("nir",),
    ("IN1", 36): ("id",),
    **{("PID", number): ("free",) for number in (10, 17, 22, 26, 28)},
}
"""Fields of which more is known than their data type says; race, religion, nationality are nobody's business."""

_HPRIM_NAME: Final = ("family", "given", "given", "family", "keep", "free")
_HPRIM_PERSON: Final = ("id", "family", "given")


def _fields(segment: str, kinds: Mapping[int, Kinds], kept: str, dates: str = "") -> dict[tuple[str, int], Kinds]:
    made = {(segment, int(number)): _KEEP for number in kept.split()}
    made |= {(segment, int(number)): _DATE for number in dates.split()}
    return made | {(segment, number): each for number, each in kinds.items()}


HPRIM: Final[Mapping[tuple[str, int], Kinds]] = {
    **_fields("H", {7: ("phone",)}, "1 2 4 6 9 11 12", "13"),
    **_fields(
        "P",
        {
            2: ("id", "id", "keep"),
            3: ("id",),
            4: ("id",),
            5: _HPRIM_NAME,
            6: _HPRIM_NAME,
            10: ("street", "free", "town", "free", "zip", "keep"),
            11: ("nir", "keep", "date", "date", "date", "keep"),
            12: ("phone",),
            13: _HPRIM_PERSON,
            34: ("town", "cog", "keep", "zip"),
            41: ("email",),
        },
        "1 8 24 25 28 31 35 38 39",
        "7 23 33 37",
    ),
    **_fields(
        "OBR",
        {2: ("id",), 3: ("id",), 10: _HPRIM_PERSON, 16: _HPRIM_PERSON, 17: ("phone",), 32: _HPRIM_PERSON},
        "1 4 5 9 11 15 24 25",
        "6 7 8 14 22 36",
    ),
    **_fields("OBX", {16: _HPRIM_PERSON}, "1 2 3 4 6 7 8 9 10 11 13 15", "12 14"),
    **_fields("C", {}, "1 2"),
    **_fields("L", {}, "1 2 3 4 5"),
    **_fields(
        "ENT",
        {1: ("id",), 2: ("family",), 3: ("given",), 4: ("street",), 8: ("nir",), 9: ("id",)},
        "",
        "7 10",
    ),
    **_fields("RES", {}, "1 2 3 4 5 6 7 8 9 10 11 12 13 14"),
}
"""By segment and field of HPRIM Santé and HPRIM Médecin."""


def kind_of(kinds: Kinds, component: int) -> str:
    """Return the kind of a component, from 1."""
    return kinds[min(component, len(kinds)) - 1]
