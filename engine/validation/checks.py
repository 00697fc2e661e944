"""
Say what is wrong with one field: the judge that `patterns` asks about whatever it doesn't recognise.

Nothing here is fast; nothing here sees a field of a message that is in order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final, NamedTuple

from engine.parsers.hl7v2.delimiters import Delimiters
from engine.parsers.hl7v2.escapes import unescape
from engine.validation.datatypes import SIMPLE, TEXTS
from engine.validation.shapes import FORBIDDEN, REQUIRED, WITHDRAWN, Shape

NULL: Final = b'""'
_CODES_SHOWN: Final = 12

Tell = Callable[[str, str, "Where", str], None]
"""Takes a rule, a severity (empty: the rule's own), the place inside the field, and a sentence."""


class Where(NamedTuple):
    """A place inside a field; 0: not so deep."""

    repetition: int = 0
    component: int = 0
    subcomponent: int = 0
    repeated: bool = False
    """Whether the field has several repetitions."""


class Judge:
    """Judges fields of one message."""

    def __init__(self, delimiters: Delimiters, codec: str, tell: Tell) -> None:
        """Keep how the message is written, and whom to tell."""
        self._marks = delimiters
        self._codec = codec
        self._told = tell

    def field(self, shape: Shape, data: bytes) -> None:
        """Judge a field that isn't empty."""
        repetitions = self._marks.repetitions(data)
        if not any(self._content(repetition) for repetition in repetitions):
            if shape.usage == REQUIRED:
                self.missing(shape)
            return
        if shape.usage == FORBIDDEN:
            self._tell("forbidden", shape, Where(), "is forbidden")
            return
        if shape.usage == WITHDRAWN:
            self._tell("withdrawn", shape, Where(), "was withdrawn from this version")
            return
        repeated = len(repetitions) > 1
        if shape.most and len(repetitions) > shape.most:
            often = "once" if shape.most == 1 else f"{shape.most} times"
            self._tell("repeated", shape, Where(), f"may stand {often}")
        if shape.least > 1 and sum(1 for one in repetitions if self._content(one)) < shape.least:
            self._tell("too-few", shape, Where(), f"must stand {shape.least} times")
        for rank, repetition in enumerate(repetitions, 1):
            if self._content(repetition) and repetition != NULL:
                self._repetition(shape, repetition, Where(rank, repeated=repeated))

    def missing(self, shape: Shape) -> None:
        """Tell that a required field is empty."""
        self._tell("required", shape, Where(), "is required")

    def untyped(self, *, present: bool) -> None:
        """Tell that a field doesn't say the data type of the value beside it."""
        words = "no data type that is known" if present else "empty"
        self._told("value-type", "", Where(), f"it is {words}: nobody can tell what the value is")

    # --- levels ------------------------------------------------------------------------------------------

    def _repetition(self, shape: Shape, data: bytes, where: Where) -> None:
        if not shape.parts or not shape.known:
            self._simple(shape, data, where, component=True)
        else:
            self._composite(shape, data, where, component=True)

    def _component(self, shape: Shape, data: bytes, where: Where) -> None:
        if self._unwanted(shape, where):
            return
        if not shape.parts or not shape.known:
            self._simple(shape, data, where, component=False)
        else:
            self._composite(shape, data, where, component=False)

    def _composite(self, shape: Shape, data: bytes, where: Where, *, component: bool) -> None:
        """Judge what has parts: components of a repetition, or subcomponents of a component."""
        self._length(shape, data, where)
        parts = self._marks.components(data) if component else self._marks.subcomponents(data)
        for rank, part in enumerate(parts, 1):
            if not self._content(part) or part == NULL:
                continue
            at = where._replace(component=rank) if component else where._replace(subcomponent=rank)
            if rank > len(shape.parts):
                kind = "components" if component else "subcomponents"
                self._tell("extra-component", shape, at, f"has {len(shape.parts)} {kind} at most")
                break
            one = shape.parts[rank - 1]
            if one.coding_system and not self._own_table(one, parts):
                one = replace(one, codes=None)
            if component:
                self._component(one, part, at)
            elif not self._unwanted(one, at):
                self._leaf(one, part, at)
        self._required_parts(shape, parts, where, component=component)

    def _simple(self, shape: Shape, data: bytes, where: Where, *, component: bool) -> None:
        """Judge what has no parts, and may hold separators all the same."""
        if not shape.known:
            self._length(shape, data, where)
            return
        parts = self._marks.components(data) if component else self._marks.subcomponents(data)
        if shape.type in TEXTS:
            if len(parts) > 1 or len(self._marks.subcomponents(data)) > 1:
                self._tell("unescaped", shape, where, "holds a delimiter of the message that isn't escaped")
            self._leaf(shape, data, where)
            return
        if any(self._content(part) for part in parts[1:]):
            self._tell("extra-component", shape, where, f"has no {'components' if component else 'subcomponents'}")
        first = self._marks.subcomponents(parts[0])
        if component and any(first[1:]):
            self._tell("extra-component", shape, where, "has no subcomponents")
        if first[0] and first[0] != NULL:
            self._leaf(shape, first[0], where)

    def _leaf(self, shape: Shape, data: bytes, where: Where) -> None:
        text = self._text(data)
        if shape.length and len(text) > shape.length:
            self._tell("length", shape, where, f"has more than {shape.length} characters")
        if shape.codes is not None and text not in shape.codes:
            self._tell(shape.rule, shape, where, f"isn't {_listed(shape)}")
        simple = SIMPLE.get(shape.type)
        if simple is not None and not simple.accepts(text):
            self._tell("type", shape, where, f"isn't {simple.wanted}")
        if shape.matches is not None and not shape.matches(text):
            self._tell("pattern", shape, where, "isn't written as the profile wants it")

    # --- what several levels ask -------------------------------------------------------------------------

    def _required_parts(self, shape: Shape, parts: list[bytes], where: Where, *, component: bool) -> None:
        for rank, part in enumerate(shape.parts, 1):
            if part.usage == REQUIRED and not (rank <= len(parts) and self._content(parts[rank - 1])):
                at = where._replace(component=rank) if component else where._replace(subcomponent=rank)
                self._tell("required-component", part, at, "is required")

    def _unwanted(self, shape: Shape, where: Where) -> bool:
        if shape.usage == FORBIDDEN:
            self._tell("forbidden", shape, where, "is forbidden")
        elif shape.usage == WITHDRAWN:
            self._tell("withdrawn", shape, where, "was withdrawn from this version")
        else:
            return False
        return True

    def _own_table(self, shape: Shape, components: list[bytes]) -> bool:
        """Tell whether a code claims to be one of the field's own table, rather than of another coding system."""
        system = components[shape.coding_system - 1] if len(components) >= shape.coding_system else b""
        return not system or system.decode("ascii", "replace") in (shape.table, f"HL7{shape.table}")

    def _length(self, shape: Shape, data: bytes, where: Where) -> None:
        if shape.length and len(data) > shape.length and len(self._text(data)) > shape.length:
            self._tell("length", shape, where, f"has more than {shape.length} characters")

    def _content(self, data: bytes) -> bytes:
        """Return what is there beside separators."""
        for mark in (self._marks.component, self._marks.subcomponent):
            if mark:
                data = data.replace(mark, b"")
        return data

    def _text(self, data: bytes) -> str:
        return unescape(data, self._marks).decode(self._codec, "replace")

    def _tell(self, rule: str, shape: Shape, where: Where, words: str) -> None:
        self._told(rule, shape.severity, where, f"{shape.words} {words}" if shape.words else f"it {words}")


def _listed(shape: Shape) -> str:
    """Say what a code may be."""
    codes = list(shape.codes or ())
    table = f"in table {shape.table}" if shape.table else "among the allowed values"
    if not codes or len(codes) > _CODES_SHOWN:
        return table
    return f"{table} ({', '.join(codes)})"
