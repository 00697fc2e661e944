"""Stored messages as fixtures."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import pytest

from engine.core.references import References
from engine.errors import OperationRefused
from engine.operations.desk import Desk
from engine.operations.exporting import message_export
from engine.store.memory import MemoryStore
from tests.support.custody import NOW_MS, SECRETS, delivery, receive

REFERENCES = References(b"k" * 32)


def asked(ids: list[str], *, references: References | None = REFERENCES) -> Any:
    async def work() -> Any:
        store = MemoryStore()
        await store.open(now_ms=NOW_MS)
        await receive(store, 1, deliveries=[delivery()])
        desk = Desk(queries=store.queries, store=store, now_ms=lambda: NOW_MS, references=references)
        answer = await message_export(desk, "anne", ids)
        return answer, await desk.queries.actions()

    return asyncio.run(work())


def test_about_nobody():
    """No value of the patient; it stands in the audit trail, with its number."""
    answer, [action] = asked(["1"])
    [row] = answer["rows"]
    made = base64.b64decode(row["base64"]).decode("utf-8", "replace")
    assert not [secret for secret in SECRETS if secret in made]
    assert made.startswith("MSH|")
    assert (row["id"], row["file"]) == ("1", "adt_a01_1.hl7")
    assert (action["who"], action["verb"], action["subject"]) == ("anne", "export", "message 1 as a fixture for tests")


@pytest.mark.parametrize(
    ("ids", "code"), [([], 2), (["9"], 1), (["1-0"], 2), (["x"], 2), (["1"] * 201, 2)],
    ids=["none", "unknown", "delivery", "no id", "too many"],
)  # fmt: skip
def test_refused(ids, code):
    """What can't be exported is said."""
    with pytest.raises(OperationRefused) as caught:
        asked(ids)
    assert caught.value.exit_code == code


def test_without_a_key():
    """Without the data directory's key, a guise could be undone."""
    with pytest.raises(OperationRefused):
        asked(["1"], references=None)
