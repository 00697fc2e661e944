"""MQTT over TLS."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest

from engine.core.ports import SendResult
from tests.support.broker import broker
from tests.support.mqtt import destination, opened, received, sent, subscriber

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
