"""What waits with the numbers of both when two patients are parted."""

from __future__ import annotations

from engine.core.changes import Identify, Receive, Route
from engine.core.identities import IdentifierKind, IdentifierRow
from engine.core.lifecycle import DeliveryState, MessageState
from engine.core.messages import Delivery, DeliveryFlag, PayloadKind, StoredMessage, delivery_id, read_delivery_id
from engine.identity import acts
from engine.operations.identities import remaining
from engine.operations.identities.knowing import decided
from tests.support.custody import NOW_MS, delivery, receive, settle, submitted
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
            assert told["remaining"] == [{"destination": "dpi", "ids": [wrong], "in_flight": [], "more": False}]
        office.store.sending(read_delivery_id(wrong), 1, 0)
        told = await office.ask("identity_undo", dry=True, event=event)
        assert told["remaining"] == [{"destination": "dpi", "ids": [wrong], "in_flight": [wrong], "more": False}]

    at_office(tmp_path, work)


def test_all_that_waits_is_counted_or_told_to_be_more(tmp_path, monkeypatch):
    """What left since doesn't cover what waits; beyond what is looked at there may be others."""

    async def work(office: Office) -> None:
        await link(office)
        wrong = [await leaves(office, number, *MIXED) for number in (11, 12)]
        for number in (13, 14, 15):
            sent = await leaves(office, number, *MIXED)
            await settle(office.store, int(sent.partition("-")[0]), DeliveryState.DELIVERED)
        monkeypatch.setattr(remaining, "_PAGE_MAX", 2)
        for pages, found, more in ((10, wrong, False), (2, wrong[1:], True)):
            monkeypatch.setattr(remaining, "_PAGES_MAX", pages)
            (told,) = (await office.ask("identity_unlink", id="1", dry=True, site="chb"))["remaining"]
            assert (told["ids"], told["more"]) == (found, more)

    at_office(tmp_path, work)


def test_a_result_that_names_a_stay_alone_is_counted(tmp_path):
    """Whose the stay is only the message says: that of the number that goes is made anew, the other one isn't."""

    async def work(office: Office) -> None:
        disk, hash_ = office.store.disk, office.desk.references.hash
        for stay, number in (("500", "900303"), ("600", "900304")):
            authority, under = "1.2.250.1.999.12.1|AN", hash_("patient", CHA if number[-1] == "3" else CHB, number)
            key = hash_("stay", authority, stay)
            disk.identifiers[key] = IdentifierRow(key, IdentifierKind.STAY, authority, stay, 0, under)
        ids = []
        for stay in ("500", "600"):
            raw = result(disk.patients[3].number, stay)
            message = StoredMessage("gam_cha", "main", raw, NOW_MS, control_id=stay, type="ORU^R01", site="cha")
            place = int((await submitted(office.store, Receive(message))).place)
            row = Delivery(
                delivery_id(place, 0), "dpi", "adt", lanes=(77,), type="ORU^R01", payload_kind=PayloadKind.RAW
            )
            keys = [hash_("patient", GHT, disk.patients[3].number)]
            await submitted(
                office.store,
                Route(
                    place, "main", "gam_cha", MessageState.RECEIVED, MessageState.ROUTED, deliveries=[row], keys=keys
                ),
            )
            ids.append(f"{place}-0")
        (told,) = (await office.ask("identity_unlink", id="3", dry=True, site="chb"))["remaining"]
        assert told["ids"] == ids[1:]

    at_office(tmp_path, work)


def result(number: str, stay: str) -> bytes:
    """A result under the group's number and a stay."""
    fields = [""] * 19
    fields[0], fields[3], fields[18] = (
        "PID",
        f"{number}^^^&1.2.250.1.999.1.1&ISO^PN",
        f"{stay}^^^&1.2.250.1.999.12.1&ISO^AN",
    )
    fields[5], fields[7], fields[8] = "KROGULSKI^PAUL", "19810304", "M"
    return f"MSH|^~\\&|LIS|CHA|X|Y|20260301||ORU^R01|1|P|2.5\r{'|'.join(fields)}\r".encode()


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
