"""
People and places that don't exist, for simulations and tests.

Insurance numbers begin with 5, a digit that no real NIR has, and stand under the test OID 1.2.250.1.213.1.4.10, which
must never reach a production receiver.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

TEST_INS_OID: Final = "1.2.250.1.213.1.4.10"

FAMILIES: Final = (
    "LEFÈVRE", "DUBOIS", "ÑUÑEZ", "GÄRTNER", "LE GOFF", "D'ALMEIDA", "BŒUF", "CRÉPIN-LEBLOND", "N'DIAYE", "MÜLLER",
    "SAINT-ÉVREMOND", "FAŸS", "COEURDEROY", "LAMBERT", "GARÇON", "HÉBERT", "ÉTIENNE", "MAÎTRE", "PEÑA", "LÊ",
)  # fmt: skip
GIVEN_OF_WOMEN: Final = ("HÉLÈNE", "ZOÉ", "ANAÏS", "MARIE-THÉRÈSE", "AÏCHA", "FRANÇOISE", "MAËLLE", "INÈS", "NOÉMIE")
GIVEN_OF_MEN: Final = ("JOËL", "FRANÇOIS", "GAËL", "RENÉ", "MOÏSE", "JÉRÔME", "LOÏC", "ANDRÉ", "NOËL")
TOWNS: Final = (
    ("ARVIGNY", "01000", "01999"), ("BÉLESTRE", "01100", "01998"), ("CÔTE-CHAUDE", "01200", "01997"),
    ("L'ÎLE-AUX-MOINEAUX", "01300", "01996"),
)  # fmt: skip
"""Towns that don't exist: name, post code, INSEE code."""
STREETS: Final = ("RUE DE L'ÉGLISE", "ALLÉE DES CHÊNES", "PLACE DU MARCHÉ", "CHEMIN DE LA FORÊT")


def synthetic_ins(born: dt.date, birth_code: str, order: int) -> str:
    """
    Build a 15-character insurance number nobody has: first digit 5, true key (97 less the number modulo 97).

    Args:
        born: Gives year and month.
        birth_code: INSEE code of the birth place, five digits.
        order: Rank in the month's register, 1 to 999.
    """
    return with_key(f"5{born:%y%m}{birth_code}{order:03d}")


def with_key(digits: str) -> str:
    """Add the key to the thirteen digits of an insurance number."""
    return f"{digits}{97 - int(digits) % 97:02d}"
