"""Every odd input (tests/support/odd.py) over a real socket, byte by byte and in one write: each is answered."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.support.mllp import field_of, framed
from tests.support.odd import BOTH_WAYS, a01, case


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
    """Each is taken into custody; they leave as one message, whether they came one by one or in one block."""
    first = a01("F1") + b"NTE|1||one\rDSC|P1|F\r"
    second = a01("F2", acks="P1|").split(b"\r")[0].replace(b"|2.5|||P1|", b"|2.5||P1||") + b"\rNTE|2||two\r"

    async def run() -> None:
        async with case(tmp_path) as it:
            for raw in (first, second):
                assert field_of(await it.ask(raw), b"MSA", 1) == "AA"
            assert field_of(await it.ask(first.replace(b"F1", b"F3") + second.replace(b"F2", b"F4")), b"MSA", 2) == "F3"
            assert field_of(await it.ask(a01("F5")), b"MSA", 1) == "AA"
            *joined, last = await it.dpi.wait_for(3)
            assert [field_of(one, b"MSH", 10) for one in (*joined, last)] == ["F1", "F3", "F5"]
            assert all(one.endswith(b"NTE|1||one\rNTE|2||two\r") for one in joined)
            assert await it.engine.raw(1) == first

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
