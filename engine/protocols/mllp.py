"""
MLLP release 1 without I/O: a block is VT, payload, FS, CR (HL7 v2.5 appendix C § C.4).

Rules, because legacy senders bend them:

- FS ends a block at once: many senders never send the CR after it, and wait for the answer.
- An FS may be a character of a text that its sender doesn't escape. Where the block has no segment end and text goes
  on directly behind, what came is a half: `Torn`, where the next byte is there already and the reader wants to know.
  Else the noise behind it tells it (`Noise.torn`).
- A CR directly after FS belongs to the frame. Everything else outside a block is noise: counted, not kept.
- VT inside a block is content; VT directly after VT is noise (some senders stutter).
- What looks like TLS or HTTP at the beginning of a connection is a stranger, not noise.

Events depend on the bytes alone, never on how they were cut into chunks (but for `Torn`): noise is told when a block
begins or the stream ends.

    decoder = MllpDecoder(max_block_bytes=20_000_000)
    decoder.receive_data(chunk)
    while (event := decoder.next_event()) is not NEED_DATA:
        ...
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final, Literal

_FS_BYTE: Final = b"\x1c"
_VT_BYTE: Final = b"\x0b"
_FRAME_END: Final = b"\x1c\r"
_SEGMENT_ENDS: Final = (b"\r", b"\n")
_BLANK_MAX: Final = 0x20
"""Bytes up to this one are blanks and control characters: no text that goes on."""
_HEADERS: Final = (b"MSH", b"FHS", b"BHS")

HEAD_BYTES: Final = 65_536
"""How much of an oversized block is kept, to answer it and to show it."""
_NOISE_BYTES_MAX: Final = 65_536
_STRANGERS: Final = (
    (b"\x16\x03", "a TLS client hello"),
    (b"GET ", "an HTTP request"),
    (b"POST ", "an HTTP request"),
    (b"PUT ", "an HTTP request"),
    (b"HEAD ", "an HTTP request"),
    (b"OPTIONS ", "an HTTP request"),
    (b"CONNECT ", "an HTTP request"),
    (b"PRI * HTTP", "an HTTP/2 preface"),
    (b"SSH-", "an SSH client"),
)
_STRANGER_BYTES: Final = max(len(prefix) for prefix, _ in _STRANGERS)


class _NeedData(Enum):
    NEED_DATA = "need data"


NEED_DATA: Final = _NeedData.NEED_DATA


@dataclass(slots=True)
class Block:
    """A whole block, without its frame."""

    payload: bytes


@dataclass(slots=True)
class Noise:
    """Bytes outside any block, before the next event."""

    count: int
    torn: bool = False
    """They begin with text directly behind a block that has no segment end: the rest of it, it may be."""


@dataclass(slots=True)
class Oversized:
    """A block over the limit; the decoder is finished: close the connection."""

    head: bytes
    size: int
    """Bytes seen so far."""


@dataclass(slots=True)
class Stranger:
    """A peer that speaks something else, or only noise; the decoder is finished: close the connection."""

    what: str


@dataclass(slots=True)
class Truncated:
    """The stream ended inside a block."""

    head: bytes
    size: int


@dataclass(slots=True)
class Torn:
    """A block that an FS inside its text ended; the rest follows as noise."""

    head: bytes
    size: int


Event = Block | Noise | Oversized | Stranger | Torn | Truncated


def frame(payload: bytes) -> bytes:
    """Wrap one payload into a block."""
    return b"\x0b%b\x1c\r" % payload


class MllpDecoder:
    """Cut a stream of bytes into blocks."""

    __slots__ = (
        "_behind_half", "_buffer", "_finished", "_inside", "_limit", "_noise", "_opening", "_queue", "_swallow_cr",
        "_tell_torn", "_torn",
    )  # fmt: skip

    def __init__(self, *, max_block_bytes: int, tell_torn: bool = False) -> None:
        """
        Begin at the start of a stream.

        Args:
            max_block_bytes: Payload size over which a block is `Oversized`.
            tell_torn: Give `Torn` for a block that is surely a half; else it is a `Block`.
        """
        self._limit = max_block_bytes
        self._buffer: bytearray | None = None  # payload of the open block; None spares 5,000 idle connections memory
        self._inside = False
        self._swallow_cr = False  # the CR that belongs to the FS just seen
        self._tell_torn = tell_torn
        self._behind_half = False  # nothing yet behind the FS of a block without segment end
        self._torn = False  # the noise began there
        self._noise = 0
        self._opening: bytes | None = b""  # first noise of the stream; None once a block has begun
        self._queue: list[bytes] = []  # chunks not yet looked at
        self._finished = False

    @property
    def buffered(self) -> int:
        """Bytes of the open block held in memory."""
        return len(self._buffer) if self._buffer is not None else 0

    @property
    def mid_block(self) -> bool:
        """A block has begun and has not ended."""
        return self._inside

    @property
    def pending_noise(self) -> int:
        """Noise since the last block, not yet told."""
        return self._noise

    @property
    def finished(self) -> bool:
        """Nothing more will be read from this stream."""
        return self._finished

    def receive_data(self, data: bytes) -> None:
        """Give the next bytes of the stream; ask `next_event` until NEED_DATA afterwards."""
        if data and not self._finished:
            self._queue.append(data)

    def receive_eof(self) -> list[Event]:
        """Tell the end of the stream; return the last events (Noise, Truncated)."""
        events: list[Event] = []
        if self._finished:
            return events
        self._finished = True
        if self._noise:
            events.append(Noise(self._noise, self._torn))
        if self._inside:
            buffer = self._buffer or bytearray()
            events.append(Truncated(bytes(buffer[:HEAD_BYTES]), len(buffer)))
        self._buffer = None
        self._noise = 0
        return events

    def next_event(self) -> Event | Literal[_NeedData.NEED_DATA]:
        """Return the next event, or NEED_DATA."""
        queue = self._queue
        while queue:
            data = queue[0]
            if self._inside:
                event = self._read_inside(data)
            else:
                event = self._read_outside(data)
            if event is not None:
                return event
        return NEED_DATA

    # Each reader consumes from the first chunk of the queue: it replaces it by its rest, or removes it.

    def _read_outside(self, data: bytes) -> Event | None:
        if self._swallow_cr:
            self._swallow_cr = False
            if data[:1] == b"\r":
                self._rest(data, 1)
                return None
        if self._behind_half:
            self._behind_half = False
            self._torn = data[0] > _BLANK_MAX
        start = data.find(_VT_BYTE)
        noise = len(data) if start < 0 else start
        if noise and self._opening is not None:
            self._opening = opening = self._opening + data[: min(noise, _STRANGER_BYTES - len(self._opening))]
            for prefix, what in _STRANGERS:
                if opening.startswith(prefix):
                    return self._finish(Stranger(what))
        self._noise += noise
        if self._noise > _NOISE_BYTES_MAX:
            return self._finish(Stranger(f"more than {_NOISE_BYTES_MAX} bytes without a start of block"))
        if start < 0:
            self._queue.pop(0)
            return None
        self._opening = None
        self._inside = True
        self._rest(data, start + 1)
        if self._noise:
            event = Noise(self._noise, self._torn)
            self._noise = 0
            self._torn = False
            return event
        return None

    def _read_inside(self, data: bytes) -> Event | None:
        buffer = self._buffer
        if not buffer:
            if data[:1] == _VT_BYTE:  # VT VT: a stutter
                self._noise += 1
                self._rest(data, 1)
                return None
            end = data.find(_FS_BYTE)
            if end >= 0 and end <= self._limit:  # the usual case: a whole block in one chunk
                if data.endswith(_FRAME_END) and end == len(data) - 2:
                    self._queue.pop(0)
                    self._inside = False
                    self._behind_half = not data.endswith(_SEGMENT_ENDS, 0, end)
                    return Block(data[:end])
                return self._end_block(data[:end], data, end)
            buffer = self._buffer = bytearray()
        end = data.find(_FS_BYTE)
        taken = len(data) if end < 0 else end
        buffer += data[: min(taken, self._limit + 1 - len(buffer))]
        if len(buffer) > self._limit:
            return self._finish(Oversized(bytes(buffer[:HEAD_BYTES]), len(buffer)))
        if end < 0:
            self._queue.pop(0)
            return None
        payload = bytes(buffer)
        self._buffer = None
        return self._end_block(payload, data, end)

    def _end_block(self, payload: bytes, data: bytes, end: int) -> Event:
        """Go on outside, behind the FS at `end` of a chunk."""
        self._rest(data, end + 1)
        self._swallow_cr = True
        self._inside = False
        self._behind_half = bool(payload) and not payload.endswith(_SEGMENT_ENDS)
        if self._behind_half and self._tell_torn and _goes_on(data[end + 1 : end + 4]):
            self._behind_half = False
            return Torn(payload[:HEAD_BYTES], len(payload))
        return Block(payload)

    def _rest(self, data: bytes, start: int) -> None:
        if start >= len(data):
            self._queue.pop(0)
        else:
            self._queue[0] = data[start:]

    def _finish(self, event: Event) -> Event:
        self._finished = True
        self._buffer = None
        self._queue.clear()
        return event


def _goes_on(behind: bytes) -> bool:
    """Tell whether text goes on: not the end of a frame, not another one, not a message that lost its VT."""
    return bool(behind) and behind[0] > _BLANK_MAX and not any(name.startswith(behind) for name in _HEADERS)
