"""Two hospitals, their laboratory, and two receivers, from custody to the doors, in simulated time and in memory."""

from __future__ import annotations

import pathlib
from collections.abc import Awaitable, Callable
from typing import Any

from engine.core.changes import Intend, Receipt, Receive
from engine.core.lifecycle import MessageState
from engine.core.messages import Delivery, Intention, StoredMessage, place_of
from engine.core.ports import Urgency
from engine.core.references import References, digest_of
from engine.errors import StoreError
from engine.flow.delivery import DeliveryStage
from engine.flow.identities import Identities
from engine.flow.router import Router
from engine.parsers import header_of
from engine.routes.configuration import Configuration
from engine.routes.loader import load
from engine.store.memory import MemoryStore
from engine.store.memory_rows import MemoryDisk
from tests.support.fake_door import Done, FakeDoor
from tests.support.runtime import SimulatedRuntime, simulate

CHA, CHB, GHT = "1.2.250.1.999.10.1", "1.2.250.1.999.20.1", "1.2.250.1.999.1.1"
SITES = """
version: 1
group: { authorities: { ipp: { oid: 1.2.250.1.999.1.1, hd1: GHT-IPP, type: PN } } }
identity: { registry: own, number: { prefix: G }, contracts: [[cha, chb]] }
sites:
  cha:
    finess_ej: "000000026"
    authorities:
      ipp: { oid: 1.2.250.1.999.10.1, hd1: CHA-IPP, type: PI }
      nda: { oid: 1.2.250.1.999.12.1, hd1: CHA-SEJOUR, type: AN }
      movement: { oid: 1.2.250.1.999.13.1, hd1: CHA-MVT, type: MV }
  chb:
    finess_ej: "990000028"
    authorities:
      ipp: { oid: 1.2.250.1.999.20.1, hd1: CHB-IPP, type: PI }
"""
DOORS = """
sources:
  gam_cha: { type: mllp, site: cha, listen: "127.0.0.1:6101" }
  gam_chb: { type: mllp, site: chb, listen: "127.0.0.1:6102" }
  lis_cha: { type: mllp, site: cha, listen: "127.0.0.1:6103" }
  dpi_out: { type: mllp, site: cha, listen: "127.0.0.1:6104", may_assert: [group] }
destinations:
  dpi: { type: mllp, connect: "127.0.0.1:5500", connections: 4 }
  lab: { type: mllp, connect: "127.0.0.1:5501", connections: 4, dead_letter: { lane: block } }
  doubts: { type: mllp, connect: "127.0.0.1:5502" }
"""
ROUTES = """
routes:
  adt:
    from: [gam_cha, gam_chb]
    steps:
      - normalise_identity: { on_unknown: mint, on_conflict: dead_letter }
    to:
      - dpi
      - { destination: lab, when: event != A40 }
  results:
    from: [lis_cha]
    steps:
      - normalise_identity: { on_unknown: { hold: 72h, then: { send_to: doubts } }, on_conflict: dead_letter }
    to: [dpi]
  orders:
    from: [dpi_out]
    steps:
      - localise_identity: { site: "{MSH-6.1}", on_unknown: { hold: 24h, then: dead_letter } }
    to: [lab]
"""
INS = "^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.8&ISO^INS"


def of_cha(value: object) -> str:
    """Write a number of the one hospital."""
    return f"{value}^^^CPAGE&{CHA}&ISO^PI"


def of_chb(value: object) -> str:
    """Write a number of the other."""
    return f"{value}^^^&{CHB}&ISO^PI"


def hl7(
    control_id: object, event: str, patient: str, *rest: str, type_: str = "ADT", name: str = "MARTIN^LEA^LEA",
    birth: str = "19840312", sex: str = "F", place: str = "75101", to: str = "GHT", status: str = "VALI",
) -> bytes:  # fmt: skip
    """Write a message; `rest`: segments behind PID."""
    at = f"^^^^^FRA^BDL^^{place}" if place else ""
    pid = f"PID|1||{patient}||{name}^^^^L||{birth}|{sex}|||{at}" + "|" * 21 + status
    head = f"MSH|^~\\&|GAM|CH|X|{to}|20260301||{type_}^{event}|{control_id}|P|2.5|||||FRA|UNICODE UTF-8"
    return "".join(f"{segment}\r" for segment in (head, "EVN||20260301", pid, *rest)).encode()


class _Door(FakeDoor):
    def __init__(self, runtime: SimulatedRuntime, **how: Any) -> None:
        super().__init__(runtime, **how)
        self.data: list[tuple[Delivery, bytes]] = []

    def send(self, delivery: Delivery, data: bytes, done: Done) -> None:
        self.data.append((delivery, data))
        super().send(delivery, data, done)


class Group:
    """An engine without doors of its own."""

    def __init__(
        self, runtime: SimulatedRuntime, directory: pathlib.Path, *, text: str = SITES + DOORS + ROUTES,
        disk: MemoryDisk | None = None, groups: tuple[str, ...] = ("main",),
    ) -> None:  # fmt: skip
        self.runtime = runtime
        self.text = text
        self._file = directory / "routes.yaml"
        self._file.write_text(text, encoding="utf-8")
        self.configuration: Configuration = load(directory / "routes.yaml", environment={})
        self.store = MemoryStore(disk)
        self.references = References(b"k" * 32)
        self.doors = {name: _Door(runtime) for name in self.configuration.destinations}
        self.alerts: list[tuple[str, str]] = []
        self.identities = Identities(
            self.store, runtime, lambda code, _source, sentence: self.alerts.append((code, sentence))
        )
        self.routers = [
            Router(
                name, self.configuration, self.store, runtime, self.references, groups=groups,
                identities=self.identities,
            )
            for name in groups
        ]  # fmt: skip

    async def start(self) -> None:
        recovery = await self.store.open(now_ms=self.runtime.now_ms())
        self.stage = DeliveryStage(
            self.configuration, self.store, self.doors, self.runtime, recovery,
            lambda code, _destination, sentence: self.alerts.append((code, sentence)),
        )  # fmt: skip
        self.stage.remember({})
        await self.stage.start()
        for router in self.routers:
            await router.start()

    async def stop(self) -> None:
        self.identities.waits.stop()
        for router in self.routers:
            router.stop()
        await self.stage.stop()
        await self.store.close()

    def configure(self, text: str) -> None:
        """Go on under another configuration."""
        self._file.write_text(text, encoding="utf-8")
        self.configuration = load(self._file, environment={})
        for router in self.routers:
            router.pause()
            router.resume(self.configuration)

    def receive(self, source: str, *raws: bytes) -> None:
        """Take messages into custody."""
        for raw in raws:
            header = header_of(raw)
            message = StoredMessage(
                source, self.configuration.sources[source].routing, raw, self.runtime.now_ms(),
                control_id=header.control_id, type=header.type, digest=digest_of(raw),
            )  # fmt: skip
            self.store.submit(Receive(message), Urgency.NOW)

    async def rest(self, seconds: float = 1.0) -> None:
        """Let what can happen happen."""
        await self.runtime.sleep(seconds)

    async def send(self, source: str, *raws: bytes) -> None:
        """Take messages into custody, and let them go through."""
        self.receive(source, *raws)
        await self.rest()

    async def state(self, place: int) -> MessageState:
        """Where a message stands."""
        message = await self.store.message(place)
        assert message is not None
        return message.state

    def left(self, destination: str) -> list[int]:
        """Places of what a destination accepted, in its order."""
        return [place_of(one) for one in self.doors[destination].taken]

    def sent(self, destination: str, place: int) -> list[str]:
        """The segments of the last thing that was sent of a message to a destination."""
        found = [data for delivery, data in self.doors[destination].data if delivery.place == place]
        assert found, f"nothing of message {place} was sent to {destination}"
        return found[-1].decode().rstrip("\r").split("\r")

    def pid3(self, destination: str, place: int) -> list[str]:
        """The repetitions of PID-3 as they were sent."""
        (pid,) = [one for one in self.sent(destination, place) if one.startswith("PID")]
        return pid.split("|")[3].split("~")

    def number(self, destination: str, place: int) -> str:
        """The federation identifier with which a message was sent; empty: none."""
        first = self.pid3(destination, place)[0]
        return first.partition("^")[0] if f"&{GHT}&ISO^PN" in first else ""

    async def act(self, verb: str, *, stage: str = "router", **arguments: Any) -> tuple[bool, str]:
        """Ask for an operator's act, and wait for its outcome."""
        receipts: list[Receipt | StoreError] = []
        intention = Intention(stage, verb, arguments, "nadia", "a test", self.runtime.now_ms())
        self.store.submit(Intend(intention), Urgency.NOW, receipts.append)
        await self.runtime.until(lambda: receipts)
        receipt = receipts[0]
        assert isinstance(receipt, Receipt)
        rows = self.store.disk.intentions
        await self.runtime.until(lambda: rows[receipt.place].accepted is not None, limit=60)
        return bool(rows[receipt.place].accepted), rows[receipt.place].outcome


def group(directory: pathlib.Path, test: Callable[[Group], Awaitable[None]], *, seed: int = 0, **how: Any) -> None:
    """Run a test with a group, in simulated time."""

    async def main(runtime: SimulatedRuntime) -> None:
        it = Group(runtime, directory, **how)
        await it.start()
        await test(it)
        await it.stop()

    simulate(main, seed=seed)
