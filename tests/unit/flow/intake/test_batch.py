"""Batches promise one answer a message, together and in order."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from tests.support.hall import SOURCE, Hall, adt, hall
from tests.support.mllp import field_of


def test_each_message_of_a_batch_is_answered() -> None:
    """Answers of a batch leave together, in order, when the last one is known."""

    async def test(it: Hall) -> None:
        reply = it.give(b"BHS|^~\\&\r" + adt("A1") + adt("A2") + b"BTS|3\r")
        it.store.commit()
        await asyncio.sleep(0.1)
        assert [field_of(answer, b"MSA", 2) for answer in reply.answers] == ["A1", "A2"]
        assert it.source.facts()["findings"] == {"batch-count": 1}

    hall(test, replace(SOURCE, batch="split"))
