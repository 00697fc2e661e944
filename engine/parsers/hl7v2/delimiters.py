"""
The delimiters of one message, as MSH-1 and MSH-2 say (HL7 v2.5 § 2.5.4, 2.16.9.2 MSH-2).

HPRIM Santé names them at the same positions of H-1, so this serves both. A delimiter may be absent (a
two-character MSH-2), there may be a fifth (truncation, HL7 2.7), and any may be several bytes long:
official French samples repeat with U+02DC where `~` was meant.
"""

from __future__ import annotations

from typing import Final

from engine.errors import ParseError

DECLARED_MAX: Final = 40
"""Longest MSH-2 that is looked at; a real one has 2 to 5 characters."""


class Delimiters:
    r"""
    What separates the parts of a message; `b""` where the message has none.

    Attributes:
        field, component, repetition, escape, subcomponent, truncation: The characters, as bytes of the message.
        declared: MSH-2 (or H-1) as received.
        odd: Whether something in `declared` isn't what the standard allows (finding `odd-delimiters`).
        usual: Whether these are `|^~\\&` exactly, with four characters in MSH-2.
        structural: Component, repetition and subcomponent, those that exist.
    """

    __slots__ = (
        "component",
        "declared",
        "escape",
        "field",
        "odd",
        "repetition",
        "structural",
        "subcomponent",
        "truncation",
        "usual",
    )

    def __init__(self, field: bytes, declared: bytes, roles: list[bytes], *, odd: bool = False) -> None:
        self.field = field
        self.declared = declared
        self.component, self.repetition, self.escape, self.subcomponent, self.truncation = roles
        self.odd = odd
        self.usual = field == b"|" and declared == b"^~\\&"
        self.structural = tuple(mark for mark in (self.component, self.repetition, self.subcomponent) if mark)

    def repetitions(self, data: bytes) -> list[bytes]:
        """Split a field."""
        return data.split(self.repetition) if self.repetition else [data]

    def components(self, data: bytes) -> list[bytes]:
        """Split a repetition."""
        return data.split(self.component) if self.component else [data]

    def subcomponents(self, data: bytes) -> list[bytes]:
        """Split a component."""
        return data.split(self.subcomponent) if self.subcomponent else [data]


STANDARD: Final = Delimiters(b"|", b"^~\\&", [b"^", b"~", b"\\", b"&", b""])
"""The delimiters that HL7 recommends, and that Passerelle sends."""

_SEEN: Final[dict[tuple[bytes, bytes], Delimiters]] = {}
"""Delimiters already read, bounded: a sender always uses the same."""


def read_delimiters(line: bytes, name_length: int = 3) -> Delimiters:
    """
    Read the delimiters of a message from its header segment.

    Args:
        line: The header segment, beginning with its name; may go on beyond its end.
        name_length: 3 for MSH, FHS, BHS; 1 for HPRIM's H.

    Raises:
        ParseError: There are none, or letters and digits stand in their place (MSH-2 was left out).
    """
    if name_length == 3 and line.startswith(b"^~\\&|", 4) and line[3:4] == b"|":
        return STANDARD
    name = line[:name_length].decode("latin-1")
    head = line[name_length : name_length + DECLARED_MAX]
    field = _first_character(head)
    if not field or not _may_separate(field):
        raise ParseError(
            f"the {name} segment ends before its delimiters: nothing separates its fields",
            location=f"{name}-1",
            error_code=101,
        )
    lines = head[len(field) :].split(field, 1)[0].splitlines()
    declared = lines[0] if lines else b""
    if len(field) + len(declared) == DECLARED_MAX:
        declared = _without_cut_character(declared)
    key = (field, declared)
    seen = _SEEN.get(key)
    if seen is None:
        seen = _read(name, *key)
        if len(_SEEN) < 256:
            _SEEN[key] = seen
    return seen


def _read(name: str, field: bytes, declared: bytes) -> Delimiters:
    where = f"{name}-2" if len(name) == 3 else f"{name}-1"
    characters = _characters(declared)
    if not characters:
        raise ParseError(f"{where} is empty: the message declares no delimiters", location=where, error_code=101)
    if not _may_separate(characters[0]):
        raise ParseError(
            f"{where} begins with a letter, a digit or a blank where the component separator is expected",
            location=where,
            error_code=102,
        )
    if characters[2:4] == [b"\\", b"\\"] and len(characters) > 4:
        del characters[3]  # written with the escapes of a programming language
    if len(characters) == 3 and characters[2] == b"&":
        characters.insert(2, b"")  # `^~&`: no escape character rather than `&` as one
    roles: list[bytes] = []
    for character in characters[:5]:
        usable = character not in roles and _may_separate(character)
        roles.append(character if usable else b"")
    roles += [b""] * (5 - len(roles))
    odd = field != b"|" or roles[:4] != [b"^", b"~", b"\\", b"&"] or len(characters) > 5
    return Delimiters(field, declared, roles, odd=odd)


def _may_separate(character: bytes) -> bool:
    """Tell whether a character may be a delimiter: values are full of letters, and NUL is padding between segments."""
    return not (character.isalnum() or character.isspace() or character == b"\x00")


def _first_character(data: bytes) -> bytes:
    """Return the first character, which may be several bytes of UTF-8."""
    if data[:1].isascii():
        return data[:1]
    for length in (2, 3, 4):
        try:
            data[:length].decode()
        except UnicodeDecodeError:
            continue
        return data[:length]
    return data[:1]


def _without_cut_character(data: bytes) -> bytes:
    """Return a text that was cut at a length without the bytes of UTF-8 at its end that make no character."""
    try:
        data.decode()
    except UnicodeDecodeError as error:
        if error.end == len(data) and error.reason == "unexpected end of data":
            return data[: error.start]
    return data


def _characters(data: bytes) -> list[bytes]:
    """Cut MSH-2 into characters: those of UTF-8 where it is that, else bytes. The charset isn't known yet."""
    try:
        return [character.encode() for character in data.decode()]
    except UnicodeDecodeError:
        return [data[index : index + 1] for index in range(len(data))]
