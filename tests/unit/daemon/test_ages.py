"""When something was last heard of is written down now and then, and at the end."""

from __future__ import annotations

from engine.core.changes import Moments
from engine.core.ports import Urgency
from engine.daemon.ages import EVERY_SECONDS, Ages
from engine.errors import StoreUnavailable
from engine.store.memory import MemoryStore
from tests.support.runtime import SimulatedRuntime, simulate


def test_only_what_changed_is_written() -> None:
    """Every ten seconds, and once more at the end; the begin of an outage doesn't move by a little."""

    async def run(runtime: SimulatedRuntime) -> None:
        store = MemoryStore()
        await store.open(now_ms=runtime.now_ms())
        written: list[Moments] = []
        submit = store.submit

        def note(change: Moments, urgency: Urgency, done: object = None) -> None:
            written.append(change)
            submit(change, urgency, done)  # type: ignore[arg-type]

        store.submit = note  # type: ignore[method-assign, assignment]
        now = {("received", "gam"): 0, ("accepted", "dpi"): 7, ("outage", "dpi"): 100_000}
        ages = Ages(store, runtime, lambda: now)
        ages.start({("accepted", "dpi"): 7})
        await runtime.sleep(EVERY_SECONDS + 1)
        now["outage", "dpi"] += 400
        await runtime.sleep(EVERY_SECONDS)
        now["outage", "dpi"] = 0
        now["received", "gam"] = 9
        ages.stop()
        ages.stop()
        assert [change.at_ms for change in written] == [
            {("outage", "dpi"): 100_000},
            {("received", "gam"): 9, ("outage", "dpi"): 0},
        ]
        await runtime.sleep(1)
        assert await store.queries.moments() == {("received", "gam"): 9, ("outage", "dpi"): 0}

    simulate(run)


def test_what_could_not_be_written_is_written_later() -> None:
    """A store that is away for a while loses no moment."""

    async def run(runtime: SimulatedRuntime) -> None:
        faults = [StoreUnavailable("disk away")]

        def fault(_: str) -> None:
            if faults:
                raise faults[0]

        store = MemoryStore(fault=fault)
        await store.open(now_ms=runtime.now_ms())
        ages = Ages(store, runtime, lambda: {("received", "gam"): 9})
        ages.start({})
        await runtime.sleep(EVERY_SECONDS + 1)
        faults.clear()
        await runtime.sleep(EVERY_SECONDS + 1)
        assert await store.queries.moments() == {("received", "gam"): 9}
        ages.stop()

    simulate(run)
