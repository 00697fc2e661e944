"""A running engine takes another configuration: under load, refused, on trial, and back."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.core.messages import DeliveryKind
from engine.core.ports import DestinationDoor, Runtime
from engine.daemon import destinations, reload
from engine.daemon.runtime import LoopRuntime
from engine.errors import DoorFailed, OperationRefused
from engine.routes.configuration import Destination
from tests.support.engine import RunningEngine, free_port, running_engine
from tests.support.mllp import Receiver, Sender, field_of, framed, plain_ack, receiver
from tests.support.until import until

ROUTES = """
version: 1
sites:
  cha:
    finess_eg: "000780064"
    authorities:
      ipp: { oid: 1.2.250.1.999.10.1, hd1: CHA-IPP, hd3: ISO, type: PI }
sources:
  gam: { type: mllp, site: cha, listen: 127.0.0.1:GAM }
destinations:
  dpi: { type: mllp, connect: 127.0.0.1:DPI, retry: { unknown: { first: 1s } }, encode: { control_id: as_received } }
  archive: { type: mllp, connect: 127.0.0.1:ARCHIVE, encode: { control_id: as_received } }
routes:
  adt:
    from: [gam]
    when: type == ADT
    on_no_match: filter
    steps:
      - set: { MSH-5: VERSION }
    to: [dpi, archive]
"""


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers that never come are awaited for a moment only."""
    monkeypatch.setattr(destinations, "_ANSWER_SECONDS", 0.2)


def adt(control_id: str, patient: str = "42") -> bytes:
    return (
        f"MSH|^~\\&|GAM|CHA|PASSERELLE|GHT|20260102030405||ADT^A01^ADT_A01|{control_id}|P|2.5\r"
        f"PID|1||{patient}^^^CHA-IPP&1.2.250.1.999.10.1&ISO^PI||TEST^HELENE||19850712|F\rPV1|1|I|UF1\r"
    ).encode()


class House:
    """An engine, its two receivers, and its routes.yaml."""

    def __init__(self, engine: RunningEngine, directory: Path, ports: dict[str, int], dpi: Receiver, archive: Receiver):
        self.engine, self.dpi, self.archive, self.ports = engine, dpi, archive, ports
        self.file = directory / "routes.yaml"

    def write(self, *changes: tuple[str, str], version: str = "V1") -> None:
        """Write routes.yaml anew, with these texts replaced."""
        text = routes(self.ports, version)
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        self.file.write_text(text)

    async def apply(self, **arguments: Any) -> dict[str, Any]:
        return await self.engine.call("config_apply", **({"reason": "a test"} | arguments))

    async def verbs(self) -> list[str]:
        return [row["verb"] for row in (await self.engine.call("config_log"))["rows"]]

    def running(self) -> str:
        return self.engine.service.configuration().hash


def routes(ports: dict[str, int], version: str = "V1") -> str:
    text = ROUTES.replace("VERSION", version)
    for name, port in ports.items():
        text = text.replace(name, str(port))
    return text


def in_house(directory: Path, test: Callable[[House], Any], reply: Callable[[bytes], bytes | None] = plain_ack) -> None:
    """Run a test with an engine of version V1."""

    async def run() -> None:
        async with receiver(reply) as dpi, receiver() as archive:
            ports = {"GAM": free_port(), "DPI": dpi.port, "ARCHIVE": archive.port}
            async with running_engine(routes(ports), directory) as engine:
                await test(House(engine, directory, ports, dpi, archive))

    asyncio.run(run())


def test_messages_flow_while_configurations_change(tmp_path: Path) -> None:
    """Nothing is lost, each message has one version for all its deliveries, no connection is made anew."""
    senders, each = 4, 60

    async def test(house: House) -> None:
        async def send(number: int) -> None:
            async with Sender.connected(house.ports["GAM"]) as sender:
                for rank in range(each):
                    answer = await sender.ask(adt(f"S{number}-{rank}", f"{number}"))
                    assert field_of(answer, b"MSA", 1) == "AA"

        sending = [asyncio.create_task(send(number)) for number in range(senders)]
        versions = 1
        while not all(task.done() for task in sending):
            versions += 1
            house.write(version=f"V{versions}")
            await house.apply()
        await asyncio.gather(*sending)
        assert versions > 2
        await house.engine.settled(delivered=senders * each)
        for place in [row["place"] for row in await house.engine.messages()]:
            row = await house.engine.queries.message_row(place)
            assert row is not None
            assert {one["config"] for one in await house.engine.queries.deliveries_of(place)} == {row["config"]}
        stamps = {
            receiver_name: {field_of(one, b"MSH", 10): field_of(one, b"MSH", 5) for one in got.messages}
            for receiver_name, got in (("dpi", house.dpi), ("archive", house.archive))
        }
        assert len(stamps["dpi"]) == len(house.dpi.messages) == senders * each
        assert stamps["dpi"] == stamps["archive"]
        assert len(set(stamps["dpi"].values())) > 2
        assert (house.dpi.connections, house.archive.connections) == (1, 1)
        order = [field_of(one, b"MSH", 10) for one in house.dpi.messages]
        for number in range(senders):
            mine = [one for one in order if one.startswith(f"S{number}-")]
            assert mine == [f"S{number}-{rank}" for rank in range(each)]

    in_house(tmp_path, test)


def test_a_bad_file_is_refused_and_everybody_sees_it(tmp_path: Path) -> None:
    """The running one goes on; status and the log say so; a good file ends it."""

    async def test(house: House) -> None:
        before = house.running()
        house.write(("from: [gam]", "from: [gum]"))
        with pytest.raises(OperationRefused, match=r"E116: there is no source gum") as refused:
            await house.apply()
        assert refused.value.exit_code == 78
        assert house.running() == before
        assert "gum" in house.engine.service.engine()["configuration_refused"]
        assert await house.verbs() == ["refuse", "start"]
        async with Sender.connected(house.ports["GAM"]) as sender:
            await sender.ask(adt("A1"))
        assert field_of((await house.dpi.wait_for(1))[0], b"MSH", 5) == "V1"
        house.write()
        answer = await house.apply()
        assert answer["rows"][0]["outcome"] == "runs already"
        assert house.engine.service.engine()["configuration_refused"] == ""

    in_house(tmp_path, test)


def test_a_file_whose_test_fails_is_refused(tmp_path: Path) -> None:
    """Tests run before each apply."""

    async def test(house: House) -> None:
        (tmp_path / "one.hl7").write_bytes(adt("A1"))
        tests = "\n    tests:\n      - { name: stamped, given: one.hl7, expect: { dpi: { MSH-5: V1 } } }\n"
        house.write(("    to: [dpi, archive]\n", "    to: [dpi, archive]" + tests), version="V2")
        with pytest.raises(OperationRefused, match="1 test fails; the first: adt: stamped") as refused:
            await house.apply()
        assert refused.value.exit_code == 78

    in_house(tmp_path, test)


def test_sighup_takes_the_file(tmp_path: Path) -> None:
    """As `apply` does, in the name of the signal."""

    async def test(house: House) -> None:
        before = house.running()
        house.write(version="V2")
        os.kill(os.getpid(), signal.SIGHUP)
        await until(lambda: house.running() != before)
        rows = (await house.engine.call("config_log"))["rows"]
        assert (rows[0]["verb"], rows[0]["who"]) == ("apply", "SIGHUP")

    in_house(tmp_path, test)


def no_answer(_message: bytes) -> bytes | None:
    return None


def test_a_destination_with_waiting_messages_stays(tmp_path: Path) -> None:
    """Removing it is refused with the number, and nothing else changes; under a new name what waits goes along."""

    async def test(house: House) -> None:
        async with Sender.connected(house.ports["GAM"]) as sender:
            for number in range(3):
                await sender.ask(adt(f"A{number}"))
            await house.archive.wait_for(3)
            without = (("  dpi: {", "  # dpi: {"), ("to: [dpi, archive]", "to: [archive]"))
            house.write(*without)
            with pytest.raises(OperationRefused, match="3 deliveries wait for dpi"):
                await house.apply()
            await sender.ask(adt("A3"))  # the old one goes on, through the same connection
            await house.archive.wait_for(4)
            async with receiver() as record:
                new = f"  record: {{ type: mllp, connect: 127.0.0.1:{record.port}, renamed_from: dpi, "
                house.write(
                    ("  dpi: { type: mllp, connect: 127.0.0.1:" + str(house.dpi.port) + ", ", new + ""),
                    ("to: [dpi, archive]", "to: [record, archive]"),
                )
                answer = await house.apply()
                assert answer["changes"]["destinations"]["renamed"] == {"dpi": "record"}
                assert answer["queues"] == [
                    {"destination": "dpi", "waiting": 4, "parked": 0, "what": "goes on as record"}
                ]
                await sender.ask(adt("A4"))
                got = [field_of(one, b"MSH", 10) for one in await record.wait_for(5)]
                assert got == ["A0", "A1", "A2", "A3", "A4"]
                await house.engine.settled(delivered=5)

    in_house(tmp_path, test, reply=no_answer)


def test_a_source_under_another_name(tmp_path: Path) -> None:
    """What it sent before follows it: a dead letter can be retried, what it sends again is a duplicate."""
    renamed = (("  gam: {", "  adm: { dedupe: 10m, renamed_from: gam,"), ("from: [gam]", "from: [adm]"))
    failing = ("      - set: { MSH-5: V1 }\n", "      - require: { all: [ { when: PV1-9 exists, else: no } ] }\n")

    async def test(house: House) -> None:
        house.write(failing, ("  gam: {", "  gam: { dedupe: 10m,"))
        await house.apply()
        async with Sender.connected(house.ports["GAM"]) as sender:
            await sender.ask(adt("A1"))
            await house.engine.settled(dead=1)
        house.write(("  gam: {", "  gam: { dedupe: 10m,"))
        await house.apply()
        async with Sender.connected(house.ports["GAM"]) as sender:
            await sender.ask(adt("A2", "43"))
            await house.dpi.wait_for(1)
        house.write(*renamed)
        await house.apply()
        async with Sender.connected(house.ports["GAM"]) as sender:
            await sender.ask(adt("A2", "43"))
            await house.engine.settled(dead=1, delivered=1, duplicate=1)
        answer = await house.engine.call("dead_retry", ids=["1"], reason="x")
        assert answer["refused"] == 0, answer
        await house.dpi.wait_for(2)
        assert [field_of(one, b"MSH", 10) for one in house.dpi.messages] == ["A2", "A1"]

    in_house(tmp_path, test)


def test_a_source_of_which_parts_wait_keeps_its_name(tmp_path: Path) -> None:
    """Refused with the number: what comes under the new name would not find them."""

    async def test(house: House) -> None:
        async with Sender.connected(house.ports["GAM"]) as sender:
            await sender.ask(adt("A1") + b"OBX|1|TX|||one\rDSC|P1|F\r")
            await house.engine.settled(waiting=1)
            house.write(("  gam: {", "  adm: { renamed_from: gam,"), ("from: [gam]", "from: [adm]"))
            with pytest.raises(OperationRefused, match=r"1 part of a longer message waits for others of gam.*600 s"):
                await house.apply()
        async with Sender.connected(house.ports["GAM"]) as sender:
            await sender.ask(adt("A2"))
            await house.dpi.wait_for(1)

    in_house(tmp_path, test)


def test_another_order_waits_for_what_was_there(tmp_path: Path) -> None:
    """A change of `order_by` puts a wall into the queue: what comes leaves when all before has ended."""
    refusing = [True]

    def reply(message: bytes) -> bytes | None:
        return None if refusing[0] and field_of(message, b"MSH", 10) == "A0" else plain_ack(message)

    async def test(house: House) -> None:
        async with Sender.connected(house.ports["GAM"]) as sender:
            await sender.ask(adt("A0", "1"))
            await house.dpi.wait_for(1)
            house.write(("  dpi: { ", "  dpi: { order_by: none, "))
            refusing[0] = False
            await house.apply()
            await sender.ask(adt("B0", "2"))
            await house.engine.settled(delivered=2)
            got = [field_of(one, b"MSH", 10) for one in house.dpi.messages]
            assert got == ["A0", "A0", "B0"]
            kinds = [row["kind"] for row in await house.engine.queries.deliveries_of(1)]
            assert kinds.count(DeliveryKind.WALL.name.lower()) == 1

    in_house(tmp_path, test, reply=reply)


def test_doors_of_sources_are_exchanged(tmp_path: Path) -> None:
    """A new address listens, the old one no more; an address in use is refused and the old one listens again."""

    async def test(house: House) -> None:
        other = free_port()
        house.write((f"listen: 127.0.0.1:{house.ports['GAM']}", f"listen: 127.0.0.1:{other}"))
        await house.apply()
        async with Sender.connected(other) as sender:
            await sender.ask(adt("A1"))
        with pytest.raises(ConnectionRefusedError):
            await Sender.connect(house.ports["GAM"])
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            house.write((f"listen: 127.0.0.1:{house.ports['GAM']}", f"listen: 127.0.0.1:{port}"))
            with pytest.raises(Exception, match="can't listen"):
                await house.apply()
        async with Sender.connected(other) as sender:
            await sender.ask(adt("A2"))
        await house.engine.settled(delivered=2)

    in_house(tmp_path, test)


def test_not_confirmed_in_time_it_goes_back(tmp_path: Path) -> None:
    """By itself; confirmed in time it stays; a rollback goes back at once."""

    async def test(house: House) -> None:
        first = house.running()
        house.write(version="V2")
        await house.apply(confirm_seconds=0.2)
        assert house.running() != first
        await until(lambda: house.running() == first)
        assert await house.verbs() == ["return", "apply", "start"]
        await house.apply(confirm_seconds=3600)
        second = house.running()
        await house.engine.call("config_confirm", reason="seen")
        assert house.engine.service.engine()["confirm_until_ms"] == 0
        with pytest.raises(OperationRefused, match="no configuration waits"):
            await house.engine.call("config_confirm")
        answer = await house.engine.call("config_rollback", reason="worse")
        assert (answer["hash"], house.running()) == (first, first)
        diff = await house.engine.call("config_diff", one=second[:6], other=first)
        assert "-      - set: { MSH-5: V2 }" in diff["lines"]
        shown = await house.engine.call("config_show", name=second)
        assert "MSH-5: V2" in shown["files"]["routes.yaml"]

    in_house(tmp_path, test)


def test_a_restart_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was rolled back stays so while the file is the same; a trial ends also while the engine is away."""

    async def run() -> None:
        async with receiver() as dpi, receiver() as archive:
            ports = {"GAM": free_port(), "DPI": dpi.port, "ARCHIVE": archive.port}
            async with running_engine(routes(ports), tmp_path) as engine:
                house = House(engine, tmp_path, ports, dpi, archive)
                first = house.running()
                house.write(version="V2")
                await house.apply()
                await engine.call("config_rollback", reason="worse")
            async with running_engine(routes(ports, "V2"), tmp_path) as engine:
                assert engine.service.configuration().hash == first
                assert "E-GONE-BACK" in [one["code"] for one in engine.service.engine()["alerts"]["last"]]
            async with running_engine(routes(ports, "V3"), tmp_path) as engine:
                third = engine.service.configuration().hash
                house = House(engine, tmp_path, ports, dpi, archive)
                house.write(version="V4")
                await house.apply(confirm_seconds=3600)
                assert house.running() != third
            monkeypatch.setattr(LoopRuntime, "now_ms", lambda _: time.time_ns() // 1_000_000 + 3_601_000)
            async with running_engine(routes(ports, "V4"), tmp_path) as engine:
                assert engine.service.configuration().hash == third
                house = House(engine, tmp_path, ports, dpi, archive)
                assert (await house.verbs())[:2] == ["return", "apply"]

    asyncio.run(run())


def test_a_plan_looks_at_two_thousand_messages(tmp_path: Path) -> None:
    """Counted by effect and path, examples masked, the engine goes on."""

    async def test(house: House) -> None:
        async with Sender.connected(house.ports["GAM"]) as sender:
            for first in range(0, 2_000, 50):
                await sender.write(b"".join(framed(adt(f"P{first + n}", f"{first + n}")) for n in range(50)))
                for _ in range(50):
                    await sender.answer()
        await house.engine.settled(delivered=2_000)
        house.write(("      - set: { MSH-5: V1 }\n", "      - set: { MSH-5: V1, PID-5.2: ZOE }\n"))
        answer = await house.engine.call("config_plan", shadow=2_000)
        assert answer["differs"]
        assert answer["changes"] == {"routes": {"added": [], "removed": [], "changed": ["adt"], "renamed": {}}}
        effect = answer["effect"]
        assert (effect["messages"], effect["counts"]["changed"]) == (2_000, 2_000)
        assert {(one["destination"], one["path"], one["messages"]) for one in effect["paths"]} == {
            ("dpi", "PID-5.2", 2_000), ("archive", "PID-5.2", 2_000),
        }  # fmt: skip
        assert effect["examples"][0]["changes"] == [{"path": "PID-5", "old": "xxxx^xxxxxx", "new": "xxxx^xxx"}]
        assert house.running() == answer["before"]

    in_house(tmp_path, test)


def test_a_door_that_cannot_be_made_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is refused before anything is stored or stopped: other destinations that changed too go on."""

    async def test(house: House) -> None:
        made = destinations.destination_door

        def door(destination: Destination, runtime: Runtime) -> DestinationDoor:
            if destination.ack_timeout == 7:
                raise DoorFailed("this door can't be made")
            return made(destination, runtime)

        monkeypatch.setattr(destinations, "destination_door", door)
        before = house.running()
        house.write(("first: 1s } }", "first: 2s } }"), ("  archive: { ", "  archive: { ack_timeout: 7s, "))
        with pytest.raises(DoorFailed):
            await house.apply()
        assert house.running() == before
        async with Sender.connected(house.ports["GAM"]) as sender:
            await sender.ask(adt("A1"))
        await house.engine.settled(delivered=1)
        assert len(house.dpi.messages) == len(house.archive.messages) == 1

    in_house(tmp_path, test)


def test_two_changes_of_one_destination_one_after_the_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second waits for the first: two queues of one destination would send everything twice, each on its own."""
    monkeypatch.setattr(reload, "_ENDED_SECONDS", 0.01)
    monkeypatch.setattr(destinations, "_ANSWER_SECONDS", 2.0)
    answers = [False]

    async def test(house: House) -> None:
        async with Sender.connected(house.ports["GAM"]) as sender:
            for number in range(30):
                await sender.ask(adt(f"A{number}"))
        await house.dpi.wait_for(1)
        for first in ("2s", "3s"):  # each answers at once, and goes on behind
            house.write(("first: 1s } }", f"first: {first} }} }}"))
            await house.apply()
        house.write(("to: [dpi, archive]", "to: [archive]"), ("  dpi: {", "  other: { renamed_from: dpi, "))
        with pytest.raises(OperationRefused, match="dpi still ends what was under way before the last change"):
            await house.apply()
        answers[0] = True
        await house.engine.settled(delivered=30)
        again = [field_of(raw, b"MSH", 10) for raw in house.dpi.messages]
        assert len(again) <= 31, "only the one without an answer comes again"

    in_house(tmp_path, test, lambda raw: plain_ack(raw) if answers[0] else None)
