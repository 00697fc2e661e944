"""
The status of an identity, as one message says it, with its reasons (RNIV 1, § 3.2; PAM France, PID-32 and ZFD).

A status is what one site asserts: it is never copied to another's. HL7 v2 knows PROV and VALI; whether the
identity was also fetched from the INSi service is told by the INS in PID-3 and by ZFD-5. FHIR says it in one word
(PROV, VALI, RECUP, QUAL), and so do some senders.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from engine.identity.ins import read_ins
from engine.identity.spellings import INS_ARC, text_of

if TYPE_CHECKING:
    from engine.identity.ins import Ins
    from engine.parsers.hl7v2.message import Message
    from engine.parsers.hl7v2.segments import Segment


class Status(StrEnum):
    """One of four, or nothing said; the codes of FHIR FR."""

    PROVISIONAL = "PROV"
    """Neither INSi nor identity document."""
    VALIDATED = "VALI"
    """Checked against a document; no INS."""
    RETRIEVED = "RECUP"
    """Fetched from INSi; not checked."""
    QUALIFIED = "QUAL"
    """Both."""
    UNSAID = ""
    """The message doesn't say."""


class Attribute(StrEnum):
    """What PID-32 says beside the status."""

    HOMONYM = "homonym"
    DOUBTFUL = "doubtful"
    FICTIVE = "fictive"
    ANONYMOUS = "anonymous"
    HIDDEN = "hidden"
    USURPED = "usurped"
    DUPLICATE = "duplicate"
    """Of a record that is not the one in use: duplicate, deactivated or invalidated."""
    COLLISION = "collision"
    NAMELESS = "nameless"
    """PID-31: nobody knows who it is."""


class Reason(StrEnum):
    """Why a status was found."""

    PID_32 = "PID-32 says so"
    INS = "an INS is there"
    INSI = "ZFD-5 says INSI"
    NOT_SAID = "PID-32 says no status"
    INS_UNCHECKED = "an INS is there, and PID-32 says PROV"
    INS_MISSING = "PID-32 says QUAL, and no INS is there"
    BIRTH_DATE_CORRECTED = "ZFD-4 says that the birth date was corrected: no INS stands for it"
    ONLY_PROVISIONAL = "doubtful, fictive, anonymous and nameless identities can't be more than provisional"
    DOUBTFUL_AND_FICTIVE = "an identity is doubtful or fictive, never both"


_ATTRIBUTES: Final = {
    "HOMA": Attribute.HOMONYM, "HOMD": Attribute.HOMONYM, "HOMO": Attribute.HOMONYM, "DOUT": Attribute.DOUBTFUL,
    "FICT": Attribute.FICTIVE, "ANOM": Attribute.ANONYMOUS, "CACH": Attribute.HIDDEN, "USUR": Attribute.USURPED,
    "DOUB": Attribute.DUPLICATE, "DOUA": Attribute.DUPLICATE, "DESA": Attribute.DUPLICATE, "INVA": Attribute.DUPLICATE,
    "COLP": Attribute.COLLISION, "COLV": Attribute.COLLISION,
}  # fmt: skip
_NOT_COMPARED: Final = frozenset(set(Attribute) - {Attribute.HOMONYM})
BELIEVED: Final = frozenset({Attribute.HOMONYM, Attribute.HIDDEN})
"""With these the traits are the person's own, as far as the site knows; with others it says itself that they aren't."""
MASKS: Final = frozenset({Attribute.ANONYMOUS, Attribute.FICTIVE})
"""With these the traits stand in for the person's own, and may be quite other ones."""
_ONLY_PROVISIONAL: Final = frozenset({Attribute.DOUBTFUL, Attribute.FICTIVE, Attribute.ANONYMOUS, Attribute.NAMELESS})
_STATUSES: Final = {one.value: one for one in Status if one}


class IdentityStatus(NamedTuple):
    """What one message says about the identity of one patient."""

    status: Status
    attributes: frozenset[Attribute] = frozenset()
    reasons: tuple[Reason, ...] = ()
    """Why, in the order in which they were found."""

    @property
    def qualified(self) -> bool:
        """Whether its INS may be used and sent."""
        return self.status is Status.QUALIFIED

    @property
    def comparable(self) -> bool:
        """Whether its traits may be compared with another's: not those of anonymous, hidden, fictive… identities."""
        return not self.attributes & _NOT_COMPARED

    @property
    def believed(self) -> bool:
        """Whether its traits may contradict another's: those of a hidden identity too, which are only not shown."""
        return self.attributes <= BELIEVED

    @property
    def masked(self) -> bool:
        """Whether its traits only stand in for the person's own: anonymous, fictive."""
        return not self.attributes.isdisjoint(MASKS)


def identity_status(
    codes: Iterable[str],
    ins: Iterable[Ins] = (),
    *,
    acquired: str = "",
    birth_date_corrected: bool = False,
    nameless: bool = False,
) -> IdentityStatus:
    """
    Derive the status.

    Args:
        codes: The repetitions of PID-32 (HPRIM: P-38, P-39).
        ins: Those of the patient; deleted and obsolete ones count for nothing.
        acquired: ZFD-5 (HPRIM: P-35).
        birth_date_corrected: ZFD-4 (HPRIM: P-37) is Y.
        nameless: PID-31 is Y.
    """
    words = [word for code in codes if (word := code.strip().upper())]
    attributes = {_ATTRIBUTES[word] for word in words if word in _ATTRIBUTES}
    if nameless:
        attributes.add(Attribute.NAMELESS)
    said = next((_STATUSES[word] for word in words if word in _STATUSES), Status.UNSAID)
    holds = any(one.value and not one.deleted and not one.authority.obsolete for one in ins)
    status, reasons = _derived(said, holds=holds, fetched=acquired.strip().upper() == "INSI")
    if birth_date_corrected and status in (Status.QUALIFIED, Status.RETRIEVED):
        status = Status.VALIDATED if status is Status.QUALIFIED else Status.PROVISIONAL
        reasons.append(Reason.BIRTH_DATE_CORRECTED)
    if attributes & _ONLY_PROVISIONAL and status is not Status.PROVISIONAL:
        if status is not Status.UNSAID:
            reasons.append(Reason.ONLY_PROVISIONAL)
        status = Status.PROVISIONAL
    if {Attribute.DOUBTFUL, Attribute.FICTIVE} <= attributes:
        reasons.append(Reason.DOUBTFUL_AND_FICTIVE)
    return IdentityStatus(status, frozenset(attributes), tuple(reasons))


def _derived(said: Status, *, holds: bool, fetched: bool) -> tuple[Status, list[Reason]]:
    """Return the status by the table of PAM France: what PID-32 says, whether an INS is there, ZFD-5."""
    if said is Status.UNSAID:
        return Status.UNSAID, [Reason.NOT_SAID]
    reasons = [Reason.PID_32]
    if fetched:
        reasons.append(Reason.INSI)
    if said in (Status.VALIDATED, Status.QUALIFIED):
        if holds:
            return Status.QUALIFIED, [*reasons, Reason.INS]
        return Status.VALIDATED, reasons if said is Status.VALIDATED else [*reasons, Reason.INS_MISSING]
    if holds:
        reasons.append(Reason.INS_UNCHECKED)
    return (Status.RETRIEVED if fetched or said is Status.RETRIEVED else Status.PROVISIONAL), reasons


def status_of(message: Message, patient: Segment | None = None, extra: Segment | None = None) -> IdentityStatus:
    """
    Read the status from a message.

    Args:
        message: HL7 v2 or HPRIM Santé.
        patient: Its PID (HPRIM: P); the first one unless told.
        extra: The ZFD of that patient; the first one unless `patient` is told.

    Returns:
        UNSAID when the message has no such segment.
    """
    hl7 = message.format == "hl7v2"
    if patient is None:
        patient = message.head(b"PID" if hl7 else b"P")
        extra = message.head(b"ZFD")
    if patient is None:
        return IdentityStatus(Status.UNSAID, frozenset(), (Reason.NOT_SAID,))
    words = _Words(message)
    if not hl7:
        return identity_status(
            [*words.of(patient, 38), *words.of(patient, 39)], words.ins(patient, 11),
            acquired=words.first(patient, 35), birth_date_corrected=words.first(patient, 37).upper() == "Y",
        )  # fmt: skip
    return identity_status(
        words.of(patient, 32), words.ins(patient, 3), acquired=words.first(extra, 5),
        birth_date_corrected=words.first(extra, 4).upper() == "Y",
        nameless=words.first(patient, 31).upper() == "Y",
    )  # fmt: skip


class _Words:
    """Reads the codes of a message's fields."""

    __slots__ = ("_delimiters",)

    def __init__(self, message: Message) -> None:
        self._delimiters = message.delimiters

    def of(self, segment: Segment | None, number: int) -> list[str]:
        """Return the first component of each repetition."""
        data = segment.field(number) if segment is not None else b""
        if not data:
            return []
        marks = self._delimiters
        return [text_of(marks.components(repetition)[0]).strip() for repetition in marks.repetitions(data)]

    def first(self, segment: Segment | None, number: int) -> str:
        """Return that of the first repetition, or nothing."""
        return next(iter(self.of(segment, number)), "")

    def ins(self, segment: Segment, number: int) -> list[Ins]:
        """Return the INS of a field."""
        data = segment.field(number)
        if data.find(_ARC) < 0:
            return []
        marks = self._delimiters
        return [one for part in marks.repetitions(data) if (one := read_ins(part, marks)) is not None]


_ARC: Final = INS_ARC.encode()
