"""A store with a small history, a fake running engine, and a control server in a thread: for operations and CLI."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from engine.core.changes import Fulfil, Identify, Receive, Refuse, Route, Settle
from engine.core.lifecycle import DeliveryState, MessageState
from engine.core.messages import Attempt, Delivery, Intention, PayloadKind, Refusal, StoredMessage, delivery_id
from engine.core.ports import Urgency
from engine.core.references import References
from engine.operations.control import ControlServer
from engine.operations.desk import Desk, Standstill
from engine.operations.service import Operations
from engine.routes.configuration import Authority, Configuration, Destination, Key, Site, Source
from engine.routes.configuration import Route as ConfiguredRoute
from engine.routes.differences import Differences, differences
from engine.routes.searching import search_hashes
from engine.store.memory import MemoryStore

NOW_MS = 1_700_000_000_000
"""2023-11-14, the clock of these tests."""
BEGIN_MS = NOW_MS - 600_000
"""The first message came a second later."""
SECRETS = ("ZUBROWKA", "Théodule", "19770419", "990077123", "rue des Lilas", "0612345678")
"""Synthetic values of the body that nobody may see masked."""
BODY = (
    "MSH|^~\\&|GAM|CHA|DPI|GHT|20231114100000||ADT^A01^ADT_A01|C{n}|P|2.5|||||FRA|UNICODE UTF-8\r"
    "EVN|A01|20231114100000\r"
    "PID|1||990077123^^^CHA-IPP&1.2.250.1.999.10.1&ISO^PI||ZUBROWKA^Théodule||19770419|M|||"
    "12 rue des Lilas^^LYON^^69003||0612345678\r"
    "PV1|1|I|CARD^12^3\r"
)
DESTINATION = "dpi"
SOURCE = "gam_cha"


def body(number: int) -> bytes:
    """Return the bytes of the n-th message."""
    return BODY.format(n=number).encode()


def configuration() -> Configuration:
    """Return a configuration with one source, one route, one destination."""
    ipp = Authority(name="ipp", site="cha", type="PI", oid="1.2.250.1.999.10.1", hd1="CHA-IPP")
    source = Source(name=SOURCE, type="mllp", site="cha", host="127.0.0.1", port=6101)
    route = ConfiguredRoute(name="adt_to_dpi", sources=(SOURCE,))
    return Configuration(
        hash="c0ffee", text="", files=("routes.yaml",), group_authorities={},
        sites={"cha": Site(name="cha", authorities={"ipp": ipp})}, sources={SOURCE: source},
        destinations={DESTINATION: Destination(name=DESTINATION, type="mllp", contact={"phone": "5555"})},
        routes=(route,), keys={"ipp": Key(name="ipp", paths=())}, lists={}, routes_of={SOURCE: (route,)},
    )  # fmt: skip


class FakeChanging:
    """What changes the configuration of a running engine: notes what is asked."""

    def __init__(self, live: FakeLive) -> None:
        self.live = live
        self.path = Path("routes.yaml").absolute()
        self.asked: list[tuple[str, ...]] = []
        self.trouble: Exception | None = None
        self.former: dict[str, Configuration] = {}

    async def kept(self, hash_: str) -> Configuration:
        return self.former[hash_]

    async def take_over(
        self, configuration: Configuration, *, verb: str, who: str, reason: str, seconds: float = 0.0
    ) -> Differences:
        if self.trouble is not None:
            raise self.trouble
        self.asked.append((verb, configuration.hash, who, reason, f"{seconds:g}"))
        changes = differences(self.live.runs, configuration)
        self.live.runs = configuration
        return changes

    async def confirm(self, *, who: str, reason: str) -> None:
        self.asked.append(("confirm", who, reason))

    async def refuse(self, sentence: str, *, who: str, reason: str, hash_: str = "") -> None:
        self.asked.append(("refuse", sentence, who, reason))


class FakeLive:
    """A running engine as operations see it."""

    def __init__(self) -> None:
        self.runs = configuration()
        self.running = FakeChanging(self)
        self.trial_until_ms = 0
        self.refused = ""
        self.facts: dict[str, dict[str, Any]] = {DESTINATION: {}}
        self.source_facts: dict[str, Any] = {}
        self.router_findings: dict[str, int] = {}
        self.alerts: dict[str, list[dict[str, Any]]] = {"open": [], "last": []}
        self.overtake: Callable[[], None] = lambda: None
        self.identified: list[Identify] = []
        self.decided: tuple[int, ...] = (0,)
        self.steps = [("name", True, "127.0.0.1"), ("connect", True, "in 1 ms")]

    def configuration(self) -> Configuration:
        return self.runs

    def engine(self) -> Mapping[str, Any]:
        return {"started_ms": NOW_MS - 3_600_000, "version": "0.1.0", "store_trouble": "", "alerts": self.alerts,
                "configuration": self.runs.hash, "confirm_until_ms": self.trial_until_ms,
                "configuration_refused": self.refused}  # fmt: skip

    def sources(self) -> Mapping[str, Mapping[str, Any]]:
        return {SOURCE: {"connections": 2, "last_ms": NOW_MS - 1000} | self.source_facts}

    def destinations(self) -> Mapping[str, Mapping[str, Any]]:
        return self.facts

    def router(self) -> Mapping[str, Any]:
        return {"main": {"waiting": 0, "findings": self.router_findings}}

    def between_messages(self) -> contextlib.AbstractAsyncContextManager[Standstill]:
        return contextlib.nullcontext(Standstill(self.decided, self.identified.append))

    async def probe(self, destination: str) -> list[tuple[str, bool, str]]:
        return self.steps


async def submitted(store: Any, change: Any) -> Any:
    """Submit a change and return its receipt."""
    future = asyncio.get_running_loop().create_future()
    store.submit(change, Urgency.NOW, future.set_result)
    outcome = await future
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


async def receive(store: Any, number: int, **route: Any) -> int:
    """Receive and route one message; return its place."""
    message = StoredMessage(
        source=SOURCE, group="main", raw=body(number), received_ms=BEGIN_MS + number * 1000, peer="10.0.0.1",
        control_id=f"C{number}", type="ADT^A01", site="cha",
    )  # fmt: skip
    place = int((await submitted(store, Receive(message))).place)
    for delivery in route.get("deliveries", ()):
        delivery.id = delivery_id(place, 0)
    state = route.pop("state", MessageState.ROUTED)
    await submitted(store, Route(place, "main", SOURCE, MessageState.RECEIVED, state, site="cha", **route))
    return place


def delivery(**more: Any) -> Delivery:
    """Return a delivery to `dpi`; its id is given by `receive`."""
    return Delivery(id=0, destination=DESTINATION, route="adt_to_dpi", lanes=(77,), type="ADT^A01",
                    payload_kind=PayloadKind.RAW, **more)  # fmt: skip


async def settle(store: Any, place: int, state: DeliveryState, **more: Any) -> None:
    """Settle the first attempt of a message's only delivery."""
    number = delivery_id(place, 0)
    await submitted(store, Settle(
        delivery=number, destination=DESTINATION, expected_attempt=0, state=state,
        queued=state == DeliveryState.PENDING, begin_ms=NOW_MS - 2000, end_ms=NOW_MS - 1000, **more,
    ))  # fmt: skip


async def fill(store: Any, references: References) -> None:
    """Write the history: 1 delivered, 2 waiting, 3 and 4 dead deliveries, 5 dead message, 6 filtered; a refusal."""
    hashed = search_hashes(configuration(), references, "ipp", "990077123")
    one = await receive(store, 1, deliveries=[delivery()], keys=hashed)
    await settle(store, one, DeliveryState.DELIVERED)
    await receive(store, 2, deliveries=[delivery()])
    for number in (3, 4):
        place = await receive(store, number, deliveries=[delivery()])
        answer = b"MSA|AE|ZUBROWKA"
        attempt = Attempt(delivery_id(place, 0), 1, NOW_MS - 2000, NOW_MS - 1000, "refused", "AE 102", answer)
        await settle(store, place, DeliveryState.DEAD, code="AE 102", field="PID-7",
                     reason=f"the receiver refused 'n{number}'", attempt=attempt)  # fmt: skip
    await receive(store, 5, state=MessageState.DEAD, code="E-SITE-UNKNOWN", field="MSH-4", reason="no site")
    await receive(store, 6, state=MessageState.FILTERED)
    await submitted(store, Refuse(Refusal(SOURCE, "10.0.0.9", NOW_MS, "E-NO-HEADER", "no MSH", 12, b"ZUBROWKA 123")))


def obey(store: Any, *, accepted: bool = True, outcome: str = "carried out") -> list[Intention]:
    """Play the stages: fulfil every intention with the same outcome; return those seen."""
    seen: list[Intention] = []

    def executed(intention: Intention) -> None:
        seen.append(intention)
        store.submit(Fulfil(intention.id, accepted, outcome), Urgency.NOW)

    for stage in ("router", "delivery"):
        store.on_intentions(stage, executed)
    return seen


async def opened(**more: Any) -> tuple[Desk, MemoryStore]:
    """Return a desk over a filled memory store, with a fake engine."""
    store = MemoryStore()
    await store.open(now_ms=NOW_MS)
    references = References(store.reference_key)
    await fill(store, references)
    given: dict[str, Any] = {"live": FakeLive(), "outcome_within": 5.0} | more
    return Desk(queries=store.queries, store=store, now_ms=lambda: NOW_MS, references=references, **given), store


async def overtake(store: Any, state: DeliveryState = DeliveryState.DELIVERED, lane: int = 77) -> None:
    """Receive message 7, of the lane of the dead letters 3 and 4 or another, and settle its delivery."""
    copy = delivery()
    copy.lanes = (lane,)
    place = await receive(store, 7, deliveries=[copy], keys=[lane])
    if state is not DeliveryState.PENDING:
        await settle(store, place, state)


@contextlib.contextmanager
def engine_in_thread(directory: Path, **obeying: Any) -> Iterator[FakeLive]:
    """Run a control server over a filled memory store in a thread, as a daemon would."""
    ready, live = threading.Event(), FakeLive()
    stop: list[Any] = []

    async def serve() -> None:
        desk, store = await opened(live=live)
        obey(store, **obeying)
        server = ControlServer(directory, Operations(desk), now_ms=lambda: NOW_MS)
        await server.open()
        finished = asyncio.Event()
        loop = asyncio.get_running_loop()
        live.overtake = lambda: asyncio.run_coroutine_threadsafe(overtake(store), loop).result(10)
        stop.append((loop, finished))
        ready.set()
        await finished.wait()
        await server.close()
        await store.close()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert ready.wait(10), "the engine did not start"
    try:
        yield live
    finally:
        loop, finished = stop[0]
        loop.call_soon_threadsafe(finished.set)
        thread.join(10)


def call(name: str, who: str = "nurse", /, obeying: dict[str, Any] | None = None, live: FakeLive | None = None,
         stopped: bool = False, **arguments: Any) -> dict[str, Any]:  # fmt: skip
    """Carry out one operation over the filled store."""
    return calls([(name, arguments)], who, obeying=obeying, live=live, stopped=stopped)[-1]


def calls(requests: list[tuple[str, dict[str, Any]]], who: str = "nurse", *, obeying: dict[str, Any] | None = None,
          live: FakeLive | None = None, stopped: bool = False) -> list[dict[str, Any]]:  # fmt: skip
    """Carry out several operations over one filled store; answers must go to JSON."""

    async def run() -> list[dict[str, Any]]:
        more: dict[str, Any] = {"live": live or FakeLive()}
        if stopped:
            more = {"live": None, "known": configuration(), "stopped_since_ms": NOW_MS - 60_000}
        desk, store = await opened(**more)
        if not stopped:
            obey(store, **(obeying or {}))
        answers = [await Operations(desk).call(name, arguments, who=who) for name, arguments in requests]
        await store.close()
        return answers

    answers = asyncio.run(run())
    assert json.loads(json.dumps(answers)) == answers
    assert all(answer["v"] == 1 for answer in answers)
    return answers
