"""What becomes of a connection that stops in the middle, or speaks something else."""

from __future__ import annotations

from typing import Any

import pytest
import structlog

from engine.routes.configuration import Source
from engine.transports.mllp_source import MllpSource, _Connection
from engine.transports.reception import ReceptionBudget
from tests.support.runtime import SimulatedRuntime, simulate


class FakeTransport:
    """What asyncio gives a protocol."""

    def __init__(self) -> None:
        self.closed = self.aborted = False

    def get_extra_info(self, name: str) -> Any:
        return ("192.0.2.7", 4000) if name == "peername" else None

    def write(self, data: bytes) -> None:
        """Nothing is read back here."""

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = self.aborted = True


class Hall:
    """A door, and one connection to it."""

    def __init__(self, runtime: SimulatedRuntime) -> None:
        self.refused: list[tuple[str, bytes, int]] = []
        source = Source(name="gam", type="mllp", site="cha", block_timeout=10.0)
        self.door = MllpSource(source, lambda *_: None, self.refuse, runtime, ReceptionBudget())  # type: ignore[arg-type]

    def refuse(self, code: str, reason: str, head: bytes, size: int, peer: str, reply: Any) -> None:
        self.refused.append((code, head, size))
        reply.answer(b"")

    def connect(self) -> tuple[_Connection, FakeTransport]:
        connection, transport = _Connection(self.door), FakeTransport()
        connection.connection_made(transport)  # type: ignore[arg-type]
        return connection, transport


@pytest.mark.parametrize(
    ("data", "head", "size", "noise"),
    [(b"\x0bMSH|half", b"MSH|half", 8, 0), (b"no block at all", b"", 15, 15)],
)
def test_what_stopped_to_grow_is_refused_with_its_size(data: bytes, head: bytes, size: int, noise: int) -> None:
    """E-IDLE tells how many bytes came; noise is counted; the connection is closed."""

    async def run(runtime: SimulatedRuntime) -> None:
        it = Hall(runtime)
        connection, transport = it.connect()
        connection.data_received(data)
        assert not connection.overdue(runtime.monotonic() + 9)
        assert connection.overdue(runtime.monotonic() + 11)
        assert it.refused == [("E-IDLE", head, size)]
        assert it.door.facts().get("noise_bytes", 0) == noise
        assert transport.closed

    simulate(run)


def test_strangers_do_not_flood_the_log() -> None:
    """Each one is counted and cut; the first, second, fourth and eighth are told."""

    async def run(runtime: SimulatedRuntime) -> None:
        it = Hall(runtime)
        with structlog.testing.capture_logs() as lines:
            for _ in range(9):
                connection, transport = it.connect()
                connection.data_received(b"GET / HTTP/1.1\r\n")
                assert transport.aborted
        assert it.door.facts()["strangers"] == 9
        assert [line["times"] for line in lines if line["event"] == "stranger"] == [1, 2, 4, 8]

    simulate(run)
