"""Messages that waited for a patient, decided on in turn with what comes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from engine.core.changes import Reopen, Route
from engine.core.lifecycle import MessageState
from engine.core.messages import Delivery, StoredMessage
from engine.core.ports import SendOutcome, Urgency
from engine.flow import evaluating
from engine.flow.router import Router
from engine.identity.crossreference import Unread
from engine.identity.decisions import territorial
from engine.store.memory_rows import MemoryDisk
from tests.support.fake_door import NOT_SENT, accepted, answer
from tests.support.group import DOORS, ROUTES, SITES, Group, group, hl7, of_cha, of_chb


def of(person: int, control_id: int, event: str = "A31", type_: str = "ADT") -> bytes:
    name = f"NOM{chr(65 + person)}^LEA^LEA"
    return hl7(control_id, event, of_cha(person), type_=type_, name=name)


def test_messages_that_waited_delay_nobody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    They are read some at a time, in turn with what comes; their patients' own next messages come behind them.

    So do those of who is joined to one of them. None of this fills the store.
    """

    async def test(it: Group) -> None:
        await it.send("gam_cha", hl7(1, "A28", of_cha(2)))
        await it.send("lis_cha", *(hl7(number, "R01", of_cha(1), type_="ORU") for number in range(2, 302)))
        assert await it.state(2) is await it.state(301) is MessageState.WAITING
        steps: list[int | str] = []
        read, submit = it.store.message, it.store.submit

        async def message(place: int) -> StoredMessage | None:
            steps.append("read")
            return await read(place)

        def submitted(change: Any, *rest: Any) -> None:
            if isinstance(change, Route):
                steps.append(change.place)
                if change.place == 302:
                    (router,) = it.routers
                    again = router.late.add

                    def add(*places: Any, **how: Any) -> None:
                        again(*places, **how)
                        come()

                    monkeypatch.setattr(router.late, "add", add)
            submit(change, *rest)

        def come() -> None:
            """While they are taken up: the same patient, another one, and one who becomes the same person."""
            monkeypatch.undo()
            monkeypatch.setattr(it.store, "message", message)
            monkeypatch.setattr(it.store, "submit", submitted)
            it.receive("lis_cha", hl7(303, "R01", of_cha(1), type_="ORU"), hl7(304, "R01", of_cha(2), type_="ORU"))
            merge = hl7(305, "A40", of_cha(1), f"MRG|{of_cha(2)}")
            it.receive("gam_cha", merge, hl7(306, "A31", of_cha(2)), of(3, 307))

        monkeypatch.setattr(it.store, "message", message)
        monkeypatch.setattr(it.store, "submit", submitted)
        it.receive("gam_cha", hl7(302, "A28", of_cha(1)))
        await it.runtime.until(lambda: 307 in steps)
        assert it.store.load < 0.1
        await it.rest(100)
        decided = [one for one in steps if one != "read"]
        assert decided.index(304) < 12
        assert decided.index(307) < 20
        behind = [one for one in decided if one not in (304, 307)]
        assert behind == [302, *range(2, 302), 303, 305, 306]
        reads = sum(one == "read" and other != "read" for one, other in pairwise(steps))
        assert reads < 30
        left = it.left("dpi")
        assert [one for one in left if one not in (304, 307)] == [1, 302, *range(2, 302), 303, 305, 306]
        assert it.store.load < 0.1

    group(tmp_path, test)


def test_the_same_again_of_one_that_came_behind(tmp_path: Path) -> None:
    """It is a retransmission all the same."""

    async def test(it: Group) -> None:
        await it.send("lis_cha", *(of(1, number, "R01", "ORU") for number in range(1, 101)))
        it.receive("gam_cha", of(1, 101, "A28"))
        await it.runtime.until(lambda: it.routers[0].late, step=0)
        it.receive("gam_cha", of(1, 102), of(1, 102))
        await it.rest(10)
        assert await it.state(102) is MessageState.ROUTED
        assert await it.state(103) is MessageState.DUPLICATE
        assert it.left("dpi") == [101, *range(1, 101), 102]

    group(tmp_path, test)


def test_a_wait_whose_end_takes_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is decided on once, though it is looked at each second."""
    decided: list[int] = []
    slow = Router.decided_on

    async def decided_on(router: Router, message: StoredMessage, turn: evaluating.Turn) -> Route:
        decided.append(message.place)
        await asyncio.sleep(5)
        return await slow(router, message, turn)

    monkeypatch.setattr(Router, "decided_on", decided_on)

    async def test(it: Group) -> None:
        await it.send("lis_cha", of(1, 1, "R01", "ORU"))
        await it.rest(10)
        decided.clear()

        route_of = evaluating.Evaluating.route_of

        def asks(*_: object, **__: object) -> Route:
            monkeypatch.setattr(evaluating.Evaluating, "route_of", route_of)
            raise Unread

        monkeypatch.setattr(evaluating.Evaluating, "route_of", asks)
        submitted: list[int] = []
        submit = it.store.submit

        def submits(change: Any, *rest: Any) -> None:
            if isinstance(change, Route):
                submitted.append(change.place)
            submit(change, *rest)

        monkeypatch.setattr(it.store, "submit", submits)
        await it.rest(72 * 3600)
        assert await it.state(1) is MessageState.ROUTED
        assert decided == submitted == [1]
        assert it.routers[0].submitting.counts["routed"] == 1

    group(tmp_path, test)


def once(place: int) -> Callable[[Delivery], SendOutcome]:
    """Make a receiver that is busy, once, when a message comes: what isn't behind it in its lane passes."""
    seen: list[int] = []

    def receive(delivery: Delivery) -> SendOutcome:
        if delivery.place == place and not seen:
            seen.append(place)
            return answer(delivery.control_id, "AR", error="206")
        return accepted(delivery)

    return receive


def test_a_message_that_came_behind_stays_behind_its_person(tmp_path: Path) -> None:
    """An officer links while it is still to be decided on: what was queued before it leaves before it."""

    async def test(it: Group) -> None:
        await it.send("gam_cha", of(1, 1, "A28"))
        await it.send("gam_chb", hl7(2, "A28", of_chb(1), name="NOMB^LEA^LEA"))
        await it.send("lis_cha", *(of(2, number, "R01", "ORU") for number in range(3, 59)))
        it.doors["dpi"].receiver = lambda _: NOT_SENT
        await it.send("gam_chb", hl7(59, "A31", of_chb(1), name="NOMB^LEA^LEA"))
        (router,) = it.routers
        one, other = (row.patient for row in it.store.disk.identifiers.values() if row.value == "1")
        assert one != other
        router.late.add([50], expired=False, keys=[territorial(it.references, other)])  # something of his is late
        router.late.reading = True  # and takes its time
        it.receive("gam_chb", hl7(60, "A31", of_chb(1), name="NOMB^LEA^LEA"))
        await it.rest()
        assert await it.state(60) is MessageState.RECEIVED
        done, outcome = await it.act("identity-link", one=one, other=other)
        assert done, outcome
        router.late.reading = False
        it.receive("gam_cha", of(3, 61, "A28"))
        await it.rest()
        assert await it.state(60) is MessageState.ROUTED
        it.doors["dpi"].receiver = once(59)
        await it.rest(600)
        left = it.left("dpi")
        assert left.index(59) < left.index(60)

    group(tmp_path, test)


def test_a_fence_after_a_start_stands_behind_what_waits(tmp_path: Path) -> None:
    """Something of an old place is to be decided on again: what was decided on later counts all the same."""
    disk = MemoryDisk()
    listen = 'lis_chb: { routing: other, type: mllp, site: chb, listen: "127.0.0.1:6105" }'
    doors = DOORS.replace("gam_chb: { type", "gam_chb: { routing: other, type")
    doors = doors.replace("destinations:", f"  {listen}\ndestinations:")
    text = SITES + doors + ROUTES.replace("from: [lis_cha]", "from: [lis_cha, lis_chb]")
    groups = ("main", "other")

    async def before(it: Group) -> None:
        await it.send("lis_cha", of(9, 1, "R01", "ORU"))
        await it.send("lis_chb", hl7(2, "R01", of_chb(9), type_="ORU"))
        await it.send("gam_cha", of(1, 3, "A28"))
        await it.send("gam_chb", hl7(4, "A28", of_chb(1), name="NOMB^LEA^LEA"))
        it.doors["dpi"].receiver = lambda _: NOT_SENT
        await it.send("gam_chb", hl7(5, "A31", of_chb(1), name="NOMB^LEA^LEA"))
        for router in it.routers:
            router.stop()
        for place, name in enumerate(groups, 1):
            assert await it.state(place) is MessageState.WAITING
            it.store.submit(Reopen(place, name, MessageState.WAITING, MessageState.RECEIVED), Urgency.NOW)
        await it.rest(0.1)

    async def after(it: Group) -> None:
        door = it.doors["dpi"]
        door.receiver = lambda _: NOT_SENT
        await it.rest()
        one, other = (row.patient for row in it.store.disk.identifiers.values() if row.value == "1")
        done, outcome = await it.act("identity-link", one=one, other=other)
        assert done, outcome
        await it.send("gam_chb", hl7(6, "A31", of_chb(1), name="NOMB^LEA^LEA"))
        door.receiver = once(5)
        await it.rest(600)
        left = it.left("dpi")
        assert left.index(5) < left.index(6)

    group(tmp_path, before, text=text, groups=groups, disk=disk)
    group(tmp_path, after, text=text, groups=groups, disk=disk)
