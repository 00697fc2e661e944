"""A stored message on a route."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from engine.errors import OperationRefused
from engine.operations.desk import Desk
from engine.operations.trying import message_try
from engine.store.memory import MemoryStore
from tests.support.custody import NOW_MS, SECRETS, delivery, receive

ROUTES = """
version: 1
sites: { cha: { authorities: { ipp: { oid: 1.2.250.1.999.10.1, hd1: CHA-IPP, type: PI } } } }
sources: { gam_cha: { type: mllp, site: cha, listen: "127.0.0.1:6101" }, other: { type: mllp, site: cha, listen: "127.0.0.1:6102" } }
destinations: { dpi: { type: mllp, connect: "127.0.0.1:5500" } }
routes:
  adt:
    from: [gam_cha]
    steps:
      - convert: { fields: [PID-5, PID-11], case: lower }
      - set: { MSH-3: PASSERELLE, "PID-3[@ipp].1": "{PID-3.1}0" }
      - delete: PV1
    to: [dpi]
  rest: { from: [other], to: [dpi] }
"""  # noqa: E501


Ask = Callable[[Desk], Awaitable[Any]]


@pytest.fixture
def at_desk(tmp_path: Path) -> Callable[[Ask], Any]:
    """Ask at a desk with one message, beside a configuration."""
    (tmp_path / "routes.yaml").write_text(ROUTES)

    def go(ask: Ask) -> Any:
        async def work() -> Any:
            store = MemoryStore()
            await store.open(now_ms=NOW_MS)
            await receive(store, 1, deliveries=[delivery()])
            return await ask(Desk(queries=store.queries, store=store, now_ms=lambda: NOW_MS, data=tmp_path))

        return asyncio.run(work())

    return go


def test_masked(at_desk, tmp_path):
    """Whole fields, masked as messages are; no value and no body is shown."""
    answer = at_desk(lambda desk: message_try(desk, "anne", "1", "adt", str(tmp_path / "routes.yaml")))
    assert answer["masked"] is True
    text = str(answer)
    assert not [secret for secret in SECRETS if secret in text or secret.lower() in text]
    names, header, gone = answer["steps"]
    assert {change["path"] for change in names["changes"]} == {"PID-5", "PID-11"}
    assert header["changes"][0] == {"path": "MSH-3", "old": "GAM", "new": "PASSERELLE"}
    assert gone["changes"] == [{"path": "PV1", "old": "PV1|1|I|xxxx^99^9", "new": None}]
    assert answer["exits"][0]["deliveries"][0]["id"] == "1-0"


def test_revealed(at_desk, tmp_path):
    """With a reason, which stands in the audit trail."""
    routes = str(tmp_path / "routes.yaml")

    async def reveal(desk: Desk) -> Any:
        with pytest.raises(OperationRefused):
            await message_try(desk, "anne", "1", "adt", routes, reveal=True)
        answer = await message_try(desk, "anne", "1", "adt", routes, reveal=True, reason="ticket 7")
        return answer, await desk.queries.actions()

    answer, [action] = at_desk(reveal)
    assert {"path": "PID-5.1", "old": "ZUBROWKA", "new": "zubrowka"} in answer["steps"][0]["changes"]
    assert (action["who"], action["verb"], action["reason"]) == ("anne", "reveal", "ticket 7")


@pytest.mark.parametrize(
    ("id_", "route", "code"), [("9", "adt", 1), ("1", "adx", 1), ("1", "rest", 1)], ids=["message", "route", "source"]
)
def test_refused(at_desk, tmp_path, id_, route, code):
    """No such message, no such route, a route that takes nothing from its source."""
    with pytest.raises(OperationRefused) as caught:
        at_desk(lambda desk: message_try(desk, "anne", id_, route, str(tmp_path / "routes.yaml")))
    assert caught.value.exit_code == code
