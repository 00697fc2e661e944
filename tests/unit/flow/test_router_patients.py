"""Messages that waited for a patient, and decisions on patients that the store refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.core.changes import Reopen
from engine.core.lifecycle import MessageState
from engine.core.ports import Urgency
from engine.errors import ChangeRefused
from engine.flow import evaluating
from tests.support.group import DOORS, SITES, Group, group, hl7, of_cha
from tests.support.group import ROUTES as GROUP_ROUTES


def test_what_is_released_while_its_time_is_over(tmp_path: Path) -> None:
    """It is decided on, as one that waits no more: it would stay where it is until a restart."""

    async def walk(it: Group) -> None:
        await it.send("lis_cha", hl7(1, "R01", of_cha(1), type_="ORU"))
        assert await it.state(1) is MessageState.WAITING
        (router,) = it.routers
        router.pause()
        router.take_up([1], expired=True)
        it.store.submit(Reopen(1, "main", MessageState.WAITING, MessageState.RECEIVED), Urgency.NOW)
        await it.rest()
        router.take_up([1], expired=False)
        router.resume(it.configuration)
        await it.rest()
        assert await it.state(1) is MessageState.WAITING, "nobody knows its patient: it waits again"

    group(tmp_path, walk)


def test_a_fault_of_ours_when_a_wait_is_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message is dead: refused by the store, it would be looked at again every second."""

    async def walk(it: Group) -> None:
        await it.send("lis_cha", hl7(1, "R01", of_cha(1), type_="ORU"))

        def fails(*_: object) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr(evaluating, "evaluate", fails)
        await it.rest(73 * 3600)
        assert await it.state(1) is MessageState.DEAD

    group(tmp_path, walk)


PEOPLE = 3


def refusing(it: Group, *turns: int) -> list[int]:
    """Let the store refuse some routing decisions, by their turn; returns how many were counted."""
    seen = [0]

    def refuse(name: str) -> None:
        if name == "route":
            seen[0] += 1
            if seen[0] in turns:
                raise ChangeRefused("somebody was faster")

    it.store._fault = refuse
    return seen


def of(person: int, control_id: int) -> bytes:
    return hl7(control_id, "A31", of_cha(person), name=f"NOM{chr(65 + person)}^LEA^LEA")


@pytest.mark.parametrize("groups", [("main",), ("main", "other")], ids=["one-group", "two-groups"])
@pytest.mark.parametrize("turn", range(1, PEOPLE + 1))
def test_a_decision_on_patients_that_is_refused_once(tmp_path: Path, groups: tuple[str, ...], turn: int) -> None:
    """What relied on it doesn't leave; all is decided again in the order of the places, with numbers that are kept."""

    async def walk(it: Group) -> None:
        refusing(it, turn)
        raws = [of(n % PEOPLE, n) for n in range(1, 13)]
        if groups[1:]:
            for n, raw in enumerate(raws):
                it.receive(("gam_cha", "gam_chb")[n % 2], raw)
        else:
            it.receive("gam_cha", *raws)
        await it.rest(60)
        places = range(1, 13)
        assert {await it.state(place) for place in places} == {MessageState.ROUTED}
        assert sorted(it.left("dpi")) == list(places), "each leaves once"
        kept = {one.number for one in it.store.disk.patients.values()}
        for person in range(PEOPLE):
            theirs = [place for place in it.left("dpi") if place % PEOPLE == person]
            for turn_of in range(len(groups)):  # each group has an order of its own
                same = [place for place in theirs if place % len(groups) == turn_of]
                assert same == sorted(same)
            sent = {it.number("dpi", place) for place in theirs}
            assert len(sent) == 1
            assert sent <= kept, "a number left that the store doesn't know"
        assert len(kept) == PEOPLE
        assert sum(router.submitting.counts["routed"] for router in it.routers) == len(places)
        assert all(not router.submitting._again for router in it.routers)

    second = f"gam_chb: {{ type: mllp, site: cha, routing: {groups[-1]},"
    doors = DOORS.replace("gam_chb: { type: mllp, site: chb,", second)
    group(tmp_path, walk, text=SITES + doors + GROUP_ROUTES, groups=groups)


def test_a_decision_on_patients_that_is_refused_twice(tmp_path: Path) -> None:
    """Its message is dead, so that those behind it go on; they are decided on what is then known."""

    async def walk(it: Group) -> None:
        seen = refusing(it, 1)
        it.receive("gam_cha", of(1, 1), of(1, 2), of(2, 3))
        await it.runtime.until(lambda: seen[0] >= 1)
        refusing(it, 1)
        await it.rest(60)
        assert [await it.state(place) for place in (1, 2, 3)] == [
            MessageState.DEAD, MessageState.ROUTED, MessageState.ROUTED,
        ]  # fmt: skip
        assert it.left("dpi") == [2, 3]
        assert {it.number("dpi", place) for place in (2, 3)} == {one.number for one in it.store.disk.patients.values()}

    group(tmp_path, walk)
