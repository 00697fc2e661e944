"""MQTT with peers that don't do as a broker should: scripted, on real sockets."""

from __future__ import annotations

import asyncio

from engine.core.ports import SendResult
from tests.support.mqtt import Peer, destination, opened, sent

NEVER_SECONDS = 600.0
"""Longer than a test may take: who waited for this fails."""


def test_a_peer_that_never_says_connack_means_not_sent_in_time() -> None:
    """TCP up, MQTT silent: NOT_SENT within connect_timeout, and the connection does not linger."""

    async def main() -> None:
        async with Peer(connack=b"") as peer:
            async with opened(destination(peer.port, connect_timeout=0.4)) as door:
                outcome = await sent(door, 1, b"body")
                assert outcome.result is SendResult.NOT_SENT
                assert "0.4 s" in outcome.reason or "timed out" in outcome.reason
            assert len(peer.connects) == 1

    asyncio.run(main())


def test_a_connection_lost_after_publish_means_no_answer() -> None:
    """The bytes left and no PUBACK came: NO_ANSWER at once, not at the end of ack_timeout; the next send reconnects."""

    async def main() -> None:
        async with Peer(cut_at_publish=True) as peer:
            async with opened(destination(peer.port, ack_timeout=NEVER_SECONDS)) as door:
                outcomes = await asyncio.gather(*(sent(door, number, b"body") for number in range(3)))
                assert SendResult.NO_ANSWER in {outcome.result for outcome in outcomes}
                assert SendResult.ACCEPTED not in {outcome.result for outcome in outcomes}
                again = await sent(door, 1, b"body")
                assert again.result is SendResult.NO_ANSWER
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
        async with Peer() as peer, opened(destination(peer.port, ack_timeout=NEVER_SECONDS, connections=1)) as door:
            end = sent(door, 1, b"body")
            await asyncio.wait_for(peer.published.wait(), 60)
            await door.close()
            assert (await end).result is SendResult.NO_ANSWER
            assert (await sent(door, 2, b"body")).result is SendResult.NOT_SENT

    asyncio.run(main())


def test_closing_while_connecting_ends_the_send_as_not_sent() -> None:
    """Nothing left before the engine stopped: NOT_SENT, without waiting for the peer."""

    async def main() -> None:
        async with Peer(connack=b"") as peer, opened(destination(peer.port, connect_timeout=2.0)) as door:
            end = sent(door, 1, b"body")
            await asyncio.wait_for(peer.asked.wait(), 60)
            await door.close()
            outcome = await end
            assert (outcome.result, outcome.reason) == (SendResult.NOT_SENT, "the engine is stopping")

    asyncio.run(main())
