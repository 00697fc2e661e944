"""A decision on patients and what it shaped are on disk together, or neither."""

from __future__ import annotations

import pytest

from engine.core.changes import Identify, Receipt
from engine.core.ports import Urgency
from engine.errors import ChangeRefused, StoreUnavailable
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


@in_loop
async def test_what_was_submitted_before_its_sender_heard_of_a_failure(fallible_house: House) -> None:
    """It is refused: it would come before what must be decided again, and may name patients who don't exist."""
    house = fallible_house
    store, _ = await house.open()
    places = await receive(store, 4)

    def fault(name: str) -> None:
        if name == "commit":
            raise OSError("gone")

    house.fault = fault
    lost = await outcome_of(store, routed(places[0], delivery(places[0]), view=5))
    assert isinstance(lost, StoreUnavailable)
    house.fault = None
    await works_again(store)
    late = await outcome_of(store, routed(places[1], delivery(places[1]), view=5))
    assert isinstance(late, ChangeRefused)
    await fine(store, *(routed(place, delivery(place), view=6) for place in places[:2]))
    await fine(store, routed(places[2], delivery(places[2])))
    await store.close()


@in_loop
async def test_the_last_place_of_a_group_that_is_queued(house: House) -> None:
    """Whatever the state of the message, and whatever other groups have."""
    store, _ = await house.open()
    assert await store.last_queued("main") == 0
    places = await receive(store, 3)
    await fine(store, routed(places[1], delivery(places[1], lanes=(1,))), routed(places[0], delivery(places[0])))
    assert await store.last_queued("main") == places[1]
    assert await store.last_queued("other") == 0
    await store.close()
