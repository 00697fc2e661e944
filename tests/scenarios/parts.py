"""
What a `sends` line says: from its words to the parts of a message, in the manner of the hospital that sends.

Each hospital writes identifiers in its own manner (README.md): cha completely, chb with its FINESS only, chc with a
name only, which routes.yaml knows as an alias.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

OIDS: Final = {
    "cha": {"IPP": "1.2.250.1.999.10.1", "NDA": "1.2.250.1.999.12.1", "visit": "1.2.250.1.999.12.1"},
    "chb": {"IPP": "1.2.250.1.999.20.1", "NDA": "1.2.250.1.999.22.1", "visit": "1.2.250.1.999.22.2"},
    "chc": {"IPP": "1.2.250.1.999.30.1", "NDA": "1.2.250.1.999.32.1", "visit": "1.2.250.1.999.32.2"},
}
NAMES: Final = {
    "cha": {"IPP": "CPAGE", "NDA": "CPAGE", "visit": "CPAGE"},
    "chb": {"IPP": "CHB-IPP", "NDA": "CHB-NDA", "visit": "CHB-VN"},
    "chc": {"IPP": "CPAGE", "NDA": "CPAGE", "visit": "CPAGE"},
}
"""HD-1. Two hospitals run the same software, which writes the same name everywhere."""
FINESS: Final = {"cha": "000000018", "chb": "000000026", "chc": "000000034"}
GROUP_OID: Final = "1.2.250.1.999.1.1"
NIR, NIA, TEST = "1.2.250.1.213.1.4.8", "1.2.250.1.213.1.4.9", "1.2.250.1.213.1.4.10"
TYPES: Final = {"IPP": "PI", "NDA": "AN", "visit": "VN"}
STATUS_CODES: Final = {
    "qualified": "VALI", "validated": "VALI", "retrieved": "PROV", "provisional": "PROV", "homonym": "HOMA",
    "doubtful": "DOUT", "fictive": "FICT", "anonymous": "ANOM", "hidden": "CACH", "duplicate": "DOUB",
    "collision": "COLV",
}  # fmt: skip


class UnknownField(Exception):
    """A part of a `sends` line that means nothing."""


@dataclass(frozen=True)
class Person:
    """Five strict traits, and national numbers."""

    birth_name: str
    first_name: str
    birth_date: str
    sex: str
    birth_place: str
    first_names: str
    ins: str = ""
    nia: str = ""


def read_people(path: Path) -> dict[str, Person]:
    """Return the people of people.txt by the name that the transcripts call them."""
    people = {}
    for line in path.read_text("utf-8").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        name, _, rest = line.partition(":")
        traits = [one.strip() for one in rest.split(",")]
        numbers = {one.split()[0]: one.split()[1] for one in traits[6:]}
        people[name] = Person(*traits[:6], ins=numbers.get("INS", ""), nia=numbers.get("NIA", ""))
    return people


@dataclass
class Parts:
    """What a message is made of."""

    site: str
    number: Callable[[str], str]
    """From G1 to the federation identifier."""
    people: Mapping[str, Person]
    pid3: list[str] = field(default_factory=list)
    ins: list[str] = field(default_factory=list)
    pid: dict[int, str] = field(default_factory=dict)
    mrg: dict[int, list[str]] = field(default_factory=dict)
    other: dict[str, str] = field(default_factory=dict)
    """Path of another segment -> value."""
    statuses: list[str] = field(default_factory=list)
    person: Person | None = None
    traits: dict[str, str] = field(default_factory=dict)
    second: list[str] = field(default_factory=list)
    """PID-3 of a second patient: A24, A37."""
    local: dict[str, str] = field(default_factory=dict)
    """For HPRIM: what is said, by its word."""


def local_identifier(site: str, kind: str, value: str, *, complete: bool = False) -> str:
    """Return a CX in the manner of a hospital, or with all of its authority."""
    if complete or site == "cha":
        return f"{value}^^^{NAMES[site][kind]}&{OIDS[site][kind]}&ISO^{TYPES[kind]}"
    if site == "chb":
        return f"{value}^^^&{FINESS[site]}&N^{TYPES[kind]}"
    return f"{value}^^^{NAMES[site][kind]}^{TYPES[kind]}"


def _national(parts: Parts, word: str, value: str) -> str:
    """Return the CX of an INS; `of NAME` and `deleted` are understood."""
    nia, test = word.startswith("NIA"), word.startswith("test")
    if value == "deleted":
        value = '""'
    elif word.endswith(" of"):
        value = parts.people[value].nia if nia else parts.people[value].ins
    oid = TEST if test else NIA if nia else NIR
    return f"{value}^^^ASIP-SANTE-INS-{'NIA' if nia else 'NIR'}&{oid}&ISO^INS"


def _identifier(parts: Parts, found: re.Match[str]) -> None:
    """IPP 1001 | was IPP 1002 | NDA 5 of chb | mother IPP 9 …"""
    role, kind, value, site = found["role"] or "", found["kind"], found["value"], found["site"] or parts.site
    cx = local_identifier(site, kind, value, complete=site != parts.site)
    parts.local[f"{role}{kind}"] = value
    if role == "was ":
        parts.mrg.setdefault({"IPP": 1, "NDA": 3, "visit": 5}[kind], []).append(cx)
    elif role == "mother ":
        parts.pid[21] = f"{parts.pid[21]}~{cx}" if 21 in parts.pid else cx
    elif role == "and ":
        parts.second.append(cx)
    elif kind == "IPP":
        parts.pid3.append(cx)
    elif kind == "NDA":
        parts.pid[18] = cx
    else:
        parts.other["PV1-19"] = cx


def _federation(parts: Parts, found: re.Match[str]) -> None:
    value = found["value"]
    number = parts.number(value) if value.startswith("G") else value
    cx = f"{number}^^^GHT-IPP&{GROUP_OID}&ISO^PN"
    if found["role"]:
        parts.mrg.setdefault(1, []).append(cx)
    else:
        parts.pid3.append(cx)


def _ins(parts: Parts, found: re.Match[str]) -> None:
    cx = _national(parts, found["word"], found["value"])
    if found["role"]:
        parts.mrg.setdefault(1, []).append(cx)
    else:
        parts.ins.append(cx)


def _raw(parts: Parts, found: re.Match[str]) -> None:
    path, how, value = found["path"], found["how"], found["value"]
    segment, number = path.split("-")
    if path == "PID-3" and how == "+":
        parts.pid3.append(value)
    elif segment == "PID":
        parts.pid[int(number)] = value
    elif segment == "MRG":
        parts.mrg.setdefault(int(number), []).append(value)
    else:
        parts.other[path] = value


def _trait(parts: Parts, found: re.Match[str]) -> None:
    parts.traits[found["word"]] = found["value"]


def _movement(parts: Parts, found: re.Match[str]) -> None:
    oid = OIDS[parts.site]["NDA"]
    parts.other["ZBE-1"] = {
        "cha": f"{found['value']}^^{oid}^ISO", "chb": f"{found['value']}^^{FINESS['chb']}^N",
        "chc": f"{found['value']}^CPAGE",
    }[parts.site]  # fmt: skip


def _status(parts: Parts, found: re.Match[str]) -> None:
    parts.statuses.append(found[0])


def _person(parts: Parts, found: re.Match[str]) -> None:
    if found[0] not in parts.people:
        raise UnknownField(f"{found[0]!r} is nobody of people.txt")
    parts.person = parts.people[found[0]]


def _without(parts: Parts, found: re.Match[str]) -> None:
    parts.traits[f"no {found['word']}"] = "yes"


_FIELDS: Final[tuple[tuple[str, Callable[[Parts, re.Match[str]], None]], ...]] = (
    (r"(?P<role>was |mother |and )?(?P<kind>IPP|NDA|visit) (?P<value>\S+)(?: of (?P<site>ch[abc]))?", _identifier),
    (r"(?P<role>was )?group number (?P<value>\w+)", _federation),
    (r"(?P<role>was )?(?P<word>(?:test )?INS(?: of)?|NIA(?: of)?) (?P<value>\w+)", _ins),
    (r"movement (?P<value>\S+)", _movement),
    (r"(?P<path>[A-Z0-9]{3}-\d+) (?P<how>[=+]) (?P<value>.*)", _raw),
    (r"(?P<word>born|birth name|first name|all first names|used name|sex|birth place) (?P<value>.+)", _trait),
    (r"no (?P<word>INS|first name|birth name|birth place|birth date|sex)", _without),
    ("|".join(STATUS_CODES), _status),
    (r"[A-Z]\w+", _person),
)


def parts_of(
    fields: str, site: str, people: Mapping[str, Person], number: Callable[[str], str] = lambda value: value
) -> Parts:
    """
    Return what a `sends` line says.

    Raises:
        UnknownField: A part means nothing.
    """
    parts = Parts(site, number, people)
    for text in fields.split(", "):
        for pattern, take in _FIELDS:
            if (found := re.fullmatch(pattern, text)) is not None:
                take(parts, found)
                break
        else:
            raise UnknownField(f"{text!r} is no part of a message; README.md lists them")
    if parts.person is not None and not parts.ins and "qualified" in parts.statuses and "no INS" not in parts.traits:
        one = parts.person
        kind, name = ("INS of", one.ins) if one.ins else ("NIA of", one.nia)
        parts.ins = [_national(parts, kind.split()[0], name)] if name else []
    return parts


def traits_of(parts: Parts) -> dict[str, str]:
    """Return birth name, first name… as said: those of the person, then what the line says otherwise."""
    one = parts.person
    said = (
        {
            "birth name": one.birth_name, "first name": one.first_name, "all first names": one.first_names,
            "born": one.birth_date, "sex": one.sex, "birth place": one.birth_place,
        }
        if one is not None
        else {}
    )  # fmt: skip
    said |= {name: value for name, value in parts.traits.items() if not name.startswith("no ")}
    if "first name" in parts.traits and "all first names" not in parts.traits:
        said["all first names"] = ""
    for name in parts.traits:
        if name.startswith("no "):
            said.pop({"birth date": "born"}.get(name[3:], name[3:]), None)
    if "first name" not in said:
        said.pop("all first names", None)
    return {name: value for name, value in said.items() if value}
