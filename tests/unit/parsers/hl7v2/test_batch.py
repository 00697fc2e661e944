"""Several messages in one block."""

from __future__ import annotations

import pytest

from engine.parsers.hl7v2.batch import is_batch, split_batch

ONE = b"MSH|^~\\&|A\rPID|1\r"
TWO = b"MSH|^~\\&|B\rPID|2\r"


@pytest.mark.parametrize(
    ("raw", "messages", "findings"),
    [
        (ONE + TWO, [ONE, TWO], []),
        (b"FHS|^~\\&\rBHS|^~\\&\r" + ONE + TWO + b"BTS|2\rFTS|1\r", [ONE, TWO], []),
        (b"BHS|^~\\&\r" + ONE + b"BTS|7\r", [ONE], ["batch-count"]),
        (b"FHS|^~\\&\rBHS|^~\\&\r" + ONE + b"BTS|1\rFTS|4\r", [ONE], ["file-count"]),
        (b"FHS|^~\\&\rFTS|0\r", [], []),
        (ONE.replace(b"\r", b"\n") + TWO.replace(b"\r", b"\r\n"),
         [ONE.replace(b"\r", b"\n"), TWO.replace(b"\r", b"\r\n")], []),
    ],
)
def test_split(raw: bytes, messages: list[bytes], findings: list[str]) -> None:
    """Messages come out byte for byte, in order; wrong counts are findings."""
    assert is_batch(raw)
    batch = split_batch(raw)
    assert batch.messages == messages
    assert batch.findings == findings


@pytest.mark.parametrize("raw", [ONE, b"MSH|^~\\&|MSH|\rOBX|1|MSH\r", b""])
def test_one_message_is_no_batch(raw: bytes) -> None:
    """MSH inside a field begins no message."""
    assert not is_batch(raw)
