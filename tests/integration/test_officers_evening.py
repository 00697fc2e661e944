"""An identity officer's evening, typed into a running engine: two split patients, linked while messages wait."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from engine.cli import acting, asking
from engine.cli.group import passerelle as root
from tests.support.engine import RunningEngine, free_port, running_engine
from tests.support.mllp import Receiver, Sender, field_of, receiver
from tests.support.until import until

ROUTES = """
version: 1
group: {{ authorities: {{ ipp: {{ oid: 1.2.250.1.999.1.1, hd1: GHT-IPP, type: PN }} }} }}
identity: {{ registry: own, number: {{ prefix: G }} }}
sites:
  cha: {{ finess_eg: "000780064", authorities: {{ ipp: {{ oid: 1.2.250.1.999.10.1, hd1: CHA, type: PI }} }} }}
  chb: {{ finess_eg: "990780066", authorities: {{ ipp: {{ oid: 1.2.250.1.999.20.1, hd1: CHB, type: PI }} }} }}
sources:
  gam_cha: {{ type: mllp, site: cha, listen: 127.0.0.1:{cha} }}
  gam_chb: {{ type: mllp, site: chb, listen: 127.0.0.1:{chb} }}
destinations:
  dpi: {{ type: mllp, connect: 127.0.0.1:{dpi}, encode: {{ control_id: as_received }} }}
routes:
  adt:
    from: [gam_cha, gam_chb]
    steps: [{{ normalise_identity: {{ on_unknown: mint, on_conflict: dead_letter }} }}]
    to: [dpi]
"""
ARCS = {"cha": "1.2.250.1.999.10.1", "chb": "1.2.250.1.999.20.1"}


def adt(control_id: str, site: str, number: str, event: str = "A01", given: str = "HELENE") -> bytes:
    """A movement of one hospital's patient; everybody has the same strict traits but for the given name."""
    return (
        f"MSH|^~\\&|GAM|{site.upper()}|PASSERELLE|GHT|20260102030405||ADT^{event}|{control_id}|P|2.5\r"
        f"EVN||20260102030405\rPID|1||{number}^^^{site.upper()}&{ARCS[site]}&ISO^PI||MARTIN^{given}^{given}^^^^L||19850712"
        "|F|||^^^^^FRA^BDL^^38185|||||||||||||||||||||VALI\rPV1|1|I|UF1\r"
    ).encode()


def group_number(message: bytes) -> str:
    """The group's number in what the record got."""
    first = field_of(message, b"PID", 3).split("~")[0]
    assert first.endswith("^PN"), first
    return first.partition("^")[0]


class Evening:
    """The engine, its senders, its record, and what the officer types."""

    def __init__(self, engine: RunningEngine, ports: dict[str, int], dpi: Receiver) -> None:
        self.engine, self.ports, self.dpi = engine, ports, dpi

    async def send(self, *messages: bytes) -> None:
        """From the hospital that the message names, acknowledged."""
        for message in messages:
            site = field_of(message, b"MSH", 4).lower()
            async with Sender.connected(self.ports[site]) as gam:
                assert field_of(await gam.ask(message), b"MSA", 1) == "AA"

    async def type(self, *words: str, answers: str = "", code: int = 0) -> str:
        """Type a command, and answer its questions."""
        result = await asyncio.to_thread(CliRunner().invoke, root, list(words), input=answers)
        assert result.exit_code == code, result.output
        return result.stdout

    async def look(self, *words: str, answers: str = "") -> list[dict[str, Any]]:
        """Type a command with --json; its lines."""
        return [json.loads(line) for line in (await self.type(*words, "--json", answers=answers)).splitlines()]

    async def got(self, control_id: str) -> bytes:
        """What the record got of a message."""
        found = await until(lambda: [one for one in self.dpi.messages if field_of(one, b"MSH", 10) == control_id])
        return found[-1]


@pytest.fixture
def evening(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Evening], Awaitable[None]]], None]:
    """Run an engine and the officer's commands beside it."""
    monkeypatch.setenv("PASSERELLE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("PASSERELLE_ROUTES", str(tmp_path / "routes.yaml"))
    for module in (acting, asking):
        monkeypatch.setattr(module, "interactive", lambda: True)

    def run(work: Callable[[Evening], Awaitable[None]]) -> None:
        async def begin() -> None:
            ports = {"cha": free_port(), "chb": free_port()}
            async with receiver() as dpi:
                routes = ROUTES.format(**ports, dpi=dpi.port)
                async with running_engine(routes, tmp_path) as engine:
                    await work(Evening(engine, ports, dpi))

        asyncio.run(begin())

    return run


def test_two_split_patients_are_linked_while_messages_wait(evening):
    """Found, reviewed, linked, told of, unlinked again; nothing overtakes, everything is audited."""

    async def work(officer: Evening) -> None:
        await officer.send(adt("A1", "cha", "42"), adt("B1", "chb", "77"))
        numbers = [group_number(await officer.got(name)) for name in ("A1", "B1")]
        assert len(set(numbers)) == 2, "nothing certain joins them"

        (answer,) = await officer.look("identity", "review")
        (pair,) = answer["rows"]
        assert answer["counts"] == {"same-traits": 1}
        assert (pair["rule"], pair["traits"]) == ("same-traits", "all strict traits are the same")
        one, other = pair["one"], pair["other"]
        found = [await officer.look("identity", "find", "--ipp", answers=f"{ipp}\n") for ipp in ("42", "77")]
        assert [rows[0]["id"] for rows in found] == [one, other]

        await officer.type("hold", "dpi", "--reason", "an identity is looked at", answers="y\n")
        await officer.send(adt("B2", "chb", "77", "A02"), adt("A2", "cha", "42", "A02"))
        await officer.engine.settled(delivered=2, waiting=2)
        told = await officer.type("identity", "link", one, other, "--reason", "called CHB", answers="n\n", code=1)
        assert "  2 deliveries wait for dpi: they keep their order" in told.splitlines()
        assert "  4 deliveries carried these identifiers: `passerelle identity impact` lists them" in told.splitlines()
        told = await officer.type("identity", "link", one, other, "--reason", "called CHB", answers="y\n")
        assert told.splitlines()[-1] == f"1 done: patient {other} is patient {one} from now on"
        (shown,) = await officer.look("identity", "show", one)
        assert {row["authority"] for row in shown["identifiers"]} == {"group/ipp", "cha/ipp", "chb/ipp"}
        assert (await officer.look("identity", "review"))[0]["rows"] == []

        await officer.send(adt("A3", "cha", "42", "A03"), adt("B3", "chb", "77", "A03"))
        await officer.type("release", "dpi", "--reason", "linked", answers="y\n")
        await officer.engine.settled(delivered=6)
        order = [field_of(message, b"MSH", 10) for message in officer.dpi.messages]
        assert order == ["A1", "B1", "B2", "A2", "A3", "B3"], "one lane since the link, nothing overtook"
        assert group_number(await officer.got("B3")) == numbers[0]

        rows = await officer.look("identity", "history", one)
        assert (rows[0]["rule"], rows[0]["reason"]) == ("link", "called CHB")
        rows = await officer.look("identity", "impact", one)
        assert len({row["message"] for row in rows}) == 6
        assert all(row["sent_ms"] for row in rows)

        told = await officer.type("identity", "unlink", one, "--site", "chb", "--reason", "her sister", answers="y\n")
        assert told.splitlines()[-1] == "1 done: the numbers have a patient of their own"
        await officer.send(adt("B4", "chb", "77", "A01", given="LOUISE"), adt("A4", "cha", "42", "A01"))
        assert group_number(await officer.got("A4")) == numbers[0]
        assert group_number(await officer.got("B4")) == numbers[1], "hers of before the link"
        told = await officer.type("identity", "link", one, "3", "--reason", "again", answers="y\n", code=1)
        assert not told

        verbs = [(row["verb"], row["reason"], row["outcome"]) for row in await officer.look("audit")]
        assert ("identity link", "called CHB", "accepted") in verbs
        assert ("identity unlink", "her sister", "accepted") in verbs

    evening(work)


def test_an_import_releases_nothing_out_of_order_and_the_routers_know_it(evening, tmp_path):
    """Numbers that became known between two messages are known to the next one, and to what waits."""

    async def work(officer: Evening) -> None:
        await officer.send(adt("A1", "cha", "42"))
        number = group_number(await officer.got("A1"))
        file = tmp_path / "mpi.csv"
        file.write_text(f"number,authority,value\n{number},chb/ipp,77\nMPI-9,cha/ipp,99\n", encoding="utf-8")
        await officer.type("hold", "dpi", "--reason", "import", answers="y\n")
        await officer.send(adt("A2", "cha", "42", "A02"))
        await officer.type("identity", "import", str(file), "--reason", "take-over", answers="y\n")
        await officer.send(adt("B1", "chb", "77"), adt("A9", "cha", "99", given="LOUISE"))
        await officer.type("release", "dpi", "--reason", "imported", answers="y\n")
        assert group_number(await officer.got("B1")) == number
        assert group_number(await officer.got("A9")) == "MPI-9"
        order = [field_of(message, b"MSH", 10) for message in officer.dpi.messages]
        assert order.index("A2") < order.index("B1")
        await officer.send(adt("A5", "cha", "55", given="ANNE"))
        assert group_number(await officer.got("A5")) not in (number, "MPI-9")

    evening(work)
