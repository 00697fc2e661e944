"""
The assigning authority as it is written (HD, CX-4), read and compared without any declaration.

HL7 v2.5 § 2.A.33; IHE France, constraints on data types: between establishments all three parts; HD-3 `M` and `N`
say that HD-2 is a FINESS (EJ, EG), `L` that it is local, which some senders write beside an OID. Two authorities
are the same by OID or by FINESS of one kind. A name alone never says so, nor that they differ: `CPAGE` is the same
name in several hospitals, and one authority has several names.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from engine.identity.spellings import TYPES_ALIKE, text_of
from engine.identity.verdicts import Verdict, all_of

if TYPE_CHECKING:
    from engine.parsers.hl7v2.delimiters import Delimiters

_OID: Final = re.compile(r"[0-2](?:\.[0-9]+){2,}\Z", re.ASCII)
_FINESS_KINDS: Final = ("M", "N")


class Hd(NamedTuple):
    """One HD."""

    name: str
    """HD-1, without the blanks around it."""
    id: str
    """HD-2, or the OID where it stands elsewhere; `urn:oid:` taken away."""
    kind: str
    """HD-3 in capitals: ISO, L, M, N…"""

    @property
    def oid(self) -> str:
        """The OID, whatever HD-3 says; empty: it has none."""
        return self.id if _OID.match(self.id) else ""

    @property
    def finess(self) -> str:
        """The FINESS; empty: it has none."""
        return self.id if self.kind in _FINESS_KINDS and not self.oid else ""

    @property
    def complete(self) -> bool:
        """Whether it says all three parts, as it must between establishments."""
        return bool(self.name and self.id and self.kind)


def read_hd(data: bytes, delimiters: Delimiters) -> Hd:
    """
    Read CX-4, or another component of type HD.

    Args:
        data: The component.
        delimiters: Those of the message.
    """
    parts = [text_of(part).strip() for part in delimiters.subcomponents(data)[:3]]
    name, id_, kind = (*parts, "", "", "")[:3]
    for part in (id_, name, kind):
        oid = part.removeprefix("urn:oid:")
        if _OID.match(oid):
            return Hd("" if part is name else name, oid, "" if part is kind else kind.upper())
    if not id_ and kind.upper() in _FINESS_KINDS:
        return Hd("", name, kind.upper())
    return Hd(name, id_, kind.upper())


def compare_hd(one: Hd, other: Hd) -> Verdict:
    """Say whether two HDs are one authority: by OID, else by FINESS of one kind, else it can't be said."""
    if one.oid and other.oid:
        return Verdict.SAME if one.oid == other.oid else Verdict.DIFFERENT
    if one.finess and other.finess and one.kind == other.kind:
        return Verdict.SAME if one.finess.upper() == other.finess.upper() else Verdict.DIFFERENT
    return Verdict.UNKNOWN


def compare_identifiers(one: bytes, other: bytes, delimiters: Delimiters) -> Verdict:
    """
    Say whether two identifiers (CX) are the same number of the same authority.

    Values are opaque: no zero is taken away, no letter changed. Different numbers of one authority are different;
    equal numbers of two authorities too: hospitals give the same numbers.

    Args:
        one: One repetition of a CX.
        other: Another one.
        delimiters: Those of both.
    """
    mine, theirs = (delimiters.components(data) for data in (one, other))
    types = compare_types(_component(mine, 4), _component(theirs, 4))
    authority = all_of(
        (compare_hd(read_hd(_component(mine, 3), delimiters), read_hd(_component(theirs, 3), delimiters)), types)
    )
    if authority is not Verdict.SAME:
        return authority
    values = mine[0].strip(), theirs[0].strip()
    if not all(values):
        return Verdict.UNKNOWN
    return Verdict.SAME if values[0] == values[1] else Verdict.DIFFERENT


def compare_types(one: bytes, other: bytes) -> Verdict:
    """Say whether two CX-5 mean the same (`RI` is written for `PI`)."""
    mine, theirs = (TYPES_ALIKE.get(text, text) for text in (text_of(data).strip().upper() for data in (one, other)))
    if not mine or not theirs:
        return Verdict.UNKNOWN
    return Verdict.SAME if mine == theirs else Verdict.DIFFERENT


def _component(components: list[bytes], rank: int) -> bytes:
    return components[rank] if len(components) > rank else b""
