"""When messages that wait are looked at."""

from __future__ import annotations

from typing import Any

from engine.errors import StoreUnavailable
from engine.flow.waits import Waits
from tests.support.runtime import SimulatedRuntime, simulate


class Store:
    """Messages that wait: place -> until when."""

    def __init__(self, runtime: SimulatedRuntime) -> None:
        self.waiting: dict[int, int] = {}
        self.asked: list[int] = []
        self.fails = 0
        self._runtime = runtime

    async def waiting_until(self, now_ms: int, limit: int) -> list[int]:
        self.asked.append(now_ms)
        if self.fails:
            self.fails -= 1
            raise StoreUnavailable("gone")
        return [place for place, until in self.waiting.items() if until <= now_ms][:limit]

    async def identity_facts(self) -> Any:
        class Facts:
            next_wait_ms = min(self.waiting.values(), default=0)

        return Facts


class Router:
    """Takes what is given to it."""

    settled = 0

    def came_between(self, keys: Any) -> None:
        """Nothing is remembered."""

    def __init__(self, store: Store) -> None:
        self.taken: list[tuple[int, bool]] = []
        self._store = store

    def take_up(self, places: Any, *, expired: bool) -> None:
        for place in places:
            self.taken.append((place, expired))
            self._store.waiting.pop(place, None)


def test_each_in_its_time() -> None:
    """The first wait that ends sets the clock; what is released goes at once."""

    async def main(runtime: SimulatedRuntime) -> None:
        store = Store(runtime)
        router = Router(store)
        kept: Any = store
        waits = Waits(kept, runtime, [router])
        now = runtime.now_ms()
        store.waiting = {1: now + 60_000, 2: now + 5_000}
        waits.look_at(now + 60_000)
        waits.look_at(now + 5_000)
        waits.released([9])
        assert router.taken == [(9, False)]
        await runtime.sleep(10)
        assert router.taken == [(9, False), (2, True)]
        await runtime.sleep(60)
        assert router.taken[2:] == [(1, True)]
        asked = len(store.asked)
        await runtime.sleep(3600)
        assert len(store.asked) == asked, "nothing waits: nothing is asked"

    simulate(main)


def test_a_store_in_trouble() -> None:
    """It is asked again; after a stop no more."""

    async def main(runtime: SimulatedRuntime) -> None:
        store = Store(runtime)
        router = Router(store)
        kept: Any = store
        waits = Waits(kept, runtime, [router])
        store.waiting, store.fails = {1: runtime.now_ms()}, 3
        waits.look_at(runtime.now_ms())
        await runtime.sleep(10)
        assert router.taken == [(1, True)]
        store.waiting = {2: runtime.now_ms()}
        waits.stop()
        waits.look_at(runtime.now_ms())
        await runtime.sleep(10)
        assert len(router.taken) == 1

    simulate(main)
