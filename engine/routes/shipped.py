"""Lists that every configuration has: events of PAM France 2.11.1 (ITI-30, ITI-31)."""

from __future__ import annotations

from typing import Final

LISTS: Final[dict[str, frozenset[str]]] = {
    # ITI-30: create, update, link, merge, unlink, change of an identifier
    "pam.identity": frozenset({"A28", "A31", "A24", "A40", "A37", "A47"}),
    # ITI-31: every movement, its cancellation, its correction (Z99), the move of a stay (A44)
    "pam.stay": frozenset(
        {
            "A01",
            "A04",
            "A11",
            "A03",
            "A13",
            "A05",
            "A38",
            "A06",
            "A07",
            "A02",
            "A12",
            "A54",
            "A55",
            "A21",
            "A52",
            "A22",
            "A53",
            "A14",
            "A27",
            "A15",
            "A26",
            "A16",
            "A25",
            "A09",
            "A33",
            "A10",
            "A32",
            "A44",
            "Z99",
        }
    ),
    "pam.cancel": frozenset({"A11", "A12", "A13", "A25", "A26", "A27", "A32", "A33", "A38", "A52", "A53", "A55"}),
}
