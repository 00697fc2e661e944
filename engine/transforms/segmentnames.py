"""Which names of segments a route may write: those of HL7 and PAM France, of HPRIM, and partners' own."""

from __future__ import annotations

import re
from typing import Any, Final

from engine.dictionary.limits import knows_segment
from engine.parsers.hprim.names import segment_name
from engine.transforms.nodes import Node
from engine.transforms.shapes import Reader, TextShape, refuse

WRITE_ANOTHER: Final = "write one of HL7 or HPRIM; those of partners begin with Z"
_SEGMENT: Final = re.compile(r"[A-Z][A-Z0-9]{0,3}\Z")


def is_segment(name: str) -> bool:
    """Tell whether some version of HL7 or HPRIM has a segment, or a partner may."""
    return knows_segment(name) or bool(segment_name(name))


class SegmentName(TextShape):
    """The name of a segment."""

    wants = "the name of a segment: OBX"

    def read(self, node: Node, reader: Reader) -> Any:
        """Read the node."""
        word = super().read(node, reader)
        if not _SEGMENT.match(word):
            raise refuse(reader, node, "E112", f"{word} is no name of a segment", "write OBX, PID, ZBE…")
        if not is_segment(word):
            raise refuse(reader, node, "E155", f"no version of HL7 has a segment {word}", WRITE_ANOTHER)
        return word
