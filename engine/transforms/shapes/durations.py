"""How long: `30s`, `72h`."""

from __future__ import annotations

import re
from typing import Any, Final

from engine.transforms.nodes import Node
from engine.transforms.shapes.reading import REFERENCE, Reader, Shape, refuse, shown

_QUANTITY: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,3})?) ?([A-Za-z]{1,3})\Z")
_UNITS_OF_TIME: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


class Duration(Shape):
    """`30s`, `5m`, `1h`, `500ms`, `2d`: seconds. `0` stands for never or none."""

    wants = "a duration: 500ms, 30s, 5m, 1h, 2d"
    _PATTERN: Final = r"^(0|[0-9]{1,9}(\.[0-9]{1,3})? ?(ms|s|m|min|h|d))$"

    def read(self, node: Node, reader: Reader) -> float:
        """Read the node."""
        word = reader.word(node)
        if word == "0":
            return 0.0
        match = _QUANTITY.match(word)
        if match is None or match[2] not in _UNITS_OF_TIME:
            raise refuse(reader, node, "E111", f"{shown(node)} is no duration", "write 500ms, 30s, 5m, 1h or 2d")
        return float(match[1]) * _UNITS_OF_TIME[match[2]]

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema."""
        return {"anyOf": [{"const": 0}, {"type": "string", "pattern": f"{self._PATTERN}|{REFERENCE}"}]}
