"""A control id of its own for a message that is made of another."""

from __future__ import annotations

import pytest

from engine.parsers.hl7v2.message import Message
from engine.transforms.numbering import number


@pytest.mark.parametrize(
    ("given", "becomes"),
    [
        (b"4711", b"4711-M1"),
        (b"A" * 20, b"A" * 17 + b"-M1"),
        (b"", b""),
    ],
)
def test_the_suffix_fits_and_needs_an_id(given: bytes, becomes: bytes) -> None:
    """MSH-10 keeps its end and its length; a message without one gets none."""
    message = Message.parse(b"MSH|^~\\&|A||||||ADT^A40|" + given + b"|P\rPID|1||9\r", as_utf8=True)
    number(message, "M1")
    assert message.to_bytes() == b"MSH|^~\\&|A||||||ADT^A40|" + becomes + b"|P\rPID|1||9\r"
