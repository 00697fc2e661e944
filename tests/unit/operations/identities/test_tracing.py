"""The way of a message names who parted its patients, and why."""

from __future__ import annotations

import pytest

from engine.core.changes import Identify, Receive, Route
from engine.core.lifecycle import DeliveryState, MessageState
from engine.core.messages import Delivery, DeliveryFlag, PayloadKind, StoredMessage, delivery_id
from engine.identity import acts
from engine.operations.identities.knowing import decided
from tests.support.custody import NOW_MS, settle, submitted
from tests.support.officers import Office, at_office

CHB, GHT = "1.2.250.1.999.20.1|PI", "1.2.250.1.999.1.1|PN"


async def leaves(office: Office, received_ms: int = NOW_MS - 60_000) -> int:
    """Let a message of the second hospital wait for the record, under patient 1's number."""
    raw = b"MSH|^~\\&|GAM|CHB|X|Y|20260301||ADT^A31|1|P|2.5\rPID|||900202^^^&1.2.250.1.999.20.1&ISO^PI\r"
    message = StoredMessage("gam_chb", "main", raw, received_ms, control_id="1", type="ADT^A31", site="chb")
    place = int((await submitted(office.store, Receive(message))).place)
    row = Delivery(delivery_id(place, 0), "dpi", "adt", lanes=(77,), type="ADT^A31", payload_kind=PayloadKind.RAW)
    hash_ = office.desk.references.hash
    keys = [hash_("patient", CHB, "900202"), hash_("patient", GHT, "G00000000196")]
    await submitted(
        office.store,
        Route(place, "main", "gam_chb", MessageState.RECEIVED, MessageState.ROUTED, deliveries=[row], keys=keys),
    )
    return place


async def decide(office: Office, do) -> None:
    act = acts.Act(who="anne", reason="two sisters", place=0, at_ms=NOW_MS)
    await office.desk.commit(Identify(await decided(office.desk, lambda view: do(view, act))))


async def part(office: Office) -> None:
    """Take the link of 1 and 2 back."""
    (link, *_) = await office.desk.queries.identity_events(patient=1)
    await decide(office, lambda view, act: acts.undo(link, view, act))


async def told(office: Office, place: int) -> list[str]:
    rows = (await office.ask("message_trace", id=str(place)))["rows"]
    return [row["detail"] for row in rows if row["what"] == "patients parted"]


def test_who_parted_them_and_why(tmp_path):
    """And what became of what waited, as far as it is known."""

    async def work(office: Office) -> None:
        await decide(office, lambda view, act: acts.link(1, 2, view, act))
        place = await leaves(office)
        await part(office)
        by = "decision 5 (undo) of anne: two sisters; "
        assert await told(office, place) == [f"{by}it is to be made anew"]
        row = office.store.disk.deliveries[delivery_id(place, 0)].delivery
        row.flags &= ~DeliveryFlag.PARTED
        assert await told(office, place) == [f"{by}what named two people then was made anew"]
        row.flags |= DeliveryFlag.PARTED
        row.state, row.code = DeliveryState.DEAD, "E-ID-PARTED"
        assert await told(office, place) == [f"{by}it couldn't be made anew, and is a dead letter E-ID-PARTED"]
        row.code = "E-POISON"
        assert await told(office, place) == [f"{by}it was dead, and is made anew when it is retried"]

    at_office(tmp_path, work)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_decision_on_which_nothing_waited_isn_t_named(tmp_path, when):
    """One before it came, or after it had left."""

    async def work(office: Office) -> None:
        await decide(office, lambda view, act: acts.link(1, 2, view, act))
        place = await leaves(office, NOW_MS + 1 if when == "before" else NOW_MS - 60_000)
        if when == "after":
            await settle(office.store, place, DeliveryState.DELIVERED)
        await part(office)
        if when == "before":
            office.store.disk.deliveries[delivery_id(place, 0)].delivery.flags &= ~DeliveryFlag.PARTED
        assert await told(office, place) == []

    at_office(tmp_path, work)
