"""The client with the manners of legacy systems: nothing is lost, order is kept, whatever the listener does."""

import asyncio

import pytest

from engine.protocols.mllp import NEED_DATA, Block, MllpDecoder, frame
from engine.simulation.sender import Manners, Sender, read_answer
from engine.simulation.writing import Outgoing


def outgoing(number):
    payload = f"MSH|^~\\&|A|B|C|D|20260101||ADT^A01|m{number}|P|2.5\rPID|1\r".encode()
    return Outgoing("gam", f"m{number}", "ADT^A01", payload, "cha", "cha/1")


class Listener:
    """Answers by a script: a code, `cut` (hang up), or `lost` (take, then hang up)."""

    def __init__(self, script=()):
        self.script = list(script)
        self.taken = []
        self.connections = 0

    async def serve(self, reader, writer):
        self.connections += 1
        decoder = MllpDecoder(max_block_bytes=10**6)
        while data := await reader.read(4096):
            decoder.receive_data(data)
            while (event := decoder.next_event()) is not NEED_DATA:
                if isinstance(event, Block) and not self.answer(event.payload, writer):
                    writer.close()
                    return
        writer.close()

    def answer(self, payload, writer):
        control_id = payload.split(b"|")[9]
        what = self.script.pop(0) if self.script else "AA"
        if what == "cut":
            return False
        if what in ("AA", "AE", "lost"):
            self.taken.append(control_id.decode())
        if what == "lost":
            return False
        writer.write(frame(b"MSH|^~\\&|X\rMSA|" + what.encode() + b"|" + control_id + b"\r"))
        return True


def run(messages, manners, script=()):
    async def body():
        listener, answers = Listener(script), []
        server = await asyncio.start_server(listener.serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        sender = Sender("gam", "127.0.0.1", port, manners=manners, seed=1,
                        answered=lambda message, code: answers.append((message.control_id, code)))  # fmt: skip
        for number in range(messages):
            sender.send(outgoing(number))
        task = asyncio.ensure_future(sender.run())
        async with asyncio.timeout(60):
            await sender.drained()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        server.close()
        return listener, answers, sender

    return asyncio.run(body())


@pytest.mark.parametrize(
    "manners",
    [
        Manners(),
        Manners(pipelined=8),
        Manners(byte_by_byte=1),
        Manners(junk=1),
        Manners(cut_end=1),
        Manners(hang_up=1),
        Manners(pipelined=4, byte_by_byte=0.2, junk=0.5, cut_end=0.3, hang_up=0.5),
    ],
)
def test_every_manner_brings_every_message_in_order(manners):
    """Once each, when everything is answered AA."""
    listener, answers, sender = run(20, manners)
    assert listener.taken == [f"m{number}" for number in range(20)]
    assert answers == [(f"m{number}", "AA") for number in range(20)]
    assert sender.waiting == 0


@pytest.mark.parametrize("fault", ["cut", "lost", "AR"])
@pytest.mark.parametrize("pipelined", [1, 5])
def test_what_got_no_final_answer_is_sent_again_first(fault, pipelined):
    """A cut, a lost answer, AR: the same message again, nothing newer before it."""
    listener, answers, sender = run(6, Manners(pause=0.001, pipelined=pipelined), ["AA", "AA", fault])
    assert [control_id for control_id, _ in answers] == [f"m{number}" for number in range(6)]
    once = list(dict.fromkeys(listener.taken))
    if (fault, pipelined) != ("AR", 5):  # what was already on its way can't wait for what is refused
        assert once == [f"m{number}" for number in range(6)]
    assert sorted(once) == [f"m{number}" for number in range(6)]
    assert listener.connections >= 2
    assert sender.counts["sent"] >= 7


def test_a_refusal_is_final():
    """AE: the sender goes on, and somebody hears of it."""
    _, answers, _ = run(2, Manners(), ["AE"])
    assert answers == [("m0", "AE"), ("m1", "AA")]


def test_a_sender_that_lost_an_answer_sends_the_same_bytes_again():
    """What the engine must recognise as a retransmission."""
    listener, _, sender = run(30, Manners(twice=0.2))
    assert sender.counts["twice"] > 0
    assert len(listener.taken) == 30 + sender.counts["twice"]
    assert len(set(listener.taken)) == 30


def test_answers_are_read_whatever_their_delimiters():
    """MSA-1 and MSA-2; nothing where there is no MSA."""
    assert read_answer(b"MSH|^~\\&|X\rMSA|AA|12\r") == ("AA", "12")
    assert read_answer(b"MSH$^~\\&$X\nMSA$AE\n") == ("AE", "")
    assert read_answer(b"HTTP/1.1 400") == ("", "")
