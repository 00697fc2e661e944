"""The router's promises: order of places, one decision a message, retransmissions, a fresh start after a failure."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from engine.core.changes import Intend, Receive, Reopen, Requeue, Route, Settle
from engine.core.lifecycle import DeliveryState, MessageState
from engine.core.messages import Delivery, Intention, StoredMessage, delivery_id
from engine.core.ports import Queued, Urgency
from engine.core.references import References, digest_of
from engine.errors import ChangeRefused, StoreUnavailable
from engine.flow import backlog, evaluating, late, treating
from engine.flow.router import Router
from engine.routes.evaluation import evaluate
from engine.routes.loader import load
from engine.store.memory import MemoryStore
from tests.support.group import DOORS, SITES, Group, group, hl7, of_cha
from tests.support.group import ROUTES as GROUP_ROUTES
from tests.support.runtime import SimulatedRuntime, simulate

ROUTES = """
version: 1
sites:
  cha:
    finess_eg: "000780064"
    authorities:
      ipp: { oid: 1.2.250.1.999.10.1, hd1: CHA, hd3: ISO, type: PI }
sources:
  gam: { type: mllp, site: cha, listen: "127.0.0.1:6101" }
  ask: { type: mllp, site: cha, listen: "127.0.0.1:6102", ack: after_route }
destinations:
  dpi: { type: mllp, connect: "127.0.0.1:5500" }
routes:
  adt:
    from: [gam]
    when: type == ADT
    steps:
      - require: { all: [ { when: "PV1-3 exists", else: "a place is needed" } ] }
    to: [dpi]
  asked:
    from: [ask]
    steps:
      - reject: { code: AE, reason: "a place is needed" }
        when: not PV1-3 exists
    to: [dpi]
"""


def message(
    runtime: SimulatedRuntime,
    control_id: str,
    *,
    ipp: str = "42",
    kind: str = "ADT^A01",
    unit: str = "U1",
    source: str = "gam",
) -> StoredMessage:
    raw = f"MSH|^~\\&|GAM|CHA|||2026||{kind}|{control_id}|P|2.5\rPID|1||{ipp}^^^CHA^PI\rPV1|1|I|{unit}\r".encode()
    return StoredMessage(
        source=source,
        group="main",
        raw=raw,
        received_ms=runtime.now_ms(),
        control_id=control_id,
        type=kind,
        digest=digest_of(raw),
        site="cha",
    )


class Yard:
    """A router over a memory store."""

    def __init__(self, runtime: SimulatedRuntime, directory: Path) -> None:
        file = directory / "routes.yaml"
        file.write_text(ROUTES, encoding="utf-8")
        self.runtime = runtime
        self.fault = ""
        self.store = MemoryStore(fault=self._fault)
        self.router = Router("main", load(file, environment={}), self.store, runtime, References(b"k" * 32))
        self.announced: list[Delivery] = []
        self.store.on_deliveries("dpi", self._queued)

    def _fault(self, name: str) -> None:
        if self.fault and self.fault in name:
            raise StoreUnavailable("disk full")

    def _queued(self, queued: Queued) -> None:
        self.announced += queued.deliveries

    def receive(self, *messages: StoredMessage) -> None:
        for one in messages:
            self.store.submit(Receive(one), Urgency.NOW)

    async def rest(self) -> None:
        await asyncio.sleep(5)

    async def state(self, place: int) -> MessageState:
        stored = await self.store.message(place)
        assert stored is not None
        return stored.state


def yard(directory: Path, test: Any) -> None:
    async def run(runtime: SimulatedRuntime) -> None:
        it = Yard(runtime, directory)
        await it.store.open(now_ms=runtime.now_ms())
        await test(it)
        it.router.stop()

    simulate(run)


def test_what_waited_before_the_start_comes_first(tmp_path: Path) -> None:
    """Messages of before the start and live ones are routed once each, in the order of their places."""

    async def test(it: Yard) -> None:
        it.receive(*(message(it.runtime, f"A{n}", ipp=str(n)) for n in range(40)))
        await it.rest()
        await it.router.start()
        it.receive(*(message(it.runtime, f"B{n}", ipp=str(n)) for n in range(40)))
        await it.rest()
        assert [delivery.place for delivery in it.announced] == list(range(1, 81))

    yard(tmp_path, test)


@pytest.mark.parametrize("bound", ["page", "buffer"])
def test_a_backlog_larger_than_memory(tmp_path: Path, bound: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the bounds objects are dropped and found by paging: none is missed, none comes twice."""
    monkeypatch.setattr(
        backlog, "_PAGE_MESSAGES" if bound == "page" else "_BUFFER_BYTES", 3 if bound == "page" else 300
    )

    async def test(it: Yard) -> None:
        await it.router.start()
        for wave in range(20):
            it.receive(*(message(it.runtime, f"W{wave}-{n}", ipp=f"{wave}{n}") for n in range(7)))
            await asyncio.sleep(0.001 * (wave % 3))
        await it.rest()
        assert [delivery.place for delivery in it.announced] == list(range(1, 141))

    yard(tmp_path, test)


def test_endings(tmp_path: Path) -> None:
    """Routed, unrouted, duplicate, and a dead delivery without bytes where a step fails: each is counted."""

    async def test(it: Yard) -> None:
        await it.router.start()
        it.receive(
            message(it.runtime, "A1"),
            message(it.runtime, "A1"),
            message(it.runtime, "A2", kind="ORU^R01"),
            message(it.runtime, "A3", unit=""),
        )
        await it.rest()
        assert [await it.state(place) for place in (1, 2, 3, 4)] == [
            MessageState.ROUTED,
            MessageState.DUPLICATE,
            MessageState.UNROUTED,
            MessageState.ROUTED,
        ]
        dead = await it.store.delivery(delivery_id(4, 0))
        assert dead is not None
        assert (dead.state, dead.code) == (DeliveryState.DEAD, "E-REQUIRE")
        assert dead.lanes

    yard(tmp_path, test)


def test_a_fault_of_ours_stops_one_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception in the evaluation kills its message, with the place and without the text; others go on."""

    async def test(it: Yard) -> None:
        def broken(configuration: Any, stored: StoredMessage, references: Any, answers: Any, knowledge: Any) -> Any:
            if stored.control_id == "A1":
                raise ValueError("SECRET PATIENT")
            return evaluate(configuration, stored, references, answers)

        monkeypatch.setattr(evaluating, "evaluate", broken)
        await it.router.start()
        it.receive(message(it.runtime, "A1"), message(it.runtime, "A2", ipp="43"))
        await it.rest()
        assert [await it.state(1), await it.state(2)] == [MessageState.DEAD, MessageState.ROUTED]
        row = await it.store.queries.message_row(1)
        assert row is not None
        assert row["code"] == "E-INTERNAL"
        assert "ValueError at test_router.py" in row["reason"]
        assert "SECRET" not in str(row)

    yard(tmp_path, test)


def test_a_failure_of_the_store(tmp_path: Path) -> None:
    """When decisions can't be stored the router begins again from the store; nothing is lost or doubled."""

    async def test(it: Yard) -> None:
        await it.router.start()
        it.fault = "route"
        it.receive(*(message(it.runtime, f"A{n}", ipp=str(n)) for n in range(10)))
        await asyncio.sleep(3)
        assert it.announced == []
        it.fault = ""
        await asyncio.sleep(30)
        assert [delivery.place for delivery in it.announced] == list(range(1, 11))

    yard(tmp_path, test)


def test_operators_retry(tmp_path: Path) -> None:
    """A retry runs the route again; what would die again is refused with the reason; unrouted ones come back."""

    async def test(it: Yard) -> None:
        await it.router.start()
        it.receive(message(it.runtime, "A1", unit=""), message(it.runtime, "A2", kind="ORU^R01"))
        await it.rest()

        async def ask(**arguments: int) -> tuple[bool, str]:
            numbers: list[int] = []
            intention = Intention("router", "retry", dict(arguments), "somebody", "why not", it.runtime.now_ms())
            it.store.submit(Intend(intention), Urgency.NOW, lambda receipt: numbers.append(receipt.place))  # type: ignore[union-attr]
            await it.rest()
            outcome = await it.store.queries.intention_outcome(numbers[0])
            assert outcome is not None
            return outcome

        accepted, outcome = await ask(delivery=delivery_id(1, 0))
        assert not accepted
        assert "E-REQUIRE" in outcome
        assert (await ask(message=2))[0]
        assert await it.state(2) is MessageState.UNROUTED
        assert not (await ask(message=99))[0]
        assert not (await ask(message=1))[0]

    yard(tmp_path, test)


async def intended(it: Yard, verb: str = "retry", **arguments: int) -> int:
    """Record an act; return its number."""
    numbers: list[int] = []
    intention = Intention("router", verb, dict(arguments), "somebody", "why not", it.runtime.now_ms())
    it.store.submit(Intend(intention), Urgency.NOW, lambda receipt: numbers.append(receipt.place))  # type: ignore[union-attr]
    await it.rest()
    return numbers[0]


@pytest.mark.parametrize("error", [None, ValueError("SECRET PATIENT")], ids=["route gone", "fault of ours"])
def test_a_retry_that_cannot_be_rendered_is_refused_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception | None
) -> None:
    """One that waits while its route is gone, or on which our code fails, doesn't stop the engine at each start."""

    async def test(it: Yard) -> None:
        await it.router.start()
        it.receive(message(it.runtime, "A1", unit=""))
        await it.rest()
        it.router.stop()
        number = await intended(it, delivery=delivery_id(1, 0))
        assert await it.store.queries.intention_outcome(number) is None
        text = ROUTES if error else ROUTES.replace("  adt:", "  renamed:")
        (tmp_path / "routes.yaml").write_text(text, encoding="utf-8")
        if error is not None:

            def broken(*_: Any) -> Delivery:
                raise error

            monkeypatch.setattr(treating, "render_again", broken)
        configuration = load(tmp_path / "routes.yaml", environment={})
        again = Router("main", configuration, it.store, it.runtime, References(b"k" * 32))
        await again.start()
        await it.rest()
        outcome = await it.store.queries.intention_outcome(number)
        assert outcome is not None
        assert not outcome[0]
        assert ("no route adt" if error is None else "a fault of Passerelle: ValueError") in outcome[1]
        assert "SECRET" not in outcome[1]
        assert it.runtime.failures == []
        again.stop()

    yard(tmp_path, test)


def test_a_retry_waits_for_the_store(tmp_path: Path) -> None:
    """While nothing can be stored it isn't forgotten."""

    async def test(it: Yard) -> None:
        await it.router.start()
        it.receive(message(it.runtime, "A2", kind="ORU^R01"))
        await it.rest()
        it.fault = "fulfil"
        number = await intended(it, message=1)
        await it.rest()
        assert await it.store.queries.intention_outcome(number) is None
        it.fault = ""
        await it.rest()
        assert (await it.store.queries.intention_outcome(number) or (False,))[0]
        assert await it.state(1) is MessageState.UNROUTED

    yard(tmp_path, test)


def test_a_decision_that_the_store_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """That one message is dead, with the store's reason; the router goes on, and a repeat is evaluated again."""

    async def test(it: Yard) -> None:
        def wrong(configuration: Any, stored: StoredMessage, references: Any, answers: Any, knowledge: Any) -> Any:
            evaluation = evaluate(configuration, stored, references, answers)
            if stored.place == 1:
                evaluation.deliveries[0].id = delivery_id(99, 0)
            return evaluation

        monkeypatch.setattr(evaluating, "evaluate", wrong)
        await it.router.start()
        it.receive(message(it.runtime, "A1"), message(it.runtime, "A2", ipp="43"))
        await it.rest()
        assert [await it.state(1), await it.state(2)] == [MessageState.DEAD, MessageState.ROUTED]
        row = await it.store.queries.message_row(1)
        assert row is not None
        assert row["code"] == "E-INTERNAL"
        assert "is not of message 1" in row["reason"]
        it.receive(message(it.runtime, "A1"))
        await it.rest()
        assert await it.state(3) is MessageState.ROUTED
        assert it.router.counts == {"routed": 2, "dead": 1}

    yard(tmp_path, test)


@pytest.mark.parametrize("restarted", [False, True], ids=["in memory", "from the store"])
def test_a_repeat_of_what_died_is_no_duplicate(tmp_path: Path, restarted: bool) -> None:
    """Nobody got the first one: the sender's new try is evaluated."""

    async def test(it: Yard) -> None:
        await it.router.start()
        it.receive(message(it.runtime, "A1", unit=""), message(it.runtime, "A2"))
        await it.rest()
        if restarted:
            it.router.stop()
            it.router = Router("main", it.router.configuration, it.store, it.runtime, References(b"k" * 32))
            await it.router.start()
        it.receive(message(it.runtime, "A1", unit=""), message(it.runtime, "A2"))
        await it.rest()
        assert [await it.state(3), await it.state(4)] == [MessageState.ROUTED, MessageState.ROUTED]
        it.receive(message(it.runtime, "A2"))
        await it.rest()
        assert await it.state(5) is MessageState.DUPLICATE

    yard(tmp_path, test)


def test_what_became_of_the_original_is_asked_when_it_matters(tmp_path: Path) -> None:
    """Died at the receiver: the same again is a new try. Brought back by an operator: it is a retransmission."""

    async def test(it: Yard) -> None:
        await it.router.start()
        it.receive(message(it.runtime, "A1"))
        await it.rest()
        (copy,) = it.announced
        died = Settle(copy.id, "dpi", 0, DeliveryState.DEAD, queued=False, begin_ms=1, end_ms=2, code="AE 204")
        it.store.submit(died, Urgency.NOW)
        await it.rest()
        it.receive(message(it.runtime, "A1"))
        await it.rest()
        assert await it.state(2) is MessageState.ROUTED
        dead = Settle(it.announced[1].id, "dpi", 0, DeliveryState.DEAD, queued=False, begin_ms=1, end_ms=2)
        it.store.submit(dead, Urgency.NOW)
        it.store.submit(Requeue(it.announced[1]), Urgency.NOW)
        await it.rest()
        it.receive(message(it.runtime, "A1"), message(it.runtime, "A2"))
        await it.rest()
        assert [await it.state(3), await it.state(4)] == [MessageState.DUPLICATE, MessageState.ROUTED]
        row = await it.store.queries.message_row(3)
        assert row is not None
        assert row["linked_to"] == 2

    yard(tmp_path, test)


def test_one_that_was_told_to_be_in_custody_is_not_refused_later(tmp_path: Path) -> None:
    """Its sender got AA, for want of time, and a route rejected it: the same again gets AA too, and is linked."""

    async def test(it: Yard) -> None:
        await it.router.start()
        late = message(it.runtime, "A1", unit="", source="ask")
        late.received_ms -= 6_000
        it.receive(late)
        await it.rest()
        assert await it.state(1) is MessageState.DEAD
        it.receive(message(it.runtime, "A1", unit="", source="ask"))
        await it.rest()
        assert await it.state(2) is MessageState.DUPLICATE

    yard(tmp_path, test)


def test_the_store_fails_while_a_repeat_is_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The router starts again from there; nothing is lost, and the order stays."""

    async def test(it: Yard) -> None:
        fate, failures = it.store.fate, [StoreUnavailable("disk away")]

        async def failing(place: int) -> Any:
            if failures:
                raise failures.pop()
            return await fate(place)

        await it.router.start()
        it.receive(message(it.runtime, "A1"))
        await it.rest()
        monkeypatch.setattr(it.store, "fate", failing)
        it.receive(message(it.runtime, "A1"), message(it.runtime, "A2"), message(it.runtime, "A3"))
        await it.rest()
        states = [await it.state(place) for place in (2, 3, 4)]
        assert states == [MessageState.DUPLICATE, MessageState.ROUTED, MessageState.ROUTED]
        assert [delivery.place for delivery in it.announced] == [1, 3, 4]

    yard(tmp_path, test)


def test_acts_on_messages_of_a_group_that_is_no_more(tmp_path: Path) -> None:
    """The first router carries them out, and no other: their sources were removed, and their group with them."""

    async def test(it: Yard) -> None:
        it.router._groups = frozenset(("main", "other"))
        others = [
            Router(group, it.router.configuration, it.store, it.runtime, References(b"k" * 32), groups=("main",))
            for group in ("other", "zoo")
        ]
        old = message(it.runtime, "A1", source="removed")
        old.group = "old"
        it.receive(old)
        dead = Route(1, "old", "removed", MessageState.RECEIVED, MessageState.DEAD, code="E-SOURCE")
        it.store.submit(dead, Urgency.NOW)
        await it.router.start()
        for other in others:
            await other.start()
        for verb, state in (("discard", MessageState.DISCARDED), ("restore", MessageState.DEAD)):
            number = await intended(it, verb=verb, message=1)
            await it.rest()
            assert (await it.store.queries.intention_outcome(number) or (False,))[0]
            assert await it.state(1) is state
        number = await intended(it, message=1)
        await it.rest()
        assert (await it.store.queries.intention_outcome(number) or (False,))[0]
        assert await it.state(1) is MessageState.DEAD, "its source is still unknown"
        for other in others:
            assert other.counts == {}
            other.stop()

    yard(tmp_path, test)


def test_rejected(tmp_path: Path) -> None:
    """
    Code and reason go to intake, and a repeat is evaluated again.

    One whose sender may have its positive answer already is a dead letter: nobody else keeps it.
    """

    async def test(it: Yard) -> None:
        await it.router.start()
        it.receive(*(message(it.runtime, "A1", unit="", source="ask") for _ in range(2)))
        late = message(it.runtime, "A3", unit="", source="ask")
        late.received_ms -= 6_000
        it.receive(late)
        await it.rest()
        states = [await it.state(place) for place in (1, 2, 3)]
        assert states == [MessageState.REJECTED, MessageState.REJECTED, MessageState.DEAD]
        rows = [await it.store.queries.message_row(place) for place in (1, 3)]
        assert [(row["code"], row["reason"][-17:]) for row in rows if row is not None] == [
            ("AE", "a place is needed"),
            ("E-REJECTED", "a place is needed"),
        ]
        assert it.announced == []

    yard(tmp_path, test)


def test_what_is_released_while_its_time_is_over(tmp_path: Path) -> None:
    """It is decided on, as one that waits no more: it would stay where it is until a restart."""

    async def walk(it: Group) -> None:
        await it.send("lis_cha", hl7(1, "R01", of_cha(1), type_="ORU"))
        assert await it.state(1) is MessageState.WAITING
        (router,) = it.routers
        router.pause()
        router.take_up([1], expired=True)
        it.store.submit(Reopen(1, "main", MessageState.WAITING, MessageState.RECEIVED), Urgency.NOW)
        await it.rest()
        router.take_up([1], expired=False)
        router.resume(it.configuration)
        await it.rest()
        assert await it.state(1) is MessageState.WAITING, "nobody knows its patient: it waits again"

    group(tmp_path, walk)


def test_a_fault_of_ours_when_a_wait_is_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message is dead: refused by the store, it would be looked at again every second."""

    async def walk(it: Group) -> None:
        await it.send("lis_cha", hl7(1, "R01", of_cha(1), type_="ORU"))

        def fails(*_: object) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr(evaluating, "evaluate", fails)
        await it.rest(73 * 3600)
        assert await it.state(1) is MessageState.DEAD

    group(tmp_path, walk)


@pytest.mark.parametrize("size", [1_000_000, 0])
def test_messages_that_waited_are_taken_up_some_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    """A read waits for the commits under way: not one for each of thousands, while all that comes stands behind."""
    monkeypatch.setattr(late, "LATE_BYTES_MAX", size)

    async def test(it: Group) -> None:
        await it.send("lis_cha", *(hl7(number, "R01", of_cha(1), type_="ORU") for number in range(1, 101)))
        assert await it.state(1) is await it.state(100) is MessageState.WAITING
        steps: list[str] = []
        read, submit = it.store.message, it.store.submit

        async def message(place: int) -> StoredMessage | None:
            steps.append("read")
            return await read(place)

        def submitted(change: Any, *rest: Any) -> None:
            if isinstance(change, Route):
                steps.append("route")
            submit(change, *rest)

        monkeypatch.setattr(it.store, "message", message)
        monkeypatch.setattr(it.store, "submit", submitted)
        it.receive("gam_cha", hl7(101, "A28", of_cha(1)))
        it.receive("lis_cha", hl7(102, "R01", of_cha(1), type_="ORU"))
        await it.rest(5)
        turns = "".join(step[1] for step in steps).count("oe")  # a decision, then a read
        assert turns == (4 if size else 100)
        assert it.left("dpi") == [101, *range(1, 101), 102]

    group(tmp_path, test)


PEOPLE = 3


def refusing(it: Group, *turns: int) -> list[int]:
    """Let the store refuse some routing decisions, by their turn; returns how many were counted."""
    seen = [0]

    def refuse(name: str) -> None:
        if name == "route":
            seen[0] += 1
            if seen[0] in turns:
                raise ChangeRefused("somebody was faster")

    it.store._fault = refuse
    return seen


def of(person: int, control_id: int) -> bytes:
    return hl7(control_id, "A31", of_cha(person), name=f"NOM{chr(65 + person)}^LEA^LEA")


@pytest.mark.parametrize("groups", [("main",), ("main", "other")], ids=["one-group", "two-groups"])
@pytest.mark.parametrize("turn", range(1, PEOPLE + 1))
def test_a_decision_on_patients_that_is_refused_once(tmp_path: Path, groups: tuple[str, ...], turn: int) -> None:
    """What relied on it doesn't leave; all is decided again in the order of the places, with numbers that are kept."""

    async def walk(it: Group) -> None:
        refusing(it, turn)
        raws = [of(n % PEOPLE, n) for n in range(1, 13)]
        if groups[1:]:
            for n, raw in enumerate(raws):
                it.receive(("gam_cha", "gam_chb")[n % 2], raw)
        else:
            it.receive("gam_cha", *raws)
        await it.rest(60)
        places = range(1, 13)
        assert {await it.state(place) for place in places} == {MessageState.ROUTED}
        assert sorted(it.left("dpi")) == list(places), "each leaves once"
        kept = {one.number for one in it.store.disk.patients.values()}
        for person in range(PEOPLE):
            theirs = [place for place in it.left("dpi") if place % PEOPLE == person]
            for turn_of in range(len(groups)):  # each group has an order of its own
                same = [place for place in theirs if place % len(groups) == turn_of]
                assert same == sorted(same)
            sent = {it.number("dpi", place) for place in theirs}
            assert len(sent) == 1
            assert sent <= kept, "a number left that the store doesn't know"
        assert len(kept) == PEOPLE
        assert sum(router.counts["routed"] for router in it.routers) == len(places)
        assert all(not router._again for router in it.routers)

    second = f"gam_chb: {{ type: mllp, site: cha, routing: {groups[-1]},"
    doors = DOORS.replace("gam_chb: { type: mllp, site: chb,", second)
    group(tmp_path, walk, text=SITES + doors + GROUP_ROUTES, groups=groups)


def test_a_decision_on_patients_that_is_refused_twice(tmp_path: Path) -> None:
    """Its message is dead, so that those behind it go on; they are decided on what is then known."""

    async def walk(it: Group) -> None:
        seen = refusing(it, 1)
        it.receive("gam_cha", of(1, 1), of(1, 2), of(2, 3))
        await it.runtime.until(lambda: seen[0] >= 1)
        refusing(it, 1)
        await it.rest(60)
        assert [await it.state(place) for place in (1, 2, 3)] == [
            MessageState.DEAD, MessageState.ROUTED, MessageState.ROUTED,
        ]  # fmt: skip
        assert it.left("dpi") == [2, 3]
        assert {it.number("dpi", place) for place in (2, 3)} == {one.number for one in it.store.disk.patients.values()}

    group(tmp_path, walk)
