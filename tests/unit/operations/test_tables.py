"""Codes that stored messages asked for in vain."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from engine.errors import OperationRefused
from engine.operations.desk import Desk
from engine.operations.tables import table_misses
from engine.store.memory import MemoryStore
from tests.support.custody import NOW_MS, delivery, receive

ROUTES = """
version: 1
tables: { uf: uf.csv, other: other.csv }
sites: { cha: { authorities: { ipp: { oid: 1.2.250.1.999.10.1, hd1: CHA-IPP, type: PI } } } }
sources: { gam_cha: { type: mllp, site: cha, listen: "127.0.0.1:6101" } }
destinations: { dpi: { type: mllp, connect: "127.0.0.1:5500" } }
routes:
  adt:
    from: [gam_cha]
    steps:
      - map: { field: PV1-3.1, table: uf, match: { site: "{site}", code: "{value}" }, take: to, on_missing: keep }
      - map: { field: PV1-3.2, table: other, take: to, on_missing: keep }
      - map: { field: PV1-3.3, table: other, take: to, on_missing: dead_letter }
    to: [dpi]
"""


def missed(tmp_path: Path, messages: int = 3, **arguments: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Ask at a desk with some messages; gives the answer and the audit trail."""
    (tmp_path / "routes.yaml").write_text(ROUTES)
    (tmp_path / "uf.csv").write_text("#key: site,code\nsite,code,to,label\ncha,1010,T1,x\n")
    (tmp_path / "other.csv").write_text("code,to\n12,T\n")

    async def work() -> Any:
        store = MemoryStore()
        await store.open(now_ms=NOW_MS)
        for number in range(messages):
            await receive(store, number + 1, deliveries=[delivery()])
        desk = Desk(queries=store.queries, store=store, now_ms=lambda: NOW_MS, data=tmp_path)
        answer = await table_misses(desk, "anne", **{"routes": str(tmp_path / "routes.yaml")} | arguments)
        return answer, await desk.queries.actions()

    return asyncio.run(work())  # type: ignore[no-any-return]


def test_rows_ready_to_paste(tmp_path):
    """With what was asked in its columns, and how often; who looked is written down."""
    answer, [action] = missed(tmp_path)
    assert answer["messages"] == 3
    assert [(row["table"], row["row"], row["count"]) for row in answer["rows"]] == [
        ("uf", ["cha", "CARD", "", ""], 3), ("other", ["3", ""], 3),
    ]  # fmt: skip
    assert answer["rows"][0]["columns"] == ["site", "code", "to", "label"]
    assert (action["who"], action["verb"]) == ("anne", "misses")


def test_of_one_table_and_of_the_last_messages(tmp_path):
    """The newest first, over several pages."""
    answer, _ = missed(tmp_path, messages=120, table="other", last=110)
    assert answer["messages"] == 110
    assert [(row["table"], row["count"]) for row in answer["rows"]] == [("other", 110)]


@pytest.mark.parametrize(("arguments", "code"), [({"table": "none"}, 1), ({"routes": ""}, 2)])
def test_refused(tmp_path, arguments, code):
    """No such table; no configuration is usage."""
    with pytest.raises(OperationRefused) as caught:
        missed(tmp_path, **arguments)
    assert caught.value.exit_code == code
