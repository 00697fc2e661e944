"""Every row of ODD_INPUTS over a real socket, byte by byte and in one write: each is answered, nothing is lost."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.engine import RunningEngine, free_port, running_engine
from tests.support.mllp import VT, Receiver, Sender, field_of, framed, receiver

ROUTES = """
version: 1
sites:
  cha:
    finess_eg: "000780064"
    charset: ISO-8859-1
    authorities:
      ipp: {{ oid: 1.2.250.1.999.10.1, hd1: CHA-IPP, hd3: ISO, type: PI }}
sources:
  gam:
    type: mllp
    site: cha
    listen: 127.0.0.1:{port}
    {source}
destinations:
  dpi:
    type: mllp
    connect: 127.0.0.1:{dpi}
    encode: {{ control_id: as_received }}
routes:
  all:
    from: [gam]
    when: not type == XXX
    to: [dpi]
"""

A01 = (
    "MSH|^~\\&|GAM|CHA|PASSERELLE|GHT|20260102030405||ADT^A01^ADT_A01|{id}|P|2.5|||{acks}||{charset}\r"
    "EVN||20260102030405\r"
    "PID|1||{ipp}^^^CHA-IPP&1.2.250.1.999.10.1&ISO^PI||TESTÉ^Hélène^^^^^L||19850712|F\r"
    "PV1|1|I|UF1\r"
)


def a01(
    control_id: str, *, charset: str = "UNICODE UTF-8", codec: str = "utf-8", ipp: str = "42", acks: str = "|"
) -> bytes:
    return A01.format(id=control_id, charset=charset, ipp=ipp, acks=acks).encode(codec)


class Case:
    """An engine, its receiver, and a way to talk to it."""

    def __init__(self, engine: RunningEngine, dpi: Receiver, port: int) -> None:
        self.engine, self.dpi, self.port = engine, dpi, port

    async def connect(self) -> Sender:
        return await Sender.connect(self.port)

    async def ask(self, message: bytes, *, byte_by_byte: bool = False) -> bytes:
        sender = await self.connect()
        answer = await sender.ask(message, byte_by_byte=byte_by_byte)
        await sender.close()
        return answer


@contextlib.asynccontextmanager
async def case(directory: Path, source: str = "dedupe: 10m") -> AsyncIterator[Case]:
    port = free_port()
    async with (
        receiver() as dpi,
        running_engine(ROUTES.format(port=port, dpi=dpi.port, source=source), directory) as engine,
    ):
        yield Case(engine, dpi, port)


BOTH_WAYS = pytest.mark.parametrize("byte_by_byte", [False, True], ids=["one write", "byte by byte"])


@BOTH_WAYS
@pytest.mark.parametrize(
    ("declared", "codec"),
    [
        ("UNICODE UTF-8", "utf-8"),
        ("8859/1", "latin-1"),
        ("8859/15", "iso8859-15"),
        ("8859/1", "cp1252"),
        ("UNICODE UTF-8", "latin-1"),
        ("8859/1", "utf-8"),
        ("KLINGON", "latin-1"),
        ("", "latin-1"),
        ("8859/1~UNICODE UTF-8", "latin-1"),
    ],
)
def test_charsets(tmp_path: Path, declared: str, codec: str, byte_by_byte: bool) -> None:
    """Accents are right at the receiver in its charset, whatever the sender declares; MSH-18 matches."""

    async def run() -> None:
        async with case(tmp_path) as it:
            raw = a01("C1", charset=declared, codec=codec)
            assert field_of(await it.ask(raw, byte_by_byte=byte_by_byte), b"MSA", 1) == "AA"
            (sent,) = await it.dpi.wait_for(1)
            assert field_of(sent, b"PID", 5).encode("latin-1").decode() == "TESTÉ^Hélène^^^^^L"
            assert field_of(sent, b"MSH", 18) == "UNICODE UTF-8"
            assert await it.engine.raw(1) == raw

    asyncio.run(run())


@BOTH_WAYS
@pytest.mark.parametrize(
    "ends",
    ["\r", "\n", "\r\n", "mixed", "no last", "blank lines"],
    ids=["CR", "LF", "CRLF", "mixed", "no last", "blank"],
)
def test_segment_ends(tmp_path: Path, ends: str, byte_by_byte: bool) -> None:
    """Any segment end is taken, stored as received, and sent as CR."""
    lines = a01("E1").split(b"\r")[:-1]
    raw = {
        "mixed": lines[0] + b"\n" + lines[1] + b"\r\n" + lines[2] + b"\r" + lines[3] + b"\n",
        "no last": b"\r".join(lines),
        "blank lines": b"\r\r\n".join(lines) + b"\r\r",
    }.get(ends) or ends.encode().join([*lines, b""])

    async def run() -> None:
        async with case(tmp_path) as it:
            assert field_of(await it.ask(raw, byte_by_byte=byte_by_byte), b"MSA", 1) == "AA"
            (sent,) = await it.dpi.wait_for(1)
            assert sent.endswith(b"\r")
            assert b"\n" not in sent
            assert [line[:3] for line in sent.split(b"\r")[:-1]] == [b"MSH", b"EVN", b"PID", b"PV1"]
            assert await it.engine.raw(1) == raw

    asyncio.run(run())


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


@pytest.mark.parametrize("byte", [b"\x0b", b"\x00", b"\x07", b"\x1b"])
def test_control_characters(tmp_path: Path, byte: bytes) -> None:
    """VT, NUL and other control characters inside a message are stored as they came, and delivered."""
    raw = a01("K1").replace(b"UF1", b"U" + byte + b"F1")

    async def run() -> None:
        async with case(tmp_path) as it:
            assert field_of(await it.ask(raw), b"MSA", 1) == "AA"
            assert await it.engine.raw(1) == raw
            (sent,) = await it.dpi.wait_for(1)
            assert b"U" + byte + b"F1" in sent

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


@pytest.mark.parametrize(
    "raw", [b"", b"PID|1||42\r", b"hello", b"H|^~\\&|R.HPR||LAB|||ORU|||P|P|H2.1^C|20260101\r", b"MSH"]
)
def test_what_is_no_message(tmp_path: Path, raw: bytes) -> None:
    """Empty blocks, blocks without MSH and HPRIM on an HL7 source: AR with a sentence, counted, not stored."""

    async def run() -> None:
        async with case(tmp_path) as it:
            answer = await it.ask(raw)
            assert field_of(answer, b"MSA", 1) == "AR"
            assert len(field_of(answer, b"ERR", 8) or field_of(answer, b"MSA", 3)) > 10
            assert await it.engine.states() == {}

    asyncio.run(run())


def test_hprim_where_the_source_allows_it(tmp_path: Path) -> None:
    """With format: auto an HPRIM message is taken."""
    raw = b"H|~^\\&|R.HPR||LAB|||ORU|||||P|H2.1~C|20260101\rP|1|42\rL|1\r"

    async def run() -> None:
        async with case(tmp_path, "format: auto") as it:
            assert field_of(await it.ask(raw), b"MSA", 1) == "AA"
            assert await it.engine.raw(1) == raw

    asyncio.run(run())


def test_parts_of_a_longer_message(tmp_path: Path) -> None:
    """Alone they are taken into custody and never delivered as the whole; in one block they are one message."""
    first = a01("F1") + b"NTE|1||one\rDSC|P1|F\r"
    second = a01("F2", acks="P1|").split(b"\r")[0].replace(b"|2.5|||P1|", b"|2.5||P1||") + b"\rNTE|2||two\r"

    async def run() -> None:
        async with case(tmp_path) as it:
            for raw in (first, second):
                assert field_of(await it.ask(raw), b"MSA", 1) == "AA"
            assert field_of(await it.ask(first.replace(b"F1", b"F3") + second.replace(b"F2", b"F4")), b"MSA", 2) == "F3"
            assert field_of(await it.ask(a01("F5")), b"MSA", 1) == "AA"
            joined, last = await it.dpi.wait_for(2)
            assert [field_of(one, b"MSH", 10) for one in (joined, last)] == ["F3", "F5"]
            assert joined.endswith(b"NTE|1||one\rNTE|2||two\r")
            assert await it.engine.raw(1) == first
            assert await it.engine.raw(2) == second

    asyncio.run(run())


def test_no_control_id(tmp_path: Path) -> None:
    """Without MSH-10: AE 101 by default; a source may accept it, then MSA-2 is empty."""

    async def run() -> None:
        async with case(tmp_path / "a") as it:
            answer = await it.ask(a01(""))
            assert field_of(answer, b"MSA", 1) == "AE"
            assert field_of(answer, b"ERR", 3).startswith("101")
        async with case(tmp_path / "b", "missing_control_id: accept") as it:
            answer = await it.ask(a01(""))
            assert (field_of(answer, b"MSA", 1), field_of(answer, b"MSA", 2)) == ("AA", "")

    for name in "ab":
        (tmp_path / name).mkdir()
    asyncio.run(run())


@pytest.mark.parametrize(
    "header",
    [
        "MSH|^~\\&|GAM|CHA|||2026||ADT^A01|{id}",
        "MSH|^~\\&|GAM|CHA|||2026|||{id}|P|2.5",
        "MSH|^~\\&|GAM|CHA|||2026||ZZZ^Z77|{id}|P|2.5",
        "MSH|^~\\&|GAM|CHA|||2026||ADT^A99|{id}|P|2.5^FRA^2.11",
        "MSH|^~\\&|GAM|CHA|||2026||ADT^A01|{id}|P|2.9",
        "MSH|^~\\&|GAM|CHA|||2026||ADT^A01|{id}|P|9.9",
        "MSH|^~\\&|GAM|CHA|||2026||ADT^A01|{id}|P|",
    ],
    ids=["short", "no MSH-9", "unknown type", "unknown trigger and French version", "2.9", "9.9", "no version"],
)
def test_odd_headers_are_taken(tmp_path: Path, header: str) -> None:
    """A short MSH, an unknown type or version is AA: what to do with it is the routes' matter."""

    async def run() -> None:
        async with case(tmp_path) as it:
            answer = await it.ask(header.format(id="H1").encode() + b"\rPID|1||42\r")
            assert (field_of(answer, b"MSA", 1), field_of(answer, b"MSA", 2)) == ("AA", "H1")

    asyncio.run(run())


@pytest.mark.parametrize(
    "delimiters",
    ["$%~\\&", "|^~\\", "|^~", "|^~\\&#", "|^\u02dc\\&", "#!*/+"],
    ids=["dollar", "3", "2", "5", "U+02DC", "all"],
)
def test_delimiters(tmp_path: Path, delimiters: str) -> None:
    """Answered with the sender's delimiters, sent on with the usual ones."""
    field, component, repetition = delimiters[:3]
    raw = a01("D1").decode()
    raw = (
        "MSH"
        + delimiters
        + raw[8:].translate(
            {ord("|"): field, ord("^"): component, ord("~"): repetition}
            | ({ord("&"): delimiters[4]} if len(delimiters) > 4 else {})
        )
    )

    async def run() -> None:
        async with case(tmp_path) as it:
            answer = await it.ask(raw.encode())
            assert answer.decode().startswith("MSH" + delimiters)
            assert field_of(answer, b"MSA", 1) == "AA"
            (sent,) = await it.dpi.wait_for(1)
            assert sent.startswith(b"MSH|^~\\&")
            assert field_of(sent, b"PID", 3).startswith("42^^^CHA-IPP")

    asyncio.run(run())


@pytest.mark.parametrize(
    ("accept_ack", "application_ack", "codes"),
    [
        ("AL", "AL", ["CA", "AA"]),
        ("AL", "NE", ["CA"]),
        ("NE", "AL", ["AA"]),
        ("SU", "NE", ["CA"]),
        ("AL", "", ["CA"]),
        ("NE", "NE", []),
        ("ER", "SU", ["AA"]),
    ],
)
def test_enhanced_mode(tmp_path: Path, accept_ack: str, application_ack: str, codes: list[str]) -> None:
    """MSH-15 and MSH-16 ask for commit and application acknowledgements as chapter 2 says."""

    async def run() -> None:
        async with case(tmp_path) as it:
            sender = await it.connect()
            await sender.write(framed(a01("M1", acks=f"{accept_ack}|{application_ack}")) + framed(a01("M2", ipp="43")))
            answers = [await sender.answer() for _ in range(len(codes) + 1)]
            assert [field_of(answer, b"MSA", 1) for answer in answers] == [*codes, "AA"]
            assert field_of(answers[-1], b"MSA", 2) == "M2"
            await sender.close()

    asyncio.run(run())


def test_the_same_again(tmp_path: Path) -> None:
    """The same control id and bytes: the answer again, no second delivery, counted."""

    async def run() -> None:
        async with case(tmp_path) as it:
            for _ in range(3):
                assert field_of(await it.ask(a01("S1")), b"MSA", 1) == "AA"
            await it.engine.settled(delivered=1, duplicate=2)
            assert len(it.dpi.messages) == 1

    asyncio.run(run())


def test_the_same_control_id_with_other_bytes(tmp_path: Path) -> None:
    """Systems that restart their counter each day lose nothing."""

    async def run() -> None:
        async with case(tmp_path) as it:
            for ipp in ("1", "2"):
                assert field_of(await it.ask(a01("S1", ipp=ipp)), b"MSA", 1) == "AA"
            await it.engine.settled(delivered=2)

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


@pytest.mark.parametrize("how", ["close", "half-close", "reset"])
def test_a_sender_that_goes_away(tmp_path: Path, how: str) -> None:
    """Message stored and delivered even if nobody waits for the answer; the resend is recognised."""

    async def run() -> None:
        async with case(tmp_path) as it:
            sender = await it.connect()
            await sender.write(framed(a01("G1")))
            if how == "half-close":
                sender.writer.write_eof()
                assert b"MSA|AA|G1" in await sender.closed()
            elif how == "reset":
                await it.dpi.wait_for(1)
                linger = sender.writer.get_extra_info("socket")
                linger.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
            await sender.close()
            await it.dpi.wait_for(1)
            assert field_of(await it.ask(a01("G1")), b"MSA", 1) == "AA"
            await it.engine.settled(delivered=1, duplicate=1)

    asyncio.run(run())


def test_a_sender_that_never_reads(tmp_path: Path) -> None:
    """Answers that nobody reads stop the reading of that connection, not the others."""

    async def run() -> None:
        async with case(tmp_path) as it:
            deaf = await it.connect()
            deaf.writer.write(b"".join(framed(a01(f"R{n}", ipp=str(n))) for n in range(2000)))
            assert field_of(await it.ask(a01("OTHER", ipp="x")), b"MSA", 2) == "OTHER"
            deaf.writer.transport.abort()

    asyncio.run(run())


async def talk(deaf: socket.socket) -> None:
    """Send for ever, with control ids that make long answers."""
    for number in itertools.count():
        batch = [framed(a01(f"{number}-{one}-{'x' * 900}", ipp="7")) for one in range(20)]
        await asyncio.get_running_loop().sock_sendall(deaf, b"".join(batch))


def test_a_peer_that_never_reads_is_hung_up_on(tmp_path: Path) -> None:
    """Once the system takes no more answers for it, for block_timeout; what it sent is taken and delivered."""

    async def run() -> None:
        async with case(tmp_path, "block_timeout: 500ms") as it:
            with socket.socket() as deaf:
                deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
                deaf.setblocking(False)
                await asyncio.get_running_loop().sock_connect(deaf, ("127.0.0.1", it.port))
                with pytest.raises(OSError, match=r"reset|pipe"):
                    await asyncio.wait_for(talk(deaf), 60)
            assert it.engine.service.sources()["gam"]["unread_answers"] == 1
            assert field_of(await it.ask(a01("OTHER", ipp="x")), b"MSA", 1) == "AA"

    asyncio.run(run())


def test_who_may_connect(tmp_path: Path) -> None:
    """A peer outside `allow`, or beyond the connections of its source, is turned away and counted."""

    async def run() -> None:
        async with case(tmp_path, "allow: [10.1.4.0/24]") as it:
            assert await (await it.connect()).closed() == b""
            assert it.engine.service.sources()["gam"]["not_allowed"] == 1

    asyncio.run(run())


def test_connections_of_a_peer_are_limited(tmp_path: Path) -> None:
    """One address doesn't take all connections of a source."""

    async def run() -> None:
        async with case(tmp_path, "max_connections_per_peer: 1") as it:
            async with Sender.connected(it.port) as inside:
                await inside.ask(a01("L1"))
                assert await (await it.connect()).closed() == b""
                assert field_of(await inside.ask(a01("L2")), b"MSA", 1) == "AA"
            assert it.engine.service.sources()["gam"]["too_many_of_one_peer"] == 1

    asyncio.run(run())


def test_connections_of_a_source_are_limited(tmp_path: Path) -> None:
    """Beyond max_connections the newcomer is turned away, those who are in are served."""

    async def run() -> None:
        async with case(tmp_path, "max_connections: 2") as it:
            inside = [await it.connect(), await it.connect()]
            for sender in inside:
                await sender.ask(a01("L1"))
            assert await (await it.connect()).closed() == b""
            assert field_of(await inside[0].ask(a01("L2")), b"MSA", 1) == "AA"
            for sender in inside:
                await sender.close()

    asyncio.run(run())


@pytest.mark.parametrize("hello", [b"\x16\x03\x01\x02\x00\x01\x00", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"])
def test_strangers(tmp_path: Path, hello: bytes) -> None:
    """TLS and HTTP on a plain port: closed, counted, the engine stays up."""

    async def run() -> None:
        async with case(tmp_path) as it:
            stranger = await it.connect()
            await stranger.write(hello)
            assert await stranger.closed() == b""
            assert it.engine.service.sources()["gam"]["strangers"] == 1
            assert field_of(await it.ask(a01("OK")), b"MSA", 1) == "AA"

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
