"""The cross-reference in memory: never older than the store, bounded, emptied when the store fails."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest

from engine.core.identities import IdentifierKind, IdentifierRow, IdentityEvent, IdentityRows, PatientRow
from engine.flow import identities as module
from engine.flow.identities import Identities
from engine.identity.crossreference import Unread
from tests.support.runtime import SimulatedRuntime, simulate


def row(key: int, patient: int) -> IdentifierRow:
    return IdentifierRow(key, IdentifierKind.LOCAL, "a", str(key), patient)


def minted(key: int, patient: int) -> IdentityEvent:
    return IdentityEvent(
        "mint", 1, 0, identifiers={key: (None, row(key, patient))}, patients={patient: (None, PatientRow(patient, "G"))}
    )


class Store:
    """Rows, and a gate in front of each read."""

    def __init__(self) -> None:
        self.rows: dict[int, IdentifierRow] = {}
        self.asked: list[tuple[int, ...]] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def identity_facts(self) -> Any:
        return SimpleNamespace(next_patient=5, next_wait_ms=0)

    async def identities(self, identifiers: Any, patients: Any, traits: Any) -> IdentityRows:
        self.asked.append(tuple(identifiers))
        found = {key: self.rows[key] for key in identifiers if key in self.rows}  # as when the read began
        await self.gate.wait()
        ids = {one.patient for one in found.values()} | set(patients)
        return IdentityRows(found, {id_: PatientRow(id_, f"G{id_}") for id_ in ids}, dict.fromkeys(traits, ()), {})


def run(test: Callable[[Identities, Store, SimulatedRuntime], Awaitable[None]]) -> None:
    async def main(runtime: SimulatedRuntime) -> None:
        store: Any = Store()
        it = Identities(store, runtime)
        await it.start()
        await test(it, store, runtime)

    simulate(main)


def test_absence_is_known() -> None:
    """A key that isn't there is asked for once, those behind it with the first."""

    async def test(it: Identities, store: Store, _: SimulatedRuntime) -> None:
        store.rows[2] = row(2, 1)
        with pytest.raises(Unread) as unread:
            it.view.identifier(1)
        await it.read(unread.value, [1, 2, 3])
        await it.read(None, [1, 2, 3])
        assert store.asked == [(1, 2, 3)]
        assert it.view.identifier(1) is None
        found = it.view.identifier(2)
        assert found is not None
        assert it.view.patient(found.patient) is not None

    run(test)


def test_a_read_that_began_before_a_commit() -> None:
    """It doesn't bring back what a decision changed meanwhile, however its commit went."""

    async def test(it: Identities, store: Store, runtime: SimulatedRuntime) -> None:
        store.gate.clear()
        task = asyncio.get_running_loop().create_task(it.read(None, [1]))
        await runtime.sleep(0.1)
        event = minted(1, 5)
        it.view.apply(event)
        it.adopt([event])
        store.rows[1] = row(1, 5)
        it.resolved([event], stored=True)
        store.gate.set()
        await task
        assert it.view.identifier(1) == row(1, 5)

    run(test)


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest rows go, never those of a decision under way; they are read again when asked for."""
    monkeypatch.setattr(module, "ROWS_MAX", 100)

    async def test(it: Identities, store: Store, _: SimulatedRuntime) -> None:
        event = minted(1, 5)
        it.view.apply(event)
        it.adopt([event])
        for start in range(2, 1000, 20):
            await it.read(None, list(range(start, start + 20)))
        assert it.view.identifier(1) == row(1, 5)
        with pytest.raises(Unread):
            it.view.identifier(2)
        assert it.view.identifier(1000) is None
        it.resolved([event], stored=True)
        store.rows[1] = row(1, 5)
        for start in range(2, 1000, 20):
            await it.read(None, list(range(start, start + 20)))
        with pytest.raises(Unread):
            it.view.identifier(1)
        await it.read(None, [1])
        assert it.view.identifier(1) == row(1, 5)

    run(test)


def test_what_was_just_read_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """However much a decision asks for: it would ask for it again for ever. The next read lets it go."""
    monkeypatch.setattr(module, "ROWS_MAX", 100)
    monkeypatch.setattr(module, "_READ_MAX", 20)

    async def test(it: Identities, _store: Store, _: SimulatedRuntime) -> None:
        await it.read(None, list(range(500)))
        assert not it.view.lacks(range(500))
        await it.read(None, [500])
        assert it.view.identifier(500) is None
        assert len(it.view.lacks(range(500))) >= 400

    run(test)


def test_a_failure_empties_it() -> None:
    """Nothing is read before every decision under way has its outcome: what is then read is what is on disk."""

    async def test(it: Identities, store: Store, runtime: SimulatedRuntime) -> None:
        lost, kept = minted(1, 5), minted(2, 6)
        for event in (lost, kept):
            it.view.apply(event)
            it.adopt([event])
        it.resolved([lost], stored=False)
        with pytest.raises(Unread):
            it.view.identifier(2)
        task = asyncio.get_running_loop().create_task(it.read(None, [1, 2]))
        await runtime.sleep(1)
        assert store.asked == []
        store.rows[2] = row(2, 6)
        it.resolved([kept], stored=True)
        await task
        assert it.view.identifier(1) is None
        assert it.view.identifier(2) == row(2, 6)

    run(test)


def test_ids_are_never_given_twice() -> None:
    """What nobody used is given again, what an operator jumped over isn't."""

    async def test(it: Identities, _store: Store, _: SimulatedRuntime) -> None:
        assert [it.next_patient(), it.next_patient()] == [5, 6]
        it.give_back(6)
        assert it.next_patient() == 6
        it.not_before(100)
        it.not_before(50)
        assert it.next_patient() == 100

    run(test)
