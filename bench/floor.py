"""
The floor of the measurement with one connection: what a server could do that does nothing but keep its word.

    python -m bench.floor PORT FILE

Takes MLLP blocks, appends 4 KB with fdatasync in a thread beside the loop, as any engine must before it says AA, then
acknowledges. No parsing, no store, no routes, nobody to deliver to.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import cast

import uvloop

_BLOCK = os.urandom(4096)


class Disk(Thread):
    """Writes for each connection that asks, one after the other."""

    def __init__(self, path: Path, loop: asyncio.AbstractEventLoop) -> None:
        """Open the file; it is removed at the end of the measurement by whoever made its directory."""
        super().__init__(daemon=True)
        self._handle = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
        self._loop = loop
        self.asked: SimpleQueue[tuple[Taker, bytes]] = SimpleQueue()

    def run(self) -> None:
        """Write for ever."""
        while True:
            taker, control_id = self.asked.get()
            os.write(self._handle, _BLOCK)
            os.fdatasync(self._handle)
            self._loop.call_soon_threadsafe(taker.acknowledge, control_id)


class Taker(asyncio.Protocol):
    """One connection."""

    def __init__(self, disk: Disk) -> None:
        """Share the disk."""
        self._disk = disk
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember the socket."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by its class

    def data_received(self, data: bytes) -> None:
        """Have a whole block written."""
        self._buffer += data
        if self._buffer.endswith(b"\x1c\r"):
            self._disk.asked.put((self, self._buffer.split(b"|", 10)[9]))
            self._buffer = b""

    def acknowledge(self, control_id: bytes) -> None:
        """Say AA."""
        self._transport.write(b"\x0bMSH|^~\\&|F|F|||2026||ACK|1|P|2.5\rMSA|AA|" + control_id + b"\r\x1c\r")


async def main(port: int, path: Path) -> None:
    """Serve until SIGTERM."""
    loop = asyncio.get_running_loop()
    disk = Disk(path, loop)
    disk.start()
    async with await loop.create_server(lambda: Taker(disk), "127.0.0.1", port):
        await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), Path(sys.argv[2])))
