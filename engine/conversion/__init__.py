r"""
Between HPRIM and HL7, both ways; pure, and nothing goes in silence.

    hprim_to_hl7     HPRIM Santé: ORU, ORM, ADM to ORU^R01, ORM^O01, ADT; one message a patient, A40 for a fusion
    letter_to_hl7    HPRIM Médecin: ORU^R01 or MDM^T02, one message a letter
    hl7_to_hprim     ORU, ORM and OML to HPRIM Santé, documents to files beside it

    tree             a message as patients, requests, results and comments
    as_json          any message as plain values
    respelling       fields from any delimiters to HL7's own (`|^~\&`), on which everything here works
    segments         fields and components as lists of bytes
    forms            which message becomes which
    authorities      senders and receivers
    dates            the spellings of dates
    hl7_patient, hprim_patient     P and PID, PD1, PV1, ZFD
    hl7_results, hprim_results     OBR, OBX, C and ORC, OBR, OBX, NTE, SPM
    documents        files (FIC) and encapsulated data (ED)
    notes            what has no field on the other side: a comment that can be read back
"""

from __future__ import annotations

from collections.abc import Mapping

from engine.conversion.documents import attached_files
from engine.conversion.hl7_to_hprim import HprimFile, hl7_to_hprim
from engine.conversion.hprim_results import Attachment
from engine.conversion.hprim_to_hl7 import Conversion, Converted, hprim_to_hl7, is_fusion
from engine.conversion.letter_to_hl7 import NO_LINES, Lines, letter_to_hl7
from engine.parsers.hl7v2.message import Message

__all__ = [
    "Attachment",
    "Conversion",
    "Converted",
    "HprimFile",
    "Lines",
    "attached_files",
    "hl7_to_hprim",
    "parts_of",
    "to_hl7",
]


def parts_of(message: Message) -> list[list[int]]:
    """
    Say of which segments each message is made that `to_hl7` makes, as far as its patient goes.

    Returns:
        In the same order and number, positions in the message: of the header and the patient's own segment, or of
        the letter's header.
    """
    if message.format == "hprim-medecin":
        return [[position] for position in message.positions(b"ENT")]
    header = message.positions(b"H")[:1]
    found: list[list[int]] = []
    for position in message.positions(b"P"):
        found += [[*header, position]] * (1 + is_fusion(message, position))
    return found


def to_hl7(
    message: Message, *, wanted: str = "", version: str = "2.5", attachments: Mapping[str, bytes] | None = None,
    on_missing: str = "dead_letter", lines: Lines = NO_LINES,
) -> Conversion:  # fmt: skip
    """Make HL7 messages of an HPRIM file of either kind; arguments as hprim_to_hl7 and letter_to_hl7."""
    if message.format == "hprim-medecin":
        return letter_to_hl7(message, wanted=wanted, version=version, lines=lines)
    return hprim_to_hl7(message, wanted=wanted, version=version, attachments=attachments, on_missing=on_missing)
