"""An engine's delivery stage with one destination `dpi`, a scripted receiver, in simulated time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from engine.core.changes import Intend, Receipt, Receive, Route
from engine.core.lifecycle import DeliveryState, MessageState
from engine.core.messages import (
    Delivery,
    DeliveryFlag,
    Intention,
    PayloadKind,
    StoredMessage,
    delivery_id,
    show_delivery_id,
)
from engine.core.ports import Recovery, Urgency
from engine.errors import StoreError
from engine.flow.delivery import DeliveryStage
from engine.routes.configuration import (
    Configuration,
    DeadLetter,
    Destination,
    Exit,
    Source,
)
from engine.routes.configuration import Route as RouteOf
from engine.store.memory import MemoryStore
from engine.store.memory_rows import MemoryDisk
from tests.support.fake_door import FakeDoor, accepted, answer
from tests.support.runtime import SimulatedRuntime, simulate

HOUR = 3600.0


def configuration(destination: Destination, exit_dead_letter: DeadLetter | None = None) -> Configuration:
    """One destination, one route, two sources."""
    routes = (
        RouteOf(name="r", sources=("gam",), to=(Exit(destination=destination.name, dead_letter=exit_dead_letter),)),
        RouteOf(name="shared", sources=("lis", "ris"), to=(Exit(destination=destination.name),)),
    )
    sources = {name: Source(name=name, type="mllp") for name in ("gam", "lis", "ris")}
    return Configuration(
        hash="h",
        text="",
        files=(),
        group_authorities={},
        sites={},
        sources=sources,
        destinations={destination.name: destination},
        routes=routes,
        keys={},
        lists={},
        routes_of={},
    )


class Bench:
    """An engine's delivery stage, with one destination `dpi`."""

    def __init__(
        self,
        runtime: SimulatedRuntime,
        *,
        disk: MemoryDisk | None = None,
        capacity: int = 4,
        dead_letter: DeadLetter | None = None,
        **changes: Any,
    ) -> None:
        self.runtime = runtime
        self.store = MemoryStore(disk)
        self.door = FakeDoor(runtime, capacity=capacity)
        self.destination = Destination(
            name="dpi", type="mllp", connections=capacity, dead_letter=dead_letter or DeadLetter(), **changes
        )
        self.alerts: list[tuple[str, str]] = []
        self.places = 0
        self.ids: list[int] = []

    async def start(self, moments: Mapping[tuple[str, str], int] | None = None) -> DeliveryStage:
        recovery: Recovery = await self.store.open(now_ms=self.runtime.now_ms())
        self.places = max(self.store.disk.messages, default=0)
        self.stage = DeliveryStage(
            configuration(self.destination),
            self.store,
            {"dpi": self.door},
            self.runtime,
            recovery,
            lambda code, _destination, sentence: self.alerts.append((code, sentence)),
        )
        self.stage.remember(moments or {})
        await self.stage.start()
        return self.stage

    @property
    def queue(self) -> Any:
        return self.stage.queues["dpi"]

    async def stop(self) -> None:
        await self.stage.stop()
        await self.store.close()

    def crash(self) -> None:
        self.store.crash()

    def add(self, *lanes: int, **changes: Any) -> int:
        """Take a message and route it: one delivery with these lanes; return its id."""
        return self.add_many([(lanes, changes)])[0]

    def add_many(self, wanted: list[tuple[tuple[int, ...], dict[str, Any]]]) -> list[int]:
        ids = []
        for lanes, changes in wanted:
            self.places += 1
            changes = dict(changes)
            source = changes.pop("source", "gam")
            message = StoredMessage(source=source, group="main", raw=b"MSH|^~\\&|", received_ms=self.runtime.now_ms())
            place = delivery_id(self.places, 0)
            delivery = Delivery(
                id=place,
                destination="dpi",
                route="r",
                lanes=lanes,
                type="ADT^A08",
                payload_kind=PayloadKind.RAW,
                rendered=b"rendered",
                control_id=show_delivery_id(place),
            )
            for name, value in changes.items():
                setattr(delivery, name, value)
            if delivery.state is DeliveryState.DEAD:
                delivery.rendered = None
            self.store.submit(Receive(message), Urgency.NOW)
            self.store.submit(
                Route(self.places, "main", source, MessageState.RECEIVED, MessageState.ROUTED, deliveries=[delivery]),
                Urgency.SOON,
            )
            ids.append(place)
        self.ids += ids
        return ids

    def row(self, delivery: int) -> Delivery:
        """The delivery as it is on disk; pending before its commit."""
        row = self.store.disk.deliveries.get(delivery)
        return row.delivery if row is not None else Delivery(id=delivery, destination="dpi", route="r")

    def states(self) -> dict[str, int]:
        counted: dict[str, int] = {}
        for delivery in self.ids:
            row = self.store.disk.deliveries.get(delivery)
            name = row.delivery.state.name if row is not None else "missing"
            counted[name] = counted.get(name, 0) + 1
        return counted

    def all_delivered(self) -> bool:
        return self.states() == {"DELIVERED": len(self.ids)}

    async def act(self, verb: str, **arguments: Any) -> tuple[bool, str]:
        """Ask for an operator's act, and wait for its outcome."""
        receipts: list[Receipt | StoreError] = []
        intention = Intention("delivery", verb, arguments, "nadia", "a test", self.runtime.now_ms())
        self.store.submit(Intend(intention), Urgency.NOW, receipts.append)
        await self.runtime.until(lambda: receipts)
        receipt = receipts[0]
        assert isinstance(receipt, Receipt)
        rows = self.store.disk.intentions
        await self.runtime.until(lambda: rows[receipt.place].accepted is not None, limit=60)
        return bool(rows[receipt.place].accepted), rows[receipt.place].outcome

    def check_order(self) -> None:
        """The receiver took each lane's deliveries in the order of their ids."""
        last: dict[int, int] = {}
        for delivery in self.door.taken:
            for key in self.row(delivery).lanes:
                assert last.get(key, -1) < delivery, f"{show_delivery_id(delivery)} came late in lane {key}"
                last[key] = delivery


def scenario(run: Callable[[SimulatedRuntime], Awaitable[None]]) -> None:
    """Run one in simulated time."""
    simulate(run)


def many(count: int, lanes: int) -> list[tuple[tuple[int, ...], dict[str, Any]]]:
    return [((1 + n % lanes,), {}) for n in range(count)]


def refuse_only(bench: Bench, bad: int) -> None:
    bench.door.receiver = lambda delivery: (
        answer(delivery.control_id, "AE", error="204") if delivery.id == bad else accepted(delivery)
    )


RESULT = {"flags": int(DeliveryFlag.RESULT), "type": "ORU^R01"}
