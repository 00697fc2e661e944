"""The receiver: its moods over a real socket, its ledger, its control port."""

import asyncio
import json

import pytest

from engine.errors import DoorFailed
from engine.protocols.mllp import frame
from engine.simulation.dpi import Dpi, Ledger, patients_of, place_in
from engine.simulation.moods import Mood, MoodName


def message(control_id, ipp="1"):
    return (f"MSH|^~\\&|A|B|C|D|20260101||ADT^A01^ADT_A01|{control_id}|P|2.5\r"
            f"PID|1||{ipp}^^^CHA&1.2.3&ISO^PI~5^^^X&1.2.250.1.213.1.4.10&ISO^INS\r").encode()  # fmt: skip


def with_dpi(work, **options):
    async def body():
        dpi = Dpi("127.0.0.1", 0, **options)
        await dpi.start()
        try:
            async with asyncio.timeout(60):
                return await work(dpi)
        finally:
            await dpi.stop()

    return asyncio.run(body())


async def send(dpi, *payloads):
    reader, writer = await asyncio.open_connection("127.0.0.1", dpi.port)
    try:
        writer.write(b"".join(map(frame, payloads)))
        return [await reader.readuntil(b"\x1c\r") for _ in payloads]
    finally:
        writer.close()


def test_a_message_is_accepted_with_its_control_id():
    """AA, MSA-2 = MSH-10, sender and receiver swapped."""

    async def work(dpi):
        return await send(dpi, message("12-0"))

    (answer,) = with_dpi(work)
    assert b"\rMSA|AA|12-0\r" in answer
    assert answer.startswith(b"\x0bMSH|^~\\&|DPI|GHT|A|B|")


@pytest.mark.parametrize(
    ("mood", "expected"),
    [
        (MoodName.BUSY, [b"MSA|AE|7-0", b"206^"]),
        (MoodName.ERROR, [b"MSA|AE|7-0"]),
        (MoodName.REJECT, [b"MSA|AR|7-0"]),
        (MoodName.REFUSE, [b"MSA|AE|7-0", b"204^"]),
        (MoodName.SLOW, [b"MSA|AA|7-0"]),
    ],
)
def test_each_mood_has_its_answer(mood, expected):
    """Tables 0008 and 0357; only SLOW accepts."""

    async def work(dpi):
        await dpi.set_mood(Mood(name=mood, delay=0.01 if mood is MoodName.SLOW else 0))
        (answer,) = await send(dpi, message("7-0"))
        return answer, dpi.facts()

    answer, facts = with_dpi(work)
    assert all(part in answer for part in expected)
    assert facts["accepted"] == (mood is MoodName.SLOW)


@pytest.mark.parametrize(("mood", "accepted"), [(MoodName.LOST, 1), (MoodName.CLOSE, 0)])
def test_a_hang_up_is_seen_by_the_sender(mood, accepted):
    """LOST has taken the message, CLOSE has not; neither answers."""

    async def work(dpi):
        await dpi.set_mood(Mood(name=mood))
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await send(dpi, message("7-0"))
        return dpi.facts()["accepted"]

    assert with_dpi(work) == accepted


def test_down_means_that_nobody_listens_and_well_that_somebody_does_again():
    """On the same port."""

    async def work(dpi):
        await dpi.set_mood(Mood(name=MoodName.DOWN))
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", dpi.port)
        await dpi.set_mood(Mood())
        return await send(dpi, message("7-0"))

    assert b"MSA|AA" in with_dpi(work)[0]


def test_silence_reads_and_never_answers():
    """The message is counted as received, not as accepted."""

    async def work(dpi):
        await dpi.set_mood(Mood(name=MoodName.SILENT))
        reader, writer = await asyncio.open_connection("127.0.0.1", dpi.port)
        writer.write(frame(message("7-0")))
        while not dpi.facts().get("received"):  # no clock, only the loop's turns
            await asyncio.sleep(0)
        assert not reader._buffer
        writer.close()
        return dpi.facts()

    facts = with_dpi(work)
    assert (facts["accepted"], facts["silent"]) == (0, 1)


def test_every_nth_message_meets_the_mood():
    """The others are accepted."""

    async def work(dpi):
        await dpi.set_mood(Mood(name=MoodName.ERROR, every=3))
        return await send(dpi, *(message(f"{number}-0") for number in range(1, 7)))

    assert [b"MSA|AE" in answer for answer in with_dpi(work)] == [False, False, True, False, False, True]


def test_a_picky_dpi_refuses_one_message_once():
    """Its second arrival, after an operator's retry, is accepted."""

    async def work(dpi):
        return await send(dpi, message("7-0"), message("7-0"))

    first, second = with_dpi(work, picky=1)
    assert b"MSA|AE" in first
    assert b"MSA|AA" in second


def test_slow_answers_keep_their_order():
    """Each takes its time; none overtakes."""

    async def work(dpi):
        await dpi.set_mood(Mood(name=MoodName.SLOW, delay=0.005))
        answers = asyncio.ensure_future(send(dpi, *(message(f"{number}-0") for number in range(5))))
        while dpi.facts().get("received", 0) < 5:  # no clock, only the loop's turns
            await asyncio.sleep(0)
        await dpi.set_mood(Mood())
        return await answers

    assert [answer.split(b"MSA|AA|")[1][:1] for answer in with_dpi(work)] == [b"0", b"1", b"2", b"3", b"4"]


def test_an_overtaken_message_is_an_inversion_and_a_repeated_one_a_duplicate():
    """By place, within one patient only."""
    ledger = Ledger()
    for control_id, patient in (("1-0", "a"), ("3-0", "a"), ("2-0", "b"), ("3-0", "a")):
        ledger.accept(control_id, [patient], b"")
    assert (ledger.inversions, ledger.counts["duplicates"]) == (0, 1)
    ledger.accept("2-1", ["a", "b"], b"")
    assert ledger.inversions == 1


def test_identifiers_for_order_have_an_authority():
    """PID-3 of type PI and MRG-1; the INS, archive numbers and third parties don't count."""
    payload = (b"MSH|^~\\&|\rPID|1||1^^^CHA&1.2.3&ISO^PI~5^^^INS&1&ISO^INS~A1^^^C^MR~3^^^DOCTOLIB^PI\r"
               b"MRG|2^^^CHA&1.2.3&ISO^PI\r")  # fmt: skip
    assert patients_of(payload) == ["1^^^CHA&1.2.3&ISO^PI", "2^^^CHA&1.2.3&ISO^PI"]


@pytest.mark.parametrize(("control_id", "place"), [("48211-0", 48211), ("run7-12", 12), ("abc", None), ("", None)])
def test_a_control_id_tells_its_rank(control_id, place):
    """The engine's own, or a sequence after a dash."""
    assert place_in(control_id) == place


def test_the_control_port_sets_the_mood_and_tells_what_came():
    """One JSON object a line, errors included."""

    async def work(dpi):
        port = await dpi.start_control(0)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)

        async def ask(**question):
            writer.write(json.dumps(question).encode() + b"\n")
            return json.loads(await reader.readline())

        await send(dpi, message("r1-1", "42"))
        answers = [
            await ask(cmd="count", prefix="r1-"), await ask(cmd="dump", prefix="r1-"), await ask(cmd="last"),
            await ask(cmd="set", mode="reject"), await ask(cmd="stats"), await ask(cmd="set", mode="sad"),
            await ask(cmd="dance"), await ask(cmd="reset"), await ask(cmd="count"),
        ]  # fmt: skip
        writer.close()
        return answers

    count, dump, last, put, stats, sad, dance, reset, after = with_dpi(work)
    assert count == {"n": 1}
    assert (dump[0][0], dump[0][2:]) == ("r1-1", [1, 0, "42"])
    assert "ADT^A01" in last["msg"]
    assert put == {"ok": True, "mode": "reject"}
    assert stats["mode"] == "reject"
    assert "error" in sad
    assert "dance" in dance["error"]
    assert (reset, after) == ({"ok": True}, {"n": 0})


def test_a_taken_port_is_one_sentence():
    """With the address and what to do."""

    async def work(dpi):
        with pytest.raises(DoorFailed, match=rf"127\.0\.0\.1:{dpi.port}.*routes\.yaml"):
            await Dpi("127.0.0.1", dpi.port).start()

    with_dpi(work)


def test_moods_follow_their_script_and_end_well():
    """Each is said when it begins."""

    async def work(dpi):
        said = []
        turns = iter([(Mood(name=MoodName.BUSY), 0.001), (Mood(name=MoodName.DOWN), 0.001)])
        await dpi.live(turns, lambda mood: said.append(mood.name))
        assert b"MSA|AA" in (await send(dpi, message("1-0")))[0]
        return said

    assert with_dpi(work) == ["busy", "down"]
