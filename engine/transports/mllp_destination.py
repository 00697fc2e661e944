"""
MLLP sender: one destination door, a small pool of connections, one message under way on each.

A connection is opened when a send needs it and kept; a lost one is known when the next send fails. What an
answer means is judged by flow.delivery; here an answer that doesn't name its message only costs the
connection (protocols.exchange says why).
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections import Counter
from collections.abc import Callable
from time import monotonic
from typing import Any, Final

from engine.core.messages import Delivery
from engine.core.ports import Runtime, SendOutcome, SendResult, Timer
from engine.protocols.exchange import Exchange, Reception
from engine.protocols.mllp import NEED_DATA, Block, MllpDecoder, Oversized, Stranger, frame
from engine.routes.configuration import Destination
from engine.transports.keepalive import keep_alive

Done = Callable[[Delivery, SendOutcome], None]

ANSWER_BYTES_MAX: Final = 1_000_000
_COPIED_BYTES: Final = 65_536
"""A message from here on isn't copied into its frame."""


class _Line(asyncio.Protocol):
    """One connection to the receiver."""

    def __init__(self, door: MllpDestination) -> None:
        self._door = door
        self._decoder = MllpDecoder(max_block_bytes=ANSWER_BYTES_MAX)
        self._exchange = Exchange(match_control_id=door.destination.ack_match == "control_id")
        self._transport: asyncio.Transport | None = None
        self._delivery: Delivery | None = None
        self._done: Done | None = None
        self.deadline = 0.0

    @property
    def usable(self) -> bool:
        """A message may be sent now."""
        return self._delivery is None and self._transport is not None and not self._transport.is_closing()

    @property
    def under_way(self) -> bool:
        """A message awaits its answer."""
        return self._delivery is not None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # uvloop's transport is no subclass
        keep_alive(transport)

    def send(self, delivery: Delivery, data: bytes, done: Done) -> None:
        """Send one message on this usable line."""
        assert self._transport is not None
        self._delivery, self._done = delivery, done
        self.deadline = self._door.clock() + self._door.destination.ack_timeout
        self._exchange.sent(delivery.control_id.encode())
        if len(data) < _COPIED_BYTES:
            self._transport.write(frame(data))
        else:
            for part in (b"\x0b", data, b"\x1c\r"):
                self._transport.write(part)

    def data_received(self, data: bytes) -> None:
        self._decoder.receive_data(data)
        while (event := self._decoder.next_event()) is not NEED_DATA:
            if type(event) is Block:
                self._block(event.payload)
            elif isinstance(event, Oversized | Stranger):
                self._end(SendOutcome(SendResult.NO_ANSWER, reason="the answer is no MLLP acknowledgement"))
                self.hang_up()
                return

    def connection_lost(self, exc: Exception | None) -> None:
        why = f": {exc}" if exc is not None else ""
        self._transport = None
        self._door.lost(self)
        self._end(SendOutcome(SendResult.NO_ANSWER, reason=f"the connection ended before the answer{why}"))

    def expire(self) -> None:
        """Give up waiting for the answer."""
        seconds = self._door.destination.ack_timeout
        self._end(SendOutcome(SendResult.NO_ANSWER, reason=f"no answer within {seconds:g} s"))
        self.hang_up()

    def give_up(self) -> None:
        """Close because the engine stops."""
        self._end(SendOutcome(SendResult.NO_ANSWER, reason="the engine stopped before the answer came"))
        self.hang_up()

    def hang_up(self) -> None:
        """Close at once: an answer that comes now would be taken for another's."""
        self._door.lost(self)
        if self._transport is not None:
            self._transport.abort()

    def _block(self, block: bytes) -> None:
        reception = self._exchange.received(block)
        if reception in {Reception.LATE, Reception.UNASKED}:
            self._door.counts["answers_dropped"] += 1
            return
        outcome = SendOutcome(SendResult.ANSWERED, block)
        if reception is Reception.SUSPECT:
            self._door.counts["answers_suspect"] += 1
            self._end(outcome)
            self.hang_up()
        else:
            self._end(outcome)

    def _end(self, outcome: SendOutcome) -> None:
        delivery, done = self._delivery, self._done
        if delivery is None or done is None:
            return
        self._delivery = self._done = None
        self._door.ended(outcome)
        done(delivery, outcome)


class MllpDestination:
    """Send to one receiver (core.ports.DestinationDoor)."""

    def __init__(self, destination: Destination, runtime: Runtime) -> None:
        """
        Prepare; a receiver that is away is no error.

        Args:
            destination: Address, `connections`, `ack_timeout`, `connect_timeout`, `ack_match`.
            runtime: Clock, timers, tasks.
        """
        self.destination = destination
        self.capacity = destination.connections
        self.clock = runtime.monotonic
        self.counts: Counter[str] = Counter()
        self._runtime = runtime
        self._lines: list[_Line] = []
        self._sweep: Timer | None = None
        self._closing = False
        self._last_error = ""
        self._last_answer_ms = 0

    async def open(self) -> None:
        """Begin to watch time limits; connections are opened when they are needed."""
        self._arm()

    def send(self, delivery: Delivery, data: bytes, done: Done) -> None:
        """Send on an idle connection, or on a new one (core.ports.DestinationDoor.send)."""
        for line in self._lines:
            if line.usable:
                line.send(delivery, data, done)
                return
        self._runtime.spawn(self._connect_and_send(delivery, data, done), f"connect {self.destination.name}")

    async def close(self) -> None:
        """Hang up; what is under way ends with NO_ANSWER."""
        self._closing = True
        if self._sweep is not None:
            self._sweep.cancel()
        for line in list(self._lines):
            line.give_up()

    def facts(self) -> dict[str, Any]:
        """Return connections up, the last answer and the last error, for status."""
        return {
            "connect": f"{self.destination.host}:{self.destination.port}",
            "connections": len(self._lines),
            "last_error": self._last_error,
            "last_answer_ms": self._last_answer_ms,
            **self.counts,
        }

    async def probe(self) -> list[tuple[str, bool, str]]:
        """Check name and connection without sending a message (core.ports.DestinationDoor.probe)."""
        destination, loop = self.destination, asyncio.get_running_loop()
        steps: list[tuple[str, bool, str]] = []
        try:
            found = await loop.getaddrinfo(destination.host, destination.port, type=socket.SOCK_STREAM)
        except OSError as error:
            steps.append(("name", False, f"{destination.host} has no address: {error.strerror or error}"))
            return steps
        steps.append(("name", True, f"{destination.host} is {found[0][4][0]}"))
        began = monotonic()
        try:
            async with asyncio.timeout(destination.connect_timeout):
                _, writer = await asyncio.open_connection(destination.host, destination.port)
        except (OSError, TimeoutError) as error:
            steps.append(("tcp", False, f"port {destination.port}: {_sentence(error, destination.connect_timeout)}"))
            return steps
        steps.append(("tcp", True, f"port {destination.port} accepts after {(monotonic() - began) * 1000:.0f} ms"))
        writer.close()
        return steps

    def lost(self, line: _Line) -> None:
        """Forget a connection."""
        if line in self._lines:
            self._lines.remove(line)

    def ended(self, outcome: SendOutcome) -> None:
        """Note the end of an exchange, for facts."""
        if outcome.result is SendResult.ANSWERED:
            self._last_answer_ms = self._runtime.now_ms()
        else:
            self._last_error = outcome.reason

    async def _connect_and_send(self, delivery: Delivery, data: bytes, done: Done) -> None:
        destination = self.destination
        try:
            if self._closing:
                raise OSError("the engine stops")
            async with asyncio.timeout(destination.connect_timeout):
                _, line = await asyncio.get_running_loop().create_connection(
                    lambda: _Line(self), destination.host, destination.port
                )
        except (OSError, TimeoutError) as error:
            self._last_error = f"{destination.host}:{destination.port}: {_sentence(error, destination.connect_timeout)}"
            done(delivery, SendOutcome(SendResult.NOT_SENT, reason=self._last_error))
            return
        if self._closing:  # while it was being made: nothing leaves any more, and nobody would look at its time
            line.hang_up()  # type: ignore[unreachable]  # time has passed since it was looked at
            done(delivery, SendOutcome(SendResult.NOT_SENT, reason="the door was closed"))
            return
        if not line.usable:
            done(delivery, SendOutcome(SendResult.NOT_SENT, reason="the receiver hung up at once"))
            return
        self._lines.append(line)
        line.send(delivery, data, done)

    def _arm(self) -> None:
        step = min(1.0, max(0.02, self.destination.ack_timeout / 10))
        self._sweep = self._runtime.call_later(step, self._expire)

    def _expire(self) -> None:
        now = self.clock()
        for line in list(self._lines):
            if line.under_way and now > line.deadline:
                line.expire()
        self._arm()


def _sentence(error: BaseException, timeout: float) -> str:
    if isinstance(error, OSError) and error.strerror:
        # asyncio's own words are `Connect call failed ('10.1.4.20', 5500)`; a name that isn't known has no errno.
        number = error.errno or 0
        return (os.strerror(number) if number > 0 else error.strerror).lower()
    return str(error) or f"no connection within {timeout:g} s"
