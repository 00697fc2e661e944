"""Peers that go away, never read, are not allowed, or speak something else."""

from __future__ import annotations

import asyncio
import itertools
import socket
from pathlib import Path

import pytest

from tests.support.mllp import Sender, field_of, framed
from tests.support.odd import a01, case


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
