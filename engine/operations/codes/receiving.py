"""Codes of refusals: bytes that were not taken into custody. `passerelle refusals` lists them with their sender."""

from __future__ import annotations

from typing import Final

from engine.operations.codes.meaning import Meaning

_STANDS: Final = "refusal"

MEANINGS: Final = (
    Meaning(
        "E-EMPTY", _STANDS,
        "A block or a file came with nothing in it.",
        "Ask the sender what it meant to send; many interfaces test a connection like this, which harms nothing.",
    ),
    Meaning(
        "E-NO-HEADER", _STANDS,
        "What came begins neither with an HL7 header (MSH) nor an HPRIM one (H), or its header can't be read.",
        "Look whether the right system sends to this port or folder; the sender was told, and keeps its message.",
    ),
    Meaning(
        "E-NO-CONTROL-ID", _STANDS,
        "The message has no number of its own (MSH-10), and the source wants one.",
        "Ask the sender to number its messages; if it can't, write missing_control_id at the source and apply.",
    ),
    Meaning(
        "E-BATCH", _STANDS,
        "A batch (FHS, BHS) can't be cut into its messages.",
        "Ask the sender to send the whole batch again; none of its messages was taken.",
    ),
    Meaning(
        "E-UNFINISHED", _STANDS,
        "A file lacks its end (L of HPRIM, closing tag of a letter, trailer of a batch): results may be missing.",
        "Have it written again whole. Only where its system never writes that line: unfinished: { then: take }.",
    ),
    Meaning(
        "E-TOO-LONG", _STANDS,
        "The message is longer than the source takes (max_size).",
        "If such a size is right (a scanned document), raise max_size at the source, apply, and have it sent again.",
    ),
    Meaning(
        "E-TRUNCATED", _STANDS,
        "The connection ended in the middle of a message, or 0x1C, which ends one, stood inside a field.",
        "It was not acknowledged, so the sender sends it again. If it lasts, look at the network and its timeout; "
        "where 0x1C stands in a field, have its sender leave it out.",
    ),
    Meaning(
        "E-IDLE", _STANDS,
        "A message began and didn't end in time, or bytes came without the sign that begins an MLLP block.",
        "Look whether the sender speaks MLLP and ends its blocks (0x1C 0x0D); the message is to be sent again.",
    ),
    Meaning(
        "E-UNREADABLE", _STANDS,
        "A file of the source's folder couldn't be read several times; it was set aside among the refused ones.",
        "Give the account of Passerelle the right to read it, then put the file back into the folder.",
    ),
)  # fmt: skip
