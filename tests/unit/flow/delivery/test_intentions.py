"""Operators' acts."""

from __future__ import annotations

from typing import Any

from tests.support.delivery_bench import Bench, scenario
from tests.support.runtime import SimulatedRuntime


def test_acts_that_make_no_sense_are_refused_in_a_sentence() -> None:
    """Unknown names, verbs and deliveries are told, and change nothing."""

    async def run(runtime: SimulatedRuntime) -> None:
        bench = Bench(runtime)
        await bench.start()
        one = bench.add(1)
        await runtime.until(bench.all_delivered)
        refused: list[tuple[str, dict[str, Any], str]] = [
            ("hold", {"kind": "destination", "name": "dip"}, "there is no destination dip; there are: dpi"),
            ("hold", {"kind": "patient", "name": "x"}, "can't be held"),
            ("hold", {"kind": "route", "name": "r", "until_ms": 5}, "would have ended already"),
            ("pass", {"delivery": 99 << 16}, "there is no delivery 99-0"),
            ("discard", {"delivery": one}, "is delivered, not dead"),
            ("dance", {}, "doesn't know `dance`"),
        ]
        for verb, arguments, words in refused:
            done, outcome = await bench.act(verb, **arguments)
            assert not done
            assert words in outcome
        assert (await bench.act("resume", destination="nowhere"))[1] == "there is no destination nowhere"
        await bench.stop()

    scenario(run)


def test_a_lane_is_named_as_everywhere_else() -> None:
    """Sixteen hexadecimal digits, whatever the sign of its key."""

    async def run(runtime: SimulatedRuntime) -> None:
        bench = Bench(runtime)
        await bench.start()
        assert (await bench.act("release", kind="lane", name="-1"))[1] == "lane ffffffffffffffff is not held"
        assert await bench.act("hold", kind="lane", name="-1", until_ms=0) == (True, "lane ffffffffffffffff is held")
        assert (await bench.act("release", kind="lane", name="-1"))[1] == "lane ffffffffffffffff is released"
        await bench.stop()

    scenario(run)
