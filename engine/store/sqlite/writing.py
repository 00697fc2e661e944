"""
The writer process: `python -m engine.store.sqlite.writing SOCKET DIRECTORY LEAST_FREE`.

Started by store.sqlite.apart and by nobody else. It reads batches from the socket, commits what has gathered, and
reports. It ends when it is told to, with a last commit, or when the engine is gone, without one: what was not
acknowledged is its sender's.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
from pathlib import Path
from queue import Empty
from typing import Final

from engine.store.names import Names
from engine.store.sqlite.books import Books
from engine.store.sqlite.checkpoints import Checkpoints
from engine.store.sqlite.connections import FILE_NAME, open_checkpointer, open_writer
from engine.store.sqlite.directory import DataDirectory
from engine.store.sqlite.report import Report
from engine.store.sqlite.wire import LENGTH_BYTES, read_batch, write_report
from engine.store.sqlite.writer import Writer, WriterParts

_CHUNK_BYTES: Final = 1 << 18


class SocketGate:
    """Where the writer sleeps: until a batch comes, which it puts into `Writer.pending` itself."""

    def __init__(self, channel: socket.socket) -> None:
        """
        Take our end of the socket.

        Args:
            channel: A stream; the engine has the other end.
        """
        self.writer: Writer | None = None
        """Set before the first `get`."""
        self._channel = channel
        self._poll = select.poll()
        self._poll.register(channel, select.POLLIN)
        self._buffer = bytearray()
        self._chunk = memoryview(bytearray(_CHUNK_BYTES))

    def put(self, item: None) -> None:
        """Nobody sleeps who could be woken from here."""

    def get(self, block: bool = True, timeout: float | None = None) -> None:
        """
        Wait for a batch, and take all that have come.

        Raises:
            Empty: Nothing came in `timeout` seconds.
        """
        if not self._poll.poll(None if timeout is None else max(0, int(timeout * 1000 + 0.999)) if block else 0):
            raise Empty
        self._read()

    def get_nowait(self) -> None:
        """Take what has come."""
        self.get(block=False, timeout=0)

    def empty(self) -> bool:
        """Whether no batch has come."""
        return not self._poll.poll(0)

    def report(self, report: Report) -> None:
        """Say what a commit did."""
        try:
            self._channel.sendall(write_report([number for _, number, _ in report.outcomes], report))
        except OSError:
            self._end(abandon=True)

    def _read(self) -> None:
        try:
            size = self._channel.recv_into(self._chunk)
        except OSError:
            size = 0
        if not size:
            self._end(abandon=True)
            return
        buffer = self._buffer
        buffer += self._chunk[:size]
        start = 0
        while len(buffer) - start >= LENGTH_BYTES:
            end = start + LENGTH_BYTES + int.from_bytes(buffer[start : start + LENGTH_BYTES], "little")
            if end > len(buffer):
                break
            with memoryview(buffer) as view:  # a batch may hold many megabytes: they are copied once
                self._take(view[start + LENGTH_BYTES : end])
            start = end
        del buffer[:start]

    def _take(self, values: memoryview) -> None:
        with values:
            batch = read_batch(values)
        writer = self.writer
        assert writer is not None
        writer.pending.extend([(change, number, size) for number, change, size in batch.changes])
        writer.submit_now()
        if batch.end:
            self._end(abandon=False)

    def _end(self, *, abandon: bool) -> None:
        if self.writer is not None:
            self.writer.stop(abandon=abandon)
            # The end of a stream is readable for ever: nobody must ask again.
            self._poll = select.poll()


def main(arguments: list[str]) -> int:
    """Write until told to stop."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # the engine says when; Ctrl-C reaches us too
    channel = socket.socket(fileno=int(arguments[0]))
    directory, least_free = DataDirectory(Path(arguments[1])), int(arguments[2])
    path = directory.path / FILE_NAME
    gate = SocketGate(channel)
    if not channel.recv(1, socket.MSG_PEEK):
        return 0  # the engine gave up before it began
    books = Books(Names())
    connection = open_writer(path)
    books.load(connection)
    checkpoints = Checkpoints(lambda: open_checkpointer(path))
    checkpoints.start()
    parts = WriterParts(
        connect=lambda: open_writer(path), books=books, checkpoints=checkpoints, report=gate.report,
        free_bytes=directory.free_bytes, least_free=least_free, fault=_no_fault,
    )  # fmt: skip
    gate.writer = writer = Writer(parts, connection, gate)
    writer.run()
    checkpoints.stop()
    return 0 if writer.failure is None else 1


def _no_fault(_name: str) -> None:
    """Nothing fails on purpose."""


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(code)  # nothing is left to tidy; an interpreter's end would keep the directory's lock longer
