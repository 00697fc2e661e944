"""
Acknowledgements: what we answer, and what we are answered (HL7 v2.5 § 2.14.8 MSA, § 2.14.5 ERR).

Tables 0008 (MSA-1), 0357 (ERR-3) and 0516 (ERR-4). The records here hold what an acknowledgement says;
reading and writing its bytes is the parsers' work (parsers.hl7v2.ack), its meaning is core.judgment's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Final


class AckCode(StrEnum):
    """Table 0008, acknowledgement code (MSA-1)."""

    AA = "AA"
    """Original mode: application accept. Enhanced mode: application acknowledgement, accept."""
    AE = "AE"
    """Application error."""
    AR = "AR"
    """Application reject: not about the content, may be taken later (HL7 v2.5 § 2.9.2)."""
    CA = "CA"
    """Enhanced mode: commit accept (on safe storage, nothing more)."""
    CE = "CE"
    """Enhanced mode: commit error."""
    CR = "CR"
    """Enhanced mode: commit reject."""


class ErrorCode(IntEnum):
    """Table 0357, message error condition codes (ERR-3.1)."""

    ACCEPTED = 0
    SEGMENT_SEQUENCE = 100
    REQUIRED_FIELD_MISSING = 101
    DATA_TYPE = 102
    TABLE_VALUE = 103
    NON_CONFORMANT = 198
    UNSUPPORTED_TYPE = 200
    UNSUPPORTED_EVENT = 201
    UNSUPPORTED_PROCESSING_ID = 202
    UNSUPPORTED_VERSION = 203
    UNKNOWN_KEY = 204
    DUPLICATE_KEY = 205
    RECORD_LOCKED = 206
    INTERNAL = 207

    @property
    def text(self) -> str:
        """The description that table 0357 gives."""
        return ERROR_TEXTS[self]


ERROR_TEXTS: Final[dict[int, str]] = {
    ErrorCode.ACCEPTED: "Message accepted",
    ErrorCode.SEGMENT_SEQUENCE: "Segment sequence error",
    ErrorCode.REQUIRED_FIELD_MISSING: "Required field missing",
    ErrorCode.DATA_TYPE: "Data type error",
    ErrorCode.TABLE_VALUE: "Table value not found",
    ErrorCode.NON_CONFORMANT: "Non-conformant cardinality",
    ErrorCode.UNSUPPORTED_TYPE: "Unsupported message type",
    ErrorCode.UNSUPPORTED_EVENT: "Unsupported event code",
    ErrorCode.UNSUPPORTED_PROCESSING_ID: "Unsupported processing id",
    ErrorCode.UNSUPPORTED_VERSION: "Unsupported version id",
    ErrorCode.UNKNOWN_KEY: "Unknown key identifier",
    ErrorCode.DUPLICATE_KEY: "Duplicate key identifier",
    ErrorCode.RECORD_LOCKED: "Application record locked",
    ErrorCode.INTERNAL: "Application internal error",
}


@dataclass(slots=True)
class AnswerError:
    """
    One error of an acknowledgement, read from an ERR segment or to be written into one.

    Values are text as received: a receiver's codes are not always those of table 0357.
    """

    code: str
    """ERR-3.1, or ERR-1.4.1 of the older form; empty when absent."""
    code_text: str = ""
    """ERR-3.2 (or ERR-3.5, where some put it), or ERR-1.4.2."""
    location: str = ""
    """Where, as an ERL or ELD says it: `PID^1^3`, `MSH^1^12`; empty when absent."""
    severity: str = ""
    """ERR-4, table 0516; empty counts as an error."""
    user_text: str = ""
    """ERR-8. May quote the message: for the history of a delivery, never for a log."""

    @property
    def is_error(self) -> bool:
        """Whether it is more than an information or a warning (table 0516), and not `0 accepted`."""
        return self.severity not in ("I", "W") and self.code not in ("", "0")


@dataclass(slots=True)
class Answer:
    """An acknowledgement as it was read."""

    code: str
    """MSA-1; empty when the segment has none."""
    control_id: str
    """MSA-2."""
    text: str = ""
    """MSA-3."""
    errors: list[AnswerError] = field(default_factory=list)
