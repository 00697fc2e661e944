"""
Which events change an identity, which messages carry results.

HL7 v2.5 table 0003; PAM France 2.11.1 (A24, A28, A31, A37, A40, A44, A47). A lane never lets anything pass an
identity event; results may pass an administrative fault
(docs/routes/destinations.md, A dead letter, and who waits behind it).
"""

from __future__ import annotations

from typing import Final

from engine.core.messages import DeliveryFlag

IDENTITY_EVENTS: Final = frozenset(
    {"A18", "A24", "A30", "A34", "A35", "A36", "A37", "A39", "A40", "A41", "A42", "A43", "A44", "A45", "A46", "A47",
     "A48", "A49", "A50", "A51"}
)  # fmt: skip
"""Events of ADT that join, move, rename or part identities and stays."""

MERGES: Final = frozenset({"A18", "A30", "A34", "A36", "A40"})
"""One number of a patient ends in another: MRG-1 in PID-3."""

RENAMES: Final = frozenset({"A46", "A47"})
"""A number, or the INS, gets another value: MRG-1 was, PID-3 is."""

RESULT_TYPES: Final = frozenset(
    {"ORU", "ORM", "OML", "OMI", "OMG", "OMP", "OUL", "OUR", "MDM", "ORF", "OPU", "RDE", "RAS", "RDS"}
)
"""MSH-9.1 of results, orders and documents."""


def flags_of(type_: str, event: str) -> int:
    """
    Return the `DeliveryFlag` bits that a message brings by itself.

    Args:
        type_: MSH-9.1, or the HPRIM context (H-6).
        event: MSH-9.2.
    """
    if type_ == "ADT":
        return int(DeliveryFlag.IDENTITY_EVENT) if event in IDENTITY_EVENTS else 0
    return int(DeliveryFlag.RESULT) if type_ in RESULT_TYPES else 0
