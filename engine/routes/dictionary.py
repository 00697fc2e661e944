"""
How many fields a segment has at most, in any version up to HL7 2.9 or in PAM France 2.11.1.

So a path like `PID-45` fails when the configuration loads. Segments that aren't here (Z segments of partners,
HPRIM) aren't limited.
"""

from __future__ import annotations

from typing import Final

FIELDS_MAX: Final[dict[str, int]] = {
    "MSH": 28, "EVN": 7, "PID": 40, "PD1": 23, "NK1": 41, "PV1": 54, "PV2": 50, "MRG": 7, "ROL": 14, "DB1": 8,
    "AL1": 6, "DG1": 26, "PR1": 25, "GT1": 57, "IN1": 55, "IN2": 72, "ACC": 13, "ORC": 38, "OBR": 55, "OBX": 33,
    "NTE": 9, "TXA": 28, "SPM": 35, "SAC": 54, "SFT": 6, "MSA": 8, "ERR": 12, "ZBE": 9, "ZFA": 12, "ZFP": 2,
    "ZFV": 11, "ZFM": 5, "ZFD": 8, "ZFS": 8,
}  # fmt: skip

UNSTABLE_POSITIONS: Final[frozenset[str]] = frozenset(
    {"PID-3", "PID-5", "PID-11", "PID-13", "PID-14", "PID-18", "MRG-1", "NK1-2", "NK1-4", "NK1-5", "PV1-19"}
)
"""Identifiers, names, addresses, phones: senders order their repetitions as they like."""
