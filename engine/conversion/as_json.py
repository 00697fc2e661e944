"""A message as plain values for programs: every field a list of repetitions, each a list of components."""

from __future__ import annotations

from typing import Any

from engine.parsers.hl7v2.escapes import unescape
from engine.parsers.hl7v2.message import Message
from engine.parsers.hl7v2.segments import HEADERS, Segment

Component = str | list[str]
"""A text; of several subcomponents, their list."""


def as_json(message: Message) -> dict[str, Any]:
    """
    Return a message as what JSON holds.

    Returns:
        `{"format", "type", "control_id", "version", "findings", "segments": [{"segment": "PID", "fields":
        {"3": [["77", "", "", "", "PI"]]}}]}`: escapes replaced, empty fields left out, numbers as in paths.
        A line that is no segment has the name "" and its text in field 1.
    """
    header = message.header
    return {
        "format": message.format,
        "type": header.type,
        "control_id": header.control_id,
        "version": header.version,
        "findings": message.findings,
        "segments": [_segment(message, message.peek(position)) for position in range(len(message.names))],
    }


def _segment(message: Message, segment: Segment) -> dict[str, Any]:
    codec = message.codec
    if not segment.code and message.format != "hprim-medecin":
        return {"segment": "", "fields": {"1": [[segment.line().decode(codec)]]}}
    delimiting = {1, 2} if segment.code in HEADERS else {1} if segment.code == b"H" else frozenset()
    fields: dict[str, Any] = {}
    for number in range(1, segment.count + 1):
        data = segment.field(number)
        if data:
            fields[str(number)] = [[data.decode(codec)]] if number in delimiting else _field(message, data)
    return {"segment": segment.name, "fields": fields}


def _field(message: Message, data: bytes) -> list[list[Component]]:
    marks = message.delimiters
    return [
        [_component(message, component) for component in marks.components(repetition)]
        for repetition in marks.repetitions(data)
    ]


def _component(message: Message, data: bytes) -> Component:
    marks = message.delimiters
    leafs = [unescape(leaf, marks).decode(message.codec, "replace") for leaf in marks.subcomponents(data)]
    return leafs[0] if len(leafs) == 1 else leafs
