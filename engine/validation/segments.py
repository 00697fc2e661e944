"""The checks of one segment: made once, asked about every segment of that name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from engine.dictionary.entries import Part
from engine.validation.checks import Judge
from engine.validation.patterns import Fits, fits
from engine.validation.resolving import Resolver, is_varying
from engine.validation.shapes import REQUIRED, Shape

JudgeOf = Callable[[int, int], Judge]
"""Gives the judge of a field, by the segment's position in the message and the field's number."""

_VALUE_TYPE: Final = {"OBX": 2}
"""Field that says the data type of those that vary (HL7 v2.5 § 7.4.2.5)."""


class SegmentChecks:
    """
    The checks of one segment under one profile.

    Patterns are compiled when the first field with a value comes along: many fields of HL7 never do.
    """

    __slots__ = ("_fits", "_group", "_name", "_parts", "_required", "_resolver", "_shapes", "_values", "_varying")

    def __init__(self, name: str, resolver: Resolver, group: str = "") -> None:
        """
        Describe the segment.

        Args:
            name: `PID`.
            resolver: Gives the shapes of its fields.
            group: Where it stands, for a profile that wants the segment otherwise in each group.
        """
        self._name = name
        self._group = group
        self._resolver = resolver
        self._parts: list[Part] = resolver.fields(name)
        self._shapes: dict[int, Shape] = {}
        self._fits: list[Fits | None] = [None] * (len(self._parts) + 1)
        self._required = tuple(part.number for part in self._parts if resolver.usage(name, part, group) == REQUIRED)
        self._varying = tuple(part.number for part in self._parts if is_varying(part))
        self._values: dict[bytes, tuple[Shape, Fits] | None] = {}

    @property
    def known(self) -> bool:
        """Whether anybody describes this segment."""
        return bool(self._parts)

    @property
    def last(self) -> int:
        """Number of its last field."""
        return len(self._parts)

    def check(self, position: int, fields: list[bytes], judge: JudgeOf, *, usual: bool) -> list[int]:
        """
        Check the fields of one segment.

        Args:
            position: Of the segment in its message, for the judge.
            fields: As received, so that fields[n] is field n.
            judge: Asked for a judge where a field isn't surely right.
            usual: Whether the message has the usual delimiters: else every field goes to its judge.

        Returns:
            Numbers of fields beyond the last one that the segment has.
        """
        known, count = self._fits, len(fields)
        last = len(known)
        for number in range(1, min(last, count)):
            data = fields[number]
            if data:
                fit = known[number]
                if fit is None:
                    fit = self._make(number)
                if fit is not _anything and not (usual and fit(data)):
                    judge(position, number).field(self.shape(number), data)
        for number in self._required:
            if number >= count or not fields[number]:
                judge(position, number).missing(self.shape(number))
        for number in self._varying:
            if number < count and fields[number]:
                self._check_value(position, number, fields, judge, usual=usual)
        return [number for number in range(last, count) if fields[number]] if count > last else []

    def prepare(self) -> None:
        """Compile the patterns of all fields."""
        for number in range(1, len(self._fits)):
            self._make(number)

    def shape(self, number: int) -> Shape:
        """Return the shape of a field."""
        known = self._shapes.get(number)
        if known is None:
            known = self._shapes[number] = self._resolver.field(self._name, self._parts[number - 1], self._group)
        return known

    def _make(self, number: int) -> Fits:
        # MSH-1 and MSH-2 are the delimiters themselves; what varies is looked at when its type is known
        verbatim = self._name in ("MSH", "FHS", "BHS") and number < 3
        made = _anything if verbatim or number in self._varying else fits(self.shape(number))
        self._fits[number] = made
        return made

    def _check_value(self, position: int, number: int, fields: list[bytes], judge: JudgeOf, *, usual: bool) -> None:
        """Check a value by the type that another field says."""
        told = _VALUE_TYPE.get(self._name, 0)
        if not told:
            return  # QPD-3, MFE-4…: the query or the master file says it, which no table knows
        type_ = fields[told] if told < len(fields) else b""
        found = self._values.get(type_)
        if found is None:
            shape = self._resolver.value(type_.decode("latin-1").strip(), self._parts[number - 1].words)
            if shape is not None:
                found = (shape, fits(shape))
                if len(self._values) < 64:  # what stands in OBX-2 comes from outside
                    self._values[type_] = found
        if found is not None:
            if not usual or not found[1](fields[number]):
                judge(position, number).field(found[0], fields[number])
        elif fields[number] != b'""':
            judge(position, told).untyped(present=bool(type_.strip()))


def _anything(data: bytes) -> bool:
    del data
    return True
