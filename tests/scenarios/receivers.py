"""Receivers that can be away, or take a message and not answer."""

from __future__ import annotations

import asyncio

from tests.support.mllp import FS_CR, Receiver, framed, plain_ack


class _Silent(Receiver):
    """Answers a message when it may."""

    def __init__(self) -> None:
        super().__init__()
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.unanswered = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while True:
                message = (await reader.readuntil(FS_CR))[1:-2]
                self.messages.append(message)
                self.unanswered += 1
                await self.may_answer.wait()
                self.unanswered -= 1
                writer.write(framed(plain_ack(message)))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()


class Destination:
    """One destination of the transcripts, on a port of its own for as long as the transcript lasts."""

    def __init__(self, name: str, port: int) -> None:
        self.name, self.port, self.seen = name, port, 0
        self.receiver = _Silent()
        self._server: asyncio.Server | None = None

    async def up(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self.receiver.serve, "127.0.0.1", self.port)

    async def down(self) -> None:
        """Listen no more; who is connected is cut off."""
        if self._server is not None:
            self._server.close()
            self.receiver.hang_up()
            await self._server.wait_closed()
            self._server = None

    def answer(self, answers: bool) -> None:
        """Answer all that waits and comes; or take messages and don't answer."""
        if answers:
            self.receiver.may_answer.set()
        else:
            self.receiver.may_answer.clear()

    @property
    def silent(self) -> bool:
        """Whether it keeps its answers for itself."""
        return not self.receiver.may_answer.is_set()

    @property
    def unanswered(self) -> int:
        """How many senders wait for an answer."""
        return self.receiver.unanswered

    @property
    def came(self) -> int:
        """How many messages came that `new` has not returned yet."""
        return len(self.receiver.messages) - self.seen

    def new(self) -> list[bytes]:
        """Return what came since the last call."""
        messages = self.receiver.messages[self.seen :]
        self.seen += len(messages)
        return messages
