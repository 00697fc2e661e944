"""
The patient references of a message: (authority, value) pairs of which the lane keys are made (LANES).

Counted: local identifiers (CX-5 PI, PN) of every PID-3 and MRG-1, PID-21 of a newborn (the mother), HPRIM P-2.
Not counted: the INS (it changes from NIA to NIR), the billing number (NH), archive numbers (MR), stays, and
third parties, whose numbers may be dummies that many patients share.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from engine.identity.authorities import INS_ARC, TYPES_ALIKE, Recogniser

if TYPE_CHECKING:
    from engine.parsers.hl7v2.delimiters import Delimiters
    from engine.parsers.hl7v2.message import Message

Reference = tuple[str, str]
"""(normal form of the authority, value)."""

_FIELDS: Final = ((b"PID", 3), (b"MRG", 1), (b"PID", 21))
_HPRIM_FIELDS: Final = ((b"P", 2),)
_LOCAL_TYPES: Final = frozenset({b"PI", b"PN", b"RI"})
_INS: Final = INS_ARC.encode()


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
    delimiters = message.delimiters
    for data in fields:
        if data and data != b'""':
            _collect(data, delimiters, recogniser, found)
    return list(dict.fromkeys(found)) if len(found) > 1 else found


def patient_fields(message: Message) -> list[bytes]:
    """Return the bytes from which the references come: equal bytes, equal references."""
    if message.format != "hl7v2":
        return message.fields(_HPRIM_FIELDS)
    return message.fields(_FIELDS)


def _collect(data: bytes, delimiters: Delimiters, recogniser: Recogniser, found: list[Reference]) -> None:
    """
    Add the references of one field.

    Without type and without known authority, an identifier is the sender's where CX-4 is empty; where it
    isn't, it may be a third party's, and counts only when the field has nothing better.
    """
    strangers: list[tuple[bytes, bytes]] = []
    before = len(found)
    mark = delimiters.component
    for rank, repetition in enumerate(delimiters.repetitions(data)):
        components = repetition.split(mark, 5) if mark else [repetition]  # CX-1 to CX-5 are looked at
        value = components[0].strip()
        if not value or value == b'""':
            continue
        normal = recogniser.normal(components, delimiters, rank)
        if normal is not None:
            if normal.reference:
                found.append((normal.reference, _text(value)))
            continue
        assigner = components[3].strip() if len(components) > 3 else b""
        type_ = components[4].strip() if len(components) > 4 else b""
        if (type_ and type_ not in _LOCAL_TYPES) or _INS in assigner:
            continue
        if type_ or not assigner:
            found.append((_strange(assigner, type_ or b"PI", delimiters, recogniser), _text(value)))
        else:
            strangers.append((assigner, value))
    if len(found) == before:
        found += [(_strange(assigner, b"PI", delimiters, recogniser), _text(value)) for assigner, value in strangers]


def _strange(assigner: bytes, type_: bytes, delimiters: Delimiters, recogniser: Recogniser) -> str:
    """
    Name an authority that isn't recognised, for order only.

    Without CX-4, or with no more than the name (HD-1) of the site's own authority, it counts as that one: a
    name is never enough to say who a patient is, but two messages that may be about one patient must not
    overtake each other, and to wait once too often hurts nobody.
    """
    kind = _text(type_)
    kind = TYPES_ALIKE.get(kind, kind)
    own = recogniser.own_patients.get(kind)
    if own is not None:
        mark = delimiters.subcomponent
        name = assigner.split(mark, 1)[0] if mark else assigner
        if not assigner or _text(name).strip().upper() == own.hd1.upper():
            return own.key
    return f"{_text(assigner) or f'site:{recogniser.site}'}|{kind}"


def _of_hprim(message: Message, recogniser: Recogniser, fields: list[bytes]) -> list[Reference]:
    """P-2 is the requester's IPP; its second component is the other side of a fusion (HPRIM Santé 2.x)."""
    own = recogniser.own_patients.get("PI")
    authority = own.key if own is not None else f"site:{recogniser.site}|PI"
    found: list[Reference] = []
    for data in fields:
        for value in message.delimiters.components(data)[:2]:
            if value.strip() and value != b'""':
                found.append((authority, _text(value.strip())))  # noqa: PERF401 - two conditions read better so
    return list(dict.fromkeys(found))


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")
