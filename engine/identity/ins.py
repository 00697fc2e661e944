"""
The INS (identité nationale de santé): whose number it is by its OID, its form and its key.

ANS, *Référentiel INS*; IHE France, constraints on data types (CX). The OID alone says what it is: CX-5 is `INS`,
but `NH`, `INS-NIR` and nothing at all are seen, and neither the first digit nor the name in HD-1 tells a NIR from
a NIA. A wrong key is a remark, never a reason to refuse: official samples hold wrong ones.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from engine.identity.spellings import INS_ARC, text_of

if TYPE_CHECKING:
    from engine.parsers.hl7v2.delimiters import Delimiters

DELETED: Final = '""'
"""CX-1 of an INS that is to be deleted (PAM France, A47)."""
MATRICULE_LENGTH: Final = 15
"""Thirteen characters and the key, always present in HL7."""


class InsKind(StrEnum):
    """What an OID of the INS's arc numbers."""

    NIR = "NIR"
    NIA = "NIA"
    """Temporary, until a NIR is given."""
    INS_C = "INS-C"
    """Computed from traits; obsolete since 2015: read and dropped."""
    OTHER = "other"
    """An OID of the arc that no source at hand explains."""


class InsAuthority(NamedTuple):
    """Who gave an INS."""

    oid: str
    kind: InsKind
    test: bool = False
    """Of the spaces for tests and demonstrations: must not reach production."""

    @property
    def obsolete(self) -> bool:
        """Whether its numbers are no INS of today."""
        return self.kind in (InsKind.INS_C, InsKind.OTHER)


_KNOWN: Final = (
    InsAuthority(f"{INS_ARC}8", InsKind.NIR),
    InsAuthority(f"{INS_ARC}9", InsKind.NIA),
    InsAuthority(f"{INS_ARC}10", InsKind.NIR, test=True),
    InsAuthority(f"{INS_ARC}11", InsKind.NIR, test=True),
    InsAuthority(f"{INS_ARC}2", InsKind.INS_C),
    InsAuthority(f"{INS_ARC}6", InsKind.INS_C, test=True),
    InsAuthority(f"{INS_ARC}7", InsKind.INS_C, test=True),
)
INS_AUTHORITIES: Final = {one.oid: one for one in _KNOWN}
"""By OID."""
_ARC: Final = INS_ARC.encode()
_OID: Final = re.compile(re.escape(_ARC) + rb"[0-9.]*")


class Ins(NamedTuple):
    """One INS as a message writes it."""

    value: str
    """CX-1, as it stands; `DELETED` asks the receiver to delete."""
    authority: InsAuthority
    type: str
    """CX-5, as it stands."""

    @property
    def deleted(self) -> bool:
        """Whether this asks the receiver to delete the INS."""
        return self.value == DELETED

    def remarks(self) -> list[str]:
        """Say what is odd, in short codes: `ins-form`, `ins-key`, `ins-type`."""
        found: list[str] = []
        fault = matricule_fault(self.value)
        if fault and not self.deleted and not self.authority.obsolete:
            found.append(fault)
        if self.type != ("INS-C" if self.authority.kind is InsKind.INS_C else "INS"):
            found.append("ins-type")
        return found


def read_ins(repetition: bytes, delimiters: Delimiters) -> Ins | None:
    """
    Read an identifier as INS.

    Args:
        repetition: One repetition of a CX (PID-3), or of HPRIM's P-11, whose OID is the sixth component.
        delimiters: Those of the message.

    Returns:
        None where no OID of the INS's arc stands in it.
    """
    found = _OID.search(repetition)
    if found is None:
        return None
    components = delimiters.components(repetition)
    rank = 4 if len(components) > 3 and _ARC in components[3] else 1
    type_ = components[rank] if len(components) > rank else b""
    return Ins(text_of(components[0]).strip(), authority_of(found[0].decode()), text_of(type_).strip())


def authority_of(oid: str) -> InsAuthority:
    """Return who an OID of the INS's arc stands for; `InsKind.OTHER` when it isn't known."""
    return INS_AUTHORITIES.get(oid) or InsAuthority(oid, InsKind.OTHER)


def matricule_key(number: str) -> int | None:
    """
    Compute the key of a NIR or NIA.

    Args:
        number: Its thirteen characters, the department of Corsica as 2A or 2B.

    Returns:
        97 - (number modulo 97), with 19 for 2A and 18 for 2B; None when the number has another form.
    """
    if _NUMBER.match(number) is None:
        return None
    department = {"2A": "19", "2B": "18"}.get(number[5:7], number[5:7])
    return 97 - int(number[:5] + department + number[7:]) % 97


def matricule_fault(matricule: str) -> str:
    """
    Say what is wrong with a NIR or NIA with its key.

    Returns:
        `ins-form` (not fifteen characters of the right kind), `ins-key` (the key doesn't fit), or nothing.
    """
    number, key = matricule[:13], matricule[13:]
    wanted = matricule_key(number)
    if len(matricule) != MATRICULE_LENGTH or wanted is None or not (key.isascii() and key.isdecimal()):
        return "ins-form"
    return "" if int(key) == wanted else "ins-key"


_NUMBER: Final = re.compile(r"[0-9]{5}(?:[0-9]{2}|2[AB])[0-9]{6}\Z", re.ASCII)
