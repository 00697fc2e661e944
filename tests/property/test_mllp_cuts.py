"""Any cut of a stream gives the same events; what was framed comes back."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from engine.protocols.mllp import NEED_DATA, Block, Event, MllpDecoder, frame

PIECES = st.sampled_from(
    [b"\x0b", b"\x1c", b"\r", b"\n", b"MSH|^~\\&|", b"GET ", b"\x16\x03", b"x", b"\x00", b"\xe9" * 30]
)
STREAMS = st.lists(PIECES, max_size=40).map(b"".join)


def events_of(chunks: list[bytes]) -> list[Event]:
    decoder = MllpDecoder(max_block_bytes=64)
    events: list[Event] = []
    for chunk in chunks:
        decoder.receive_data(chunk)
        while (event := decoder.next_event()) is not NEED_DATA:
            events.append(event)
    return events + decoder.receive_eof()


@given(STREAMS, st.lists(st.integers(0, 1300), max_size=12))
def test_any_cut_gives_the_same_events(stream: bytes, cuts: list[int]) -> None:
    """Where the network cut the stream makes no difference."""
    edges = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    chunks = [stream[begin:end] for begin, end in itertools.pairwise(edges)]
    assert events_of(chunks) == events_of([stream])


@given(st.lists(st.binary(max_size=60).filter(lambda b: b"\x1c" not in b and not b.startswith(b"\x0b")), max_size=8))
def test_framed_payloads_come_back(payloads: list[bytes]) -> None:
    """Decoding what was encoded gives the payloads, in order, and nothing else."""
    assert events_of([b"".join(map(frame, payloads))]) == [Block(payload) for payload in payloads]
