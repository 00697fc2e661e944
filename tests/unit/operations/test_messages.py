"""Messages: found, shown masked, revealed with a reason, traced."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import pytest

from engine.core.changes import Audit, Receive
from engine.core.identities import Wait
from engine.core.lifecycle import MessageState
from engine.core.messages import StoredMessage
from engine.errors import OperationRefused
from engine.operations.service import Operations
from tests.support.custody import (
    BEGIN_MS,
    SECRETS,
    SOURCE,
    body,
    call,
    calls,
    delivery,
    opened,
    receive,
    submitted,
)


def test_messages_are_found_by_what_is_known() -> None:
    """By control id, state (a routed one by its ending), source, time, and a hashed identifier."""

    def ids(**arguments: Any) -> list[str]:
        return [row["id"] for row in call("message_find", **arguments)["rows"]]

    assert ids() == ["6", "5", "4", "3", "2", "1"]
    assert ids(control_id="C2") == ["2"]
    assert ids(state="delivered") == ["1"]
    assert ids(state="filtered") == ["6"]
    assert ids(since_ms=BEGIN_MS + 5000) == ["6", "5"]
    assert ids(key="ipp", value="990077123") == ["1"]
    assert ids(key="ipp", value="990077124") == []
    with pytest.raises(OperationRefused, match="no key 'nom'; there are ipp"):
        ids(key="nom", value="x")
    with pytest.raises(OperationRefused, match="is no state"):
        ids(state="lost")


def test_a_page_says_how_to_go_on() -> None:
    """The last id of a full page."""
    first, second = calls([("message_find", {"limit": 2}), ("message_find", {"limit": 2, "before": "5"})])
    assert (first["next"], [row["id"] for row in second["rows"]]) == ("5", ["4", "3"])


def test_a_message_that_holds_others() -> None:
    """Its trace says what was put together; a part names the whole; both are shown with their own bytes."""

    async def run() -> None:
        desk, store = await opened()
        waiting = {"code": "E-FRAGMENT-WAITING", "reason": "it waits", "wait": Wait((11,), 9_000)}
        part = await receive(store, 7, state=MessageState.WAITING, **waiting)
        asked = await Operations(desk).call("message_trace", {"id": str(part)}, who="eve")
        assert asked["message"]["waits_until_ms"] == 9_000
        assert asked["message"]["then"] == "it becomes a dead letter"
        assert ("end of its wait", 9_000) in [(row["what"], row["at_ms"]) for row in asked["rows"]]
        whole = await receive(store, 8, deliveries=[delivery()], joins=(part,), whole=body(9))
        operations = Operations(desk)
        rows = (await operations.call("message_trace", {"id": str(whole)}, who="eve"))["rows"]
        assert ("put together", f"with what came as message {part}") in [(row["what"], row["detail"]) for row in rows]
        asked = await operations.call("message_trace", {"id": str(part)}, who="eve")
        assert "waits_until_ms" not in asked["message"]
        rows = asked["rows"]
        assert f"joined: E-JOINED  went on as a part of message {whole}" in [
            f"{row['what']}: {row['detail']}" for row in rows
        ]
        for name in ("message_show", "message_raw"):
            asked = await operations.call(name, {"id": str(whole), "own_part": True}, who="eve")
            assert (asked["size"], asked["masked"]) == (len(body(8)), True)
            assert not [secret for secret in SECRETS if secret in json.dumps(asked, ensure_ascii=False)]
            for other in (str(part), f"{whole}-0"):
                with pytest.raises(OperationRefused, match="wasn't put together from parts"):
                    await operations.call(name, {"id": other, "own_part": True}, who="eve")
        revealed = {"id": str(whole), "own_part": True, "reveal": True, "reason": "a claim"}
        asked = await operations.call("message_raw", revealed, who="eve")
        assert base64.b64decode(asked["base64"]) == body(8)
        assert (await operations.call("audit", {}, who="eve"))["rows"][0]["reason"] == "a claim"

    asyncio.run(run())


@pytest.mark.parametrize("name", ["message_show", "message_raw"])
@pytest.mark.parametrize("id_", ["3", "3-0"])
def test_bodies_are_masked(name: str, id_: str) -> None:
    """As received and as sent."""
    answer = call(name, id=id_)
    assert answer["masked"] is True
    assert answer["size"] == len(body(3))
    assert not [secret for secret in SECRETS if secret in json.dumps(answer, ensure_ascii=False)]


def test_the_fault_of_a_dead_delivery_is_marked_in_the_message() -> None:
    """PID-7, which the receiver refused."""
    segments = call("message_show", id="3")["segments"]
    assert [field["n"] for one in segments for field in one["fields"] if field.get("fault")] == [7]


def test_reveal_needs_a_reason_and_is_audited_before() -> None:
    """No reason: nothing is shown. With one: the very bytes, and a line in the audit trail."""
    with pytest.raises(OperationRefused, match="a reason is needed"):
        call("message_raw", id="3", reveal=True)
    answer, trail = calls([("message_raw", {"id": "3", "reveal": True, "reason": "ticket 12"}), ("audit", {})])
    assert base64.b64decode(answer["base64"]) == body(3)
    first = trail["rows"][0]
    assert (first["who"], first["verb"], first["subject"], first["reason"]) == (
        "nurse", "reveal", "bytes of 3", "ticket 12",
    )  # fmt: skip


def test_a_body_is_not_revealed_when_the_audit_fails() -> None:
    """The trail comes first: no disk, no body."""

    async def run() -> None:
        desk, store = await opened()
        submit = store.submit

        def failing(change: Any, *rest: Any) -> None:
            if isinstance(change, Audit):
                raise OperationRefused("disk full")
            submit(change, *rest)

        store.submit = failing  # type: ignore[method-assign]
        with pytest.raises(OperationRefused, match="disk full"):
            await Operations(desk).call("message_show", {"id": "3", "reveal": True, "reason": "x"}, who="nurse")
        store.submit = submit  # type: ignore[method-assign]
        await store.close()

    asyncio.run(run())


def test_trace_tells_the_way() -> None:
    """In order of time, without what the receiver wrote."""
    answer = call("message_trace", id="3-0")
    assert [row["what"] for row in answer["rows"]] == ["received", "attempt 1", "dead"]
    assert "ZUBROWKA" not in json.dumps(answer)
    assert [row["what"] for row in call("message_trace", id="5")["rows"]] == ["received", "dead"]
    assert [row["what"] for row in call("message_trace", id="1")["rows"]] == ["received", "attempt 1", "delivered"]


def test_names_of_files_are_seen_only_when_revealed() -> None:
    """Found, traced and shown masked; with a reason as they are."""

    async def run() -> None:
        desk, store = await opened()
        message = StoredMessage(SOURCE, "main", body(7), BEGIN_MS + 7000, name="ZUBROWKA.hpr")
        place = str((await submitted(store, Receive(message))).place)
        operations = Operations(desk)
        one: dict[str, Any] = {"id": place}
        for name, arguments in (("message_find", {}), ("message_trace", one), ("message_show", one)):
            text = json.dumps(await operations.call(name, arguments, who="nurse"))
            assert "xxxxxxxx.hpr" in text
            assert "ZUBROWKA" not in text
        shown = await operations.call("message_show", {"id": place, "reveal": True, "reason": "x"}, who="nurse")
        assert shown["message"]["name"] == "ZUBROWKA.hpr"
        await store.close()

    asyncio.run(run())


def test_refusals_are_listed_without_bytes() -> None:
    """Why and how long, not what."""
    answer = call("refusals")
    assert [(row["code"], row["size"]) for row in answer["rows"]] == [("E-NO-HEADER", 12)]
    assert "ZUBROWKA" not in json.dumps(answer)


def test_unknown_sources_and_deliveries_are_said() -> None:
    """Never an empty list for a typing error."""
    for operation in ("message_find", "refusals"):
        with pytest.raises(OperationRefused, match="there is no source 'zzz'; there are gam_cha"):
            call(operation, source="zzz")
    with pytest.raises(OperationRefused, match="message 1 has no delivery 1-7"):
        call("message_show", id="1-7")
