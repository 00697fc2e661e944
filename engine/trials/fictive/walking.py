"""A message walked leaf by leaf: each gets the guise of its kind, delimiters and everything else stay."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from engine.dictionary.dictionary import Dictionary, dictionary_of, extension_of
from engine.identity.ins import read_ins
from engine.parsers.hl7v2.message import Message
from engine.parsers.hl7v2.segments import Segment
from engine.parsers.parts import NULL, leaf_of, text_of
from engine.trials.fictive.guises import Guises, is_quantity
from engine.trials.fictive.kinds import FIELDS, HPRIM, TYPES, Kinds, kind_of
from engine.trials.fictive.people import TEST_INS_OID

_FREE: Final = ("free",)
_KEEP: Final = ("keep",)
_TELLING: Final = frozenset({"id", "nir", "family", "given", "phone", "email"})
"""Kinds whose real values may stand nowhere else in the message."""
_TEXTS: Final = frozenset({"ST", "TX", "FT"})

Leaf = Callable[[str, str], str]
"""From kind and value to the value in its place."""


def learn(message: Message, guises: Guises) -> None:
    """Take note of all values of a message that tell who it is about."""

    def note(kind: str, value: str) -> str:
        if kind in _TELLING:
            guises.learn(value)
        return value

    for segment, number, kinds in _fields(message):
        _walk(segment.field(number), kinds, message, note)


def disguise(message: Message, guises: Guises) -> None:
    """Replace, in place, what tells who a message is about; all messages that go together were learnt before."""

    def dress(kind: str, value: str) -> str:
        if kind == "keep":
            return guises.of("free", value) if guises.tells(value) else value
        return guises.of(kind, value)

    for segment, number, kinds in _fields(message):
        data = segment.field(number)
        made = _walk(data, kinds, message, dress)
        if made != data:
            segment.put(number, made)


def _fields(message: Message) -> Iterator[tuple[Segment, int, Kinds]]:
    """Yield every field that holds something, with the kinds of its components."""
    kinds = _Hl7Kinds(message) if message.format == "hl7v2" else None
    for segment in message.segments():
        for number in range(1, segment.count + 1):
            if segment.field(number):
                name = segment.name
                yield (
                    segment,
                    number,
                    (kinds.of(segment, number) if kinds is not None else _hprim_kinds(segment, name, number, message)),
                )


class _Hl7Kinds:
    """The kinds of fields of one HL7 message, by the dictionary of its version."""

    def __init__(self, message: Message) -> None:
        head = message.head(b"MSH")
        version = head.field(12).decode("latin-1") if head is not None else ""
        country = head.field(17).decode("latin-1") if head is not None else ""
        self._message = message
        self._dictionary: Dictionary = dictionary_of(version, extension_of(version, country, message.names))

    def of(self, segment: Segment, number: int) -> Kinds:
        """Return the kinds of a field's components."""
        name = segment.name
        if (name, number) == ("OBX", 5):
            return _observed(segment, self._message)
        known = FIELDS.get((name, number))
        if known is not None:
            return known
        part = self._dictionary.field(name, number)
        return TYPES.get(part.type, _FREE) if part is not None else _FREE


def _hprim_kinds(segment: Segment, name: str, number: int, message: Message) -> Kinds:
    if (name, number) == ("OBX", 5):
        return _observed(segment, message)
    return HPRIM.get((name, number), _FREE)


def _observed(segment: Segment, message: Message) -> Kinds:
    """Return the kinds of an observed value: by the type that OBX-2 says, where a text may be a number."""
    type_ = segment.field(2).decode("latin-1")
    if type_ in _TEXTS or not type_:
        value = text_of(segment.field(5), message.codec, message.delimiters)
        return _KEEP if is_quantity(value) else _FREE
    return TYPES.get(type_, _FREE)


def _walk(field: bytes, kinds: Kinds, message: Message, leaf: Leaf) -> bytes:
    """Return a field whose leaves went through `leaf`."""
    marks = message.delimiters
    if kinds == _KEEP and not field.strip():
        return field
    repetitions = []
    for repetition in marks.repetitions(field):
        ins = read_ins(repetition, marks)
        components = marks.components(repetition)
        for rank, component in enumerate(components, 1):
            kind = kind_of(kinds, rank)
            if ins is not None and rank == 1:
                kind = "nir"
            if ins is not None and ins.authority.oid.encode() in component:
                components[rank - 1] = component.replace(ins.authority.oid.encode(), TEST_INS_OID.encode())
                continue
            components[rank - 1] = _dressed(component, kind, message, leaf)
        repetitions.append(marks.component.join(components) if marks.component else components[0])
    return marks.repetition.join(repetitions) if marks.repetition else repetitions[0]


def _dressed(component: bytes, kind: str, message: Message, leaf: Leaf) -> bytes:
    marks = message.delimiters
    parts = marks.subcomponents(component)
    for rank, part in enumerate(parts):
        if not part or part == NULL:
            continue
        if kind in ("free", "keep", "label"):
            text = part.decode(message.codec, "replace")
            made = leaf(kind, text)
            parts[rank] = part if made == text else made.encode(message.codec, "replace")
        else:
            text = text_of(part, message.codec, marks)
            made = leaf(kind, text)
            parts[rank] = part if made == text else leaf_of(made, message.codec, marks, "")
    return marks.subcomponent.join(parts) if marks.subcomponent else parts[0]
