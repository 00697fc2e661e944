"""MqttDestination against a real broker (support.broker), and against scripted peers that misbehave."""

from __future__ import annotations

import asyncio
import json
import ssl
import time
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

import aiomqtt
import pytest

from engine.core.messages import Delivery, delivery_id
from engine.core.ports import SendOutcome, SendResult
from engine.errors import DoorFailed
from engine.routes import configuration
from engine.transports.mqtt import MqttDestination, topic_fault
from tests.support.broker import broker, free_port

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
    async with asyncio.timeout(20):
        async for message in client.messages:
            messages.append(message)
            if len(messages) >= count:
                break
    return messages


def test_a_publication_reaches_a_subscriber_unchanged() -> None:
    """What is ACCEPTED is at the broker: a subscriber gets topic and bytes as they were given."""
    body = json.dumps({"event": "A01", "unit": "Réanimation"}).encode()

    async def main() -> None:
        with broker() as (_, port):
            async with subscriber(port, "reader") as reader, opened(destination(port)) as door:
                outcome = await sent(door, 1, body)
                assert outcome.result is SendResult.ACCEPTED
                (message,) = await received(reader, 1)
                assert str(message.topic) == TOPIC
                assert message.payload == body
                facts = door.facts()
                assert facts["connected"]
                assert facts["connects"] == 1
                assert facts["last_answer_ms"] > 0

    asyncio.run(main())


@pytest.mark.parametrize("qos", [0, 1, 2])
def test_many_publications_share_one_connection(qos: int) -> None:
    """Each of many sends, `connections` at once, is answered once and arrives, with every QoS."""

    async def main() -> None:
        with broker() as (_, port):
            where = destination(port, qos=qos, name=f"events{qos}")
            async with subscriber(port, f"reader{qos}") as reader, opened(where) as door:
                bodies = [b"%d %d" % (qos, number) for number in range(100)]
                for start in range(0, 100, 4):
                    ends = [sent(door, number, bodies[number]) for number in range(start, start + 4)]
                    outcomes = await asyncio.gather(*ends)
                    assert {outcome.result for outcome in outcomes} == {SendResult.ACCEPTED}
                messages = await received(reader, 100)
                assert {message.payload for message in messages} == set(bodies)
                assert door.facts()["connects"] == 1

    asyncio.run(main())


def test_a_large_body_arrives() -> None:
    """A body that takes many writes is accepted when the broker has all of it."""
    body = bytes(range(256)) * 8_000

    async def main() -> None:
        with broker() as (_, port):
            async with subscriber(port, "reader") as reader, opened(destination(port)) as door:
                assert (await sent(door, 1, body)).result is SendResult.ACCEPTED
                (message,) = await received(reader, 1)
                assert message.payload == body

    asyncio.run(main())


def test_a_broker_that_restarts_between_two_publications_loses_none() -> None:
    """While it is away a send ends NOT_SENT; when it is back the next send connects again, by itself."""

    async def main() -> None:
        with broker() as found:
            async with opened(destination(found.port)) as door:
                async with subscriber(found.port, "reader") as reader:
                    assert (await sent(door, 1, b"first")).result is SendResult.ACCEPTED
                    (first,) = await received(reader, 1)
                found.stop()
                away = await sent(door, 2, b"second")
                assert away.result in (SendResult.NOT_SENT, SendResult.NO_ANSWER)
                assert away.reason
                found.start()
                async with subscriber(found.port, "reader") as reader:
                    async with asyncio.timeout(20):
                        # The same delivery again, as the delivery stage does; at least once, never lost.
                        while (await sent(door, 2, b"second")).result is not SendResult.ACCEPTED:
                            pass
                    (second,) = await received(reader, 1)
                assert (first.payload, second.payload) == (b"first", b"second")
                assert door.facts()["connects"] == 2

    asyncio.run(main())


def test_a_subscriber_that_was_away_gets_what_was_published_meanwhile() -> None:
    """Publications are QoS 1 for a kept session: a subscriber with one loses nothing while it is away."""
    name = f"sleeper-{uuid.uuid4().hex[:8]}"

    async def main() -> None:
        with broker() as (_, port):
            async with subscriber(port, name, clean=False):
                pass
            async with opened(destination(port)) as door:
                for number in range(3):
                    assert (await sent(door, number, b"%d" % number)).result is SendResult.ACCEPTED
            async with aiomqtt.Client("127.0.0.1", port, identifier=name, clean_session=False) as reader:
                messages = await received(reader, 3)
                assert [message.payload for message in messages] == [b"0", b"1", b"2"]
            async with aiomqtt.Client("127.0.0.1", port, identifier=name, clean_session=True):
                pass  # a broker that lives on forgets it

    asyncio.run(main())


def test_a_broker_that_is_away_means_not_sent() -> None:
    """Connection refused: NOT_SENT with the address, at once; nothing is retried by the door itself."""

    async def main() -> None:
        port = free_port()
        async with opened(destination(port)) as door:
            outcomes = await asyncio.gather(*(sent(door, number, b"body") for number in range(4)))
            assert {outcome.result for outcome in outcomes} == {SendResult.NOT_SENT}
            assert f"127.0.0.1:{port}" in outcomes[0].reason
            assert not door.facts()["connected"]

    asyncio.run(main())


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


def test_a_peer_that_never_says_connack_means_not_sent_in_time() -> None:
    """TCP up, MQTT silent: NOT_SENT within connect_timeout, and the connection does not linger."""

    async def main() -> None:
        async with Peer(connack=b"") as peer:
            began = time.monotonic()
            async with opened(destination(peer.port, connect_timeout=0.4)) as door:
                outcome = await sent(door, 1, b"body")
                assert outcome.result is SendResult.NOT_SENT
                assert "0.4 s" in outcome.reason or "timed out" in outcome.reason
                assert time.monotonic() - began < 2.0
            assert len(peer.connects) == 1

    asyncio.run(main())


def test_a_connection_lost_after_publish_means_no_answer() -> None:
    """The bytes left and no PUBACK came: NO_ANSWER at once, not at the end of ack_timeout; the next send reconnects."""

    async def main() -> None:
        async with Peer(cut_at_publish=True) as peer:
            async with opened(destination(peer.port, ack_timeout=60.0)) as door:
                began = time.monotonic()
                outcomes = await asyncio.gather(*(sent(door, number, b"body") for number in range(3)))
                assert SendResult.NO_ANSWER in {outcome.result for outcome in outcomes}
                assert SendResult.ACCEPTED not in {outcome.result for outcome in outcomes}
                again = await sent(door, 1, b"body")
                assert again.result is SendResult.NO_ANSWER
                assert time.monotonic() - began < 10.0
            assert len(peer.connects) >= 2

    asyncio.run(main())


def test_a_broker_that_never_acknowledges_means_no_answer_and_a_new_connection() -> None:
    """Connected and silent: NO_ANSWER after ack_timeout, and the next attempt does not use that connection."""

    async def main() -> None:
        async with Peer() as peer:
            async with opened(destination(peer.port, ack_timeout=0.2)) as door:
                for _ in range(2):
                    outcome = await sent(door, 1, b"body")
                    assert outcome.result is SendResult.NO_ANSWER
                    assert "0.2 s" in outcome.reason
            assert len(peer.connects) == 2

    asyncio.run(main())


def test_the_client_id_and_the_session_are_kept_over_connections() -> None:
    """Each CONNECT has the same client id and asks to keep the session (clean session 0, MQTT 3.1.1 § 3.1.2.4)."""

    async def main() -> None:
        async with Peer(cut_at_publish=True) as peer:
            async with opened(destination(peer.port, username="pas", password="secret")) as door:
                await sent(door, 1, b"body")
                await sent(door, 1, b"body")
            first, second = peer.connects[:2]
            assert first == second
            assert first[7] == 0b1100_0000  # user name, password, session kept, no will
            assert b"passerelle-events" in first
        async with Peer(cut_at_publish=True) as peer:
            async with opened(destination(peer.port, qos=2, client_id="mine")) as door:
                await sent(door, 1, b"body")
            assert peer.connects[0][7] == 0b0000_0010  # QoS 2: a clean session, see the module
            assert peer.connects[0].endswith(b"\x00\x04mine")

    asyncio.run(main())


def test_a_refused_client_is_told_in_words() -> None:
    """CONNACK 5 (§ 3.2.2.3): NOT_SENT, and the sentence says that the broker refused."""

    async def main() -> None:
        async with (
            Peer(connack=b"\x20\x02\x00\x05") as peer,
            opened(destination(peer.port, username="pas", password="secret")) as door,
        ):
            outcome = await sent(door, 1, b"body")
            assert outcome.result is SendResult.NOT_SENT
            assert "Not authorized" in outcome.reason
            assert "secret" not in outcome.reason

    asyncio.run(main())


def test_closing_ends_every_send_once() -> None:
    """A send that waits for its acknowledgement ends NO_ANSWER at close; one after close ends NOT_SENT."""

    async def main() -> None:
        async with Peer() as peer, opened(destination(peer.port, ack_timeout=60.0, connections=1)) as door:
            end = sent(door, 1, b"body")
            await asyncio.wait_for(peer.published.wait(), 10)
            await door.close()
            assert (await end).result is SendResult.NO_ANSWER
            assert (await sent(door, 2, b"body")).result is SendResult.NOT_SENT

    asyncio.run(main())


def test_closing_while_connecting_ends_the_send_as_not_sent() -> None:
    """Nothing left before the engine stopped: NOT_SENT, without waiting for the peer."""

    async def main() -> None:
        async with Peer(connack=b"") as peer, opened(destination(peer.port, connect_timeout=1.0)) as door:
            end = sent(door, 1, b"body")
            await asyncio.wait_for(peer.asked.wait(), 10)
            began = time.monotonic()
            await door.close()
            assert (await end).result is SendResult.NOT_SENT
            assert time.monotonic() - began < 4.0

    asyncio.run(main())


@pytest.mark.parametrize("topic", ["", "ght/+/adt", "ght/#", "$SYS/x", "a\0b", "é" * 40_000])
def test_a_topic_that_is_none_is_not_sent_and_breaks_nothing(topic: str) -> None:
    """A wildcard or an empty topic would make the broker close the connection: it never leaves (§ 3.3.2.1)."""

    async def main() -> None:
        async with opened(destination(free_port())) as door:
            outcome = await sent(door, 1, b"body", topic)
            assert outcome.result is SendResult.NOT_SENT
            assert outcome.reason == topic_fault(topic) != ""

    asyncio.run(main())


def test_probe_goes_step_by_step_and_publishes_nothing() -> None:
    """The probe names the first step that fails, and does not disturb the connection that stands."""

    async def main() -> None:
        with broker() as found:
            async with subscriber(found.port, "reader") as reader, opened(destination(found.port)) as door:
                assert (await sent(door, 1, b"first")).result is SendResult.ACCEPTED
                steps = await door.probe()
                assert [(name, fine) for name, fine, _ in steps] == [
                    ("name", True),
                    ("connection", True),
                    ("mqtt", True),
                ]
                assert (await sent(door, 2, b"second")).result is SendResult.ACCEPTED
                assert door.facts()["connects"] == 1
                assert [message.payload for message in await received(reader, 2)] == [b"first", b"second"]
                found.stop()
                assert [(name, fine) for name, fine, _ in await door.probe()] == [("name", True), ("connection", False)]
        async with (
            Peer(connack=b"\x20\x02\x00\x05") as peer,
            opened(destination(peer.port, connect_timeout=2.0)) as door,
        ):
            *_, (name, fine, sentence) = await door.probe()
            assert (name, fine) == ("mqtt", False)
            assert "Not authorized" in sentence

    asyncio.run(main())


def test_a_name_that_does_not_resolve_is_the_probes_first_step() -> None:
    """`.invalid` never resolves (RFC 6761): the probe says so, a send is NOT_SENT."""

    async def main() -> None:
        async with opened(destination(0, url="mqtt://broker.invalid", connect_timeout=5.0)) as door:
            assert [(name, fine) for name, fine, _ in await door.probe()] == [("name", False)]
            assert (await sent(door, 1, b"body")).result is SendResult.NOT_SENT

    asyncio.run(main())


@pytest.mark.parametrize(
    "url", ["", "127.0.0.1:1883", "http://host", "mqtt://", "mqtt://host:port", "mqtt://me:secret@host", "mqtt://h/x"]
)
def test_an_address_that_is_none_is_told_before_anything_opens(url: str) -> None:
    """The door refuses it with what to write, and repeats no password."""
    with pytest.raises(DoorFailed, match=r"write mqtt://host:1883") as caught:
        MqttDestination(destination(0, url=url), LoopRuntime())
    assert "secret" not in str(caught.value)


CERTIFICATE = Path(__file__).parents[1] / "fixtures" / "tls" / "localhost.pem"
"""Self-signed for `localhost`, with its key; made for these tests, trusted by nobody."""


def test_with_a_trusted_certificate_the_connection_is_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    """`mqtts:` talks TLS to the broker, and takes its authorities from where the system's OpenSSL is told."""
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))

    async def main() -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE)
        with broker() as (host, port):

            async def copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
                try:
                    while data := await source.read(65_536):
                        target.write(data)
                finally:
                    target.close()

            async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                far_reader, far_writer = await asyncio.open_connection(host, port)
                await asyncio.gather(copy(reader, far_writer), copy(far_reader, writer), return_exceptions=True)

            server = await asyncio.start_server(relay, "127.0.0.1", 0, ssl=context)
            secure = server.sockets[0].getsockname()[1]
            where = destination(0, url=f"mqtts://localhost:{secure}")
            async with subscriber(port, "reader") as reader, opened(where) as door:
                outcome = await sent(door, 1, bytes(range(256)) * 4_000)
                assert outcome.result is SendResult.ACCEPTED, outcome.reason
                steps = await door.probe()
                assert [name for name, fine, _ in steps if fine] == ["name", "connection", "tls", "mqtt"]
                (message,) = await received(reader, 1)
                assert message.payload == bytes(range(256)) * 4_000
            server.close()

    asyncio.run(main())


def test_a_certificate_that_is_not_trusted_means_not_sent() -> None:
    """`mqtts:` verifies the broker against the system's authorities: a stranger's certificate is refused."""

    async def main() -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE)
        server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=context)
        port = server.sockets[0].getsockname()[1]
        async with opened(destination(0, url=f"mqtts://localhost:{port}", connect_timeout=5.0)) as door:
            outcome = await sent(door, 1, b"body")
            assert outcome.result is SendResult.NOT_SENT
            assert "certificate" in outcome.reason.lower()
            *_, (name, fine, sentence) = await door.probe()
            assert (name, fine) == ("tls", False)
            assert "certificate" in sentence.lower()
        server.close()

    asyncio.run(main())
