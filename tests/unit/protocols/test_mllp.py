"""What the MLLP decoder promises for each shape of bytes that legacy senders produce."""

from __future__ import annotations

import pytest

from engine.protocols.mllp import (
    NEED_DATA,
    Block,
    Event,
    MllpDecoder,
    Noise,
    Oversized,
    Stranger,
    Torn,
    Truncated,
    frame,
)


def events_of(*chunks: bytes, limit: int = 100, eof: bool = False, tell_torn: bool = False) -> list[Event]:
    decoder = MllpDecoder(max_block_bytes=limit, tell_torn=tell_torn)
    events: list[Event] = []
    for chunk in chunks:
        decoder.receive_data(chunk)
        while (event := decoder.next_event()) is not NEED_DATA:
            events.append(event)
    return events + (decoder.receive_eof() if eof else [])


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        pytest.param(b"\x0bA\x1c\r", [Block(b"A")], id="plain"),
        pytest.param(b"\x0bA\x1c", [Block(b"A")], id="no CR after FS: the sender waits, so the block ends"),
        pytest.param(b"\x0bA\x1c\x0bB\x1c\r", [Block(b"A"), Block(b"B")], id="VT directly after FS"),
        pytest.param(b"\x0bA\x1c\r\x0bB\x1c\r", [Block(b"A"), Block(b"B")], id="two in one write"),
        pytest.param(b"\x0bA\x1c\r\n\x0bB\x1c\r", [Block(b"A"), Noise(1), Block(b"B")], id="LF after the frame"),
        pytest.param(b" \r\n\x0bA\x1c\r", [Noise(3), Block(b"A")], id="blanks before"),
        pytest.param(b"junk\x0bA\x1c\r", [Noise(4), Block(b"A")], id="text before"),
        pytest.param(b"\x0b\x0bA\x1c\r\x0bB\x1c\r", [Block(b"A"), Noise(1), Block(b"B")], id="a second VT is noise"),
        pytest.param(b"\x0bA\x0bB\x1c\r", [Block(b"A\x0bB")], id="VT inside is content"),
        pytest.param(b"\x0bA\x00B\x1c\r", [Block(b"A\x00B")], id="NUL is content"),
        pytest.param(b"\x0b\x1c\r", [Block(b"")], id="empty block"),
        pytest.param(b"MSH|^~\\&|no frame\r", [Noise(18)], id="a message without frame is noise"),
        pytest.param(b"\x0bA\x1c1|\x1c\r", [Block(b"A"), Noise(4, torn=True)], id="FS inside a segment"),
        pytest.param(b"\x0bA\x1c\r1|\x0bB\x1c", [Block(b"A"), Noise(2, torn=True), Block(b"B")], id="FS CR inside"),
        pytest.param(b"\x0bA\r\x1cjunk\x0bB\x1c", [Block(b"A\r"), Noise(4), Block(b"B")], id="text behind a whole one"),
        pytest.param(b"\x0bA\x1c\n1\x0bB\x1c", [Block(b"A"), Noise(2), Block(b"B")], id="text, not directly behind"),
        pytest.param(b"\x0bMSH|", [Truncated(b"MSH|", 4)], id="cut off"),
    ],
)
def test_stream(stream: bytes, expected: list[Event]) -> None:
    """Each stream gives these events, in one write and byte by byte."""
    assert events_of(stream, eof=True) == expected
    assert events_of(*(stream[i : i + 1] for i in range(len(stream))), eof=True) == expected


def test_limit_is_inclusive() -> None:
    """A block of exactly the limit passes, one byte more does not, and nothing is read after it."""
    assert events_of(frame(b"x" * 100)) == [Block(b"x" * 100)]
    events = events_of(frame(b"x" * 101) + frame(b"after"))
    assert events == [Oversized(b"x" * 101, 101)]


def test_oversized_frees_its_memory() -> None:
    """After an oversized block the decoder holds nothing and says that it is finished."""
    decoder = MllpDecoder(max_block_bytes=10)
    decoder.receive_data(b"\x0b" + b"x" * 1000)
    assert isinstance(decoder.next_event(), Oversized)
    decoder.receive_data(b"y" * 1000)
    assert (decoder.next_event(), decoder.buffered, decoder.finished) == (NEED_DATA, 0, True)


@pytest.mark.parametrize(
    "opening",
    [b"\x16\x03\x01\x02\x00", b"GET / HTTP/1.1\r\n", b"POST /x HTTP/1.1\r\n", b"SSH-2.0-x", b"PRI * HTTP/2.0"],
)
def test_strangers_are_named(opening: bytes) -> None:
    """TLS, HTTP and SSH on a plain port are named at once, however they are cut."""
    for chunks in ([opening], [opening[i : i + 1] for i in range(len(opening))]):
        events = events_of(*chunks)
        assert len(events) == 1
        assert isinstance(events[0], Stranger)


def test_endless_noise_ends_the_conversation() -> None:
    """A peer that only makes noise is not listened to for ever, and nothing of it is kept."""
    events = events_of(*[b"z" * 1000] * 70)
    assert [type(event) for event in events] == [Stranger]


def test_an_empty_chunk_changes_nothing() -> None:
    """Between FS and its CR neither."""
    assert events_of(b"\x0ba\x1c", b"", b"\r") == events_of(b"\x0ba\x1c\r")


@pytest.mark.parametrize("chunks", [[b"\x0bPID|11\x1c11||A\r\x1c\r"], [b"\x0bPID", b"|11\x1c11||A\r\x1c\r"]])
def test_a_half_is_told_where_its_rest_is_there(chunks: list[bytes]) -> None:
    """Half a patient number is no message; what stands behind is told no second time."""
    assert events_of(*chunks, eof=True, tell_torn=True) == [Torn(b"PID|11", 6), Noise(8)]


@pytest.mark.parametrize(
    "stream",
    [
        b"\x0bA\x1c", b"\x0bA\x1c\r\x0b", b"\x0bA\x1c\x0bB", b"\x0bA\x1c\n", b"\x0bA\x1c ", b"\x0bA\r\x1cx",
        b"\x0bA\n\x1cx", b"\x0b\x1cx", b"\x0bA\x1cMSH|", b"\x0bA\x1cM", b"\x0bA\x1cBHS", b"\x0bA\x1c\x00",
    ],
)  # fmt: skip
def test_what_may_be_whole_is_a_block(stream: bytes) -> None:
    """A sender who leaves out CR, or the next one's VT, is understood as always."""
    (first, *_) = events_of(stream, tell_torn=True)
    assert isinstance(first, Block)
