"""Spellings of dates."""

from __future__ import annotations

import pytest

from engine.conversion.dates import is_date, normal_date


@pytest.mark.parametrize(
    ("given", "normal"),
    [
        (b"", b""), (b"2026", b"2026"), (b"20260102", b"20260102"), (b" 202601021530 ", b"202601021530"),
        (b"01/02/2026", b"20260201"), (b"2026-01-02 15:30:01", b"20260102153001"),
        (b"2026-01-02T15:30", b"202601021530"), (b"20260102153001+0100", b"20260102153001+0100"),
        (b'""', b'""'), (b"01/02/26", None), (b"hier", None), (b"202", None),
        (b"00000000", None), (b"0000-00-00", None), (b"19600000", b"19600000"),
    ],
)  # fmt: skip
def test_dates(given: bytes, normal: bytes | None) -> None:
    """What is certain is understood, nothing else."""
    assert normal_date(given) == normal


@pytest.mark.parametrize(
    ("given", "there"), [(b"20260102", True), (b"hier 2", True), (b'""', False), (b"0 0", False), (b"NON", False)]
)
def test_whether_there_is_a_date(given: bytes, there: bool) -> None:
    """Certain or not: nulls, zeros and words are none."""
    assert is_date(given) is there
