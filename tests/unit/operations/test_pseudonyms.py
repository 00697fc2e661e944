"""Stable names without meaning."""

from __future__ import annotations

import re

from engine.core.references import References
from engine.operations.pseudonyms import Pseudonyms

PSEUDONYMS = Pseudonyms(References(b"k" * 32))


def test_pseudonyms_are_stable_and_differ() -> None:
    """One identifier has one name; another number, authority or data directory has another."""
    name = PSEUDONYMS.of("A", "1")
    assert re.fullmatch(r"P\.[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}", name)
    assert name == PSEUDONYMS.of("A", "1")
    others = {PSEUDONYMS.of("A", "2"), PSEUDONYMS.of("B", "1"), Pseudonyms(References(b"l" * 32)).of("A", "1")}
    assert len(others | {name}) == 4
