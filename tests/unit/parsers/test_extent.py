"""Documents may be long, identities may not."""

from __future__ import annotations

import pytest

from engine.errors import ParseError
from engine.parsers import open_message

HEADER = b"MSH|^~\\&|G|C|||2026||ADT^A01|1|P|2.5\r"


@pytest.mark.parametrize("filler", [b"~", b"\\", b"^", b"x"])
def test_a_long_identity_is_refused(filler: bytes) -> None:
    """PID with megabytes of anything is refused with a sentence that names it."""
    with pytest.raises(ParseError, match="PID has more than 256 KB"):
        open_message(HEADER + b"PID|1||" + filler * 1_000_000 + b"\r")


def test_countless_segments_are_refused() -> None:
    """Nobody sends 20,000 segments in one message."""
    with pytest.raises(ParseError, match="more than 20000 segments"):
        open_message(HEADER + b"PID|1||42^^^A^PI\r" * 30_000)


@pytest.mark.parametrize("name", [b"OBX", b"NTE", b"ZPD"])
def test_a_document_passes(name: bytes) -> None:
    """What carries documents and texts may be as long as the source allows."""
    message = open_message(HEADER + name + b"|1|ED|||" + b"QUJD" * 500_000 + b"\r")
    assert message.names == ["MSH", name.decode()]


def test_many_observations_pass() -> None:
    """Five thousand results are many, and legal."""
    raw = HEADER + b"OBX|1|NM|718-7^Hb||13.2|g/dL\r" * 5_000 + b"NTE|1||" + b"x" * 200_000
    assert len(open_message(raw).names) == 5_002
