"""
Lanes against their definition: random worlds of deliveries, outcomes, retries, parks, walls and restarts.

The world below knows the definition only. Reads are answered late, from what the store held at some moment
between the question and the answer; announcements and outcomes arrive after what they announce is on disk.
Each seed is one world; a failure names it.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from engine.core.lanes import Lanes, Refill, Scan
from engine.core.messages import Delivery, DeliveryKind

OWN = 1 << 64


@dataclass(slots=True)
class Row:
    """An unfinished delivery on disk."""

    keys: tuple[int, ...]
    blocked: bool = False
    kind: DeliveryKind = DeliveryKind.BYTES
    known: bool = False
    """Its announcement has arrived."""
    marked: bool = False
    """It doesn't leave as it is: another one takes its place."""
    told: bool = False
    """That it is marked."""
    failing: bool = False
    """Blocked on disk, and its lanes aren't told yet."""


@dataclass
class World:
    """One destination: rows on disk, lanes in memory, what flies between them."""

    chance: random.Random
    seed: int
    rows: dict[int, Row] = field(default_factory=dict)
    events: deque[Callable[[], None]] = field(default_factory=deque)
    flying: set[int] = field(default_factory=set)
    apart: set[int] = field(default_factory=set)
    question: Scan | Refill | None = None
    snapshot: tuple[list[Delivery], int] | None = None
    candidate: Delivery | None = None
    place: int = 0
    started: int = 0

    def __post_init__(self) -> None:
        pick = self.chance.choice
        self.window, self.length, self.keys_max = pick([2, 4, 8]), pick([1, 2, 4]), pick([6, 20, 1000])
        self.key_count, self.connections = pick([2, 4, 10, 40]), pick([1, 3, 8])
        self.keyless = pick([0.0, 0.0, 0.3])
        self.page = pick([3, 8])
        self.late = pick([0.0, 0.3, 0.8])
        self.burst = pick([6, 6, 30])
        self.restart()

    # --- the store

    def read(self, question: Scan | Refill) -> tuple[list[Delivery], int]:
        if isinstance(question, Scan):
            ids = sorted(p for p in self.rows if p > question.after)[: question.limit]
        elif question.lane is None:
            ids = [p for p in (question.since,) if p in self.rows]
        else:
            ids = [p for p in sorted(self.rows) if p >= question.since and question.lane in self.rows[p].keys]
            ids = ids[: question.limit]
        return [self.delivery(p) for p in ids], max(self.rows, default=0)

    def delivery(self, place: int) -> Delivery:
        row = self.rows[place]
        return Delivery(id=place, destination="d", route="r", lanes=row.keys, kind=row.kind, flags=32 * row.marked)

    def stays(self, delivery: Delivery) -> bool:
        row = self.rows.get(delivery.id)
        return row is None or row.blocked or bool(delivery.flags)

    def restart(self) -> None:
        self.lanes = Lanes(
            self.stays, window=self.window, lane_length=self.length, keys_max=self.keys_max, page=self.page
        )
        self.events.clear()
        self.flying.clear()
        self.apart.clear()
        self.question = self.snapshot = self.candidate = None
        for row in self.rows.values():
            row.known, row.failing, row.told = True, False, row.marked

    # --- reads, answered late

    def pump(self) -> None:
        if self.question is None and self.candidate is None:
            self.question = self.lanes.needs()
            self.snapshot = None
            if self.question is not None and self.chance.random() < 0.5:
                self.snapshot = self.read(self.question)
        if self.question is not None and self.chance.random() >= self.late:
            rows, high = self.snapshot or self.read(self.question)
            question, self.question = self.question, None
            if self.chance.random() < 0.02:
                self.lanes.unanswered()
            elif isinstance(question, Scan):
                self.lanes.scanned(rows, high)
            else:
                self.lanes.refilled(rows)

    def drain(self) -> None:
        """Answer and announce everything."""
        late, self.late = self.late, 0.0
        for _ in range(10_000):
            if self.candidate is not None:
                self.candidate = None
                self.lanes.unwatch()
            self.pump()
            while self.events:
                self.events.popleft()()
            self.finish_passive()
            if self.question is None and not self.events:
                self.question, self.snapshot = self.lanes.needs(), None
                if self.question is None:
                    break
        self.late = late

    def finish_passive(self) -> None:
        while (delivery := self.lanes.take_passive()) is not None:
            # An odd one was inserted, perhaps when the wall had already been reached.
            earlier = [p for p, row in self.rows.items() if p < delivery.id and row.known and p % 2 == 0]
            if delivery.kind is DeliveryKind.WALL:
                assert not earlier, (self.seed, "wall", delivery.id, earlier)
            self.check_alone(delivery.id)
            del self.rows[delivery.id]
            self.events.append(lambda place=delivery.id: self.lanes.done(place))

    # --- what is promised

    def check(self) -> None:
        lanes = self.lanes
        assert lanes.live_count <= self.window, self.seed
        for place, row in self.rows.items():
            if place <= lanes.cursor and place not in lanes._items and row.known and place not in self.apart:
                for key in row.keys or (OWN + place,):
                    assert lanes._tail.get(key, 1 << 80) <= place, (self.seed, "I1", place, key)
        for entry in lanes._items.values():
            if entry.state != 2:
                for key in entry.keys:
                    assert lanes._tail.get(key, 1 << 80) > entry.id, (self.seed, "I2", entry.id, key)

    def check_alone(self, place: int) -> None:
        keys = set(self.rows[place].keys)
        for other, row in self.rows.items():
            if other == place or not row.known:
                continue
            if other < place:
                assert not keys & set(row.keys), (self.seed, "overtakes", other, place)
                assert row.kind is not DeliveryKind.WALL or place % 2, (self.seed, "passes a wall", other, place)
            elif other in self.flying:
                assert not keys & set(row.keys), (self.seed, "two on a lane", other, place)

    # --- what happens

    def start(self) -> bool:
        self.finish_passive()
        if len(self.flying) >= self.connections:
            return False
        avoid = {p for p in self.rows if self.chance.random() < 0.1}
        take = self.lanes.take_newest if self.chance.random() < 0.2 else self.lanes.take_startable
        delivery = take(lambda one: one.id in avoid)
        if delivery is None:
            return False
        assert delivery.id in self.rows, (self.seed, "finished one starts again", delivery.id)
        assert delivery.id not in self.flying, (self.seed, "twice", delivery.id)
        assert delivery.id not in self.apart, (self.seed, "started while apart", delivery.id)
        assert not self.rows[delivery.id].blocked, (self.seed, "blocked one starts", delivery.id)
        assert not self.rows[delivery.id].told, (self.seed, "marked one starts", delivery.id)
        self.check_alone(delivery.id)
        self.flying.add(delivery.id)
        self.started += 1
        return True

    def keys(self) -> tuple[int, ...]:
        if self.chance.random() < self.keyless:
            return ()
        wanted = 1 if self.chance.random() < 0.8 else self.chance.choice([2, 3])
        return tuple(sorted(self.chance.sample(range(self.key_count), min(self.key_count, wanted))))

    def commit(self) -> None:
        before, places = self.place, []
        for _ in range(self.chance.randint(1, self.burst)):
            self.place += 2
            kind = DeliveryKind.BYTES
            keys = self.keys()
            if self.chance.random() < 0.02:
                kind, keys = DeliveryKind.WALL, ()
            elif keys and self.chance.random() < 0.05:
                kind = DeliveryKind.FENCE
            blocked = kind is DeliveryKind.BYTES and self.chance.random() < 0.03
            self.rows[self.place] = Row(keys, blocked, kind)
            places.append(self.place)
        batch, high = [self.delivery(p) for p in places], self.place

        def announce() -> None:
            for place in places:
                if place in self.rows:
                    self.rows[place].known = True
            self.lanes.live(batch, before, high)

        self.events.append(announce)

    def end(self) -> None:
        place = self.chance.choice(sorted(self.flying))
        self.flying.discard(place)
        what = self.chance.random()
        if what < 0.75:
            del self.rows[place]
            self.events.append(lambda: self.lanes.done(place))
        elif what < 0.9:
            row = self.rows[place]
            row.blocked = row.failing = True

            def fail() -> None:
                row.failing = False
                self.lanes.block(place)

            self.events.append(fail)
        else:
            self.events.append(lambda: self.lanes.back(place))

    def unblock(self) -> None:
        waiting = [p for p, row in self.rows.items() if row.blocked and p not in self.flying]
        if waiting:
            place = self.chance.choice(waiting)

            def release() -> None:
                if place in self.rows and not self.rows[place].failing:
                    self.rows[place].blocked = False
                    self.lanes.unblock(place)

            self.events.append(release)

    def insert(self) -> None:
        if self.place < 4:
            return
        lowest = 1 if self.chance.random() < 0.5 else max(1, self.lanes.cursor | 1)
        place = self.chance.randrange(min(lowest, self.place - 1), self.place, 2)
        if place in self.rows or any(r.kind is DeliveryKind.WALL and p < place for p, r in self.rows.items()):
            return
        self.rows[place] = Row(self.keys())
        delivery, before = self.delivery(place), self.place

        def announce() -> None:
            if place in self.rows:
                self.rows[place].known = True
            self.lanes.live([delivery], before, before)

        self.events.append(announce)

    def requeue(self) -> None:
        """A parked one comes back, with other keys perhaps."""
        parked = [p for p, row in self.rows.items() if row.blocked and row.known and p not in self.flying]
        parked = [p for p in parked if p not in self.apart and self.lanes.is_blocked(p)]
        if not parked or self.events:
            return
        place = self.chance.choice(parked)
        keys = self.keys() if self.chance.random() < 0.3 else self.rows[place].keys
        self.rows[place] = Row(keys, known=True)
        self.lanes.live([self.delivery(place)], self.place, self.place)

    def mark(self) -> None:
        """Some are marked: what is under way goes on, and what was read before is as it was."""
        some = [p for p, row in self.rows.items() if row.kind is DeliveryKind.BYTES and self.chance.random() < 0.3]
        some = [p for p in some if p not in self.apart]
        for place in some:
            self.rows[place].marked = True

        def tell() -> None:
            for place in some:
                row, known = self.rows.get(place), self.lanes._items.get(place)
                if row is not None and row.marked:
                    row.told = True
                if known is not None and known.state == 2:
                    known.delivery.flags = 32
            self.lanes.changed(some)

        self.events.append(tell)

    def remake(self) -> None:
        """What was marked has another one in its place."""
        started = {p for p, entry in self.lanes._items.items() if entry.state == 2}
        told = [p for p, row in self.rows.items() if row.told and row.known and p not in started | self.apart]
        for place in told if not self.events else ():
            row = self.rows[place]
            row.keys = tuple(sorted({*row.keys, *(self.keys() if row.keys and self.chance.random() < 0.3 else ())}))
            row.marked = row.told = False
            self.lanes.live([self.delivery(place)], self.place, self.place)

    def gone(self) -> None:
        idle = [p for p, row in self.rows.items() if p not in self.flying and p not in self.apart and row.known]
        started = {p for p, entry in self.lanes._items.items() if entry.state == 2}  # its outcome isn't told yet
        idle = [p for p in idle if p not in started]
        if self.chance.random() < 0.5:
            idle = [p for p in idle if self.lanes.get(p) is None]
        if idle:
            place = self.chance.choice(idle)
            row = self.rows.pop(place)
            if row.blocked:
                self.events.append(lambda: self.lanes.gone(place, row.keys))
            else:
                self.lanes.gone(place, row.keys)

    def pass_by(self) -> None:
        """Some delivery behind a blocked one leaves apart, as results do."""
        if self.candidate is not None:
            delivery, self.candidate = self.candidate, None
            row = self.rows.get(delivery.id)
            if row is not None and not row.blocked and self.lanes.set_apart(delivery):
                assert delivery.id not in self.flying, (self.seed, "apart while flying")
                self.apart.add(delivery.id)
            self.lanes.unwatch()
        elif self.question is None:
            heads = [k for p, row in self.rows.items() if self.lanes.is_blocked(p) and row.keys for k in row.keys]
            behind = [
                p
                for p, row in self.rows.items()
                if row.keys
                and set(row.keys) & set(heads)
                and not row.blocked
                and row.known
                and row.kind is DeliveryKind.BYTES
                and p not in self.flying
            ]
            if behind:
                self.lanes.watch()
                self.candidate = self.delivery(self.chance.choice(behind))

    def end_apart(self) -> None:
        place = self.chance.choice(sorted(self.apart))
        keys = self.rows[place].keys
        if self.chance.random() < 0.7:
            del self.rows[place]

            def ended() -> None:
                self.apart.discard(place)
                self.lanes.gone(place, keys)

            self.apart.discard(place)
            ended() if not self.events else self.events.append(ended)
        else:
            self.apart.discard(place)
            self.lanes.rejoin(self.delivery(place))

    def act(self) -> object:
        """Something happens, at random."""
        what = self.chance.random()
        if what < 0.53:
            return self.commit() if what < (0.28 if self.burst == 6 else 0.1) else self.start()
        if what < 0.73:
            return self.end() if self.flying else None
        for below, act in ((0.79, self.unblock), (0.85, self.insert), (0.91, self.gone), (0.93, self.requeue)):
            if what < below:
                return act()
        if what < 0.97:
            return self.pass_by()
        if what < 0.99:
            return self.end_apart() if self.apart else None
        if what < 0.993:
            return self.restart()
        return self.mark() if what < 0.996 else self.remake()

    def step(self) -> None:
        self.act()
        while self.events and self.chance.random() >= self.late:
            self.events.popleft()()
        for _ in range(self.chance.choice([0, 1, 3])):
            self.pump()
        self.check()


def run(seed: int) -> int:
    """Run one world to its end; return how many deliveries started."""
    world = World(random.Random(seed), seed)
    for _ in range(world.chance.choice([50, 300])):
        world.step()
    world.drain()
    for place in sorted(world.apart):
        keys = world.rows.pop(place).keys
        world.apart.discard(place)
        world.lanes.gone(place, keys)
    for place, row in list(world.rows.items()):
        if row.blocked:
            row.blocked = False
            world.lanes.unblock(place)
    world.remake()
    for _ in range(20_000):
        if not world.rows and not world.events:
            return world.started
        world.drain()
        world.check()
        if not world.start() and world.flying:
            place = world.chance.choice(sorted(world.flying))
            world.flying.discard(place)
            del world.rows[place]
            world.lanes.done(place)
        elif not world.flying:
            world.drain()
            # `start` avoids some at random: only without any avoided one is it stuck.
            waits = world.lanes._ready or world.lanes._passive_ready or world.events
            assert waits or not world.rows, (seed, "stuck", sorted(world.rows)[:5], world.lanes._tail)
    raise AssertionError((seed, "never ends", sorted(world.rows)[:5]))


@pytest.mark.parametrize("block", range(8))
def test_lanes_keep_to_their_definition(block: int) -> None:
    """Nothing overtakes what shares a key with it, nothing leaves twice, nothing is forgotten, memory is bounded."""
    started = 0
    for seed in range(block * 30, block * 30 + 30):
        try:
            started += run(seed)
        except Exception as error:
            raise AssertionError(f"world of seed {seed}") from error
    assert started > 500


@pytest.mark.slow
@pytest.mark.parametrize("block", range(20))
@pytest.mark.timeout(600)
def test_lanes_keep_to_their_definition_in_thousands_of_worlds(block: int) -> None:
    """The same, for 6,000 more worlds."""
    for seed in range(10_000 + block * 300, 10_000 + block * 300 + 300):
        try:
            run(seed)
        except Exception as error:
            raise AssertionError(f"world of seed {seed}") from error
