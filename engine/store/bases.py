"""Where the bases of splices come from: parsers.base_of, imported when the first one is needed."""

from __future__ import annotations

from collections.abc import Callable

BaseOf = Callable[[bytes, int], bytes]
"""(message as received, flag byte of the splices) -> the bytes to which the splices apply."""


def default_base_of(raw: bytes, flag: int) -> bytes:
    """Return what parsers.base_of does; late, so that a store opens without the parsers."""
    from engine.parsers import base_of

    return base_of(raw, flag)
