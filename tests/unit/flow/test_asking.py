"""The router and the hospital's own code: order, other groups, holds."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from engine.core.asking import Question, Reply
from engine.core.changes import Intend, Receive, SetHold
from engine.core.lifecycle import DeliveryState
from engine.core.messages import Delivery, Hold, Intention, StoredMessage
from engine.core.ports import Queued, Urgency
from engine.core.references import References, digest_of
from engine.errors import StoreUnavailable
from engine.flow.router import Router
from engine.routes.loader import load
from engine.store.memory import MemoryStore
from tests.support.runtime import SimulatedRuntime, simulate

ROUTES = """
version: 1
sites: { cha: { authorities: { ipp: { oid: 1.2.250.1.999.10.1, hd1: CHA, type: PI } } } }
sources:
  gam: { type: mllp, site: cha, listen: "127.0.0.1:6101" }
  lis: { type: mllp, site: cha, listen: "127.0.0.1:6102", routing: results }
destinations: { dpi: { type: mllp, connect: "127.0.0.1:5500", dead_letter: { lane: park } } }
routes:
  adt:
    from: [gam]
    steps: [ { python: { file: c.py, call: f, reads: [PID], writes: [PID-8] }, when: PV1-2 == I } ]
    to: [dpi]
  results: { from: [lis], to: [dpi] }
"""


class Slow:
    """A sandbox that takes its time; replies as it is told."""

    def __init__(self) -> None:
        self.seconds = 10.0
        self.failing = False
        self.asked: list[Question] = []

    async def ask(self, question: Question) -> Reply:
        self.asked.append(question)
        await asyncio.sleep(self.seconds)
        return Reply(failure="ValueError at c.py:1") if self.failing else Reply([("PID-8", "F")])


class Yard:
    """Two routers over a memory store."""

    def __init__(self, runtime: SimulatedRuntime, directory: Path) -> None:
        (directory / "c.py").write_text("def f(message):\n    pass\n")
        (directory / "routes.yaml").write_text(ROUTES)
        configuration = load(directory / "routes.yaml", environment={"PASSERELLE_PYTHON": "yes"})
        self.runtime = runtime
        self.fault = False
        self.store = MemoryStore(fault=self._fault)
        self.sandbox = Slow()
        references = References(b"k" * 32)
        self.routers = [
            Router(
                group, configuration, self.store, runtime, references, groups=("main", "results"), sandbox=self.sandbox
            )
            for group in ("main", "results")
        ]
        self.announced: list[Delivery] = []
        self.intentions: list[Intention] = []
        self.store.on_deliveries("dpi", self._queued)
        self.store.on_intentions("delivery", self.intentions.append)

    def _fault(self, name: str) -> None:
        if self.fault:
            raise StoreUnavailable("disk full")

    def _queued(self, queued: Queued) -> None:
        self.announced += queued.deliveries

    def receive(self, control_id: str, *, source: str = "gam", kind: str = "I") -> None:
        raw = f"MSH|^~\\&|GAM|CHA|||2026||ADT^A01|{control_id}|P|2.5\rPID|1||{control_id}\rPV1|1|{kind}\r".encode()
        one = StoredMessage(
            source=source, group="main" if source == "gam" else "results", raw=raw, received_ms=self.runtime.now_ms(),
            control_id=control_id, type="ADT^A01", digest=digest_of(raw), site="cha",
        )  # fmt: skip
        self.store.submit(Receive(one), Urgency.NOW)

    def places(self) -> list[int]:
        return [one.place for one in self.announced]


def yard(directory: Path, test: Any) -> None:
    async def run(runtime: SimulatedRuntime) -> None:
        it = Yard(runtime, directory)
        await it.store.open(now_ms=runtime.now_ms())
        for router in it.routers:
            await router.start()
        await test(it)
        for router in it.routers:
            router.stop()

    simulate(run)


def test_those_behind_wait_and_other_groups_go_on(tmp_path: Path) -> None:
    """The order of places stays; a message that asks nothing waits too, one of another group doesn't."""

    async def test(it: Yard) -> None:
        it.receive("A1")
        it.receive("A2", kind="O")
        it.receive("R1", source="lis")
        await asyncio.sleep(5)
        assert it.places() == [3]
        await asyncio.sleep(6)
        assert it.places() == [3, 1, 2]
        assert b"|F\r" in (it.announced[1].rendered or b"")
        assert len(it.sandbox.asked) == 1

    yard(tmp_path, test)


def test_a_store_that_fails_meanwhile(tmp_path: Path) -> None:
    """The message is read again and decided once."""

    async def test(it: Yard) -> None:
        it.receive("A1")
        await asyncio.sleep(1)
        it.fault = True
        it.receive("R1", source="lis")
        it.receive("A2", kind="O")
        await asyncio.sleep(3)
        it.fault = False
        it.receive("A3", kind="O")
        await asyncio.sleep(60)
        assert sorted(set(it.places())) == it.places()[: len(set(it.places()))] or len(it.places()) == len(
            set(it.places())
        )
        assert it.places().count(1) == 1

    yard(tmp_path, test)


def test_three_failures_in_a_row_hold_the_route(tmp_path: Path) -> None:
    """As an operator would, once; until it is released the code isn't called, and after it all is well again."""

    async def test(it: Yard) -> None:
        it.sandbox.seconds, it.sandbox.failing = 0.1, True
        for number in range(6):
            it.receive(f"A{number}")
        await asyncio.sleep(5)
        assert [(one.state, one.code) for one in it.announced] == [(DeliveryState.DEAD, "E-PYTHON")] * 6
        [hold] = [one for one in it.intentions if one.verb == "hold"]
        assert hold.arguments == {"kind": "route", "name": "adt", "until_ms": 0}
        assert "c.py failed 3 times in a row: ValueError at c.py:1" in hold.reason
        it.store.submit(SetHold(Hold("route", "adt", 0, "passerelle", hold.reason, 1)), Urgency.NOW)
        calls = len(it.sandbox.asked)
        it.receive("B1")
        await asyncio.sleep(5)
        assert len(it.sandbox.asked) == calls
        assert "the route is held" in it.announced[-1].reason
        it.store.submit(SetHold(Hold("route", "adt", -1, "anne", "mended", 2)), Urgency.NOW)
        it.sandbox.failing = False
        it.receive("B2")
        await asyncio.sleep(5)
        assert it.announced[-1].state is DeliveryState.PENDING

    yard(tmp_path, test)


def test_a_success_between_begins_to_count_anew(tmp_path: Path) -> None:
    """Three in a row, not three in all."""

    async def test(it: Yard) -> None:
        it.sandbox.seconds = 0.1
        for number in range(8):
            it.sandbox.failing = number % 3 != 2
            it.receive(f"A{number}")
            await asyncio.sleep(1)
        assert [one for one in it.intentions if one.verb == "hold"] == []

    yard(tmp_path, test)


def test_a_retry_asks_too(tmp_path: Path) -> None:
    """A dead letter of the hospital's code goes back to its place once the code is mended."""

    async def test(it: Yard) -> None:
        it.sandbox.seconds, it.sandbox.failing = 0.1, True
        it.receive("A1")
        await asyncio.sleep(5)
        [dead] = it.announced
        it.sandbox.failing = False
        it.store.submit(Intend(Intention("router", "retry", {"delivery": dead.id}, "anne", "mended", 1)), Urgency.NOW)
        await asyncio.sleep(5)
        row = await it.store.delivery(dead.id)
        assert row is not None
        assert row.state is DeliveryState.PENDING
        assert len(it.sandbox.asked) == 2

    yard(tmp_path, test)
