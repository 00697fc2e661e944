"""Parts of a longer message that came apart: what is joined, what waits, what never is."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from engine.core.lifecycle import MessageState
from engine.flow import chains
from engine.store.memory import MemoryStore
from tests.conformance.stores import balanced
from tests.support.fragments import cut, result
from tests.support.laboratory import Laboratory
from tests.support.runtime import SimulatedRuntime, simulate

WHOLE = result("W")
PARTS = cut(WHOLE, (WHOLE.index(b"OBX|2") + 9, WHOLE.index(b"OBX|4")), ("p1", "p2"))
WAITING, JOINED, ROUTED, DEAD, DUPLICATE = (
    MessageState.WAITING, MessageState.JOINED, MessageState.ROUTED, MessageState.DEAD, MessageState.DUPLICATE,
)  # fmt: skip


def lab(directory: Path, test: Any, rule: str = "") -> None:
    async def run(runtime: SimulatedRuntime) -> None:
        it = Laboratory(runtime, directory, rule)
        await it.store.open(now_ms=runtime.now_ms())
        await it.router.start()
        await test(it)
        await balanced(it.store)
        it.router.stop()

    simulate(run)


@pytest.mark.parametrize("pause", [0, 60])
def test_parts_become_one_message(tmp_path: Path, pause: int) -> None:
    """Together or apart: the whole leaves once, as it was before it was cut."""

    async def test(it: Laboratory) -> None:
        for part in PARTS:
            it.send(part)
            await asyncio.sleep(pause)
        await asyncio.sleep(1)
        assert await it.states() == [JOINED, JOINED, ROUTED]
        assert await it.sent() == [WHOLE]
        assert [(one.place, one.control_id) for one in it.left] == [(3, "W")]
        first, last = await it.row(1), await it.row(3)
        assert (first["code"], first["linked_to"], first["reason"]) == (
            "E-JOINED", 3, "went on as a part of message 3",
        )  # fmt: skip
        assert (last["joins"], last["size"]) == ([1, 2], len(WHOLE))
        assert it.router.facts()["joined"] == 2

    lab(tmp_path, test)


@pytest.mark.parametrize("order", [(2, 1, 0), (1, 2, 0), (1, 0, 2), (0, 2, 1), (2, 0, 1)])
@pytest.mark.parametrize("pause", [0, 60])
def test_parts_in_another_order(tmp_path: Path, order: tuple[int, ...], pause: int) -> None:
    """None is joined by itself, nor when they are tried again: under a pointer that is reused they may be of two."""

    async def test(it: Laboratory) -> None:
        for rank in order:
            it.send(PARTS[rank])
            await asyncio.sleep(pause)
        await asyncio.sleep(1)
        assert await it.states() == [WAITING] * 3
        await asyncio.sleep(700)
        assert await it.states() == [DEAD] * 3
        await asyncio.gather(*map(it.retry, (1, 2, 3)))
        assert (await it.states(), it.left) == ([DEAD] * 3, [])
        it.send(*PARTS)
        await asyncio.sleep(1)
        assert (await it.states(), await it.sent()) == ([*[DEAD] * 3, JOINED, JOINED, ROUTED], [WHOLE])

    lab(tmp_path, test)


def test_an_older_end_under_a_pointer_that_is_used_again(tmp_path: Path) -> None:
    """The end of one whose beginning is missing isn't joined to the next beginning, whose own end is."""

    async def test(it: Laboratory) -> None:
        ours = cut(OTHER, (OTHER.index(b"OBX|2"),), ("1",))
        theirs = cut(WHOLE, (WHOLE.index(b"OBX|3"),), ("1",))
        it.send(theirs[1], ours[0])
        await asyncio.sleep(1)
        assert (await it.states(), it.left) == ([WAITING, WAITING], [])
        assert "(message 1 isn't that: it came before this one)" in (await it.row(2))["reason"]
        it.send(ours[1])
        await asyncio.sleep(1)
        assert (await it.states(), await it.sent()) == ([WAITING, JOINED, ROUTED], [OTHER])
        await asyncio.sleep(700)
        assert await it.states() == [DEAD, JOINED, ROUTED]

    lab(tmp_path, test)


def test_a_crash_while_a_pointer_used_twice_is_told(tmp_path: Path) -> None:
    """All that is linked dies in one commit: what were left over would be joined with the end of the other."""

    async def run(runtime: SimulatedRuntime) -> None:
        first = await Laboratory.opened(runtime, tmp_path)
        commits: list[int] = []
        first.store.on_routed("main", lambda routes: commits.extend(one.place for one in routes if one.ends))
        ours = cut(OTHER, (OTHER.index(b"OBX|2"),), ("p1",))
        middle = PARTS[1].replace(b"|p2|", b"|p3|")
        first.send(PARTS[0], middle, ours[0])
        await asyncio.sleep(1)
        assert await first.states() == [DEAD, DEAD, WAITING]
        assert commits == [3], "one decision"
        assert first.router.facts()["dead"] == 2
        second = await first.crashed()
        second.send(ours[1], *PARTS)
        await asyncio.sleep(1)
        assert (await second.states())[:2] == [DEAD, DEAD]
        assert second.left == []
        await asyncio.sleep(1300)
        assert set(await second.states()) == {DEAD}
        assert second.left == []

    simulate(run)


def test_what_waits_says_for_what(tmp_path: Path) -> None:
    """Each says which neighbour is there and which isn't; no pointer is shown."""

    async def test(it: Laboratory) -> None:
        parts = cut(WHOLE, [WHOLE.index(b"OBX|%d" % n) for n in (1, 2, 3, 4)], ("SECRET", "b", "c", "d"))
        it.send(parts[0], parts[1], parts[3], parts[4], parts[2])
        await asyncio.sleep(1)
        places = range(1, 6)
        said = [(await it.row(place))["reason"].removeprefix("a part of a longer message: ") for place in places]
        assert said == [
            "it waits for the part after it (DSC-1)",
            "the part before it (MSH-14) is message 1, it waits for the part after it (DSC-1)",
            "it waits for the part before it (MSH-14), it waits for the part after it (DSC-1)",
            "the part before it (MSH-14) is message 3, it waits for one further on",
            (
                "the part before it (MSH-14) is message 2, it waits for the part after it (DSC-1) (message 3 isn't "
                "that: it came before this one)"
            ),
        ]
        assert {(await it.row(place))["code"] for place in places} == {"E-FRAGMENT-WAITING"}

    lab(tmp_path, test)


def test_order_with_what_came_between(tmp_path: Path) -> None:
    """What was acknowledged before the last part was sent leaves before the whole, what came later behind it."""

    async def test(it: Laboratory) -> None:
        between, behind = result("B"), result("C")
        it.send(PARTS[0], between, PARTS[1], PARTS[2], behind)
        await asyncio.sleep(1)
        assert [one.place for one in it.left] == [2, 4, 5]
        assert await it.sent() == [between, WHOLE, behind]
        assert it.left[0].lanes == it.left[1].lanes

    lab(tmp_path, test)


def test_two_long_messages_at_a_time(tmp_path: Path) -> None:
    """Each pointer leads to its own; a pointer of another source is another one."""

    async def test(it: Laboratory) -> None:
        second = result("V", ipp="43")
        theirs = cut(second, (second.index(b"OBX|2"),), ("q1",))
        third = result("U", ipp="44")
        others = cut(third, (third.index(b"OBX|2"),), ("p1",))
        it.send(PARTS[0], theirs[0])
        it.send(others[0], source="other")
        it.send(PARTS[1], theirs[1], PARTS[2])
        it.send(others[1], source="other")
        await asyncio.sleep(1)
        assert await it.sent() == [second, WHOLE, third]

    lab(tmp_path, test)


def test_a_part_that_never_comes(tmp_path: Path) -> None:
    """When the time is over each is a dead letter that says what is missing; a late end doesn't join them."""

    async def test(it: Laboratory) -> None:
        it.send(PARTS[0])
        await asyncio.sleep(30)
        it.send(PARTS[1])
        await asyncio.sleep(35)
        assert await it.states() == [DEAD, WAITING]
        await asyncio.sleep(30)
        assert await it.states() == [DEAD, DEAD]
        first, second = await it.row(1), await it.row(2)
        assert (first["code"], first["field"]) == ("E-FRAGMENT", "DSC-1")
        assert "of which one further on didn't come within 60 s" in first["reason"]
        missing = "the part before it (MSH-14) and the part after it (DSC-1) didn't come"
        assert (second["field"], missing in second["reason"]) == ("DSC-1", True)
        it.send(PARTS[2])
        await it.retry(2)
        await it.retry(1)
        assert (await it.states(), it.left) == ([DEAD, DEAD, WAITING], [])
        await asyncio.sleep(70)
        it.send(*PARTS)
        await asyncio.sleep(1)
        assert await it.states() == [DEAD, DEAD, DEAD, JOINED, JOINED, ROUTED]
        assert await it.sent() == [WHOLE]

    lab(tmp_path, test, "fragments: { join: 1m }")


def test_a_beginning_is_not_retried_into_the_end_of_another(tmp_path: Path) -> None:
    """Under one pointer: A's beginning and B's died of time, B's end waits; A would be joined with it."""

    async def test(it: Laboratory) -> None:
        beginning, end = PARTS[0], PARTS[1].partition(b"DSC|")[0]
        it.send(beginning)
        await asyncio.sleep(70)
        it.send(beginning.replace(b"|F0|", b"|B0|").replace(b"one", b"another"))
        await asyncio.sleep(70)
        assert await it.states() == [DEAD, DEAD]
        it.send(end)
        await asyncio.sleep(1)
        await it.retry(1)
        assert (await it.states(), it.left) == ([DEAD, DEAD, WAITING], [])

    lab(tmp_path, test, "fragments: { join: 1m }")


def test_parts_that_go_on_alone(tmp_path: Path) -> None:
    """`then: deliver`: what has waited goes as it is; a whole that came in time is whole all the same."""

    async def test(it: Laboratory) -> None:
        it.send(PARTS[0])
        await asyncio.sleep(70)
        assert (await it.states(), await it.sent()) == ([ROUTED], [PARTS[0]])
        it.send(*TWO)
        await asyncio.sleep(1)
        assert await it.states() == [ROUTED, JOINED, ROUTED]

    lab(tmp_path, test, "fragments: { join: 1m, then: deliver }")


@pytest.mark.parametrize(("rule", "states"), [("dead_letter", [DEAD] * 2), ("deliver", [ROUTED] * 2)])
def test_sources_that_join_nothing(tmp_path: Path, rule: str, states: list[MessageState]) -> None:
    """As it was: dead letters at once, or to the routes as they are."""

    async def test(it: Laboratory) -> None:
        it.send(PARTS[0], PARTS[0].replace(b"p1", b"p2"))
        await asyncio.sleep(1)
        assert await it.states() == states

    lab(tmp_path, test, f"fragments: {rule}")


def test_a_part_that_comes_again(tmp_path: Path) -> None:
    """While it waits, under another control id too; after it was joined; the whole leaves once."""

    async def test(it: Laboratory) -> None:
        again = PARTS[1].replace(b"|W-2|", b"|X-2|").replace(b"|2026|", b"|2027|")
        it.send(PARTS[0], PARTS[0], PARTS[1], result("B"), PARTS[1], again)
        await asyncio.sleep(1)
        assert await it.states() == [WAITING, DUPLICATE, WAITING, ROUTED, DUPLICATE, DUPLICATE]
        assert (await it.row(6))["linked_to"] == 3
        it.send(PARTS[2], result("C"), *PARTS)
        await asyncio.sleep(1)
        assert (await it.states())[6:] == [ROUTED, ROUTED, DUPLICATE, DUPLICATE, DUPLICATE]
        assert (await it.sent()).count(WHOLE) == 1

    lab(tmp_path, test)


@pytest.mark.parametrize("fresh", [True, False])
def test_a_whole_that_is_sent_again_while_its_end_waits(tmp_path: Path, fresh: bool) -> None:
    """
    The beginning was lost: the whole goes on when it comes under new control ids.

    With the very same bytes its end is a repetition of the one that waits, which isn't joined with a later beginning;
    when both are over, the next sending is.
    """
    begin, end = cut(WHOLE, (WHOLE.index(b"OBX|2"),), ("p1",))
    again = [begin, end.replace(b"|W-2|", b"|X-2|")] if fresh else [begin, end]

    async def test(it: Laboratory) -> None:
        it.send(end, *again)
        await asyncio.sleep(1)
        if not fresh:
            assert (await it.states(), it.left) == ([WAITING, WAITING, DUPLICATE], [])
            await asyncio.sleep(70)
            it.send(begin, end)
            await asyncio.sleep(1)
            assert await it.states() == [DEAD, DEAD, DUPLICATE, JOINED, ROUTED]
        assert len(await it.sent()) == 1

    lab(tmp_path, test, "fragments: { join: 1m }")


NO_ORDER = result("W").replace(b"OBR|1||F1\r", b"")
TWO = cut(NO_ORDER, (NO_ORDER.index(b"OBX|2"),), ("p1",))


def test_what_died_may_be_sent_again(tmp_path: Path) -> None:
    """A whole that died is no original: all its parts sent again are a new one."""

    async def test(it: Laboratory) -> None:
        it.send(*TWO)
        await asyncio.sleep(1)
        it.send(*TWO)
        await asyncio.sleep(1)
        assert await it.states() == [JOINED, ROUTED, JOINED, ROUTED]
        assert [(await it.row(place))["ending"] for place in (2, 4)] == ["dead", "dead"]

    lab(tmp_path, test)


def test_a_whole_that_is_rejected(tmp_path: Path) -> None:
    """Its last part stays its sender's, and the others wait: it may send a better one."""

    async def test(it: Laboratory) -> None:
        it.send(*TWO, source="asked")
        await asyncio.sleep(1)
        assert await it.states() == [WAITING, MessageState.REJECTED]
        it.send(TWO[1].replace(b"OBX|2", b"OBR|1||F1\rOBX|2"), source="asked")
        await asyncio.sleep(1)
        assert await it.states() == [JOINED, MessageState.REJECTED, ROUTED]

    lab(tmp_path, test)


OTHER = result("V", ipp="43")


@pytest.mark.parametrize(
    ("parts", "field", "why"),
    [
        ([PARTS[0], *cut(OTHER, (OTHER.index(b"OBX|2"),), ("p1",))], "DSC-1", "a pointer in common"),
        ([PARTS[0].replace(b"|p1|", b"|p0|"), PARTS[0].replace(b"DSC|p1", b"PID|9\rDSC|p2").replace(
            b"2.5", b"2.5||p0"), PARTS[2]], "PID", "names a patient"),
        ([PARTS[0], PARTS[1].replace(b"ORU^R01", b"ORU^R30"), PARTS[2]], "MSH-9", "MSH-9 isn't the same"),
        ([PARTS[0], PARTS[1], PARTS[2].replace(b"^~\\&", b"^~\\#")], "MSH-2", "delimiters"),
        ([PARTS[0], PARTS[1], PARTS[2].replace(b"text", b"t" * 1900)], "DSC-1", "max_size"),
    ],
    ids=["a pointer used twice", "two patients", "another type", "other delimiters", "too long"],
)  # fmt: skip
def test_what_is_never_joined(tmp_path: Path, parts: list[bytes], field: str, why: str) -> None:
    """All that is linked dies at once, with the reason, but the one that showed it: it bars the pointers, then dies."""

    async def test(it: Laboratory) -> None:
        it.send(*parts)
        await asyncio.sleep(1)
        rows = [await it.row(place) for place in sorted(it.store.disk.messages)]
        dead = [row for row in rows if row["state"] == "dead"]
        assert dead
        assert {row["code"] for row in dead} == {"E-FRAGMENT"}
        assert {row["state"] for row in rows} == {"dead", "waiting"}
        concerned = [row for row in rows if why in row["reason"]]
        assert concerned
        assert {row["field"] for row in concerned} == {field}
        assert it.left == []
        assert "DOE" not in str(rows)
        await asyncio.sleep(700)
        assert set(await it.states()) == {DEAD}

    lab(tmp_path, test)


def test_a_lost_end_and_a_pointer_used_again(tmp_path: Path) -> None:
    """The end of another message under the same pointers doesn't complete the first one, whose own end was lost."""

    async def test(it: Laboratory) -> None:
        other = cut(OTHER, (OTHER.index(b"OBX|2"), OTHER.index(b"OBX|3")), ("p1", "p2"))
        it.send(PARTS[0], PARTS[1], *other)
        await asyncio.sleep(700)
        assert await it.states() == [DEAD] * 5
        assert it.left == []

    lab(tmp_path, test)


def test_ends_that_say_the_same(tmp_path: Path) -> None:
    """Where no beginning is there they may be of two messages: neither counts as a repetition of the other."""

    async def test(it: Laboratory) -> None:
        it.send(TWO[1], TWO[1].replace(b"|W-2|", b"|V-2|"))
        await asyncio.sleep(1)
        assert await it.states() == [DEAD, WAITING]
        await asyncio.sleep(700)
        assert await it.states() == [DEAD, DEAD]

    lab(tmp_path, test)


def test_too_many_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the bound nothing is joined."""
    monkeypatch.setattr(chains, "PARTS_MAX", 2)

    async def test(it: Laboratory) -> None:
        it.send(*PARTS)
        await asyncio.sleep(700)
        assert await it.states() == [DEAD, DEAD, DEAD]

    lab(tmp_path, test)


OURS, THEIRS = cut(WHOLE, (WHOLE.index(b"OBX|2"),), ("R",)), cut(OTHER, (OTHER.index(b"OBX|2"),), ("R",))


def test_one_pointer_before_and_behind(tmp_path: Path) -> None:
    """A sender that writes the same into MSH-14 and DSC-1: a lost part would not be missed."""

    async def test(it: Laboratory) -> None:
        it.send(PARTS[0], PARTS[1].replace(b"|p2|", b"|p1|"), PARTS[2].replace(b"|p2", b"|p1"))
        await asyncio.sleep(650)
        assert (await it.states(), it.left) == ([DEAD] * 3, [])

    lab(tmp_path, test)


@pytest.mark.parametrize("tail", [b"|I\r", b"|f\r", b"|F\rZZZ|x\r"])
def test_a_part_that_says_badly_how_it_goes_on(tmp_path: Path, tail: bytes) -> None:
    """It is no whole, and its end doesn't complete another one that waits under its pointer."""

    async def test(it: Laboratory) -> None:
        it.send(THEIRS[0], OURS[0].replace(b"|F\r", tail), OURS[1])
        await asyncio.sleep(1)
        assert (await it.states(), it.left) == ([DEAD, DEAD, WAITING], [])
        await asyncio.sleep(650)
        assert (await it.states(), it.left) == ([DEAD] * 3, [])

    lab(tmp_path, test)


@pytest.mark.parametrize(
    "last", [OURS[1] + b"PID|1||43^^^CHA^PI||ROE\rOBR|1||F2\rOBX|1|TX|A||one\r", OURS[1] + b"\xa0PID|1||43\r"]
)
def test_an_end_that_goes_on_to_another_patient(tmp_path: Path, last: bytes) -> None:
    """Neither is joined, nor delivered with the results of the first before the second's PID."""

    async def test(it: Laboratory) -> None:
        it.send(OURS[0], last)
        await asyncio.sleep(650)
        assert (await it.states(), it.left) == ([DEAD] * 2, [])

    lab(tmp_path, test)

    lab(tmp_path, test)


@pytest.mark.parametrize("crash", range(1, 4))
def test_a_crash_between(tmp_path: Path, crash: int) -> None:
    """Another run finds what waits, and joins what comes then; what was joined stays recognised."""

    async def run(runtime: SimulatedRuntime) -> None:
        first = Laboratory(runtime, tmp_path, "")
        await first.store.open(now_ms=runtime.now_ms())
        await first.router.start()
        first.send(*PARTS[:crash])
        await asyncio.sleep(1)
        first.router.stop()
        first.store.crash()
        second = Laboratory(runtime, tmp_path, "", MemoryStore(first.store.disk))
        await second.store.open(now_ms=runtime.now_ms())
        await second.router.start()
        second.send(*PARTS[crash:])
        await asyncio.sleep(1)
        assert await second.states() == [JOINED, JOINED, ROUTED]
        assert await (second if second.left else first).sent() == [WHOLE]
        second.send(PARTS[0], PARTS[1])
        await asyncio.sleep(1)
        assert (await second.states())[3:] == [DUPLICATE, DUPLICATE]

    simulate(run)


def test_a_commit_that_fails(tmp_path: Path) -> None:
    """Whatever is not on disk is decided again, and the whole leaves once."""

    async def run(runtime: SimulatedRuntime) -> None:
        it = Laboratory(runtime, tmp_path, "", MemoryStore(fault=lambda name: fail(name)))
        left = [5]

        def fail(name: str) -> None:
            if name == "route" and left[0]:
                left[0] -= 1
                raise OSError("disk full")

        await it.store.open(now_ms=runtime.now_ms())
        await it.router.start()
        it.send(*PARTS)
        await asyncio.sleep(60)
        assert await it.states() == [JOINED, JOINED, ROUTED]
        assert await it.sent() == [WHOLE]

    simulate(run)
