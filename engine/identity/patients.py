"""
The patient references of a message: (authority, value) pairs of which the lane keys are made.

What lanes do: ARCHITECTURE.md, Order.

Counted: local identifiers (CX-5 PI, PN) of every PID-3 and MRG-1, PID-21 of a newborn (the mother), HPRIM P-2.
Not counted: the INS (it changes from NIA to NIR), the billing number (NH), archive numbers (MR), stays, and
third parties, whose numbers may be dummies that many patients share.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from engine.identity.spellings import NULL, text_of

if TYPE_CHECKING:
    from engine.core.references import References
    from engine.identity.authorities import Recogniser
    from engine.identity.spellings import Spellings
    from engine.parsers.hl7v2.message import Message

Reference = tuple[str, str]
"""(normal form of the authority, value)."""

KEPT: Final = 16_384
"""Sets of fields whose hashes are kept: as received, and as sent."""
_LONGEST: Final = 512
"""Bytes above which fields aren't kept."""
_FIELDS: Final = ((b"PID", 3), (b"MRG", 1), (b"PID", 21))
_HPRIM_FIELDS: Final = ((b"P", 2),)


def patient_references(message: Message, recogniser: Recogniser, fields: list[bytes] | None = None) -> list[Reference]:
    """
    List the patients that a message is about.

    Args:
        message: As received, or after the steps of a route; in UTF-8.
        recogniser: For the message's site (`Authorities.of`).
        fields: What `patient_fields` returned, where the caller has it.

    Returns:
        Pairs without repetition, in order; empty: the message names no patient.
    """
    if fields is None:
        fields = patient_fields(message)
    if message.format != "hl7v2":
        return _of_hprim(message, recogniser, fields)
    found: list[Reference] = []
    spellings = recogniser.spellings(message.delimiters)
    for data in fields:
        if data and data != NULL:
            _collect(data, spellings, found)
    return list(dict.fromkeys(found)) if len(found) > 1 else found


class PatientNumbers:
    """The hashed references of messages' patients, remembered by the bytes from which they come: most come again."""

    __slots__ = ("_kept",)

    def __init__(self) -> None:
        self._kept: dict[tuple[object, ...], tuple[int, ...]] = {}

    def of(
        self, message: Message, fields: list[bytes], recogniser: Recogniser, references: References
    ) -> tuple[int, ...]:
        """
        Return the hash of each reference, each once.

        Args:
            message: As for `patient_references`.
            fields: What `patient_fields` returned for it.
            recogniser: As for `patient_references`.
            references: Makes the hashes.
        """
        marks = message.delimiters
        key = (references, recogniser, message.format, marks.field, marks.declared, *fields)
        found = self._kept.get(key)
        if found is None:
            pairs = patient_references(message, recogniser, fields)
            found = tuple([references.hash("patient", authority, value) for authority, value in pairs])
            if sum(map(len, fields)) <= _LONGEST:
                if len(self._kept) >= KEPT:
                    del self._kept[next(iter(self._kept))]  # the oldest one
                self._kept[key] = found
        return found


def patient_fields(message: Message) -> list[bytes]:
    """Return the bytes from which the references come: equal bytes, equal references."""
    if message.format != "hl7v2":
        return message.fields(_HPRIM_FIELDS)
    return message.fields(_FIELDS)


def _collect(data: bytes, spellings: Spellings, found: list[Reference]) -> None:
    """Add the references of one field; a stranger counts only when the field has nothing better."""
    strangers: list[Reference] = []
    before = len(found)
    for identifier, spelling in spellings.identifiers(data):
        value = identifier.strip()
        if not value or value == NULL:
            continue
        if spelling.reference:
            found.append((spelling.reference, text_of(value)))
        elif spelling.stranger:
            strangers.append((spelling.stranger, text_of(value)))
    if len(found) == before:
        found += strangers


def _of_hprim(message: Message, recogniser: Recogniser, fields: list[bytes]) -> list[Reference]:
    """P-2 is the requester's IPP, the second component of a repetition the other side of a fusion (HPRIM Santé 2.x)."""
    own = recogniser.own_patients.get("PI")
    authority = own.key if own is not None else f"site:{recogniser.site}|PI"
    found: list[Reference] = []
    marks = message.delimiters
    for repetition in [one for data in fields for one in marks.repetitions(data)]:
        values = [value.strip() for value in marks.components(repetition)[:2]]
        found += [(authority, text_of(value)) for value in values if value and value != NULL]
    return list(dict.fromkeys(found))
