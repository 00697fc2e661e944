"""When messages that wait are looked at."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
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
        self.begins: list[tuple[int, int, Callable[[], None]]] = []
        """Waits that are committed behind the next answer on facts: place, until when, and who is told."""
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

        for place, until, begun in self.begins:
            self.waiting[place] = until
            begun()
        self.begins = []
        return Facts

    async def message(self, place: int) -> Any:
        return SimpleNamespace(group="odd" if place % 2 else "even") if place < 100 else None


class Router:
    """Takes what is given to it."""

    settled = 0

    def came_between(self, keys: Any) -> None:
        """Nothing is remembered."""

    def __init__(self, store: Store, group: str = "") -> None:
        self.taken: list[tuple[int, bool]] = []
        self._store = store
        self._group = group

    def answers_for(self, group: str) -> bool:
        return group == self._group

    late: Any = None
    rests = True

    def wake(self) -> None:
        """Nothing waits."""

    async def remake(self, row: Any, message: Any, data: bytes) -> Any:
        """Nothing is made anew."""

    def start_over(self, reason: str) -> None:
        """Nothing is dropped."""

    def take_up(self, places: Any, *, expired: bool, keys: Any = ()) -> None:
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


def test_each_to_the_router_of_its_group() -> None:
    """Released or over, in order; one that was pruned goes to nobody."""

    async def main(runtime: SimulatedRuntime) -> None:
        store = Store(runtime)
        odd, even = Router(store, "odd"), Router(store, "even")
        kept: Any = store
        waits = Waits(kept, runtime, [odd, even])
        waits.released([3, 4, 101])
        waits.released([1])
        store.waiting = {6: runtime.now_ms(), 7: runtime.now_ms()}
        waits.look_at(runtime.now_ms())
        await runtime.sleep(10)
        assert odd.taken == [(3, False), (1, False), (7, True)]
        assert even.taken == [(4, False), (6, True)]

    simulate(main)


def test_a_wait_that_begins_while_one_looks() -> None:
    """The answer of the store is older than it: it is looked at all the same, in its time."""

    async def main(runtime: SimulatedRuntime) -> None:
        store = Store(runtime)
        router = Router(store)
        kept: Any = store
        waits = Waits(kept, runtime, [router])
        until = runtime.now_ms() + 5_000
        store.begins = [(8, until, lambda: waits.look_at(until))]
        waits.look_at(runtime.now_ms())
        await runtime.sleep(10)
        assert router.taken == [(8, True)]

    simulate(main)
