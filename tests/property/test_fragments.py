"""Any cut of messages, sent in any order, leaves as they were."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.parsers.hl7v2.fragments import fragment_of, put_together
from engine.store.memory import MemoryStore
from tests.support.fragments import cut, result
from tests.support.laboratory import Laboratory, SlowStore
from tests.support.runtime import SimulatedRuntime, simulate


@st.composite
def cuts(draw: st.DrawFn, control_id: str = "W", ipp: str = "42") -> tuple[bytes, list[bytes]]:
    """A message and its parts; pointers never meet those of another control id."""
    whole = result(control_id, ipp=ipp, lines=draw(st.integers(0, 5)))
    first = whole.index(b"PID|")
    places = draw(st.sets(st.integers(first + 4, len(whole) - 1), min_size=1, max_size=5))
    return whole, cut(whole, sorted(places), [f"{control_id}{rank}" for rank in range(len(places))])


@given(cuts())
def test_any_cut_gives_the_bytes_again(case: tuple[bytes, list[bytes]]) -> None:
    """In the middle of a name, of an escape, behind a segment: the joined bytes are those before."""
    whole, parts = case
    assert all(fragment_of(part) is not None for part in parts)
    assert put_together(parts) == whole


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_interleaving(data: st.DataObject) -> None:
    """Three messages in parts, each in its order, with repetitions and crashes between: each leaves once, whole."""
    cases = [data.draw(cuts(name, ipp)) for name, ipp in (("W", "42"), ("V", "42"), ("U", "7"))]
    turns = data.draw(st.permutations([rank for rank, (_, pieces) in enumerate(cases) for _ in pieces]))
    following = [iter(pieces) for _, pieces in cases]
    order = [next(following[rank]) for rank in turns]
    again = data.draw(st.lists(st.sampled_from(order), max_size=3))
    crashes = data.draw(st.sets(st.integers(0, len(order)), max_size=2))
    kind = data.draw(st.sampled_from([MemoryStore, SlowStore]))

    async def run(runtime: SimulatedRuntime) -> None:
        with tempfile.TemporaryDirectory() as directory:
            lab = await Laboratory.opened(runtime, Path(directory), store=kind())
            for rank, part in enumerate(order):
                lab.send(part)
                if rank in crashes:
                    await asyncio.sleep(data.draw(st.sampled_from([0, 0.5, 1, 1.5])))
                    lab = await lab.crashed()
            lab.send(*again)
            await asyncio.sleep(10)
            sent = await lab.sent()
            assert sorted(sent) == sorted(whole for whole, _ in cases)
            assert set(await lab.endings()) <= {"joined", "waiting", "duplicate"}
            lab.router.stop()

    simulate(run)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_beginnings_that_are_missing(data: st.DataObject) -> None:
    """A laboratory that uses the same pointers in each message, and beginnings that never come: no false join."""
    wholes, order = [], []
    for number in range(data.draw(st.integers(2, 5))):
        whole = result(f"M{number}", ipp=str(number), lines=4).replace(b"more", b"of M%d" % number)
        count = data.draw(st.integers(1, 3))
        offsets = sorted(data.draw(st.sets(st.integers(whole.index(b"OBX|1"), len(whole) - 1), min_size=3, max_size=3)))
        parts = cut(whole, offsets[:count], [str(rank) for rank in range(count)])
        wholes.append(whole)
        order += parts[data.draw(st.integers(0, count)) :]
    crashes = data.draw(st.sets(st.integers(0, len(order)), max_size=2))
    kind = data.draw(st.sampled_from([MemoryStore, SlowStore]))

    async def run(runtime: SimulatedRuntime) -> None:
        with tempfile.TemporaryDirectory() as directory:
            lab = await Laboratory.opened(runtime, Path(directory), store=kind())
            for rank, part in enumerate(order):
                lab.send(part)
                if rank in crashes:
                    await asyncio.sleep(data.draw(st.sampled_from([0, 0.5, 1.5])))
                    lab = await lab.crashed()
            await asyncio.sleep(700)
            assert set(await lab.sent()) <= set(wholes)
            assert set(await lab.endings()) <= {"joined", "waiting", "dead", "duplicate"}
            lab.router.stop()

    simulate(run)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_one_pointer_over_several_connections(data: st.DataObject) -> None:
    """Each sends its parts in order, and some again; wherever they meet, none is joined with another's."""
    wholes: list[bytes] = []
    connections: list[list[bytes]] = []
    for number in range(data.draw(st.sampled_from([2, 2, 3]))):
        connections.append([])
        for serial in range(data.draw(st.sampled_from([1, 1, 2]))):
            name = f"M{number}{serial}"
            whole = result(name, ipp=f"{number}{serial}", lines=2).replace(b"more", name.encode())
            parts = cut(whole, (whole.index(b"OBX|2"),), ("1",))
            wholes.append(whole)
            connections[-1] += data.draw(st.sampled_from([[parts[0], *parts], [*parts, *parts], parts]))
    turns = data.draw(st.permutations([rank for rank, parts in enumerate(connections) for _ in parts]))
    following = [iter(parts) for parts in connections]
    crashes = data.draw(st.sets(st.integers(0, len(turns)), max_size=2))

    async def run(runtime: SimulatedRuntime) -> None:
        with tempfile.TemporaryDirectory() as directory:
            store = data.draw(st.sampled_from([MemoryStore, SlowStore]))()
            lab = await Laboratory.opened(runtime, Path(directory), store=store)
            for rank, turn in enumerate(turns):
                lab.send(next(following[turn]))
                await asyncio.sleep(data.draw(st.sampled_from([0, 0.5, 20])))
                if rank in crashes:
                    lab = await lab.crashed()
            await asyncio.sleep(1300)
            assert set(await lab.sent()) <= set(wholes)
            assert set(await lab.endings()) <= {"joined", "waiting", "dead", "duplicate"}
            lab.router.stop()

    simulate(run)
