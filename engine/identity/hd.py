"""
The assigning authority as it is written (HD, CX-4), read without any declaration.

HL7 v2.5 § 2.A.33; IHE France, constraints on data types: between establishments all three parts; HD-3 `M` and `N`
say that HD-2 is a FINESS (EJ, EG), `L` that it is local, which some senders write beside an OID.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from engine.identity.spellings import text_of

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
