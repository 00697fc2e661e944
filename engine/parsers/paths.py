"""
Paths: HL7's own notation, counted from 1, for reading and writing any Message.

    PID-5.1            first repetition, component 1            OBX[*]-5        field 5 of every OBX
    PID-3[*].4.1       every repetition, comp. 4, subcomp. 1    OBX[3]-5        third OBX; OBX[last]-5
    PID-3[5=PI].1      the repetition whose component 5 is PI   OBX[3=2160-0]-5 the OBX whose field 3.1 is 2160-0
    PID-3[@ipp].1      the repetition of this site's authority  PID-3[5 in PI,INS], PID-3[5!=PI]
    PID-3[+]           append a repetition                      .4.1            relative, inside foreach
    ZFP, OBX[*]        segments themselves (to delete, to ask whether they exist)
    ../OBR-3           field 3 of the nearest OBR before the segment at hand, inside foreach

A path is compiled once and serves every message. What is read is text: decoded, escapes replaced; where a
path ends above the leafs (`PID-5` of `A^B`), the text is the field as it stands, separators and escapes
included. What is written as text is one leaf and is escaped; `write_bytes` puts in structure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Literal

from engine.errors import PathError, StepFailed
from engine.parsers.hl7v2.delimiters import Delimiters
from engine.parsers.hl7v2.message import Message
from engine.parsers.hl7v2.segments import HEADERS, Segment
from engine.parsers.parts import NULL, leaf_of, part, text_of, with_part
from engine.parsers.pathwords import Selector, Words, take_apart

Recognise = Callable[[bytes, Delimiters], list[int]]
"""From a field and its delimiters to the ranks, from 0, of the repetitions that are identifiers of an authority."""

Presence = Literal["absent", "null", "value"]


class Path:
    """
    One compiled path.

    Attributes:
        text: As written.
        segment: The segment's name; empty when it is that of the segment at hand.
        field: The field's number; 0 when the path names segments.
        component: 0 when the path ends at the repetition.
        subcomponent: 0 when it ends at the component.
        relative: Whether it needs `at`.
    """

    __slots__ = (
        "_bound", "_code", "_first_segment", "_plain", "_recognisers", "_verbatim", "_words",
        "component", "field", "relative", "segment", "subcomponent", "text",
    )  # fmt: skip

    def __init__(self, text: str, words: Words) -> None:
        self.text = text
        self.segment = words.segment
        self.field = words.field
        self.component = words.component
        self.subcomponent = words.subcomponent
        self.relative = words.above or not words.segment
        which, repetition = words.which, words.repetition
        self._words = words
        self._code = words.segment.encode()
        # the delimiters themselves are one leaf, whatever they hold
        self._verbatim = (self._code in HEADERS and 0 < words.field < 3) or (self._code == b"H" and words.field == 1)
        # the shapes of nearly all paths of nearly all routes: a leaf of the first segment of a name
        self._first_segment = which is None and not self.relative and words.field > 0 and not self._verbatim
        self._plain = self._first_segment and repetition is None
        self._bound: dict[str, Recognise] = {}
        self._recognisers: tuple[Recognise, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Path:
        """
        Compile a path.

        Raises:
            PathError: The text is none; the error says where and what to write.
        """
        return cls(text, take_apart(text))

    def __repr__(self) -> str:
        return f"Path({self.text!r})"

    @property
    def authorities(self) -> tuple[str, ...]:
        """The names after `@`; they need `bind` before the path is used."""
        repetition = self._words.repetition
        return repetition.names if repetition is not None else ()

    @property
    def is_plain(self) -> bool:
        """Whether it leads to one value at most, of the first segment of its name: `first` says all."""
        return self._plain

    @property
    def is_all(self) -> bool:
        """Whether it has a star: it leads to any number of values."""
        return any(
            selector is not None and selector.kind == "all" for selector in (self._words.which, self._words.repetition)
        )

    @property
    def appends(self) -> bool:
        """Whether it makes a new repetition each time that it is written to: `[+]`."""
        return self._words.repetition is not None and self._words.repetition.kind == "append"

    @property
    def selects_repetitions(self) -> bool:
        """Whether something stands between brackets after the field."""
        return self._words.repetition is not None

    def bind(self, recognisers: Mapping[str, Recognise]) -> Path:
        """
        Return this path with what recognises its authorities.

        Args:
            recognisers: By authority name; those the path doesn't name are left aside.

        Raises:
            PathError: A name has no recogniser.
        """
        bound = Path(self.text, self._words)
        for name in self.authorities:
            if name not in recognisers:
                raise PathError(
                    f"the authority {name} isn't known",
                    column=max(self.text.find(f"@{name}"), 0),
                    hint="name one of `authorities:` of the site",
                )
            bound._bound[name] = recognisers[name]
        bound._recognisers = tuple(bound._bound[name] for name in self.authorities)
        return bound

    # --- reading ------------------------------------------------------------------------------------------

    def first(self, message: Message, at: Segment | None = None) -> str:
        """Return the first value as text, "" when there is none."""
        if self._plain:
            data = message.value(self._code, self.field)
            if data.isalnum():  # one leaf
                return data.decode() if self.component < 2 and self.subcomponent < 2 else ""
            if not data:
                return ""
            marks = message.delimiters
            if marks.repetition:
                data = data.partition(marks.repetition)[0]
            if self.component:
                data = part(data, self.component, self.subcomponent, marks)
            if marks.escape and data.find(marks.escape) >= 0:
                return text_of(data, message.codec, marks)
            return data.decode(message.codec)
        for data in self._leafs(message, at):
            return self._decode(data, message)
        return ""

    def read(self, message: Message, at: Segment | None = None) -> list[str]:
        """
        Return the values as text.

        Args:
            message: Where to read.
            at: The segment to which a relative path belongs.

        Returns:
            One text a value; a missing or empty leaf gives none, HL7's null gives `""` (two characters).
        """
        if self._plain:
            value = self.first(message)
            return [value] if value else []
        if self._first_segment:
            data = message.value(self._code, self.field)
            return (
                [text_of(leaf, message.codec, message.delimiters) for leaf in self._leafs_of(data, message)]
                if data
                else []
            )
        return [self._decode(data, message) for data in self._leafs(message, at)]

    def read_bytes(self, message: Message, at: Segment | None = None) -> list[bytes]:
        """Return the values as they stand in the message, structure and escapes included (to copy them)."""
        return list(self._leafs(message, at))

    def presence(self, message: Message, at: Segment | None = None) -> Presence:
        """Return whether there is a value (of several: any), only a null, or nothing."""
        found: Presence = "absent"
        for data in self._leafs(message, at):
            if data != NULL:
                return "value"
            found = "null"
        return found

    def _decode(self, data: bytes, message: Message) -> str:
        return data.decode(message.codec) if self._verbatim else text_of(data, message.codec, message.delimiters)

    def _leafs(self, message: Message, at: Segment | None) -> Iterator[bytes]:
        """Yield what is there, as bytes."""
        if not self.field:
            for segment in self._segments(message, at, to_edit=False):
                yield segment.code
            return
        for segment in self._segments(message, at, to_edit=False):
            data = segment.field(self.field)
            if not data:
                continue
            if self._verbatim:
                if self.component < 2:
                    yield data
                continue
            yield from self._leafs_of(data, message)

    def _leafs_of(self, data: bytes, message: Message) -> list[bytes]:
        """Return what is there in one field, which isn't empty."""
        marks = message.delimiters
        repetitions = data.split(marks.repetition) if marks.repetition else [data]
        chosen = [repetitions[rank] for rank in self._ranks(repetitions, message)]
        if self.component:
            chosen = [part(one, self.component, self.subcomponent, marks) for one in chosen]
        return [leaf for leaf in chosen if leaf]

    # --- writing ------------------------------------------------------------------------------------------

    def write(self, message: Message, text: str, at: Segment | None = None) -> int:
        """
        Write a value wherever the path leads; missing repetitions and components come to be.

        Args:
            message: Where to write.
            text: One leaf: what would be structure in it is escaped. `""` writes HL7's null.
            at: The segment to which a relative path belongs, from `message.segments`.

        Returns:
            How many leafs were written; 0 only for `[*]` where there is nothing.

        Raises:
            StepFailed: E-NO-SEGMENT; E-NO-REPETITION where none meets a test that can't be made true;
                E-ENCODE where the message's charset has no such character; E-NO-ESCAPE where the message
                has no escape character and would need one; E-DELIMITERS for MSH-1 and MSH-2.
        """
        data = leaf_of(text, message.codec, message.delimiters, self.text, message.alternates)
        return self.write_bytes(message, data, at)

    def write_bytes(self, message: Message, data: bytes, at: Segment | None = None) -> int:
        """
        Write bytes as they are, structure and escapes included; otherwise as `write`.

        Args:
            message: Where to write.
            data: In the message's charset and delimiters.
            at: The segment to which a relative path belongs.
        """
        if self._plain:
            first = message.own_head(self._code)
            if first is not None:
                return self._write_into(first, message, data)
        self._require_writable()
        written = 0
        for segment in self._segments(message, at, to_edit=True):
            written += self._write_into(segment, message, data)
        if not written and not self.is_all:
            if not message.positions(self._code):
                raise StepFailed(
                    "E-NO-SEGMENT",
                    f"the message has no {self.segment} segment; add one first: add: {{ segment: {self.segment} }}",
                    field=self.text,
                )
            raise StepFailed(
                "E-NO-SEGMENT", f"no {self.segment} segment is the one that the path selects", field=self.text
            )
        return written

    def delete(self, message: Message, at: Segment | None = None) -> int:
        """
        Take out what the path leads to.

        A component is emptied. A repetition that a selector chose is removed wholly. A field without
        selector is emptied wholly, all its repetitions; a segment without selector: all of that name.

        Returns:
            How many leafs, repetitions, fields or segments were there and are gone.
        """
        if not self.field:
            return self._delete_segments(message, at)
        self._require_writable()
        return sum(self._delete_in(segment, message) for segment in self._segments(message, at, to_edit=True))

    def _delete_segments(self, message: Message, at: Segment | None) -> int:
        found = (
            message.segments(self.segment)
            if self._words.which is None
            else list(self._segments(message, at, to_edit=True))
        )
        for segment in found:
            message.delete_segment(segment)
        return len(found)

    def _delete_in(self, segment: Segment, message: Message) -> int:
        data = segment.field(self.field)
        if not data:
            return 0
        if not self.component and self._words.repetition is None:
            segment.set_field(self.field, b"")
            return 1
        marks = message.delimiters
        repetitions = marks.repetitions(data)
        ranks = [rank for rank in self._ranks(repetitions, message) if repetitions[rank]]
        if not self.component:
            gone_ranks = set(ranks)
            kept = [one for rank, one in enumerate(repetitions) if rank not in gone_ranks]
            segment.set_field(self.field, marks.repetition.join(kept))
            return len(ranks)
        gone = 0
        for rank in ranks:
            if part(repetitions[rank], self.component, self.subcomponent, marks):
                repetitions[rank] = self._with(repetitions[rank], b"", marks)
                gone += 1
        if gone:
            segment.set_field(self.field, marks.repetition.join(repetitions))
        return gone

    def _write_into(self, segment: Segment, message: Message, data: bytes) -> int:
        marks = message.delimiters
        field = segment.field(self.field)
        selector = self._words.repetition
        if selector is None and (not field or not marks.repetition or field.find(marks.repetition) < 0):
            if self.component:
                data = with_part(field, self.component, self.subcomponent, data, marks, self.text)
            segment.set_field(self.field, data)
            return 1
        repetitions = marks.repetitions(field) if field else []
        ranks = self._ranks(repetitions, message)
        if not ranks:
            if selector is not None and selector.kind == "all":
                return 0
            ranks = [self._make_repetition(repetitions, message)]
        for rank in ranks:
            repetitions[rank] = self._with(repetitions[rank], data, marks)
        if len(repetitions) > 1 and not marks.repetition:
            raise StepFailed("E-DELIMITERS", "the message declares no repetition separator", field=self.text)
        segment.set_field(self.field, marks.repetition.join(repetitions))
        return len(ranks)

    def _make_repetition(self, repetitions: list[bytes], message: Message) -> int:
        """Make the repetition that is missing; returns its rank."""
        selector = self._words.repetition
        if selector is not None and selector.kind == "number":
            repetitions += [b""] * (selector.number - len(repetitions))
            return selector.number - 1
        made = b""
        if selector is not None and selector.kind in {"authority", "test"}:
            if selector.kind == "authority" or selector.negated or len(selector.wanted) > 1:
                raise StepFailed(
                    "E-NO-REPETITION",
                    f"no repetition of {self.segment}-{self.field} is the one that the path selects; [+] appends one",
                    field=self.text,
                )
            wanted = leaf_of(selector.wanted[0], message.codec, message.delimiters, self.text, message.alternates)
            made = with_part(b"", selector.part, selector.subpart, wanted, message.delimiters, self.text)
        repetitions.append(made)
        return len(repetitions) - 1

    def _with(self, repetition: bytes, data: bytes, marks: Delimiters) -> bytes:
        return with_part(repetition, self.component, self.subcomponent, data, marks, self.text)

    def _require_writable(self) -> None:
        if self._verbatim:
            raise StepFailed("E-DELIMITERS", "the delimiters of a message are not a value to write", field=self.text)
        if not self.field:
            raise StepFailed("E-NO-FIELD", "the path names a segment; name a field of it", field=self.text)

    def change(self, message: Message, change: Callable[[bytes], bytes], at: Segment | None = None) -> int:
        """
        Change each value that is there.

        Args:
            message: Where.
            change: Gets a value as it stands in the message (structure, escapes), gives the one to put in its
                place; b"" empties it.
            at: The segment to which a relative path belongs.

        Returns:
            How many values differ now.
        """
        marks, changed = message.delimiters, 0
        for segment, repetitions, ranks in self.chosen(message, at):
            before = changed
            for rank in ranks:
                old = part(repetitions[rank], self.component, self.subcomponent, marks)
                new = change(old) if old else old
                if new != old:
                    repetitions[rank] = self._with(repetitions[rank], new, marks)
                    changed += 1
            if changed > before:
                segment.set_field(self.field, marks.repetition.join(repetitions))
        return changed

    def chosen(self, message: Message, at: Segment | None = None) -> Iterator[tuple[Segment, list[bytes], list[int]]]:
        """
        Give what the path leads to, to edit: segment after segment where the field isn't empty.

        Returns:
            The segment, its field's repetitions, and the ranks (from 0) of those that the path selects.
        """
        self._require_writable()
        for segment in self._segments(message, at, to_edit=True):
            field = segment.field(self.field)
            if field:
                repetitions = message.delimiters.repetitions(field)
                yield segment, repetitions, self._ranks(repetitions, message)

    # --- choosing -----------------------------------------------------------------------------------------

    def _segments(self, message: Message, at: Segment | None, *, to_edit: bool) -> Iterator[Segment]:
        if self.relative:
            if at is None:
                raise StepFailed("E-NO-FOREACH", "a relative path has a meaning inside foreach only", field=self.text)
            if not self._words.above:
                yield at
            elif (head := message.position_before(at, self._code)) is not None:
                yield message.own(head) if to_edit else message.peek(head)
            return
        positions = message.positions(self._code)
        if not positions:
            return
        which = self._words.which
        take = message.own if to_edit else message.peek
        if which is None:
            yield take(positions[0])
        elif which.kind == "all":
            for position in positions:
                yield take(position)
        elif which.kind == "last":
            yield take(positions[-1])
        elif which.kind == "number":
            if which.number <= len(positions):
                yield take(positions[which.number - 1])
        else:
            for position in positions:
                if _segment_meets(message.peek(position), which, message):
                    yield take(position)

    def _ranks(self, repetitions: list[bytes], message: Message) -> list[int]:
        """Return the ranks (from 0) of the repetitions that the path selects."""
        selector = self._words.repetition
        count = len(repetitions)
        if selector is None:
            return [0] if count else []
        kind = selector.kind
        if kind == "all":
            return list(range(count))
        if kind == "number":
            return [selector.number - 1] if selector.number <= count else []
        if kind == "last":
            return [count - 1] if count else []
        if kind == "append":
            return []
        if kind == "test":
            return [rank for rank in range(count) if _meets(repetitions[rank], selector, message)]
        return self._recognised(repetitions, selector, message.delimiters)

    def _recognised(self, repetitions: list[bytes], selector: Selector, marks: Delimiters) -> list[int]:
        if len(self._bound) < len(selector.names):
            raise StepFailed(
                "E-NO-SITE", "the site of the message isn't known, so its authorities are not", field=self.text
            )
        field = marks.repetition.join(repetitions)
        recognisers = self._recognisers
        if len(recognisers) == 1:
            return recognisers[0](field, marks)
        return sorted({rank for recognise in recognisers for rank in recognise(field, marks)})


def _segment_meets(segment: Segment, selector: Selector, message: Message) -> bool:
    """Compare a field of a segment: component 1 of its first repetition unless the test says which."""
    marks = message.delimiters
    repetition = marks.repetitions(segment.field(selector.part))[0]
    leaf = part(repetition, selector.subpart or 1, 1, marks)
    return (text_of(leaf, message.codec, marks) in selector.wanted) is not selector.negated


def _meets(repetition: bytes, selector: Selector, message: Message) -> bool:
    """Compare a component of a repetition: its first subcomponent unless the test says which."""
    marks = message.delimiters
    leaf = part(repetition, selector.part, selector.subpart or 1, marks)
    return (text_of(leaf, message.codec, marks) in selector.wanted) is not selector.negated
