"""Which version MSH-12 means; spans of the data files."""

from __future__ import annotations

import pytest

from engine.dictionary.versions import VERSIONS, bit_of, bits_of, version_of


@pytest.mark.parametrize(
    ("text", "version", "exact"),
    [
        ("2.5", "2.5", True),
        ("2.5^FRA^2.11", "2.5", True),
        (" 2.3.1 ", "2.3.1", True),
        ("2.7.1", "2.7", False),
        ("2.9", "2.8.2", False),
        ("2.10", "2.8.2", False),
        ("2.0", "2.1", False),
        ("2.5.99", "2.5.1", False),
        ("", "2.5", False),
        ("H2.3", "2.5", False),
        ("9.9", "2.5", False),
        ("2.5 beta", "2.5", False),
    ],
)
def test_the_version_that_is_meant(text, version, exact):
    """The one named, else the last known before it, else that of PAM France."""
    assert version_of(text) == (version, exact)


def test_spans_are_bits():
    """Single versions and spans, by comma."""
    assert bits_of("2.1") == 1
    assert bits_of("2.1-2.8.2") == (1 << len(VERSIONS)) - 1
    assert bits_of("2.1-2.3,2.5") == 0b100111
    assert bits_of("2.5") == bit_of("2.5")
