"""What waits with the numbers of both when two patients are parted."""

from __future__ import annotations

from engine.core.changes import Identify
from engine.core.lifecycle import DeliveryState
from engine.core.messages import DeliveryFlag, read_delivery_id
from engine.identity import acts
from engine.operations.identities.knowing import decided
from tests.support.custody import NOW_MS, delivery, receive, settle
from tests.support.officers import Office, at_office

CHA, CHB, GHT = "1.2.250.1.999.10.1|PI", "1.2.250.1.999.20.1|PI", "1.2.250.1.999.1.1|PN"
MIXED = [(GHT, "G00000000196"), (CHB, "900202")]
"""The number of patient 1, and that of the second hospital for patient 2."""


async def leaves(office: Office, number: int, *identifiers: tuple[str, str]) -> str:
    """Route a message to the record that names these identifiers; it waits there."""
    keys = [office.desk.references.hash("patient", authority, value) for authority, value in identifiers]
    place = await receive(office.store, number, deliveries=[delivery()], keys=keys)
    return f"{place}-0"


async def link(office: Office) -> str:
    """Join patients 1 and 2; return the id of the decision."""
    act = acts.Act(who="anne", reason="one person", place=0, at_ms=NOW_MS)
    await office.desk.commit(Identify(await decided(office.desk, lambda view: acts.link(1, 2, view, act))))
    return str((await office.ask("identity_history", id="1"))["rows"][0]["id"])


def test_what_names_both_is_named_when_they_are_parted(tmp_path):
    """Not what was made before they were joined, nor what has left, nor the other hospital's own."""

    async def work(office: Office) -> None:
        await leaves(office, 11, (GHT, "G00000000295"), (CHB, "900202"))
        event = await link(office)
        wrong = await leaves(office, 12, *MIXED)
        await leaves(office, 13, (GHT, "G00000000196"), (CHA, "900101"))
        sent = await leaves(office, 14, *MIXED)
        await settle(office.store, int(sent.partition("-")[0]), DeliveryState.DELIVERED)
        for operation, given in (
            ("identity_undo", {"event": event}),
            ("identity_unlink", {"id": "1", "site": "chb"}),
        ):
            told = await office.ask(operation, dry=True, **given)
            assert told["remaining"] == [{"destination": "dpi", "ids": [wrong], "in_flight": []}]
        office.store.sending(read_delivery_id(wrong), 1, 0)
        told = await office.ask("identity_undo", dry=True, event=event)
        assert told["remaining"] == [{"destination": "dpi", "ids": [wrong], "in_flight": [wrong]}]

    at_office(tmp_path, work)


def test_a_link_leaves_nothing_wrong(tmp_path):
    """What waits names a patient who ends in the other: his number leads to the same person."""

    async def work(office: Office) -> None:
        await leaves(office, 11, (GHT, "G00000000295"), (CHB, "900202"))
        assert (await office.ask("identity_link", one="1", other="2", dry=True))["remaining"] == []

    at_office(tmp_path, work)


def test_who_received_it_as_it_was_made_is_told(tmp_path):
    """Marked by the act; what was in flight says afterwards that it left so, and the message's own page too."""

    async def work(office: Office) -> None:
        event = await link(office)
        wrong = await leaves(office, 12, *MIXED)
        former = await office.desk.queries.identity_event(int(event))
        act = acts.Act(who="anne", reason="two people", place=0, at_ms=NOW_MS)
        await office.desk.commit(Identify(await decided(office.desk, lambda view: acts.undo(former, view, act))))

        async def note() -> str:
            (row,) = [one for one in (await office.ask("identity_impact", id="1"))["rows"] if one["id"] == wrong]
            return str(row["note"])

        assert await note() == "its patients were parted: to be made anew"
        await settle(office.store, int(wrong.partition("-")[0]), DeliveryState.DELIVERED)
        assert await note() == "left as it was made when its patients were parted"
        office.store.disk.deliveries[read_delivery_id(wrong)].delivery.flags ^= (
            DeliveryFlag.PARTED | DeliveryFlag.ANOTHER_SENT
        )
        assert (await note()).startswith("may have arrived first as it was made before its patients were parted")

    at_office(tmp_path, work)
