"""The conditions of a route, asked about a stored message."""

from __future__ import annotations

from typing import Any

import pytest

from engine.errors import OperationRefused
from engine.operations.desk import Desk
from engine.operations.explaining import message_explain
from tests.support.custody import SECRETS
from tests.unit.operations.test_trying import ROUTES, at_desk

__all__ = ["at_desk"]

CONDITION = (
    "type == ADT and PID-5.1 == ZUBROWKA and PID-3[@ipp].1 exists and MSH-9.1 == ADT and PV1-2 == I "
    "and ipp exists and PID exists and source == gam_cha"
)
KEYS = 'keys: { ipp: { path: "PID-3[@ipp].1" } }\n'


@pytest.fixture
def routes(tmp_path) -> str:
    """The path of a configuration whose route has a condition."""
    text = ROUTES.replace("from: [gam_cha]\n", f"from: [gam_cha]\n    when: {CONDITION}\n") + KEYS
    (tmp_path / "candidate.yaml").write_text(text)
    return str(tmp_path / "candidate.yaml")


def seen(answer: Any) -> dict[str, list[str]]:
    return {one["of"]: one["values"] for one in answer["when"]["clauses"]}


def test_masked(at_desk, routes):
    """What names nobody is shown: type, class, source; letters of the rest are x, digits 9."""
    answer = at_desk(lambda desk: message_explain(desk, "anne", "1", "adt", routes))
    assert answer["masked"] is True
    values = seen(answer)
    assert (values["type"], values["MSH-9.1"], values["PV1-2"], values["PID"], values["source"]) == (
        ["ADT"], ["ADT"], ["I"], ["PID"], ["gam_cha"],
    )  # fmt: skip
    assert values["PID-5.1"] == ["xxxxxxxx"]
    assert not [secret for secret in SECRETS if secret in str(list(values.values()))]


def test_revealed(at_desk, routes):
    """With a reason, which stands in the audit trail."""

    async def reveal(desk: Desk) -> Any:
        with pytest.raises(OperationRefused):
            await message_explain(desk, "anne", "1", "adt", routes, reveal=True)
        answer = await message_explain(desk, "anne", "1", "adt", routes, reveal=True, reason="ticket 7")
        return answer, await desk.queries.actions()

    answer, [action] = at_desk(reveal)
    assert seen(answer)["PID-5.1"] == ["ZUBROWKA"]
    assert (action["who"], action["verb"], action["reason"]) == ("anne", "reveal", "ticket 7")


@pytest.mark.parametrize(("id_", "route", "code"), [("9", "adt", 1), ("1", "adx", 1), ("1", "rest", 1)])
def test_refused(at_desk, routes, id_, route, code):
    """No such message, no such route, a route that takes nothing from its source."""
    with pytest.raises(OperationRefused) as caught:
        at_desk(lambda desk: message_explain(desk, "anne", id_, route, routes))
    assert caught.value.exit_code == code
