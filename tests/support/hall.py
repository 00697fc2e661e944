"""Reception in small: one source, a store that commits when the test says, and answers that are collected."""

from __future__ import annotations

from typing import Any

from engine.core.reception import ReceptionBudget
from engine.errors import StoreUnavailable
from engine.flow.intake import Intake, SourceIntake
from engine.routes.configuration import Source
from engine.store.memory import MemoryStore
from tests.support.mllp import field_of
from tests.support.runtime import SimulatedRuntime, simulate

SOURCE = Source(name="gam", type="mllp", site="cha")
ADT = b"MSH|^~\\&|GAM|CHA|||2026||ADT^A01|%b|P|2.5|||%b\rPID|1||42\r"


def adt(control_id: str = "A1", acks: str = "|") -> bytes:
    return ADT % (control_id.encode(), acks.encode())


class FakeReply:
    def __init__(self) -> None:
        self.answers: list[bytes] = []
        self.complete = False

    def answer(self, data: bytes, *, last: bool = True) -> None:
        assert not self.complete, "answered twice"
        if data:
            self.answers.append(data)
        self.complete = last

    @property
    def codes(self) -> list[str]:
        return [field_of(answer, b"MSA", 1) for answer in self.answers]


class FakeDoor:
    def __init__(self) -> None:
        self.paused = False

    def pause(self) -> None:
        self.paused = True

    def resume(self) -> None:
        self.paused = False


class Hall:
    """Intake with a store that commits when the test says."""

    def __init__(self, runtime: SimulatedRuntime, source: Source = SOURCE) -> None:
        self.faults: list[str] = []
        self.runtime = runtime
        self.store = MemoryStore(automatic=False, fault=self._fault)
        self.budget = ReceptionBudget(5_000_000)
        self.intake = Intake(self.store, runtime, self.budget)
        self.source = SourceIntake(source, self.intake)
        self.door = FakeDoor()
        self.intake.attach([self.door])  # type: ignore[list-item]

    def _fault(self, name: str) -> None:
        if self.faults:
            raise StoreUnavailable(self.faults[0])

    def give(self, raw: bytes, name: str = "") -> FakeReply:
        reply = FakeReply()
        self.source.accept(raw, "10.0.0.1", reply, name)
        return reply


def hall(test: Any, source: Source = SOURCE) -> None:
    async def run(runtime: SimulatedRuntime) -> None:
        it = Hall(runtime, source)
        await it.store.open(now_ms=runtime.now_ms())
        await test(it)

    simulate(run)
