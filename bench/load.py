"""
Closed-loop load: N connections, each sends one message, waits for its answer, sends the next.

    python -m bench.load --port P --sink Q --connections 32 --messages 20000 [--rate R] [--seconds S]

Prints one JSON object: rates, latencies, what the sink got of it and in which order. All clocks are
CLOCK_MONOTONIC of one machine, so the sink's instants give end-to-end latencies.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from bench.messages import Admissions

FRAME_END = b"\x1c\r"


@dataclass(slots=True)
class Plan:
    """What to send, and how fast."""

    port: int
    sink: int
    connections: int
    messages: int
    rate: float
    seconds: float
    drain: float
    patients: int
    prefix: str


@dataclass(slots=True)
class Tally:
    """What happened so far."""

    sent: dict[str, float] = field(default_factory=dict)
    answered: dict[str, float] = field(default_factory=dict)
    latencies: list[float] = field(default_factory=list)
    codes: Counter[str] = field(default_factory=Counter)
    lost: int = 0
    begin: float = 0.0
    last: float = 0.0


class Load:
    """One run."""

    def __init__(self, plan: Plan) -> None:
        """Prepare."""
        self.plan = plan
        self.tally = Tally()
        self.messages = Admissions(plan.patients)
        self._next = 0
        self._open = plan.connections
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def next(self) -> int | None:
        """Return the number of the next message; None when there is none left to send."""
        if self._next >= self.plan.messages:
            return None
        if self.plan.seconds and time.monotonic() - self.tally.begin > self.plan.seconds:
            return None
        self._next += 1
        return self._next - 1

    def finished(self) -> None:
        """Count a connection that has nothing left to do."""
        self._open -= 1
        if not self._open and not self.done.done():
            self.done.set_result(None)


class Connection(asyncio.Protocol):
    """Sends one message at a time."""

    def __init__(self, load: Load) -> None:
        """Belong to a run."""
        self._load = load
        self._buffer = bytearray()
        self._control_id = ""
        self._over = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember the socket; nothing is sent before all are open."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def go(self) -> None:
        """Send the next message, now or when it is due."""
        number, plan = self._load.next(), self._load.plan
        if number is None:
            self._end()
        elif plan.rate:
            due = self._load.tally.begin + number / plan.rate
            asyncio.get_running_loop().call_later(max(0.0, due - time.monotonic()), self._send, number, due)
        else:
            self._send(number, 0.0)

    def _send(self, number: int, due: float) -> None:
        if self._over:
            return
        self._control_id = f"{self._load.plan.prefix}{number}"
        self._begin = due or time.monotonic()
        self._load.tally.sent[self._control_id] = self._begin
        self.transport.write(self._load.messages.framed(self._control_id.encode(), number))

    def data_received(self, data: bytes) -> None:
        """Take the answer and go on."""
        self._buffer += data
        end = self._buffer.find(FRAME_END)
        if end < 0:
            return
        now, tally = time.monotonic(), self._load.tally
        answer = bytes(self._buffer[:end])
        del self._buffer[: end + 2]
        start = answer.find(b"\rMSA|")
        fields = answer[start + 1 :].split(b"\r", 1)[0].split(b"|")
        code = fields[1].decode() if start >= 0 else "none"
        if start < 0 or fields[2].decode() != self._control_id:
            code = "mismatch"
        tally.codes[code] += 1
        if code in ("AA", "CA"):
            tally.answered[self._control_id] = now
        tally.latencies.append(now - self._begin)
        tally.last = now
        self.go()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # asyncio's signature
        """Count what was under way as lost."""
        if not self._over:
            self._load.tally.lost += 1
            self._end()

    def _end(self) -> None:
        self._over = True
        self._load.finished()


async def run(plan: Plan) -> dict[str, Any]:
    """Send everything, wait until the sink has it, and return the figures."""
    load, loop = Load(plan), asyncio.get_running_loop()
    connections = [
        (await loop.create_connection(lambda: Connection(load), "127.0.0.1", plan.port))[1]
        for _ in range(plan.connections)
    ]
    load.tally.begin = load.tally.last = time.monotonic()
    for connection in connections:
        connection.go()
    async with asyncio.timeout(600):
        await load.done
    for connection in connections:
        connection.transport.close()
    figures = acknowledged(load.tally)
    if plan.sink:
        figures |= await delivered(load.tally, plan)
    return figures


def acknowledged(tally: Tally) -> dict[str, Any]:
    """Return the figures of the sender's side."""
    seconds = max(tally.last - tally.begin, 1e-9)
    return {
        "acknowledged": len(tally.answered),
        "codes": dict(tally.codes),
        "lost": tally.lost,
        "seconds": round(seconds, 3),
        "rate": round(len(tally.latencies) / seconds, 1),
        "ack_p50_ms": percentile(tally.latencies, 0.5),
        "ack_p99_ms": percentile(tally.latencies, 0.99),
    }


async def delivered(tally: Tally, plan: Plan) -> dict[str, Any]:
    """Wait until the sink has what was acknowledged (at most `drain` seconds); return the receiver's side."""
    wanted, deadline = len(tally.answered), time.monotonic() + plan.drain
    while time.monotonic() < deadline:
        if await ask(plan.sink, cmd="count", prefix=plan.prefix) >= wanted:
            break
        await asyncio.sleep(0.05 if wanted < 3000 else 0.2)
    arrivals = sorted(await ask(plan.sink, cmd="dump", prefix=plan.prefix), key=lambda arrival: arrival[3])
    if not arrivals:
        return {"delivered": 0, "missing": wanted}
    got = {arrival[0] for arrival in arrivals}
    last = max(arrival[1] for arrival in arrivals)
    latencies = [arrival[1] - tally.sent[arrival[0]] for arrival in arrivals if arrival[0] in tally.sent]
    return {
        "delivered": len(arrivals),
        "missing": sum(control_id not in got for control_id in tally.answered),
        "duplicates": sum(arrival[2] - 1 for arrival in arrivals),
        "inversions": inversions(tally, arrivals),
        "e2e_rate": round(len(arrivals) / max(last - tally.begin, 1e-9), 1),
        "e2e_p50_ms": percentile(latencies, 0.5),
        "e2e_p99_ms": percentile(latencies, 0.99),
        "backlog_s": round(max(0.0, last - tally.last), 2),
    }


def inversions(tally: Tally, arrivals: list[list[Any]]) -> int:
    """
    Count messages overtaken in their patient's lane.

    One that was acknowledged before another of its patient was even sent, and yet arrived after it.
    """
    count, newest = 0, dict[str, float]()
    for control_id, _, _, _, patient in arrivals:
        if control_id in tally.answered and newest.get(patient, 0.0) > tally.answered[control_id]:
            count += 1
        newest[patient] = max(newest.get(patient, 0.0), tally.sent.get(control_id, 0.0))
    return count


def percentile(values: list[float], share: float) -> float:
    """Return a percentile of seconds, in milliseconds; -1 of nothing."""
    if not values:
        return -1.0
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000, 2)


async def ask(port: int, **question: Any) -> Any:
    """Ask the sink's control port."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 28)
    writer.write(json.dumps(question).encode() + b"\n")
    answer = json.loads(await reader.readline())
    writer.close()
    return answer


def main() -> None:
    """Read the command line and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--sink", type=int, default=0)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--rate", type=float, default=0.0)
    parser.add_argument("--seconds", type=float, default=0.0)
    parser.add_argument("--drain", type=float, default=60.0)
    parser.add_argument("--patients", type=int, default=300)
    parser.add_argument("--prefix", default=f"b{int(time.time() * 10) % 10**8:x}-")
    given = parser.parse_args()
    sys.stdout.write(json.dumps(asyncio.run(run(Plan(**vars(given))))) + "\n")


if __name__ == "__main__":
    main()
