"""The review list, as officers page through it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.core.changes import Identify
from engine.core.identities import IdentityEvent, ReviewRow
from engine.errors import OperationRefused
from engine.identity.deciding.draft import strength
from engine.identity.deciding.terms import SENTENCES
from tests.support.officers import Office, at_office

LISTED = [
    (10, 11, "same-traits"), (10, 12, "ins-traits"), (10, 13, "merge"), (10, 14, "same-traits"), (10, 15, "conflict"),
    (10, 16, "merge"), (10, 99, "conflict"),
]  # fmt: skip


async def listed(office: Office) -> None:
    """Put pairs onto the list, behind that of the import (1 and 2, same-traits); patient 99 isn't there."""
    rows = {(low, high): ReviewRow(low, high, rule, "", 0, 1_000 * high) for low, high, rule in LISTED}
    first = (await office.desk.store.identities((), [1])).patients[1]
    people = {id_: replace(first, id=id_, number="", identifiers=()) for id_ in range(10, 17)}
    event = IdentityEvent(
        "mint", 0, 1, patients={id_: (None, row) for id_, row in people.items()},
        reviews={pair: (None, row) for pair, row in rows.items()},
    )  # fmt: skip
    await office.desk.commit(Identify(event, place=0, next_patient=100))


async def pairs(office: Office, **given) -> list[tuple[str, str]]:
    """Read the list page by page."""
    found, after = [], ""
    while True:
        answer = await office.ask("identity_review", **given, after=after)
        found += [(row["rule"], row["other"]) for row in answer["rows"]]
        after = answer["next"]
        if not after:
            return found


@pytest.mark.parametrize("limit", [1, 2, 3, 50])
def test_the_most_urgent_come_first(tmp_path, limit):
    """By rule, then by age, at every size of page; who is no more isn't listed."""

    async def work(office: Office) -> list[tuple[str, str]]:
        await listed(office)
        return await pairs(office, limit=limit)

    assert at_office(tmp_path, work) == [
        ("conflict", "15"), ("merge", "13"), ("merge", "16"), ("ins-traits", "12"), ("same-traits", "2"),
        ("same-traits", "11"), ("same-traits", "14"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("given", "counts", "others"),
    [
        ({"rule": "merge"}, {"merge": 2}, ["13", "16"]),
        ({"site": "chb"}, {"same-traits": 1}, ["2"]),
        ({"since_ms": 14_000, "rule": "same-traits"}, {"same-traits": 2}, ["2", "14"]),
        ({"limit": 1}, {"conflict": 2, "merge": 2, "ins-traits": 1, "same-traits": 3}, ["15"]),
        ({"state": "apart"}, {}, []),
    ],
)
def test_what_is_asked_for_is_counted_and_listed(tmp_path, given, counts, others):
    """The counts in the order of the list, of all pages."""

    async def work(office: Office) -> dict:
        await listed(office)
        return await office.ask("identity_review", **given)

    answer = at_office(tmp_path, work)
    assert list(answer["counts"].items()) == list(counts.items())
    assert [row["other"] for row in answer["rows"]] == others


def test_a_patient_has_all_his_pairs(tmp_path):
    """However many others were on the list before."""

    async def work(office: Office) -> list[str]:
        rows = {(10, high): ReviewRow(10, high, "merge", "", 0, 1) for high in range(100, 600)}
        rows[1, 3] = ReviewRow(1, 3, "merge", "", 0, 1)
        event = IdentityEvent("merge", 0, 1, reviews={pair: (None, row) for pair, row in rows.items()})
        await office.desk.commit(Identify(event, place=0))
        return [row["one"] for row in (await office.ask("identity_show", id="3"))["reviews"]]

    assert at_office(tmp_path, work) == ["1"]


@pytest.mark.parametrize(
    "given", [{"rule": "same-trait"}, {"site": "chz"}, {"state": "lost"}, {"after": "77"}, {"after": "x"}]
)
def test_what_is_not_there_is_said(tmp_path, given):
    """Rather than an empty list."""

    async def work(office: Office) -> None:
        with pytest.raises(OperationRefused):
            await office.ask("identity_review", **given)

    at_office(tmp_path, work)


def test_urgency_and_weight_agree():
    """A pair gets the stronger of its reasons: it must not move down the list by it."""
    weights = [strength(rule) for rule in SENTENCES]
    assert weights == sorted(weights, reverse=True)
