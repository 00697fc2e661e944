"""From the dictionary and a profile to the shape of each field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from engine.dictionary.dictionary import CODED, VARIES, Dictionary
from engine.dictionary.entries import Part, Table
from engine.validation.profile import Override, Position, Profile
from engine.validation.shapes import Shape

_NOTHING: Final[Mapping[Position, Override]] = {}
_NO_OVERRIDE: Final = Override()
_SIMPLE: Final = frozenset(
    {"ST", "TX", "FT", "ID", "IS", "NM", "SI", "DT", "DTM", "TM", "GTS", "TN", "SNM", "NUL", "ST_VALUE"}
)
"""Simple data types; what is neither one of them nor in the dictionary isn't looked into."""
UNLIMITED: Final = 32_000
"""A length of 32,000, 65,536 or 99,999 stands in HL7 where none is meant: documents and formatted texts."""
_OF_HEADER: Final = frozenset({"0003", "0076", "0104", "0354"})
"""Tables of MSH-9 and MSH-12: what stands there is told by the rules event, structure and version."""
_CODING_SYSTEM: Final = 3
"""CE.3, CWE.3, CNE.3."""


class Resolver:
    """Shapes of one version under one profile."""

    def __init__(self, profile: Profile, dictionary: Dictionary) -> None:
        """Keep both."""
        self._profile = profile
        self._dictionary = dictionary

    def fields(self, segment: str) -> list[Part]:
        """Return the fields of a segment, in order; empty for one that nobody describes."""
        known = self._dictionary.segment(segment)
        parts = {part.number: part for part in known.fields} if known is not None else {}
        parts.update(self._profile.fields.get(segment, {}))
        if not parts:
            return []
        return [parts.get(number) or Part(number, "", "O", 0, 0, "", "") for number in range(1, max(parts) + 1)]

    def field(self, segment: str, part: Part, group: str = "") -> Shape:
        """
        Return the shape of a field.

        Args:
            segment: Its segment.
            part: The field, as `fields` gives it.
            group: Where the segment stands in the structure.
        """
        return self._shape((segment, part.number, 0, 0), part, group, "")

    def usage(self, segment: str, part: Part, group: str = "") -> str:
        """Return whether a field is required; as `field`."""
        said = self._said((segment, part.number, 0, 0), group)
        return said.usage if said.usage is not None else part.usage

    def value(self, type_: str, words: str) -> Shape | None:
        """Return the shape of a value whose type another field says; None: nobody knows the type."""
        if type_ not in _SIMPLE and self._dictionary.type(type_) is None:
            return None
        return self._shape(("", 0, 0, 0), Part(0, type_, "O", 0, 0, "", words), "", "")

    def table(self, number: str) -> Table | None:
        """Return a table: the profile's, else the dictionary's."""
        return self._profile.tables.get(number) or self._dictionary.table(number)

    # --- levels ------------------------------------------------------------------------------------------

    def _shape(self, at: Position, part: Part, group: str, coded_table: str) -> Shape:
        said = self._said(at, group)
        type_ = said.type if said.type is not None else part.type
        shape = Shape(
            type=type_,
            words=said.words if said.words is not None else part.words,
            usage=said.usage if said.usage is not None else part.usage,
            most=said.most if said.most is not None else part.most,
            least=said.least or 0,
            length=said.length if said.length is not None else part.length if part.length < UNLIMITED else 0,
            matches=said.matches,
            severity=said.severity or "",
            table=said.table if said.table is not None else coded_table or part.table,
        )
        components = self._dictionary.type(type_)
        if components is None:
            shape.known = type_ in _SIMPLE
            if at[0] != "MSH" or shape.table not in _OF_HEADER:
                self._codes(shape, said)
            shape.coding_system = _CODING_SYSTEM if coded_table and shape.codes is not None else 0
            return shape
        level = 2 if not at[2] else 3
        if level == 3 and at[3]:
            # nothing separates what is below a subcomponent: it is the first simple part of its type
            return self._shape(at, components.components[0]._replace(usage=shape.usage), group, "")
        of_code = shape.table if type_ in CODED else ""
        shape.parts = tuple(
            self._shape(_below(at, one.number), one, group, of_code if one.number == 1 else "")
            for one in components.components
        )
        if said.codes is not None and shape.parts:
            self._codes(shape.parts[0], said)  # values of a coded field are those of its code
        if said.matches is not None and shape.parts:
            shape.parts[0].matches = said.matches
        return shape

    def _said(self, at: Position, group: str) -> Override:
        if not at[0]:
            return _NO_OVERRIDE
        there = self._profile.within.get(group, _NOTHING)
        return there.get(at) or self._profile.overrides.get(at) or _NO_OVERRIDE

    def _codes(self, shape: Shape, said: Override) -> None:
        """Set what a simple value may be."""
        if said.codes is not None:
            shape.codes, shape.rule, shape.table = said.codes, "table", ""
            return
        table = self.table(shape.table) if shape.table else None
        if table is None or table.open or not table.codes or shape.type not in ("ID", "IS", "ST"):
            return
        shape.codes = table.codes
        shape.rule = "table" if shape.type == "ID" else "user-table"


def _below(at: Position, number: int) -> Position:
    segment, field, component, _ = at
    return (segment, field, component, number) if component else (segment, field, number, 0)


def is_varying(part: Part) -> bool:
    """Tell whether another field says the data type (OBX-5)."""
    return part.type == VARIES
