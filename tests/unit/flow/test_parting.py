"""What waits at a destination while its patients are parted never leaves wrong: found, held, made anew, in order."""

from __future__ import annotations

import pathlib

import pytest

from engine.core.lifecycle import DeliveryState, MessageState
from engine.core.messages import DeliveryFlag
from tests.support.fake_door import NO_ANSWER, accepted, answer
from tests.support.group import DOORS, ROUTES, SITES, Group, group, hl7
from tests.support.parting import A, B, away, back, key, known, row, undo


def test_what_waits_is_made_anew(tmp_path: pathlib.Path) -> None:
    """With the number of the person whose it is, in its old place; what is right stays as it was made."""

    async def test(it: Group) -> None:
        await known(it)
        away(it)
        await it.send("gam_chb", hl7(3, "A31", B, name="MARTIN^LEO^LEO"))
        await it.send("gam_cha", hl7(4, "A31", A))
        await it.send("gam_chb", hl7(5, "A08", B, name="MARTIN^LEO^LEO"))
        assert it.number("lab", 3) == it.number("lab", 4)
        before, own_id = row(it, 4), row(it, 3).control_id
        await undo(it)
        await it.send("gam_chb", hl7(6, "A31", B, name="MARTIN^LEO^LEO"))
        assert not any(one.delivery.flags & DeliveryFlag.PARTED for one in it.store.disk.deliveries.values())
        assert row(it, 4).payload == before.payload
        assert row(it, 3).control_id != own_id
        assert [row(it, place).state for place in (3, 4, 5, 6)] == [DeliveryState.PENDING] * 4
        await back(it)
        assert it.left("dpi") == [1, 2, 3, 4, 5, 6]
        mine, hers = it.number("dpi", 1), it.number("dpi", 2)
        assert mine != hers
        assert [it.number("dpi", place) for place in (3, 4, 5, 6)] == [hers, mine, hers, hers]
        assert it.pid3("dpi", 3)[1:] == [f"7^^^CHB-IPP&{'1.2.250.1.999.20.1'}&ISO^PI"]

    group(tmp_path, test)


def test_unlink_too(tmp_path: pathlib.Path) -> None:
    """A hospital's numbers that get a patient of their own: what waits under them has his number."""

    async def test(it: Group) -> None:
        await known(it)
        away(it)
        await it.send("gam_chb", hl7(3, "A31", B, name="MARTIN^LEO^LEO"))
        await it.send("gam_cha", hl7(4, "A31", A))
        done, outcome = await it.act("identity-unlink", identifiers=[key(it, 20, "7")], sites="chb")
        assert done, outcome
        await it.send("gam_chb", hl7(5, "A31", B, name="MARTIN^LEO^LEO"))
        await back(it)
        assert it.left("dpi") == [1, 2, 3, 4, 5]
        assert it.number("dpi", 3) == it.number("dpi", 5) != it.number("dpi", 4) == it.number("dpi", 1)

    group(tmp_path, test)


def test_what_is_in_flight_leaves_as_it_was_made(tmp_path: pathlib.Path) -> None:
    """Its bytes are what was sent; when its outcome is a failure, it is made anew before it is sent again."""

    async def test(it: Group, *, fails: bool) -> None:
        await known(it)
        door = it.doors["dpi"]
        door.latency = 20.0
        door.receiver = lambda one: answer(one.control_id, "AE", error="207") if fails else accepted(one)
        await it.send("gam_chb", hl7(3, "A31", B, name="MARTIN^LEO^LEO"))
        assert door.under_way == 1
        await undo(it)
        await it.rest(5)
        assert row(it, 3).flags & DeliveryFlag.PARTED
        door.receiver = accepted
        await it.rest(300)
        assert it.left("dpi") == [1, 2, 3]
        assert (it.number("dpi", 3) == it.number("dpi", 1)) is not fails
        assert bool(row(it, 3).flags & DeliveryFlag.PARTED) is not fails
        sent = [data for one, data in door.data if one.place == 3]
        assert len(sent) == 1 + fails
        stored = await it.store.payloads([row(it, 3).id], 1 << 20)
        assert stored[row(it, 3).id] == sent[-1]

    for fails in (False, True):
        group(tmp_path, lambda it, fails=fails: test(it, fails=fails))


@pytest.mark.parametrize("control_id", ["own", "as_received"])
def test_what_may_have_arrived(tmp_path: pathlib.Path, control_id: str) -> None:
    """
    Other bytes leave under another id: a receiver that knows repetitions by MSH-10 would keep the wrong person.

    What stays as it was made keeps its id, also after an attempt. Where the id is the sender's, people are told.
    """

    async def test(it: Group, *, other: bool) -> None:
        await known(it)
        it.doors["dpi"].receiver = lambda _: NO_ANSWER
        message = hl7(3, "A31", B, name="MARTIN^LEO^LEO") if other else hl7(3, "A31", A)
        await it.send("gam_chb" if other else "gam_cha", message)
        await it.rest(40)
        before = row(it, 3)
        assert before.attempts
        assert before.flags & DeliveryFlag.POSSIBLE_DUPLICATE
        await undo(it)
        await back(it)
        after = row(it, 3)
        assert after.state is DeliveryState.DELIVERED
        assert it.number("dpi", 3) == it.number("dpi", 2 if other else 1)
        assert (after.control_id == before.control_id) is (control_id == "as_received" or not other)
        assert bool(after.flags & DeliveryFlag.ANOTHER_SENT) is other
        sent = {(data.split(b"|")[9], data) for one, data in it.doors["dpi"].data if one.place == 3}
        assert len(sent) == 1 + other
        assert len({own for own, _ in sent}) == (len(sent) if control_id == "own" else 1)

    text = DOORS.replace("connections: 4 }", f"connections: 4, encode: {{ control_id: {control_id} }} }}", 1)
    for other in (True, False):
        group(tmp_path, lambda it, other=other: test(it, other=other), text=SITES + text + ROUTES)


def test_a_whole_queue_keeps_its_order(tmp_path: pathlib.Path) -> None:
    """More than one page of what waits is made anew, each in its place."""

    async def test(it: Group) -> None:
        await known(it)
        away(it)
        await it.send("gam_chb", *(hl7(n, "A31", B, name="MARTIN^LEO^LEO") for n in range(3, 300)))
        await it.send("gam_chb", hl7(300, "A31", B, name="MARTIN^LEO^LEO"))
        await undo(it)
        assert it.identities.parting.is_done
        await back(it)
        assert it.left("dpi") == list(range(1, 301))
        assert {it.number("dpi", n) for n in range(3, 301)} == {it.number("dpi", 2)}

    group(tmp_path, test)


def test_a_crash_in_between(tmp_path: pathlib.Path) -> None:
    """The mark is on disk with the act: what was not made anew is, by the next run, before anything of it leaves."""

    async def first(it: Group) -> None:
        await known(it)
        away(it)
        await it.send("gam_chb", hl7(3, "A31", B, name="MARTIN^LEO^LEO"))
        it.identities.parting.wake = lambda: None  # type: ignore[method-assign]
        await undo(it)
        assert row(it, 3).flags & DeliveryFlag.PARTED
        it.doors["dpi"].receiver = accepted
        await it.rest(300)
        assert it.left("dpi") == [1, 2]
        it.store.sending(row(it, 3).id, 1, 7)
        kept.append(it.store.disk)
        numbers.append(it.number("dpi", 2))

    async def second(it: Group) -> None:
        await it.rest(300)
        assert it.left("dpi") == [3]
        assert it.number("dpi", 3) == numbers[0]
        assert row(it, 3).flags & DeliveryFlag.ANOTHER_SENT  # it may have left in the run before

    kept: list = []
    numbers: list[str] = []
    group(tmp_path, first)
    group(tmp_path, second, disk=kept[0])


@pytest.mark.parametrize("policy", ["park", "pass"])
def test_what_is_dead_never_goes_back_as_it_was(tmp_path: pathlib.Path, policy: str) -> None:
    """A dead delivery is marked too: a retry makes it anew, whatever became of it."""

    async def test(it: Group) -> None:
        await known(it)
        it.doors["dpi"].receiver = lambda one: answer(one.control_id, "AR", error="204")
        await it.send("gam_chb", hl7(3, "A31", B, name="MARTIN^LEO^LEO"))
        await it.rest(300)
        assert row(it, 3).state is DeliveryState.DEAD
        await undo(it)
        assert row(it, 3).flags & DeliveryFlag.PARTED
        it.doors["dpi"].receiver = accepted
        own_id = row(it, 3).control_id
        assert (await it.act("retry", delivery=row(it, 3).id))[0]
        assert row(it, 3).control_id != own_id
        await it.rest(5)
        assert it.number("dpi", 3) == it.number("dpi", 2)

    text = DOORS.replace("connections: 4 }", f"connections: 4, dead_letter: {{ lane: {policy} }} }}", 1)
    group(tmp_path, test, text=SITES + text + ROUTES)


def test_what_waited_for_a_patient_is_decided_on_behind_it(tmp_path: pathlib.Path) -> None:
    """Its place may be before one that still has the lanes of former days: not before all is looked through."""

    async def test(it: Group) -> None:
        await it.send("lis_cha", hl7(1, "R01", A, type_="ORU"))
        it.identities.parting.under_way = True
        await it.send("gam_cha", hl7(2, "A28", A))
        assert (await it.state(1), await it.state(2)) == (MessageState.RECEIVED, MessageState.ROUTED)
        it.identities.parting.under_way = False
        it.identities.parting.look(["dpi"])
        await it.rest()
        assert await it.state(1) is MessageState.ROUTED
        assert it.left("dpi") == [2, 1]

    group(tmp_path, test)


def test_nothing_is_made_anew_while_the_routers_rest(tmp_path: pathlib.Path) -> None:
    """As little as anything else is decided then; it goes on with them. A store in trouble is asked again."""

    async def test(it: Group) -> None:
        await known(it)
        away(it)
        await it.send("gam_chb", hl7(3, "A31", B, name="MARTIN^LEO^LEO"))
        look = it.identities.parting.look
        it.identities.parting.look = lambda _: it.routers[0].pause()  # type: ignore[method-assign]
        await undo(it)
        it.identities.parting.look = look  # type: ignore[method-assign]
        look(["dpi"])
        await it.rest(5)
        assert row(it, 3).flags & DeliveryFlag.PARTED
        it.store._opened = False
        it.routers[0].resume(it.configuration)
        await it.rest(0.5)
        assert row(it, 3).flags & DeliveryFlag.PARTED
        it.store._opened = True
        await it.rest(30)
        assert not row(it, 3).flags & DeliveryFlag.PARTED
        await back(it)
        assert it.number("dpi", 3) == it.number("dpi", 2)

    group(tmp_path, test)
