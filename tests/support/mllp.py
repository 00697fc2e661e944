"""A scripted MLLP sender and receiver for tests, on real sockets, written apart from the engine's own codec."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

VT, FS_CR = b"\x0b", b"\x1c\r"
PATIENCE = 60.0


def framed(message: bytes) -> bytes:
    """Wrap a message as a well-behaved sender does."""
    return VT + message + FS_CR


def field_of(message: bytes, segment: bytes, number: int) -> str:
    """Return one field of an answer, as text; MSA-1 is `field_of(ack, b"MSA", 1)`."""
    for line in message.replace(b"\n", b"\r").split(b"\r"):
        if line.startswith(segment):
            fields = line.split(line[3:4])
            index = number - 1 if segment == b"MSH" else number
            return fields[index].decode("latin-1") if len(fields) > index else ""
    return ""


class Sender:
    """One connection of a legacy system."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def connect(cls, port: int, host: str = "127.0.0.1") -> Sender:
        return cls(*await asyncio.open_connection(host, port, limit=1 << 27))

    @classmethod
    @contextlib.asynccontextmanager
    async def connected(cls, port: int) -> AsyncIterator[Sender]:
        """Connect, and close whatever happens."""
        sender = await cls.connect(port)
        try:
            yield sender
        finally:
            await sender.close()

    async def write(self, data: bytes, *, byte_by_byte: bool = False) -> None:
        if not byte_by_byte:
            self.writer.write(data)
            await self.writer.drain()
            return
        for index in range(len(data)):
            self.writer.write(data[index : index + 1])
            await self.writer.drain()
            await asyncio.sleep(0)

    async def answer(self) -> bytes:
        """Return the next block's payload."""
        async with asyncio.timeout(PATIENCE):
            data = await self.reader.readuntil(FS_CR)
        assert data.startswith(VT), data[:20]
        return data[1:-2]

    async def ask(self, message: bytes, *, byte_by_byte: bool = False) -> bytes:
        """Send a message, return its answer."""
        await self.write(framed(message), byte_by_byte=byte_by_byte)
        return await self.answer()

    async def closed(self) -> bytes:
        """Wait until the other side closes; return what it sent before."""
        async with asyncio.timeout(PATIENCE):
            try:
                return await self.reader.read()
            except ConnectionError:
                return b""
            finally:
                await self.close()

    async def close(self) -> None:
        self.writer.close()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()


def plain_ack(message: bytes, code: str = "AA", error: str = "") -> bytes:
    """Return a receiver's acknowledgement."""
    text = f"MSH|^~\\&|DPI|GHT|PASSERELLE||20260101||ACK|X|P|2.5\rMSA|{code}|{field_of(message, b'MSH', 10)}\r"
    return (text + (f"ERR|||{error}|E\r" if error else "")).encode()


@dataclass
class Receiver:
    """A receiver that keeps what it got and answers as `reply` says (None: no answer)."""

    reply: Callable[[bytes], bytes | None] = plain_ack
    messages: list[bytes] = field(default_factory=list)
    port: int = 0
    connections: int = 0
    """How many were made so far."""
    _arrived: asyncio.Condition = field(default_factory=asyncio.Condition)
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    async def wait_for(self, count: int) -> list[bytes]:
        """Wait until that many messages have arrived."""
        async with asyncio.timeout(PATIENCE), self._arrived:
            await self._arrived.wait_for(lambda: len(self.messages) >= count)
        return self.messages

    def hang_up(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        self.connections += 1
        try:
            while True:
                message = (await reader.readuntil(FS_CR))[1:-2]
                async with self._arrived:
                    self.messages.append(message)
                    self._arrived.notify_all()
                answer = self.reply(message)
                if answer is not None:
                    writer.write(framed(answer))
                    await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()


@contextlib.asynccontextmanager
async def receiver(reply: Callable[[bytes], bytes | None] = plain_ack, port: int = 0) -> AsyncIterator[Receiver]:
    """Run a receiver on a free port."""
    fake = Receiver(reply)
    server = await asyncio.start_server(fake.serve, "127.0.0.1", port, limit=1 << 27)
    fake.port = server.sockets[0].getsockname()[1]
    try:
        yield fake
    finally:
        server.close()
        fake.hang_up()
        await server.wait_closed()
