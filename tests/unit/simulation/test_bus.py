"""The simulated bus of events, asked by the engine's own MQTT door's library."""

from __future__ import annotations

import asyncio
import socket

import aiomqtt
import pytest

from engine.errors import DoorFailed
from engine.routes.configuration import Destination
from engine.simulation.bus import Bus, bus_of


@pytest.mark.parametrize("quality", [0, 1, 2])
def test_publications_are_acknowledged_and_counted(quality):
    """By topic, with each quality of service; a payload longer than one byte of length can say."""

    async def test() -> Bus:
        bus = Bus("127.0.0.1", 0)
        await bus.start()
        async with aiomqtt.Client("127.0.0.1", bus.port) as client:
            await client.publish("ght/cha/adt/A01", b"x" * 300, qos=quality)
            await client.publish("ght/cha/adt/A02", b"2", qos=quality)
            async with asyncio.timeout(60):
                while bus.topics.total() < 2:
                    await asyncio.sleep(0)
        await bus.stop()
        return bus

    bus = asyncio.run(test())
    assert dict(bus.topics) == {"ght/cha/adt/A01": 1, "ght/cha/adt/A02": 1}
    assert bus.last == b"2"
    assert bus.facts() == {"published": 2, "topics": 2}


def test_who_speaks_something_else_is_hung_up_on():
    """No length of a packet has five bytes; the bus goes on."""

    async def test() -> None:
        bus = Bus("127.0.0.1", 0)
        await bus.start()
        reader, writer = await asyncio.open_connection("127.0.0.1", bus.port)
        writer.write(b"\x10\xff\xff\xff\xff\xff")
        assert await reader.read() == b""
        writer.close()
        async with aiomqtt.Client("127.0.0.1", bus.port) as client:
            await client.publish("a", b"", qos=1)
        assert bus.topics["a"] == 1
        await bus.stop()

    asyncio.run(test())


def test_a_port_in_use_is_one_sentence():
    """It names the address and what to do."""

    async def test() -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            with pytest.raises(DoorFailed, match=r"the simulated bus can't listen on 127\.0\.0\.1:\d+: .*routes\.yaml"):
                await Bus("127.0.0.1", taken.getsockname()[1]).start()

    asyncio.run(test())


@pytest.mark.parametrize(
    ("url", "port"),
    [
        ("mqtt://127.0.0.1:5883", 5883),
        ("mqtt://localhost", 1883),
        ("mqtts://127.0.0.1:8883", None),
        ("mqtt://bus.ght.local:1883", None),
    ],
)
def test_only_what_is_on_this_machine_is_played(url, port):
    """A real broker elsewhere is left alone."""
    bus = bus_of(Destination(name="events", type="mqtt", url=url))
    assert (bus.port if bus is not None else None) == port
