"""What becomes of a send: answered, not sent, or without an answer; a suspect connection isn't used again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from engine.core.messages import Delivery
from engine.core.ports import SendOutcome, SendResult
from engine.daemon.runtime import LoopRuntime
from engine.routes.configuration import Destination
from engine.transports.mllp_destination import MllpDestination
from tests.support.engine import free_port
from tests.support.mllp import Receiver, plain_ack, receiver


def message(control_id: str) -> bytes:
    return f"MSH|^~\\&|P|G|||2026||ADT^A01|{control_id}|P|2.5\r".encode()


class Street:
    """A door and its receiver."""

    def __init__(self, door: MllpDestination, fake: Receiver) -> None:
        self.door, self.fake = door, fake

    async def send(self, control_id: str) -> SendOutcome:
        future: asyncio.Future[SendOutcome] = asyncio.get_running_loop().create_future()
        delivery = Delivery(id=int(control_id[1:]), destination="dpi", route="r", control_id=control_id)
        inside = True

        def done(ended: Delivery, outcome: SendOutcome) -> None:
            assert ended is delivery
            assert not inside, "done was called from within send"
            future.set_result(outcome)

        self.door.send(delivery, message(control_id), done)
        inside = False
        return await asyncio.wait_for(future, 60)


def street(test: Any, reply: Callable[[bytes], bytes | None] = plain_ack, port: int = 0, **options: Any) -> None:
    async def run() -> None:
        async with receiver(reply) as fake:
            destination = Destination(
                name="dpi",
                type="mllp",
                host="127.0.0.1",
                port=port or fake.port,
                ack_timeout=0.3,
                connect_timeout=1.0,
                **options,
            )
            door = MllpDestination(destination, LoopRuntime(asyncio.get_running_loop(), lambda: None))
            await door.open()
            try:
                await test(Street(door, fake))
            finally:
                await door.close()

    asyncio.run(run())


def test_answers_come_back_and_connections_stay() -> None:
    """Each send gets its answer; sends one after the other share a connection."""

    async def test(it: Street) -> None:
        for control_id in ("M1", "M2", "M3"):
            outcome = await it.send(control_id)
            assert outcome.result is SendResult.ANSWERED
            assert f"|AA|{control_id}".encode() in outcome.data
        assert it.door.facts()["connections"] == 1

    street(test)


def test_several_at_once() -> None:
    """Up to `connections` messages are under way at once, one on each."""

    async def test(it: Street) -> None:
        outcomes = await asyncio.gather(*(it.send(f"M{n}") for n in range(4)))
        assert {outcome.result for outcome in outcomes} == {SendResult.ANSWERED}
        assert it.door.facts()["connections"] == 4

    street(test, connections=4)


def test_nobody_listens() -> None:
    """A refused connection is NOT_SENT, with the address in words."""
    port = free_port()

    async def test(it: Street) -> None:
        outcome = await it.send("M1")
        assert outcome.result is SendResult.NOT_SENT
        assert str(port) in outcome.reason
        assert [fine for _, fine, _ in await it.door.probe()] == [True, False]

    street(test, port=port)


def test_no_answer() -> None:
    """A receiver that hangs: NO_ANSWER after ack_timeout, and the connection is given up."""

    async def test(it: Street) -> None:
        outcome = await it.send("M1")
        assert outcome.result is SendResult.NO_ANSWER
        assert "0.3 s" in outcome.reason
        assert it.door.facts()["connections"] == 0

    street(test, reply=lambda raw: None)


def test_the_receiver_hangs_up() -> None:
    """A connection lost before the answer is NO_ANSWER; the next send opens another."""

    async def test(it: Street) -> None:
        it.fake.reply = lambda raw: it.fake.hang_up()
        assert (await it.send("M1")).result is SendResult.NO_ANSWER
        it.fake.reply = plain_ack
        assert (await it.send("M2")).result is SendResult.ANSWERED

    street(test)


def test_an_answer_to_another_message() -> None:
    """It is handed on to be judged, and the connection isn't used again."""

    async def test(it: Street) -> None:
        it.fake.reply = lambda raw: plain_ack(message("OTHER"))
        assert (await it.send("M1")).result is SendResult.ANSWERED
        assert it.door.facts()["connections"] == 0
        assert it.door.facts()["answers_suspect"] == 1

    street(test)


def test_probe_sends_nothing() -> None:
    """A probe tries name and connection, and the receiver gets no message."""

    async def test(it: Street) -> None:
        assert all(fine for _, fine, _ in await it.door.probe())
        assert it.fake.messages == []

    street(test)


def test_closing_says_that_the_engine_stopped() -> None:
    """What is under way at the stop has no answer, and the reason is ours, not the receiver's."""

    async def test(it: Street) -> None:
        sending = asyncio.create_task(it.send("M1"))
        await it.fake.wait_for(1)
        await it.door.close()
        outcome = await sending
        assert outcome.result is SendResult.NO_ANSWER
        assert "the engine stopped" in outcome.reason

    street(test, reply=lambda raw: None)


def test_closing_while_a_connection_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing leaves through a closed door: nobody would look at the time of its answer any more."""

    async def test(it: Street) -> None:
        made, go = asyncio.Event(), asyncio.Event()
        loop = asyncio.get_running_loop()
        create = loop.create_connection

        async def slow(*of: Any) -> Any:
            made.set()
            await go.wait()
            return await create(*of)

        monkeypatch.setattr(loop, "create_connection", slow)
        sending = asyncio.create_task(it.send("M1"))
        await made.wait()
        await it.door.close()
        go.set()
        outcome = await sending
        assert (outcome.result, outcome.reason) == (SendResult.NOT_SENT, "the door was closed")
        assert it.fake.messages == []

    street(test)
