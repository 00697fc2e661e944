"""A router over a memory store, and a laboratory that sends results in parts."""

from __future__ import annotations

import asyncio
from collections import deque
from pathlib import Path
from typing import Any

from engine.core.changes import Change, Intend, Receive, Route
from engine.core.lifecycle import MessageState
from engine.core.messages import Delivery, Intention, StoredMessage
from engine.core.ports import Done, Queued, Urgency
from engine.core.references import References, digest_of
from engine.flow.router import Router
from engine.parsers.hl7v2.header import read_header
from engine.routes.loader import load
from engine.store.memory import MemoryStore
from engine.store.memory_rows import MemoryDisk
from tests.support.runtime import SimulatedRuntime

ROUTES = """
version: 1
sites:
  cha:
    finess_eg: "000780064"
    authorities:
      ipp: { oid: 1.2.250.1.999.10.1, hd1: CHA, hd3: ISO, type: PI }
sources:
  lab: { type: mllp, site: cha, listen: "127.0.0.1:6101", max_size: 2KB, RULE }
  other: { type: mllp, site: cha, listen: "127.0.0.1:6102" }
  asked: { type: mllp, site: cha, listen: "127.0.0.1:6103", ack: after_route }
destinations:
  dpi: { type: mllp, connect: "127.0.0.1:5500", encode: as_received }
routes:
  results:
    from: [lab, other]
    steps:
      - require: { all: [ { when: "OBR exists", else: "an order is needed" } ] }
    to: [dpi]
  asked:
    from: [asked]
    steps:
      - reject: { code: AE, reason: "an order is needed" }
        when: not OBR exists
    to: [dpi]
"""


class SlowStore(MemoryStore):
    """A decision is on disk some time after it was submitted."""

    def __init__(self, disk: MemoryDisk | None = None) -> None:
        super().__init__(disk)
        self._decisions: deque[tuple[Change, Urgency, Done | None]] = deque()

    def submit(self, change: Change, urgency: Urgency, done: Done | None = None) -> None:
        if isinstance(change, Route):
            self._decisions.append((change, urgency, done))
            asyncio.get_running_loop().call_later(1, self._submit)
        else:
            super().submit(change, urgency, done)

    def _submit(self) -> None:
        if self._decisions:
            super().submit(*self._decisions.popleft())

    def crash(self) -> None:
        self._decisions.clear()
        super().crash()


class Laboratory:
    """A router over a memory store, and a laboratory that sends."""

    def __init__(
        self, runtime: SimulatedRuntime, directory: Path, rule: str = "", store: MemoryStore | None = None
    ) -> None:
        file = directory / "routes.yaml"
        file.write_text(ROUTES.replace(", RULE", f", {rule}" if rule else ""), encoding="utf-8")
        self.runtime, self.directory = runtime, directory
        self.store = store or MemoryStore()
        self.router = Router("main", load(file, environment={}), self.store, runtime, References(b"k" * 32))
        self.left: list[Delivery] = []
        self.store.on_deliveries("dpi", self._queued)

    def _queued(self, queued: Queued) -> None:
        self.left += queued.deliveries

    def send(self, *raws: bytes, source: str = "lab") -> None:
        for raw in raws:
            control_id = read_header(raw).control_id
            self.store.submit(
                Receive(
                    StoredMessage(
                        source=source, group="main", raw=raw, received_ms=self.runtime.now_ms(), control_id=control_id,
                        type="ORU^R01", digest=digest_of(raw), site="cha",
                    )
                ),
                Urgency.NOW,
            )  # fmt: skip

    async def retry(self, place: int) -> None:
        intention = Intention("router", "retry", {"message": place}, "nurse", "again", self.runtime.now_ms())
        self.store.submit(Intend(intention), Urgency.NOW)
        await asyncio.sleep(1)

    async def row(self, place: int) -> dict[str, Any]:
        row = await self.store.queries.message_row(place)
        assert row is not None
        return row

    async def states(self) -> list[MessageState]:
        rows = [await self.row(place) for place in sorted(self.store.disk.messages)]
        return [MessageState[row["state"].upper()] for row in rows]

    async def sent(self) -> list[bytes]:
        payloads = await self.store.payloads([one.id for one in self.left], 1 << 20)
        return [payloads[one.id] for one in self.left]

    async def endings(self) -> list[str]:
        """What each message counts as."""
        return [str((await self.row(place))["ending"]) for place in sorted(self.store.disk.messages)]

    @classmethod
    async def opened(
        cls, runtime: SimulatedRuntime, directory: Path, rule: str = "", store: MemoryStore | None = None
    ) -> Laboratory:
        """Open the store and start the router."""
        it = cls(runtime, directory, rule, store)
        await it.store.open(now_ms=runtime.now_ms())
        await it.router.start()
        return it

    async def crashed(self) -> Laboratory:
        """Die at once, and start again on what is on disk; what has left so far is kept."""
        self.router.stop()
        self.store.crash()
        again = type(self)(self.runtime, self.directory, "", type(self.store)(self.store.disk))
        again.left = self.left
        await again.store.open(now_ms=self.runtime.now_ms())
        await again.router.start()
        return again
