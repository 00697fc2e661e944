r"""From odd delimiters to `|^~\&`: each leaf keeps its meaning, escapes included."""

from __future__ import annotations

from engine.parsers.hl7v2.delimiters import STANDARD, Delimiters
from engine.parsers.hl7v2.escapes import translate
from engine.parsers.hl7v2.segments import HEADERS, Segment
from engine.parsers.sniff import BLANKS


def rewrite_line(segment: Segment, old: Delimiters) -> bytes:
    """Return one segment with the standard delimiters, without its end."""
    if not segment.code:
        # the rest of a value that was cut by a line feed, or no segment at all: one leaf per field
        return STANDARD.field.join([_rewrite_field(data, old) for data in segment.line().split(old.field)])
    first = segment.field(0)
    if segment.code in HEADERS:
        fields = [_rewrite_field(segment.field(number), old) for number in range(3, segment.count + 1)]
        return STANDARD.field.join([first.rstrip(BLANKS), STANDARD.declared, *fields])  # a bare name may be padded
    fields = [_rewrite_field(segment.field(number), old) for number in range(1, segment.count + 1)]
    return STANDARD.field.join([first, *fields])


def _rewrite_field(data: bytes, old: Delimiters) -> bytes:
    if not data or data.isalnum():
        return data
    return STANDARD.repetition.join([_rewrite_repetition(part, old) for part in old.repetitions(data)])


def _rewrite_repetition(data: bytes, old: Delimiters) -> bytes:
    return STANDARD.component.join(
        [
            STANDARD.subcomponent.join([translate(leaf, old, STANDARD) for leaf in old.subcomponents(component)])
            for component in old.components(data)
        ]
    )
