"""
Segments and messages as text, and their bytes as one system spells them (charset, segment ends).

Deliberately not the parser's writer: a simulator that shared the engine's code could not find its errors.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from engine.simulation.patients import Person, hl7_date
from engine.trials.fictive.people import TEST_INS_OID

DELIMITERS: Final = "^~\\&"
_ESCAPES: Final = str.maketrans({"\\": "\\E\\", "|": "\\F\\", "^": "\\S\\", "&": "\\T\\", "~": "\\R\\"})


@dataclass(slots=True)
class Outgoing:
    """A message that one system is about to send."""

    source: str
    """Name of the source of the engine, as in routes.yaml."""
    control_id: str
    event: str
    """`ADT^A01`, or the HPRIM context."""
    payload: bytes
    site: str
    patient: str
    """`site/IPP`: to follow one patient in tests."""
    files: tuple[tuple[str, bytes], ...] = ()
    """Documents that a file names, by their names: they come into its folder before it."""


def escaped(text: str) -> str:
    """Escape the delimiters in a text (HL7 v2.5 § 2.7)."""
    return text.translate(_ESCAPES)


def segment(name: str, fields: Mapping[int, str]) -> str:
    """
    Write a segment; fields are counted as HL7 counts them (MSH-1 and MSH-2 are written here).

    Args:
        name: `PID`.
        fields: Field number -> text with its delimiters; absent numbers are empty.
    """
    last = max(fields, default=0)
    if name == "MSH":
        return "|".join(["MSH", DELIMITERS, *(fields.get(number, "") for number in range(3, last + 1))])
    return "|".join([name, *(fields.get(number, "") for number in range(1, last + 1))])


def message_bytes(segments: Iterable[str], *, codec: str, end: str) -> bytes:
    r"""
    Join segments and encode.

    Args:
        segments: Texts without their ends.
        codec: Python codec; a character that it lacks becomes `?`, as legacy systems do.
        end: `\r`, `\n` or `\r\n`; stands after the last segment too.
    """
    return "".join(f"{text}{end}" for text in segments).encode(codec, "replace")


def stamp(instant: dt.datetime) -> str:
    """Write an instant to the second: YYYYMMDDHHMMSS, local time without zone, as French systems do."""
    return f"{instant:%Y%m%d%H%M%S}"


def names(person: Person) -> str:
    """PID-5: birth name (L) with the list of given names, then the usual name (D) (PAM France 2.11.1, XPN)."""
    civility = "Mme" if person.sex == "F" else "M."
    birth = f"{escaped(person.birth_name)}^{person.given[0]}^{' '.join(person.given)}^^{civility}^^L"
    if not person.usual_name:
        return birth
    return f"{birth}~{escaped(person.usual_name)}^{person.given[0]}^^^{civility}^^D"


def addresses(person: Person) -> str:
    """PID-11: home, and birth place with its INSEE code in XAD-9 (PAM France 2.11.1)."""
    home = f"{escaped(person.street)}^^{escaped(person.town)}^^{person.post_code}^FRA^H"
    return f"{home}~^^^^^FRA^BDL^^{person.birth_code}"


def ins_of(person: Person) -> str:
    """Return the INS as a CX, under the test OID."""
    return f"{person.ins}^^^ASIP-SANTE-INS-NIR&{TEST_INS_OID}&ISO^INS"


def traits(person: Person) -> dict[int, str]:
    """Fields of PID that say who it is, without identifiers."""
    return {
        5: names(person),
        7: hl7_date(person.born),
        8: person.sex,
        11: addresses(person),
        13: f"{person.phone}^PRN^PH",
    }
