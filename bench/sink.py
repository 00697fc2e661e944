"""
A receiver that accepts at once and remembers control ids, instants and first identifiers.

    python -m bench.sink PORT CONTROL_PORT

Control port: one JSON object a line: `{"cmd": "count"|"dump", "prefix": "r1-"}`, `{"cmd": "stats"|"reset"}`.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from typing import Any


class Memory:
    """What arrived."""

    def __init__(self) -> None:
        """Begin empty."""
        self.seen: dict[str, list[Any]] = {}
        """Control id -> [instant (monotonic), copies, rank, first value of PID-3]."""
        self.by_prefix: dict[str, int] = {}


class Sink(asyncio.Protocol):
    """One connection of the engine."""

    def __init__(self, memory: Memory) -> None:
        """Share the memory of all connections."""
        self._memory = memory
        self._buffer = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember the socket."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Accept each whole block."""
        buffer = self._buffer
        buffer += data
        while (end := buffer.find(b"\x1c\r")) >= 0:
            start = buffer.find(b"\x0b", 0, end)
            message = bytes(buffer[start + 1 : end])
            del buffer[: end + 2]
            self._accept(message)

    def _accept(self, message: bytes) -> None:
        now, separator = time.monotonic(), message[3:4]
        header = message[: message.find(b"\r")].split(separator)
        control_id = header[9].decode("latin-1")
        known = self._memory.seen.get(control_id)
        if known is not None:
            known[1] += 1
        else:
            start = message.find(b"\rPID")
            fields = message[start : message.find(b"\r", start + 1)].split(separator)
            patient = fields[3].split(b"^")[0].decode("latin-1") if start > 0 else ""
            self._memory.seen[control_id] = [now, 1, len(self._memory.seen), patient]
            prefix = control_id[: control_id.rfind("-") + 1]
            self._memory.by_prefix[prefix] = self._memory.by_prefix.get(prefix, 0) + 1
        self._transport.write(
            b"\x0bMSH|^~\\&|SINK|SINK|" + header[2] + b"|" + header[3] + b"|20260101000000||ACK|A" + header[9]
            + b"|P|2.5\rMSA|AA|" + header[9] + b"\r\x1c\r"
        )  # fmt: skip


async def _converse(memory: Memory, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while line := await reader.readline():
        asked = json.loads(line)
        verb, prefix = asked["cmd"], asked.get("prefix", "")
        answer: Any
        if verb == "count":
            answer = memory.by_prefix.get(prefix, 0)
        elif verb == "dump":
            answer = [[name, *known] for name, known in memory.seen.items() if name.startswith(prefix)]
        elif verb == "reset":
            memory.seen.clear()
            memory.by_prefix.clear()
            answer = True
        else:
            answer = {"distinct": len(memory.seen), "cpu": time.process_time()}
        writer.write(json.dumps(answer).encode() + b"\n")
        await writer.drain()
    writer.close()


async def main(port: int, control: int) -> None:
    """Receive until SIGTERM."""
    memory, loop, stop = Memory(), asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    server = await loop.create_server(lambda: Sink(memory), "127.0.0.1", port, backlog=512)
    talks = await asyncio.start_server(lambda r, w: _converse(memory, r, w), "127.0.0.1", control, limit=1 << 27)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await stop.wait()
    server.close()
    talks.close()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
