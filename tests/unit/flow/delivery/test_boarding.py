"""What was taken from its lanes and has not left."""

from __future__ import annotations

from tests.support.delivery_bench import HOUR, Bench, many, scenario
from tests.support.runtime import SimulatedRuntime


def test_a_hold_of_the_destination_ends_at_its_time() -> None:
    """Nothing leaves while it is held, with a reason in the why; its end is found without anybody acting."""

    async def run(runtime: SimulatedRuntime) -> None:
        bench = Bench(runtime)
        await bench.start()
        until = runtime.now_ms() + 7_200_000
        assert (await bench.act("hold", kind="destination", name="dpi", until_ms=until))[0]
        bench.add_many(many(20, 5))
        await runtime.sleep(HOUR)
        assert not bench.door.sent
        facts = bench.stage.facts()["dpi"]
        assert facts["state"] == "held"
        assert "nadia" in facts["why"]
        await runtime.until(bench.all_delivered, limit=HOUR + 60)
        assert not bench.store.disk.holds
        assert bench.door.sent[0][0] >= 7200
        await bench.stop()

    scenario(run)


def test_a_hold_survives_a_restart_and_release_sends_one_first() -> None:
    """The release tries one message before the rest."""

    async def run(runtime: SimulatedRuntime) -> None:
        bench = Bench(runtime)
        await bench.start()
        await bench.act("hold", kind="destination", name="dpi", until_ms=0)
        bench.add_many(many(20, 10))
        await bench.stop()
        again = Bench(runtime, disk=bench.store.disk)
        again.ids = bench.ids
        await again.start()
        await runtime.sleep(HOUR)
        assert not again.door.sent
        again.door.latency = 5.0
        await again.act("release", kind="destination", name="dpi")
        await runtime.sleep(3)
        assert len(again.door.sent) == 1
        await runtime.until(again.all_delivered)
        assert (await again.act("release", kind="destination", name="dpi"))[1] == "destination dpi is not held"
        await again.stop()

    scenario(run)
