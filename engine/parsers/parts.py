"""
The parts of one field: components and subcomponents taken out, put in, changed leaf by leaf.

Works on bytes as they stand in the message; what is a leaf becomes text and text becomes a leaf here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from engine.errors import StepFailed
from engine.parsers.hl7v2.delimiters import Delimiters
from engine.parsers.hl7v2.escapes import escape
from engine.parsers.hl7v2.switching import read, write

NULL: Final = b'""'
"""HL7's null: erase what you have (HL7 v2.5 § 2.5.3)."""


def part(data: bytes, component: int, subcomponent: int, marks: Delimiters) -> bytes:
    """Return a component or a subcomponent of one repetition; b"" when it is missing."""
    if component == 1 and marks.component:
        data = data.partition(marks.component)[0]
    elif component:
        data = nth(data, component, marks.component)
    return nth(data, subcomponent, marks.subcomponent) if subcomponent else data


def nth(data: bytes, number: int, mark: bytes) -> bytes:
    """Return one of the parts between `mark`, from 1; the first is all where there is no separator."""
    if number == 1:
        return data.partition(mark)[0] if mark else data
    parts = data.split(mark, number) if mark else ()
    return parts[number - 1] if number <= len(parts) else b""


def with_part(repetition: bytes, component: int, subcomponent: int, data: bytes, marks: Delimiters, path: str) -> bytes:
    """Return a repetition in which one part is replaced."""
    if not component:
        return data
    if repetition == NULL:
        repetition = b""  # a value replaces the null
    if not marks.component:
        components = [repetition]
    else:
        components = repetition.split(marks.component)
    if len(components) < component:
        make_room(components, component, marks.component, path)
    if subcomponent:
        parts = marks.subcomponents(components[component - 1])
        make_room(parts, subcomponent, marks.subcomponent, path)
        parts[subcomponent - 1] = data
        data = marks.subcomponent.join(parts)
    components[component - 1] = data
    return marks.component.join(components)


def make_room(parts: list[bytes], number: int, mark: bytes, path: str) -> None:
    """Append empty parts until there are `number` of them."""
    if len(parts) < number:
        if not mark:
            raise StepFailed("E-DELIMITERS", "the message declares no separator for this part", field=path)
        parts += [b""] * (number - len(parts))


def text_of(data: bytes, codec: str, marks: Delimiters) -> str:
    """Decode; replace escapes where it is one leaf."""
    mark = marks.escape
    # `find`, because `in` costs three times more on bytes
    if mark and data.find(mark) >= 0 and not any(structural in data for structural in marks.structural):
        return read(data, codec, marks)
    return data.decode(codec)


def leaf_of(text: str, codec: str, marks: Delimiters, path: str, alternates: tuple[str, ...] = ()) -> bytes:
    """
    Encode and escape a text: one leaf.

    Args:
        text: Any.
        codec: The message's.
        marks: Its delimiters.
        path: Where it shall stand, for the error.
        alternates: Further character sets that the message declares (charset.alternates_of).

    Raises:
        StepFailed: E-ENCODE where the message's charset has no such character; E-NO-ESCAPE where the message
            has no escape character and would need one.
    """
    try:
        data = text.encode(codec)
    except UnicodeEncodeError:
        switched = write(text, codec, alternates, marks) if alternates and marks.escape else None
        if switched is not None:
            return switched
        raise StepFailed("E-ENCODE", f"the value has a character that {codec} can't write", field=path) from None
    try:
        return escape(data, marks, codec)
    except ValueError:
        raise StepFailed(
            "E-NO-ESCAPE",
            "the value holds a delimiter, and the message declares no escape character to write it with",
            field=path,
        ) from None


def change_leaves(data: bytes, marks: Delimiters, change: Callable[[bytes], bytes]) -> bytes:
    """Change each leaf below a field, a repetition or a component; empty leafs and nulls are left."""
    for mark in (marks.repetition, marks.component, marks.subcomponent):
        if mark and data.find(mark) >= 0:
            return mark.join([change_leaves(one, marks, change) for one in data.split(mark)])
    return data if not data or data == NULL else change(data)
