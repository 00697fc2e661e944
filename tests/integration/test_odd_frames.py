"""Blocks in any cut of the stream: broken, endless, too long, several at once."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.support.mllp import VT, field_of, framed
from tests.support.odd import BOTH_WAYS, a01, case


def test_two_messages_in_one_write_and_a_hundred_pipelined(tmp_path: Path) -> None:
    """Each message is answered, in the order of its connection."""

    async def run() -> None:
        async with case(tmp_path) as it:
            sender = await it.connect()
            await sender.write(b"".join(framed(a01(f"P{n}", ipp=str(n))) for n in range(102)))
            answers = [await sender.answer() for _ in range(102)]
            assert [field_of(answer, b"MSA", 2) for answer in answers] == [f"P{n}" for n in range(102)]
            assert {field_of(answer, b"MSA", 1) for answer in answers} == {"AA"}
            await it.dpi.wait_for(102)
            await sender.close()

    asyncio.run(run())


@pytest.mark.parametrize(
    "stream",
    [
        pytest.param(VT + b"%b\x1c", id="FS without CR"),
        pytest.param(b"\r" + VT + b"%b\x1c\r", id="CR before VT"),
        pytest.param(b"  \r\njunk" + VT + b"%b\x1c\r", id="junk before VT"),
        pytest.param(VT + VT + b"%b\x1c\r", id="a second VT"),
    ],
)
@BOTH_WAYS
def test_broken_frames(tmp_path: Path, stream: bytes, byte_by_byte: bool) -> None:
    """Frames that are not quite right still carry their message."""

    async def run() -> None:
        async with case(tmp_path) as it:
            sender = await it.connect()
            await sender.write(stream.replace(b"%b", a01("F1")), byte_by_byte=byte_by_byte)
            assert field_of(await sender.answer(), b"MSA", 1) == "AA"
            await sender.close()
            assert await it.engine.raw(1) == a01("F1")

    asyncio.run(run())


def test_the_end_of_a_block_inside_a_number(tmp_path: Path) -> None:
    """A message under half a patient number is refused, and the connection goes on."""
    torn = a01("H1").replace(b"PID|", b"PID|\x1c9")

    async def run() -> None:
        async with case(tmp_path) as it:
            sender = await it.connect()
            await sender.write(framed(torn))
            answer = await sender.answer()
            assert [field_of(answer, b"MSA", number) for number in (1, 2)] == ["AR", "H1"]
            assert b"0x1C" in answer
            await sender.write(framed(a01("H2")))
            assert field_of(await sender.answer(), b"MSA", 1) == "AA"
            assert it.engine.service.sources()["gam"]["refusals"] == {"E-TRUNCATED": 1}
            await sender.close()

    asyncio.run(run())


def test_a_write_that_ends_between_fs_and_cr(tmp_path: Path) -> None:
    """The CR that comes later is part of the frame: the next message is read."""

    async def run() -> None:
        async with case(tmp_path) as it:
            sender = await it.connect()
            await sender.write(VT + a01("X1") + b"\x1c")
            assert field_of(await sender.answer(), b"MSA", 2) == "X1"
            await sender.write(b"\r" + framed(a01("X2", ipp="43")))
            assert field_of(await sender.answer(), b"MSA", 2) == "X2"
            await sender.close()

    asyncio.run(run())


def test_a_block_that_never_ends(tmp_path: Path) -> None:
    """After the limit the sender gets an AR that says why, the connection is closed, the refusal is kept."""

    async def run() -> None:
        async with case(tmp_path, "block_timeout: 1s") as it:
            sender = await it.connect()
            await sender.write(VT + a01("N1"))
            got = await sender.closed()
            assert field_of(got[1:], b"MSA", 1) == "AR"
            assert field_of(got[1:], b"MSA", 2) == "N1"
            assert await it.engine.states() == {}
            assert it.engine.service.sources()["gam"]["refusals"] == {"E-IDLE": 1}

    asyncio.run(run())


def test_a_block_beyond_the_limit(tmp_path: Path) -> None:
    """Too long: AR with the limit in words; below the limit of the source: taken."""

    async def run() -> None:
        async with case(tmp_path, "max_size: 100KB") as it:
            sender = await it.connect()
            await sender.write(VT + a01("B1") + b"OBX|1|TX|||" + b"x" * 120_000)
            got = await sender.closed()
            assert field_of(got[1:], b"MSA", 1) == "AR"
            assert b"max_size" in got
            big = a01("B2") + b"OBX|1|TX|||" + b"x" * 90_000 + b"\r"
            assert field_of(await it.ask(big), b"MSA", 1) == "AA"
            assert await it.engine.raw(1) == big

    asyncio.run(run())


def test_a_batch_in_a_block(tmp_path: Path) -> None:
    """Each message of a batch is answered and stored; a wrong count is a finding."""
    one, two = a01("T1", ipp="1"), a01("T2", ipp="2")

    async def run() -> None:
        async with case(tmp_path, "batch: split") as it:
            sender = await it.connect()
            await sender.write(framed(b"FHS|^~\\&\rBHS|^~\\&\r" + one + two + b"BTS|5\rFTS|1\r"))
            assert [field_of(await sender.answer(), b"MSA", 2) for _ in range(2)] == ["T1", "T2"]
            await it.engine.settled(delivered=2)
            assert it.engine.service.sources()["gam"]["findings"] == {"batch-count": 1}
            await sender.close()

    asyncio.run(run())


def test_five_megabytes(tmp_path: Path) -> None:
    """A large OBX-5 passes, byte for byte, and reaches the receiver."""
    raw = a01("BIG") + b"OBX|1|ED|||^application^pdf^Base64^" + b"QUJD" * 1_250_000 + b"\r"

    async def run() -> None:
        async with case(tmp_path) as it:
            assert field_of(await it.ask(raw), b"MSA", 1) == "AA"
            (sent,) = await it.dpi.wait_for(1)
            assert sent.count(b"QUJD") == 1_250_000
            assert await it.engine.raw(1) == raw

    asyncio.run(run())
