"""Senders and receivers."""

from __future__ import annotations

import pytest

from engine.conversion.authorities import System


@pytest.mark.parametrize(
    ("hprim", "application", "facility"),
    [
        (b"133002782^LABO", b"133002782", b"LABO^133002782^N"), (b"2A0000028^LABO", b"2A0000028", b"LABO^2A0000028^N"),
        (b"100^LABO", b"100", b"LABO^100^L"), (b"100", b"100", b"100"), (b"^LABO", b"", b"LABO"), (b"", b"", b""),
    ],
)  # fmt: skip
def test_both_ways(hprim: bytes, application: bytes, facility: bytes) -> None:
    """Code and name come back; a FINESS is one."""
    system = System.of_hprim(hprim)
    assert (system.application, system.facility) == (application, facility)
    assert System.of_hl7(application, facility).field == hprim


def test_an_hl7_sender() -> None:
    """Application and facility that HPRIM never wrote."""
    assert System.of_hl7(b"LIS", b"CHA").field == b"CHA^LIS"
    assert System.of_hl7(b"LIS", b"^000000026^M").field == b"000000026^LIS"


def test_a_null_is_no_system() -> None:
    """Two of them would be one, and number patients."""
    assert System.of_hprim(b'""^""') == (b"", b"")
    assert System.of_hl7(b'""', b'""') == (b"", b"")


def test_the_authority_of_its_numbers() -> None:
    """The same parts as subcomponents."""
    assert System(b"100", b"LABO").assigner == b"LABO&100&L"
