"""What becomes of a connection that stops in the middle, or speaks something else."""

from __future__ import annotations

from typing import Any

import pytest
import structlog

from engine.core.reception import STALL_SECONDS, ReceptionBudget
from engine.routes.configuration import Source
from engine.transports.mllp_source import MllpSource, _Connection
from tests.support.runtime import SimulatedRuntime, simulate


class FakeTransport:
    """What asyncio gives a protocol."""

    def __init__(self) -> None:
        self.closed = self.aborted = False
        self.reading = True

    def get_extra_info(self, name: str) -> Any:
        return ("192.0.2.7", 4000) if name == "peername" else None

    def write(self, data: bytes) -> None:
        """Nothing is read back here."""

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def get_write_buffer_size(self) -> int:
        return 0

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
        budget = ReceptionBudget(100_000)
        self.door = MllpSource(source, lambda *_: None, self.refuse, runtime, budget)  # type: ignore[arg-type]

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


def test_a_pause_of_ours_stops_the_clock() -> None:
    """Held back for the store or for the budget, however long: what its sender can't help isn't held against it."""

    async def run(runtime: SimulatedRuntime) -> None:
        it = Hall(runtime)
        await runtime.sleep(1)
        first, _ = it.connect()
        second, transport = it.connect()
        first.data_received(b"\x0bMSH|" + b"x" * 90_000)
        second.data_received(b"\x0bMSH|" + b"y" * 20_000)
        assert not transport.reading
        await runtime.sleep(700)
        assert not second.overdue(runtime.monotonic())
        first.data_received(b"\x1c\r")
        assert transport.reading
        assert not second.overdue(runtime.monotonic())
        assert second.overdue(runtime.monotonic() + 11)

    simulate(run)


def test_one_that_holds_up_others_and_stalls_is_ended() -> None:
    """It is refused with what came of it, and the next one may send."""

    async def run(runtime: SimulatedRuntime) -> None:
        it = Hall(runtime)
        first, its_transport = it.connect()
        second, transport = it.connect()
        first.data_received(b"\x0bMSH|" + b"x" * 90_000)
        second.data_received(b"\x0bMSH|" + b"y" * 20_000)
        budget = it.door.budget
        it.door.pause()
        budget.watch(0.0)
        budget.watch(STALL_SECONDS + 1)
        assert not its_transport.closed, "nobody reads: it can't get on"
        it.door.resume()
        budget.watch(2 * STALL_SECONDS + 3)
        assert its_transport.closed
        assert [(code, size) for code, _, size in it.refused] == [("E-IDLE", 90_004)]
        assert transport.reading
        assert it.door.facts()["idle_blocks"] == 1

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


def test_the_rest_of_a_block_that_was_taken_is_told() -> None:
    """Where the rest comes later than the block's end the message is taken; `status` counts it, the log warns."""

    async def run(runtime: SimulatedRuntime) -> None:
        it = Hall(runtime)
        connection, transport = it.connect()
        with structlog.testing.capture_logs() as log:
            for chunk in (b"\x0bPID|11\x1c", b"11||A\r\x1c\r", b"\x0bPID|1\r\x1c\r"):
                connection.data_received(chunk)
        assert it.door.facts()["torn_blocks"] == 1
        assert [line["event"] for line in log] == ["torn_blocks"]
        connection.data_received(b"\x0bPID|11\x1c11||A\r\x1c\r")
        assert it.refused == [("E-TRUNCATED", b"PID|11", 6)]
        assert not transport.closed

    simulate(run)
