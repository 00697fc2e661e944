"""Limits of the parser, lowered: what is done to large messages is done to small ones, so that tests meet it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

from engine.parsers import charset
from engine.parsers.hl7v2 import difference, lines, preparing


@contextmanager
def all_is_large() -> Iterator[None]:
    """Texts are large from 10 bytes on, and lines are long from 5 on."""
    with ExitStack() as stack:
        for module in (lines, charset, preparing, difference):
            stack.enter_context(patch.object(module, "LARGE_BYTES", 10))
        stack.enter_context(patch.object(lines, "LONG_BYTES", 5))
        yield
