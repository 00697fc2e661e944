"""`set` writes texts."""

from __future__ import annotations

import pytest

from engine.errors import StepFailed


def test_writes_in_order(run):
    """Later lines see what earlier ones wrote; values are escaped."""
    done = run('  - set: { PID-5.1: "{PID-5.2}&{site}", PID-6: "{PID-5.1} {{x}} {nda} {event}" }')
    assert "|JANE\\T\\cha^JANE|JANE\\T\\cha {x} N1 A01|" in done.text


def test_absent_segment(run):
    """Writing where there is no segment is an error that names `add`."""
    with pytest.raises(StepFailed) as caught:
        run("  - set: { ZBE-1: x }")
    assert caught.value.code == "E-NO-SEGMENT"
    assert "add" in caught.value.reason


def test_authority(run):
    """A path may ask for the repetition of the site's authority."""
    assert run('  - set: { "PID-3[@ipp].1": 999 }').lines[1].startswith("PID|1||999^^^X&1.2.3.1&ISO^PI~222")
