"""
The simulated bus of events: takes publications as an MQTT 3.1.1 broker does, and counts them by topic.

It has no subscribers: it acknowledges, and forgets all but the last. Just enough for a demo without a broker; what
the engine's MQTT door promises is tested against a real one.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any, Final
from urllib.parse import urlsplit

from engine.errors import DoorFailed
from engine.routes.configuration import Destination

_PORT: Final = 1883
_HERE: Final = ("127.0.0.1", "localhost", "::1")
_CONNECT, _PUBLISH, _PUBREL, _SUBSCRIBE, _PINGREQ, _DISCONNECT = 1, 3, 6, 8, 12, 14
_CONNACK: Final = b"\x20\x02\x00\x00"
_PUBACK: Final = b"\x40\x02"
_PUBREC: Final = b"\x50\x02"
_PUBCOMP: Final = b"\x70\x02"
_PINGRESP: Final = b"\xd0\x00"
_SUBACK_REFUSED: Final = b"\x80"
_LENGTH_BYTES_MAX: Final = 4
"""Of a packet's length (MQTT 3.1.1 § 2.2.3)."""


class Bus:
    """The receiver of a destination of type mqtt. `start`, then `stop`."""

    def __init__(self, host: str, port: int) -> None:
        """Keep the address; port 0 for any: `port` then says which, after `start`."""
        self.host = host
        self.port = port
        self.topics: Counter[str] = Counter()
        self.last = b""
        """The last payload."""
        self._server: asyncio.Server | None = None
        self._peers: set[asyncio.StreamWriter] = set()

    async def start(self) -> None:
        """
        Listen.

        Raises:
            DoorFailed: The port is taken.
        """
        try:
            self._server = await asyncio.start_server(self._serve, self.host, self.port)
        except OSError as error:
            raise DoorFailed(
                f"the simulated bus can't listen on {self.host}:{self.port}: {error.strerror}; "
                "stop what listens there, or write another port in routes.yaml"
            ) from error
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening, hang up."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for peer in self._peers:
            peer.close()

    def facts(self) -> dict[str, Any]:
        """Counts, ready for JSON."""
        return {"published": self.topics.total(), "topics": len(self.topics)}

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._peers.add(writer)
        try:
            while True:
                kind, flags, body = await _packet(reader)
                if kind == _DISCONNECT:
                    break
                writer.write(self._answer(kind, flags, body))
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, ValueError):
            pass  # it hung up, or speaks something else
        finally:
            self._peers.discard(writer)
            writer.close()

    def _answer(self, kind: int, flags: int, body: bytes) -> bytes:
        if kind == _CONNECT:
            return _CONNACK
        if kind == _PUBLISH:
            return self._take(flags, body)
        if kind == _PUBREL:
            return _PUBCOMP + body[:2]
        if kind == _SUBSCRIBE:
            return b"\x90\x03" + body[:2] + _SUBACK_REFUSED
        return _PINGRESP if kind == _PINGREQ else b""

    def _take(self, flags: int, body: bytes) -> bytes:
        """Count one publication; with QoS 2 at its PUBLISH, whose repetitions the engine marks as such."""
        end = 2 + int.from_bytes(body[:2], "big")
        quality = flags >> 1 & 3
        number = body[end : end + 2] if quality else b""
        self.topics[body[2:end].decode("utf-8", "replace")] += 1
        self.last = body[end + len(number) :]
        return {0: b"", 1: _PUBACK + number}.get(quality, _PUBREC + number)


def bus_of(destination: Destination) -> Bus | None:
    """Return the bus for a destination of type mqtt; None where it is on another machine, or wants TLS."""
    address = urlsplit(destination.url)
    if address.scheme != "mqtt" or address.hostname not in _HERE:
        return None
    return Bus(address.hostname, address.port or _PORT)


async def _packet(reader: asyncio.StreamReader) -> tuple[int, int, bytes]:
    """
    Read one packet: its kind, its flags, what follows its length.

    Raises:
        ValueError: Its length isn't written as MQTT does.
        IncompleteReadError: The peer hung up.
    """
    first = (await reader.readexactly(1))[0]
    length = 0
    for rank in range(_LENGTH_BYTES_MAX):
        byte = (await reader.readexactly(1))[0]
        length |= (byte & 0x7F) << 7 * rank
        if not byte & 0x80:
            return first >> 4, first & 0x0F, await reader.readexactly(length)
    raise ValueError("a length of more than four bytes")
