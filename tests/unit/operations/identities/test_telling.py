"""Who received an identifier."""

from __future__ import annotations

import pytest

from engine.core.changes import Identify
from engine.core.lifecycle import DeliveryState
from engine.errors import OperationRefused
from engine.identity import acts
from engine.operations.identities.knowing import decided
from tests.support.custody import NOW_MS, delivery, receive, settle
from tests.support.officers import Office, at_office


async def send(office: Office, number: int, *identifiers: str, state: DeliveryState = DeliveryState.DELIVERED) -> int:
    """Route a message that leaves with some identifiers of the first hospital."""
    references = office.desk.references
    keys = [references.hash("patient", "1.2.250.1.999.10.1|PI", value) for value in identifiers]
    place = await receive(office.store, number, deliveries=[delivery()], keys=keys)
    if state is not DeliveryState.PENDING:
        await settle(office.store, place, state)
    return place


def test_every_delivery_that_carried_it_is_listed(tmp_path):
    """Newest first, with its moment; what has not left is counted."""

    async def work(office: Office) -> None:
        await send(office, 1, "900101")
        await send(office, 2, "900303")
        await send(office, 3, "900101", state=DeliveryState.PENDING)
        for given in ({"id": "1"}, {"event": "1"}, {"kind": "ipp", "value": "900101"}):
            told = await office.ask("identity_impact", **given)
            rows = [row for row in told["rows"] if row["message"] != "2"]
            assert [(row["message"], row["destination"], row["state"], row["sent_ms"] > 0) for row in rows] == [
                ("3", "dpi", "pending", False), ("1", "dpi", "delivered", True)
            ]  # fmt: skip
            assert told["waiting"] == 1
        assert told["destinations"] == {"dpi": 2}
        first = await office.ask("identity_impact", id="1", limit=1)
        rest = await office.ask("identity_impact", id="1", limit=1, before=first["next"])
        assert [row["message"] for row in rest["rows"]] == ["1"]

    at_office(tmp_path, work)


def test_the_consequence_of_a_link_says_what_waits_and_what_was_sent(tmp_path):
    """By destination."""

    async def work(office: Office) -> None:
        await send(office, 1, "900101")
        pending = delivery()
        pending.lanes = (office.desk.references.hash("territorial", "", "1"),)
        await receive(office.store, 2, deliveries=[pending])
        told = await office.ask("identity_link", one="1", other="2", dry=True)
        assert told["waiting"] == [{"destination": "dpi", "waiting": 1}]
        assert told["carried"] == 1
        assert (await office.ask("identity_show", id="1"))["waiting"] == told["waiting"]

    at_office(tmp_path, work)


def test_who_was_joined_is_still_answered_for(tmp_path):
    """His identifiers are known from the decision that joined him, and the other is named."""

    async def work(office: Office) -> None:
        await send(office, 1, "900101")
        act = acts.Act(who="anne", reason="one person", place=0, at_ms=NOW_MS)
        event = await decided(office.desk, lambda view: acts.link(1, 2, view, act))
        await office.desk.commit(Identify(event))
        assert (await office.ask("identity_impact", id="2"))["identifiers"] == 2
        assert (await office.ask("identity_impact", id="1"))["identifiers"] == 4
        with pytest.raises(OperationRefused, match="patient 2 was joined to patient 1"):
            await office.ask("identity_show", id="2")
        rows = (await office.ask("identity_history", id="2"))["rows"]
        assert [row["rule"] for row in rows] == ["link", "import"]
        undone = await office.ask("identity_undo", event=rows[0]["id"], dry=True)
        assert undone["count"] == 2
        assert "patient 2 begins" in undone["changes"]

    at_office(tmp_path, work)


def test_a_decision_is_taken_back_once(tmp_path):
    """The second time names the first; what stands in the way is named too; who was taken back isn't `joined`."""

    async def work(office: Office) -> None:
        desk = office.desk
        for number in (2, 3):
            former = await desk.queries.identity_event(number)
            act = acts.Act(who="anne", reason="typed twice", place=0, at_ms=NOW_MS)
            await desk.commit(Identify(await decided(desk, lambda view, was=former, by=act: acts.undo(was, view, by))))
            if number == 2:
                with pytest.raises(OperationRefused, match="decision 2 was taken back already, by decision 4"):
                    await office.ask("identity_undo", event="2", dry=True)
        with pytest.raises(OperationRefused, match="patient 2 is no more: decision 4 took back what made him"):
            await office.ask("identity_apart", one="1", other="2", dry=True)
        assert (await office.ask("identity_review"))["rows"] == [], "one of the pair is no more"
        told = await office.ask("identity_undo", event="1", dry=True)
        assert told["forgotten"] == 1

    at_office(tmp_path, work)


def test_what_stands_in_the_way_is_named(tmp_path):
    """A later decision on the same patient; a mark that they are two people."""

    async def work(office: Office) -> None:
        desk = office.desk
        act = acts.Act(who="anne", reason="two sisters", place=0, at_ms=NOW_MS)
        await desk.commit(Identify(await decided(desk, lambda view: acts.mark_apart(1, 2, view, act))))
        with pytest.raises(OperationRefused, match=r"marked as two people \(decision 4\); undo that first"):
            await office.ask("identity_link", one="1", other="2", dry=True)
        with pytest.raises(OperationRefused, match="later decisions on the same: 4"):
            await office.ask("identity_undo", event="2", dry=True)

    at_office(tmp_path, work)
