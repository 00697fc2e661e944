"""Several messages in one block."""

from __future__ import annotations

import pytest

from engine.errors import ParseError
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
        (b"FHS|^~\\&\r" + ONE + TWO + b"FTS|1\r", [ONE, TWO], []),
        (b"FHS|^~\\&\rBHS|^~\\&\r" + ONE + b"BTS|1\rBHS|^~\\&\r" + TWO + b"BTS|1\rFTS|2\r", [ONE, TWO], []),
        (b"BHS|^~\\&\r" + ONE + b"BTS|1\rBHS|^~\\&\r" + TWO + b"BTS|2\r", [ONE, TWO], ["batch-count"]),
        (b"BHS|^~\\&\r" + ONE + TWO, [ONE, TWO], ["batch-not-ended"]),
        (b"BHS|^~\\&\r" + ONE + b"BHS|^~\\&\r" + TWO + b"BTS|1\r", [ONE, TWO], ["batch-not-ended"]),
        (b"FHS|^~\\&\rBHS|^~\\&\r" + ONE + b"BTS|1\r", [ONE], ["file-not-ended"]),
        (b"FHS|^~\\&\rBHS|^~\\&\r" + ONE + b"FTS|1\r", [ONE], ["batch-not-ended"]),
        (b"BHS|^~\\&\r" + ONE + b"BTS|one\r", [ONE], []),
        (b"BHS|^~\\&\r" + ONE + b"BTS| 1 |comment\r", [ONE], []),
        (b"BHS|^~\\&\r" + ONE + b"BTS|" + b"1" * 5000 + b"\r", [ONE], ["batch-count"]),
        (b"\xef\xbb\xbfBHS|^~\\&\r" + ONE + b"BTS|1\r", [ONE], []),
        (b"\xef\xbb\xbf" + ONE + TWO, [ONE, TWO], []),
        (b"\r\n " + ONE + TWO, [ONE, TWO], []),
        (b"\r\n" + ONE + TWO, [ONE, TWO], []),
        (
            ONE.replace(b"\r", b"\n") + TWO.replace(b"\r", b"\r\n"),
            [ONE.replace(b"\r", b"\n"), TWO.replace(b"\r", b"\r\n")],
            [],
        ),
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


@pytest.mark.parametrize(
    "raw",
    [
        b"PID|1||LOST\r" + ONE,
        b"hello\r" + ONE + TWO,
        b"BHS|^~\\&\rPID|LOST\r" + ONE,
        b"BHS|^~\\&\r" + ONE + b"BTS|1\rZZZ|LOST\r",
    ],
)
def test_nothing_is_dropped(raw: bytes) -> None:
    """What stands outside every message would be lost: the block is refused."""
    with pytest.raises(ParseError, match=r"would be lost|outside every message"):
        split_batch(raw)


def test_a_line_feed_in_a_text_begins_no_message() -> None:
    """Where segments end with CR, LF is part of a value; and `MSH|text` is no header."""
    for text in (b"line\nMSH|^~\\&|no header", b"line\rMSH|see header"):
        raw = ONE + b"OBX|1|TX|||" + text + b"\r"
        assert split_batch(raw).messages == [raw]


def test_messages_that_continue_each_other_are_joined() -> None:
    """At the place of the first; BTS-1 counts what was sent."""
    first = ONE + b"OBX|1|TX|a||one\rDSC|P1|F\r"
    second = b"MSH|^~\\&|A|||||||||||P1\rOBX|2|TX|a||two\r"
    batch = split_batch(b"BHS|^~\\&\r" + first + TWO + second + b"BTS|3\r")
    assert batch.messages == [ONE + b"OBX|1|TX|a||one\rOBX|2|TX|a||two\r", TWO]
    assert batch.findings == []


def test_too_many() -> None:
    """A block of countless messages is refused as a whole, quickly."""
    with pytest.raises(ParseError, match="more than 10000 messages"):
        split_batch(b"MSH|^~\\&|A\r" * 10_001)
