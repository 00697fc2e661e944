"""
Everything about one version of HL7 v2, alone or with the French extension of IHE PAM.

A dictionary is made once a version; each of its parts is read at the first question about it. An extension's
entries stand in front of HL7's: its fields replace those of the same number, its tables those of the same
number, wholly.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, cached_property
from typing import Final

from engine.dictionary.entries import Event, Part, Segment, Table, Type
from engine.dictionary.rows import HL7, PAM_FR_FOLDER, rows_of
from engine.dictionary.versions import version_of

PAM_FR: Final = "pam-fr-2.11"
"""IHE PAM, French extension 2.11: a national extension of HL7 2.5."""
_FOLDERS: Final = {"": (HL7,), PAM_FR: (HL7, PAM_FR_FOLDER)}

VARIES: Final = "varies"
"""Data type of a field whose type another field says (OBX-5: OBX-2)."""
CODED: Final = frozenset({"CE", "CWE", "CNE", "CF"})
"""Data types whose first component is a code: the table of such a field is that of this code (HL7 v2.5 § 2.A.13)."""


def dictionary_of(version: str, extension: str = "") -> Dictionary:
    """
    Return the dictionary of a version.

    Args:
        version: As MSH-12 names it, also with what follows (`2.5^FRA^2.11`); the nearest known one is taken.
        extension: Empty, or PAM_FR.
    """
    return _made(version_of(version).version, extension)


@cache
def _made(version: str, extension: str) -> Dictionary:
    return Dictionary(version, extension)


def extension_of(version: str, country: str, segments: Iterable[str]) -> str:
    """
    Tell which extension a message follows.

    Args:
        version: MSH-12 as it stands (`2.5^FRA^2.11`).
        country: MSH-17.
        segments: Names of its segments.

    Returns:
        PAM_FR where the message says that it is French, or has a movement segment ZBE; else nothing.
    """
    parts = version.split("^")
    french = "FRA" in (parts[1].partition("&")[0] if len(parts) > 1 else "", country) or "ZBE" in segments
    return PAM_FR if french else ""


class Dictionary:
    """The dictionary of one version."""

    def __init__(self, version: str, extension: str = "") -> None:
        """
        Read nothing yet.

        Args:
            version: One of VERSIONS.
            extension: Empty, or PAM_FR.
        """
        self.version = version
        self.extension = extension
        self._folders = _FOLDERS[extension]

    def segment(self, name: str) -> Segment | None:
        """Return a segment; None where the version doesn't have it."""
        return self._segments.get(name)

    def field(self, segment: str, number: int) -> Part | None:
        """Return a field."""
        known = self._segments.get(segment)
        return known.fields[number - 1] if known is not None and 0 < number <= len(known.fields) else None

    def type(self, name: str) -> Type | None:
        """Return a composite data type; None for a simple or unknown one."""
        return self._types.get(name)

    def component(self, type_: str, number: int) -> Part | None:
        """Return a component of a data type."""
        known = self._types.get(type_)
        return known.components[number - 1] if known is not None and 0 < number <= len(known.components) else None

    def table(self, number: str) -> Table | None:
        """Return a table: `0001`, or one of an extension (`ZBE-4`)."""
        return self._tables.get(number)

    def structure(self, name: str) -> str | None:
        """Return a message structure in HL7's abstract syntax (`MSH [{SFT}] EVN PID …`), with names of groups."""
        return self._structures.get(name)

    def event(self, type_: str, event: str) -> Event | None:
        """Return what a message type and its trigger event are; None: the version doesn't know them."""
        return self._events.get((type_, event))

    def words(
        self, segment: str, field: int, component: int = 0, subcomponent: int = 0, *, beside: Sequence[str] = ()
    ) -> str:
        """
        Name a place in words: PID-5 is `patient name`, PID-5.1 `family name`.

        Args:
            segment: `PID`.
            field: From 1; 0 for the segment itself.
            component: From 1, or 0.
            subcomponent: From 1, or 0.
            beside: The components of the same repetition, as text: an extension names a place by them (the
                family name of an XPN whose XPN-7 is `L` is the `birth name`).

        Returns:
            Small letters; empty where nothing is known.
        """
        if not field:
            known = self._segments.get(segment)
            return known.words if known is not None else ""
        for position, value, words in self._names.get((segment, field, component, subcomponent), ()):
            if not position or (position <= len(beside) and beside[position - 1] == value):
                return words
        part = self.field(segment, field)
        for number in (component, subcomponent):
            if number and part is not None and (number > 1 or part.type in self._types):
                part = self.component(part.type, number)  # a simple type has one component: itself
        return part.words if part is not None else ""

    # --- parts, each read when it is asked for -------------------------------------------------------------

    def _rows(self, name: str) -> Iterator[list[str]]:
        for folder in self._folders:
            yield from rows_of(folder, name, self.version)

    @cached_property
    def _segments(self) -> Mapping[str, Segment]:
        fields: dict[str, dict[int, Part]] = {}
        for segment, number, type_, usage, most, length, table, words in self._rows("fields"):
            part = Part(int(number), type_, usage, 0 if most == "*" else int(most), int(length or 0), table, words)
            fields.setdefault(segment, {})[part.number] = part
        return {
            name: Segment(name, words, tuple(part for _, part in sorted(fields.get(name, {}).items())))
            for name, words in self._rows("segments")
        }

    @cached_property
    def _types(self) -> Mapping[str, Type]:
        names: dict[str, str] = {}
        components: dict[str, list[Part]] = {}
        for type_, number, part_type, usage, length, table, words in self._rows("components"):
            if number == "0":
                names[type_] = words
                continue
            part = Part(int(number), part_type, usage, 1, int(length or 0), table, words)
            components.setdefault(type_, []).append(part)
        return {name: Type(name, words, tuple(components.get(name, ()))) for name, words in names.items()}

    @cached_property
    def _tables(self) -> Mapping[str, Table]:
        tables: dict[str, Table] = {}
        for folder in self._folders:
            codes: dict[str, dict[str, str]] = {}
            for number, code, meaning, kind in rows_of(folder, "tables", self.version):
                if code:
                    codes[number][code] = meaning
                else:
                    codes[number] = {}
                    tables[number] = Table(number, meaning, kind == "open", codes[number])
        return tables

    @cached_property
    def _structures(self) -> Mapping[str, str]:
        return {row[0]: row[1] for row in self._rows("structures")}

    @cached_property
    def _events(self) -> Mapping[tuple[str, str], Event]:
        return {(type_, event): Event(structure, words) for type_, event, structure, words in self._rows("events")}

    @cached_property
    def _names(self) -> Mapping[tuple[str, int, int, int], list[tuple[int, str, str]]]:
        """Names that an extension gives a place, some only where a component has a value."""
        names: dict[tuple[str, int, int, int], list[tuple[int, str, str]]] = {}
        for path, where, words in self._rows("names"):
            segment, _, numbers = path.partition("-")
            field, component, subcomponent = ([int(number) for number in numbers.split(".")] + [0, 0])[:3]
            position, _, value = where.partition("=")
            names.setdefault((segment, field, component, subcomponent), []).append((int(position or 0), value, words))
        return names
