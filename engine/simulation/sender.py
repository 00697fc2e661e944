"""
An MLLP client with the manners of legacy systems.

One message at a time, or several at once, byte by byte, with blank lines between blocks, hanging up after an
answer, and sending again what got no answer. It never drops a message: what was not acknowledged is sent
again, the same bytes, before anything newer.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from engine.protocols.mllp import NEED_DATA, Block, MllpDecoder, frame
from engine.simulation.writing import Outgoing

ANSWER_BYTES_MAX: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Manners:
    """How a client sends. Shares are chances between 0 and 1 for each message."""

    pipelined: int = 1
    """How many messages may be written before the first is answered."""
    byte_by_byte: float = 0.0
    junk: float = 0.0
    """Blank lines and spaces between blocks."""
    cut_end: float = 0.0
    """The write ends between FS and CR."""
    hang_up: float = 0.0
    """The connection is closed after an answer."""
    twice: float = 0.0
    """An answered message is sent again, as if the answer had been lost."""
    answer_timeout: float = 20.0
    pause: float = 1.0
    """Seconds before it connects again, or sends again what was refused with AR."""


PLAIN: Final = Manners()
MANNERS: Final = (
    Manners(pipelined=8, junk=0.05, twice=0.01),
    Manners(byte_by_byte=0.05, junk=0.2, cut_end=0.1, hang_up=0.02),
    Manners(cut_end=0.05, hang_up=0.3, twice=0.005),
)
"""In turn for the senders of a configuration."""

Answered = Callable[[Outgoing, str], None]
"""Called with each message and the code of its final answer (`AA`, `AE`…)."""


class Sender:
    """One client of one listener."""

    def __init__(
        self,
        name: str,
        host: str,
        port: int,
        *,
        manners: Manners = PLAIN,
        seed: int = 0,
        answered: Answered | None = None,
    ) -> None:
        """
        Keep the address; `run` connects.

        Args:
            name: Of the source, for reports.
            host: Where the engine listens.
            port: Its port.
            manners: How it sends.
            seed: Of its whims.
            answered: Hears of each final answer.
        """
        self.name = name
        self.counts: Counter[str] = Counter()
        self.connected = False
        self._address = (host, port)
        self._manners = manners
        self._chance = random.Random(f"{seed}/{name}")
        self._answered = answered
        self._waiting: deque[Outgoing] = deque()
        self._unanswered: deque[Outgoing] = deque()
        self._more = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def waiting(self) -> int:
        """How many messages have no final answer yet."""
        return len(self._waiting) + len(self._unanswered)

    def send(self, message: Outgoing) -> None:
        """Queue a message; it leaves after those before it."""
        self._waiting.append(message)
        self._idle.clear()
        self._more.set()

    async def drained(self) -> None:
        """Wait until every message has its final answer."""
        await self._idle.wait()

    async def run(self) -> None:
        """Connect and send, for ever; a lost connection is opened again."""
        while True:
            await self._more.wait()
            broken = False
            try:
                await self._converse()
            except (OSError, TimeoutError, EOFError):
                broken = bool(self.waiting)
                self.counts["reconnected"] += 1
            finally:
                self.connected = False
                self._again()
            if broken:
                await asyncio.sleep(self._manners.pause)

    def _again(self) -> None:
        """What was sent without an answer goes back to the front, in its order."""
        while self._unanswered:
            self._waiting.appendleft(self._unanswered.pop())

    async def _converse(self) -> None:
        reader, writer = await asyncio.open_connection(*self._address)
        self.connected = True
        decoder = MllpDecoder(max_block_bytes=ANSWER_BYTES_MAX)
        try:
            while True:
                while self._waiting and len(self._unanswered) < self._manners.pipelined:
                    message = self._waiting.popleft()
                    self._unanswered.append(message)
                    await self._write(writer, frame(message.payload))
                if not self._unanswered:
                    self._more.clear()
                    self._idle.set()
                    await self._wait_for_more(reader)
                    continue
                async with asyncio.timeout(self._manners.answer_timeout):
                    answer = await _next_block(reader, decoder)
                if not await self._take(answer):
                    return
        finally:
            writer.close()

    async def _wait_for_more(self, reader: asyncio.StreamReader) -> None:
        """Wait for a message to send, or for the engine to hang up."""
        more = asyncio.ensure_future(self._more.wait())
        closed = asyncio.ensure_future(reader.read(1))
        try:
            await asyncio.wait((more, closed), return_when=asyncio.FIRST_COMPLETED)
        finally:
            more.cancel()
            closed.cancel()
            await asyncio.gather(more, closed, return_exceptions=True)
        if not more.done() or more.cancelled():
            raise EOFError

    async def _take(self, answer: bytes) -> bool:
        """Handle one answer; False: hang up."""
        code, control_id = read_answer(answer)
        message = self._unanswered[0]
        if control_id not in (message.control_id, ""):
            self.counts["mismatch"] += 1
            raise EOFError
        self.counts[code or "unread"] += 1
        if code not in ("AA", "CA", "AE", "CE"):  # AR: not now; the same message again
            await asyncio.sleep(self._manners.pause)
            return False
        self._unanswered.popleft()
        if self._answered is not None:
            self._answered(message, code)
        if self._happens(self._manners.twice):
            self._waiting.appendleft(message)
            self.counts["twice"] += 1
        if not self._unanswered and self._happens(self._manners.hang_up):
            self.counts["hung_up"] += 1
            return False
        return True

    async def _write(self, writer: asyncio.StreamWriter, block: bytes) -> None:
        self.counts["sent"] += 1
        if self._happens(self._manners.junk):
            writer.write(self._chance.choice((b"\r\n", b" ", b"\n\n")))
        if self._happens(self._manners.byte_by_byte):
            for index in range(len(block)):
                writer.write(block[index : index + 1])
                await writer.drain()
        elif self._happens(self._manners.cut_end):
            writer.write(block[:-1])
            await writer.drain()
            await asyncio.sleep(0.01)
            writer.write(block[-1:])
        else:
            writer.write(block)
        await writer.drain()

    def _happens(self, share: float) -> bool:
        return share > 0 and self._chance.random() < share


async def _next_block(reader: asyncio.StreamReader, decoder: MllpDecoder) -> bytes:
    while True:
        event = decoder.next_event()
        if isinstance(event, Block):
            return event.payload
        if event is NEED_DATA:
            data = await reader.read(65536)
            if not data:
                raise EOFError
            decoder.receive_data(data)


def read_answer(answer: bytes) -> tuple[str, str]:
    """Return MSA-1 and MSA-2 of an acknowledgement; empty where there is no MSA."""
    separator = answer[3:4] or b"|"
    for text in answer.replace(b"\n", b"\r").split(b"\r"):
        if text.startswith(b"MSA" + separator):
            fields = text.split(separator)
            return fields[1].decode("latin-1"), fields[2].decode("latin-1") if len(fields) > 2 else ""
    return "", ""
