"""MqttDestination against a real broker (support.broker), and against scripted peers that misbehave."""

from __future__ import annotations

import asyncio
import json
import uuid

import aiomqtt
import pytest

from engine.core.ports import SendResult
from engine.errors import DoorFailed
from engine.transports.mqtt import MqttDestination, topic_fault
from tests.support.broker import broker, free_port
from tests.support.mqtt import TOPIC, LoopRuntime, Peer, destination, opened, received, sent, subscriber


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
                    async with asyncio.timeout(60):
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
