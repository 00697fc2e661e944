"""
MLLP listener: one source door, many connections.

A connection hands each block to intake with a place in its queue of answers; answers leave in the order of
the blocks, so pipelining senders work. Reading stops while too many answers are due, while the peer does
not read them, while the store is full, and while large blocks exhaust the reception budget.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from typing import Any, Final

import structlog

from engine.core.ports import Accept, RefuseBytes, Runtime, Timer
from engine.core.reception import LARGE_BYTES, STALL_BYTES, STALL_SECONDS, ReceptionBudget
from engine.protocols.mllp import NEED_DATA, Block, MllpDecoder, Noise, Oversized, Stranger, Torn, Truncated, frame
from engine.routes.configuration import Source
from engine.transports.addresses import not_ours
from engine.transports.admission import Admission
from engine.transports.keepalive import keep_alive

_log = structlog.get_logger(__name__)

_ANSWERS_DUE_MAX: Final = 256
_BLOCK_SECONDS_MAX: Final = 600.0
"""However slowly it drips, a block must end within this time."""
_SWEEP_SECONDS: Final = 1.0
_OURS: Final = frozenset({"budget", "store"})
"""Pauses that stop a block's clock: its sender can do nothing about them."""
_BACKLOG: Final = 1024
_TORN: Final = "0x1C, which ends a block, stands inside a segment, and text goes on behind it: only a half came"


class _Answers:
    """What is due for one block: its bytes, once intake has answered."""

    __slots__ = ("_connection", "complete", "ready")

    def __init__(self, connection: _Connection) -> None:
        self._connection = connection
        self.ready: list[bytes] = []
        self.complete = False

    def answer(self, data: bytes, *, last: bool = True) -> None:
        """Send `data` (empty: nothing) when the blocks before are answered; see core.ports.Reply."""
        if data:
            self.ready.append(data)
        self.complete = last
        self._connection.flush()


class _Connection(asyncio.Protocol):
    """One sender. Created for thousands of idle peers: small until bytes come."""

    __slots__ = (
        "_block_began",
        "_closing",
        "_decoder",
        "_door",
        "_due",
        "_last_byte",
        "_paused_at",
        "_paused_for",
        "_transport",
        "peer",
    )

    def __init__(self, door: MllpSource) -> None:
        self._door = door
        self._decoder = MllpDecoder(max_block_bytes=door.source.max_size, tell_torn=True)
        self._due: deque[_Answers] = deque()
        self._transport: asyncio.Transport | None = None
        self._paused_for: set[str] = set()
        self._paused_at = 0.0
        self._closing = False
        self._last_byte = 0.0
        self._block_began = 0.0
        self.peer = ""

    # --- asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport) or hasattr(transport, "write")
        self._transport = transport  # type: ignore[assignment]  # uvloop's transport is no subclass
        name = transport.get_extra_info("peername")
        self.peer = name[0] if name else ""
        if not self._door.admit(self):
            self._closing = True
            transport.abort()  # type: ignore[attr-defined]
            return
        keep_alive(transport)
        self._last_byte = self._door.clock()
        if self._door.paused:
            self._pause("store")

    def data_received(self, data: bytes) -> None:
        if self._paused_for and self._transport is not None and not self._transport.is_closing():
            # uvloop begins to read after `connection_made`, also where that has paused: a whole block would come
            self._transport.pause_reading()
        decoder = self._decoder
        decoder.receive_data(data)
        while (event := decoder.next_event()) is not NEED_DATA:
            if type(event) is Block:
                self._block(event.payload)
            else:
                self._other(event)
        if decoder.mid_block or decoder.pending_noise:
            self._last_byte = now = self._door.clock()
            if decoder.mid_block and not self._block_began:
                self._block_began = now
            self._door.partial.add(self)
            if decoder.buffered >= LARGE_BYTES:
                self._door.budget.changed(self, decoder.buffered)
        elif self._door.idle_timeout:
            self._last_byte = self._door.clock()

    def eof_received(self) -> bool:
        """Keep our side open until everything due has been answered (a sender may half-close)."""
        self._end_of_stream()
        self._closing = True
        return bool(self._due)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's name
        self._end_of_stream()
        self._closing = True
        self._transport = None
        self._due.clear()
        self._door.gone(self)

    def pause_writing(self) -> None:
        self._pause("peer")
        self._door.writes(self)

    def resume_writing(self) -> None:
        self._resume("peer")

    # --- our side

    def throttle(self, on: bool) -> None:
        """Stop or go on reading for the reception budget."""
        (self._pause if on else self._resume)("budget")

    def store_paused(self, on: bool) -> None:
        """Stop or go on reading for the store."""
        (self._pause if on else self._resume)("store")

    def flush(self) -> None:
        """Write the answers that are due and ready, in order."""
        transport, due = self._transport, self._due
        if transport is None:
            return
        while due:
            head = due[0]
            for data in head.ready:
                transport.write(frame(data))
            head.ready.clear()
            if not head.complete:
                return
            due.popleft()
        if self._closing:
            self._hang_up(transport)
        elif self._paused_for and len(due) <= _ANSWERS_DUE_MAX // 2:
            self._resume("answers")

    def close(self) -> None:
        """Close once the answers due have been sent."""
        self._closing = True
        if self._transport is not None:
            if self._due:
                self._pause("closing")
            else:
                self._hang_up(self._transport)

    def abort(self) -> None:
        """Close at once, whatever was to be sent."""
        if self._transport is not None:
            self._transport.abort()

    @property
    def unsent(self) -> int:
        """Bytes of answers that the system didn't take: the peer reads too little."""
        return 0 if self._transport is None else self._transport.get_write_buffer_size()

    def _hang_up(self, transport: asyncio.Transport) -> None:
        """Close when what was written has left, which a peer may never let it."""
        transport.close()
        self._door.writes(self)

    def overdue(self, now: float) -> bool:
        """Close when the open block (or the noise) has stopped to grow; tell whether it was."""
        mid_block = self._decoder.mid_block
        limit = self._door.source.block_timeout
        stalled = now - self._last_byte > limit or (
            mid_block and self._block_began and now - self._block_began > max(_BLOCK_SECONDS_MAX, limit)
        )
        if not stalled or self._paused_for:
            return False
        self._end_block(f"nothing more came for {limit:g} s")
        return True

    def give_up(self) -> None:
        """End the open block, whose sender holds up others (core.reception)."""
        if not self._paused_for:
            reason = f"less than {STALL_BYTES:,} bytes came in {STALL_SECONDS:g} s, while others had to wait for it"
            self._end_block(reason)
            self._door.partial.discard(self)
            self._door.counts["idle_blocks"] += 1

    def _end_block(self, reason: str) -> None:
        noise = self._decoder.pending_noise
        open_block = self._end_decoder()
        if open_block is not None:
            what, head, size = "a block that never ended", open_block.head, open_block.size
        else:
            what, head, size = "bytes without a start of block (VT, 0x0B)", b"", noise
        self._refuse("E-IDLE", f"{what}: {reason}", head, size)
        self.close()

    @property
    def idle_since(self) -> float:
        """Monotonic time of the last byte."""
        return self._last_byte

    def _end_decoder(self) -> Truncated | None:
        """Read nothing more: count the noise, return the block that was open."""
        open_block = None
        for event in self._decoder.receive_eof():
            if isinstance(event, Noise):
                self._door.noise(event, self.peer)
            elif isinstance(event, Truncated):
                open_block = event
        return open_block

    def _block(self, payload: bytes) -> None:
        door = self._door
        answers = _Answers(self)
        self._due.append(answers)
        door.blocks += 1
        door.accept(payload, self.peer, answers)
        if self._block_began:
            self._block_began = 0.0
            door.partial.discard(self)
            door.budget.changed(self, 0)  # only now: a large message is counted on, as taken
        elif door.partial:
            door.partial.discard(self)
        if len(self._due) > _ANSWERS_DUE_MAX:
            self._pause("answers")

    def _other(self, event: object) -> None:
        counts = self._door.counts
        if isinstance(event, Noise):
            self._door.noise(event, self.peer)
        elif isinstance(event, Torn):
            self._refuse("E-TRUNCATED", _TORN, event.head, event.size)
            self._block_began = 0.0
            self._door.partial.discard(self)
        elif isinstance(event, Oversized):
            limit = self._door.source.max_size
            self._refuse("E-TOO-LONG", f"a block over max_size ({limit} bytes)", event.head, event.size)
            self.close()
        elif isinstance(event, Stranger):
            counts["strangers"] += 1
            times = counts["strangers"]
            if times & (times - 1) == 0:  # 1, 2, 4, 8…: no flood
                _log.warning("stranger", source=self._door.source.name, peer=self.peer, what=event.what, times=times)
            self.abort()

    def _refuse(self, code: str, reason: str, head: bytes, size: int) -> None:
        answers = _Answers(self)
        self._due.append(answers)
        self._door.budget.changed(self, 0)
        self._door.refuse(code, reason, head, size, self.peer, answers)

    def _end_of_stream(self) -> None:
        open_block = self._end_decoder()
        if open_block is not None:
            self._door.counts["truncated"] += 1
            self._refuse("E-TRUNCATED", "the connection ended inside a block", open_block.head, open_block.size)
        self._door.partial.discard(self)
        self._door.budget.changed(self, 0)

    def _pause(self, reason: str) -> None:
        if not self._paused_for and self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()
            self._paused_at = self._door.clock()
        self._paused_for.add(reason)

    def _resume(self, reason: str) -> None:
        if reason not in self._paused_for:
            return
        self._paused_for.discard(reason)
        if not self._paused_for and self._transport is not None and not self._transport.is_closing():
            self._last_byte = now = self._door.clock()
            if self._block_began and reason in _OURS:
                self._block_began += now - self._paused_at
            self._transport.resume_reading()


class MllpSource:
    """Listen for one source (core.ports.SourceDoor)."""

    def __init__(
        self, source: Source, accept: Accept, refuse: RefuseBytes, runtime: Runtime, budget: ReceptionBudget
    ) -> None:
        """
        Prepare; `open` begins to listen.

        Args:
            source: Its address, limits and `allow` list.
            accept: Intake's door for whole blocks.
            refuse: Intake's door for blocks that can't be taken.
            runtime: Clock and timers.
            budget: Shared by all sources.
        """
        self.source = source
        self.accept = accept
        self.refuse = refuse
        self.clock = runtime.monotonic
        self.budget = budget
        self.counts: Counter[str] = Counter()
        self.blocks = 0
        self.paused = False
        self.partial: set[_Connection] = set()
        self.idle_timeout = source.idle_timeout
        self._runtime = runtime
        self._connections: set[_Connection] = set()
        self._admission = Admission(source)
        self._unread: dict[_Connection, tuple[int, float]] = {}
        """Bytes that the peer hasn't read, and since when they are as many."""
        self._server: asyncio.Server | None = None
        self._sweep: Timer | None = None

    async def open(self) -> None:
        """
        Begin to listen.

        Raises:
            DoorFailed: The address is in use or not ours.
        """
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(
                lambda: _Connection(self), self.source.host, self.source.port, backlog=_BACKLOG, reuse_address=True
            )
        except OSError as error:
            raise not_ours(self.source, error) from error
        self._sweep = self._runtime.call_later(_SWEEP_SECONDS, self._sweep_partial)

    @property
    def port(self) -> int:
        """The port listened on (useful when the configuration says 0)."""
        if self._server is None or not self._server.sockets:
            return self.source.port
        return int(self._server.sockets[0].getsockname()[1])

    def pause(self) -> None:
        """Stop reading on every connection; what arrives stays with the senders."""
        self.paused = True
        for connection in self._connections:
            connection.store_paused(True)

    def resume(self) -> None:
        """Read again."""
        self.paused = False
        for connection in list(self._connections):
            connection.store_paused(False)

    async def close(self) -> None:
        """Stop to listen; close connections when what is due has been answered."""
        if self._sweep is not None:
            self._sweep.cancel()
        if self._server is not None:
            self._server.close()
        for connection in list(self._connections):
            connection.close()

    def facts(self) -> dict[str, Any]:
        """Return connections, blocks and causes of refusal, for status."""
        return {
            "listen": f"{self.source.host}:{self.port}",
            "connections": len(self._connections),
            "blocks": self.blocks,
            "paused": self.paused,
            **self.counts,
        }

    def admit(self, connection: _Connection) -> bool:
        """Register a connection, unless it may not be there."""
        cause = self._admission.refusal(connection.peer)
        if not cause:
            self._connections.add(connection)
            return True
        self._count(cause, connection.peer)
        return False

    def writes(self, connection: _Connection) -> None:
        """Watch whether a peer reads what was written to it."""
        if connection.unsent:
            self._unread.setdefault(connection, (connection.unsent, self.clock()))

    def gone(self, connection: _Connection) -> None:
        """Forget a connection that ended."""
        if connection in self._connections:
            self._connections.discard(connection)
            self._unread.pop(connection, None)
            self._admission.left(connection.peer)

    def noise(self, event: Noise, peer: str) -> None:
        """Count bytes outside any block; warn where they seem to be the rest of a message that was taken."""
        self.counts["noise_bytes"] += event.count
        if event.torn:
            self._count("torn_blocks", peer)

    def _count(self, what: str, peer: str) -> None:
        """Count what happened, and log it the 1st, 2nd, 4th, 8th… time: no flood."""
        times = self.counts[what] = self.counts[what] + 1
        if times & (times - 1) == 0:
            _log.warning(what, source=self.source.name, peer=peer, times=times)

    def _sweep_unread(self, now: float) -> None:
        """Hang up on peers that read nothing of their answers for `block_timeout`."""
        for connection, (before, since) in list(self._unread.items()):
            unsent = connection.unsent
            if not unsent:
                del self._unread[connection]
            elif unsent < before:
                self._unread[connection] = unsent, now
            elif now - since > self.source.block_timeout:
                del self._unread[connection]
                self._count("unread_answers", connection.peer)
                connection.abort()

    def _sweep_partial(self) -> None:
        now = self.clock()
        self.budget.watch(now)
        for connection in list(self.partial):
            if connection.overdue(now):
                self.partial.discard(connection)
                self.counts["idle_blocks"] += 1
        self._sweep_unread(now)
        if self.idle_timeout:
            for connection in list(self._connections):
                if now - connection.idle_since > self.idle_timeout and connection not in self.partial:
                    self.counts["idle_connections"] += 1
                    connection.close()
        self._sweep = self._runtime.call_later(_SWEEP_SECONDS, self._sweep_partial)
