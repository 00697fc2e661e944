"""The MQTT destination on the real event loop, and who subscribes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Self

import aiomqtt

from engine.core.messages import Delivery, delivery_id
from engine.core.ports import SendOutcome
from engine.routes import configuration
from engine.transports.mqtt import MqttDestination

TOPIC = "ght/cha/adt/A01"


class LoopRuntime:
    """The real world, as far as this door asks for it; a coroutine that fails fails the test."""

    def __init__(self) -> None:
        self.tasks: set[asyncio.Task[None]] = set()
        self.failures: list[BaseException] = []

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def utc_offset_seconds(self) -> int:
        return 0

    def monotonic(self) -> float:
        return time.monotonic()

    def call_later(self, delay: float, callback: Callable[[], None]) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(delay, callback)

    def call_soon(self, callback: Callable[[], None]) -> None:
        asyncio.get_running_loop().call_soon(callback)

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self.tasks.add(task)
        task.add_done_callback(self._ended)

    def random(self) -> float:
        return 0.5

    def _ended(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        if not task.cancelled() and (failure := task.exception()) is not None:
            self.failures.append(failure)


def destination(port: int, **changes: Any) -> configuration.Destination:
    values = {
        "name": "events",
        "type": "mqtt",
        "url": f"mqtt://127.0.0.1:{port}",
        "connections": 4,
        "connect_timeout": 10.0,
        "ack_timeout": 10.0,
        **changes,
    }
    return configuration.Destination(**values)


@asynccontextmanager
async def opened(where: configuration.Destination) -> AsyncIterator[MqttDestination]:
    """Give an open door; afterwards nothing of it is left, and no coroutine of it failed."""
    runtime = LoopRuntime()
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    door = MqttDestination(where, runtime)
    await door.open()
    try:
        yield door
    finally:
        await door.close()
        if runtime.tasks:
            await asyncio.wait(runtime.tasks, timeout=5)
    assert not runtime.failures
    assert not runtime.tasks
    assert not complaints


def sent(door: MqttDestination, number: int, data: bytes, topic: str = TOPIC) -> asyncio.Future[SendOutcome]:
    """Send; the future fails when `done` is called twice or from within `send`."""
    end: asyncio.Future[SendOutcome] = asyncio.get_running_loop().create_future()
    delivery = Delivery(delivery_id(number, 0), "events", "adt", target=topic)
    within = True

    def done(which: Delivery, outcome: SendOutcome) -> None:
        assert which is delivery
        assert not within
        end.set_result(outcome)

    door.send(delivery, data, done)
    within = False
    return end


@asynccontextmanager
async def subscriber(port: int, name: str, *, clean: bool = True) -> AsyncIterator[aiomqtt.Client]:
    async with aiomqtt.Client("127.0.0.1", port, identifier=name, clean_session=clean) as client:
        await client.subscribe("ght/#", qos=1)
        yield client


async def received(client: aiomqtt.Client, count: int) -> list[aiomqtt.Message]:
    messages: list[aiomqtt.Message] = []
    async with asyncio.timeout(60):
        async for message in client.messages:
            messages.append(message)
            if len(messages) >= count:
                break
    return messages


class Peer:
    """A scripted broker: answers CONNECT as told, then swallows, and tells what packets it saw."""

    def __init__(self, connack: bytes = b"\x20\x02\x00\x00", *, cut_at_publish: bool = False) -> None:
        self._connack = connack
        self._cut = cut_at_publish
        self.connects: list[bytes] = []
        self.asked = asyncio.Event()
        self.published = asyncio.Event()
        self.port = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readexactly(2)
                body = await reader.readexactly(head[1])
                if head[0] >> 4 == 1:
                    self.connects.append(body)
                    self.asked.set()
                    writer.write(self._connack)
                elif head[0] >> 4 == 3:
                    self.published.set()
                    if self._cut:
                        break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
