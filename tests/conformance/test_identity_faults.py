"""A decision on patients and what it shaped are on disk together, or neither."""

from __future__ import annotations

import pytest

from engine.core.changes import Identify, Receipt
from engine.core.ports import Urgency
from engine.errors import StoreUnavailable
from tests.conformance.identities import fence, mint, review, waits
from tests.conformance.stores import (
    House,
    SqliteHouse,
    balanced,
    delivery,
    fine,
    in_loop,
    outcome_of,
    receive,
    routed,
    works_again,
)


@pytest.mark.parametrize("act", [False, True])
@in_loop
async def test_a_failure_at_any_statement_leaves_all_or_nothing(fallible_house: House, act: bool) -> None:
    """Events, rows, fences, releases, the message's own state: the whole decision, or none of it."""
    house = fallible_house
    step = 0
    failed = True
    while failed:
        house.move(f"{act}-{step}")
        store, _ = await house.open()
        places = await receive(store, 3)
        one = delivery(places[0], lanes=(1,))
        await fine(store, routed(places[0], one), waits(places[1], 11))
        failed = await _decide_with_a_fault(house, store, places, step, act=act)
        await house.crash(store)
        store, _ = await house.open()
        rows = await store.identities([11, 12], [1], [7])
        seen = [
            len(rows.identifiers), len(rows.patients), len(rows.alike), len(await store.queries.identity_events()),
            len(await store.queries.reviews()), len((await store.queue("dpi", 0, 9)).items) - 1,
            1 - (await store.identity_facts()).waiting, (await store.identity_facts()).next_patient - 1,
        ]  # fmt: skip
        assert seen == ([0] * 8 if failed else [2, 1, 1, 1, 1, 1 if act else 2, 1, 1]), f"step {step}"
        await balanced(store)
        await store.close()
        step += 1
    assert step > (10 if isinstance(house, SqliteHouse) else 2)


async def _decide_with_a_fault(house: House, store: object, places: list[int], step: int, *, act: bool) -> bool:
    counted = 0

    def fault(_name: str) -> None:
        nonlocal counted
        counted += 1
        if counted == step + 1:
            raise house.error()

    event = mint(1, 11, 12, place=places[2], traits=7)
    event.reviews[1, 2] = (None, review(1, 2))
    fences = [fence(places[2], 1, 2)]
    parts = {"identity": [event], "fences": fences, "releases": (11,)}
    act_of = Identify(event, fences, (11,), place=places[2])
    change = act_of if act else routed(places[2], delivery(places[2], lanes=(2,)), **parts)
    house.fault = fault
    outcome = await outcome_of(store, change, Urgency.NOW)
    house.fault = None
    if isinstance(outcome, StoreUnavailable):
        await works_again(store)
        return True
    assert isinstance(outcome, Receipt), outcome
    assert len(change.fences) == 1
    return False
