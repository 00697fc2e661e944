"""Calls and replies as they travel through a pipe: four bytes of length, then JSON."""

from __future__ import annotations

import json
from struct import Struct
from typing import Any, Final

LENGTH: Final = Struct(">I")
FRAME_MAX: Final = 64_000_000


def frame(value: dict[str, Any]) -> bytes:
    """Return a value as it travels."""
    data = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    return LENGTH.pack(len(data)) + data


def value_of(data: bytes) -> dict[str, Any]:
    """Return what travelled, without its length."""
    value: dict[str, Any] = json.loads(data.decode("utf-8", "surrogatepass"))
    return value
