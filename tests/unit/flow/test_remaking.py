"""What becomes of a delivery whose patients were parted: made anew by looking up, or a dead letter with its reason."""

from __future__ import annotations

import pathlib

import pytest

from engine.core.lifecycle import DeliveryState
from engine.core.messages import DeliveryFlag
from tests.support.fake_door import accepted, answer
from tests.support.group import DOORS, INS, ROUTES, SITES, Group, group, hl7, of_cha
from tests.support.parting import A, B, away, back, key, known, row, undo

EMIT = SITES.replace("registry: own", "on_merge: emit, registry: own")


def test_a_merge_that_was_taken_back(tmp_path: pathlib.Path) -> None:
    """A derived merge that waits holds no more: it is dead, and what comes for its patients waits for an officer."""

    async def test(it: Group) -> None:
        await it.send("gam_cha", hl7(1, "A28", A), hl7(2, "A28", of_cha(2), name="MARTIN^LEO^LEO"))
        away(it)
        await it.send("gam_cha", hl7(3, "A40", A, f"MRG|{of_cha(2)}"))
        assert row(it, 3, 1).flags & DeliveryFlag.DERIVED
        merge = next(one for one in it.store.disk.identity_events.values() if "merge" in one.rule)
        assert (await it.act("identity-undo", event=merge.id))[0]
        await it.send("gam_cha", hl7(4, "A31", of_cha(2), name="MARTIN^LEO^LEO"))
        await back(it)
        own, derived = row(it, 3, 0), row(it, 3, 1)
        for one in (own, derived):
            assert (one.destination, one.state, one.code) == ("dpi", DeliveryState.DEAD, "E-ID-PARTED")
        assert it.left("dpi") == [1, 2]
        done, why = await it.act("retry", delivery=derived.id)
        assert (done, why) == (False, "the two patients of this merge were parted since: discard it")
        assert any("E-ID-PARTED; what comes for its patients waits" in said for _, said in it.alerts)

    group(tmp_path, test, text=EMIT + DOORS + ROUTES)


@pytest.mark.parametrize("parted", [True, False])
def test_a_merge_that_was_discarded_meanwhile(tmp_path: pathlib.Path, parted: bool) -> None:
    """What was discarded when its patients were parted has no mark: restored and retried, it is looked up."""

    async def test(it: Group) -> None:
        await it.send("gam_cha", hl7(1, "A28", A), hl7(2, "A28", of_cha(2), name="MARTIN^LEO^LEO"))
        it.doors["dpi"].receiver = lambda one: (
            answer(one.control_id, "AR", error="204") if one.type.startswith("ADT^A40") else accepted(one)
        )
        await it.send("gam_cha", hl7(3, "A40", A, f"MRG|{of_cha(2)}"))
        await it.rest(300)
        derived = row(it, 3, 1)
        assert (derived.state, bool(derived.flags & DeliveryFlag.DERIVED)) == (DeliveryState.DEAD, True)
        assert (await it.act("discard", stage="delivery", delivery=derived.id))[0]
        if parted:
            merge = next(one for one in it.store.disk.identity_events.values() if "merge" in one.rule)
            assert (await it.act("identity-undo", event=merge.id))[0]
        assert (await it.act("restore", stage="delivery", delivery=derived.id))[0]
        it.doors["dpi"].receiver = accepted
        done, why = await it.act("retry", delivery=derived.id)
        await it.rest(300)
        assert (row(it, 3, 1).state is DeliveryState.DELIVERED) is done is not parted
        assert (why == "the two patients of this merge were parted since: discard it") is parted

    group(tmp_path, test, text=EMIT + DOORS + ROUTES)


def test_a_merge_whose_source_is_gone(tmp_path: pathlib.Path) -> None:
    """What its message says of the two numbers can still be read: it stands, or not."""

    async def test(it: Group) -> None:
        await it.send("gam_cha", hl7(1, "A28", A), hl7(2, "A28", of_cha(2), name="MARTIN^LEO^LEO"))
        it.doors["dpi"].receiver = lambda one: (
            answer(one.control_id, "AR", error="204") if one.type.startswith("ADT^A40") else accepted(one)
        )
        await it.send("gam_cha", hl7(3, "A40", A, f"MRG|{of_cha(2)}"))
        await it.rest(300)
        derived = row(it, 3, 1)
        assert (derived.state, bool(derived.flags & DeliveryFlag.DERIVED)) == (DeliveryState.DEAD, True)
        it.configure((EMIT + DOORS + ROUTES).replace("gam_cha", "gam_new"))
        it.doors["dpi"].receiver = accepted
        done, why = await it.act("retry", delivery=derived.id)
        assert done, why
        await it.rest(300)
        assert row(it, 3, 1).state is DeliveryState.DELIVERED

    group(tmp_path, test, text=EMIT + DOORS + ROUTES)


def test_what_nobody_knows_any_more(tmp_path: pathlib.Path) -> None:
    """The patient was made by a decision that is taken back: a dead letter; a retry decides again."""

    async def test(it: Group) -> None:
        away(it)
        await it.send("gam_chb", hl7(1, "A28", B))
        (mint,) = it.store.disk.identity_events.values()
        assert (await it.act("identity-undo", event=mint.id))[0]
        await it.rest(5)
        one = row(it, 1)
        assert (one.state, one.queued, one.code) == (DeliveryState.DEAD, True, "E-ID-PARTED")
        assert "nobody has its patient's numbers any more" in one.reason
        assert one.flags & DeliveryFlag.IDENTITY_EVENT
        assert it.store.disk.counters["message", "gam_chb", "dead"] == 1
        done, why = await it.act("retry", delivery=one.id)
        assert done, why
        await back(it)
        assert it.left("dpi") == [1]
        assert it.number("dpi", 1)

    group(tmp_path, test)


def test_the_route_is_gone(tmp_path: pathlib.Path) -> None:
    """Nothing can make it anew: it is dead, and holds the lanes."""

    async def test(it: Group) -> None:
        await known(it)
        away(it)
        await it.send("gam_chb", hl7(3, "A31", B, name="MARTIN^LEO^LEO"))
        it.configure(SITES + DOORS + ROUTES.replace("  adt:", "  other:"))
        await undo(it)
        await it.send("gam_chb", hl7(4, "A31", B, name="MARTIN^LEO^LEO"))
        await back(it)
        assert row(it, 3).code == "E-ID-PARTED"
        assert "no route adt" in row(it, 3).reason
        assert it.left("dpi") == [1, 2]
        assert (await it.act("retry", delivery=row(it, 3).id))[0] is False

    group(tmp_path, test)


def test_an_order_of_the_record(tmp_path: pathlib.Path) -> None:
    """It names the group's number; the hospital's number that was found for it is another person's: a dead letter."""

    async def test(it: Group) -> None:
        await known(it)
        away(it, "lab")
        number = it.pid3("dpi", 1)[0]
        await it.send("dpi_out", hl7(3, "O01", number, type_="ORM", to="chb"))
        assert b"7^^^CHB-IPP" in (await it.store.payloads([row(it, 3).id], 1 << 20))[row(it, 3).id]
        await undo(it)
        await it.rest(5)
        assert row(it, 3).code == "E-ID-PARTED"
        assert "the site chb has no number for this patient" in row(it, 3).reason

    group(tmp_path, test)


def test_parts_and_several_destinations(tmp_path: pathlib.Path) -> None:
    """Each copy is made anew for itself, with its own part of the message."""
    split = ROUTES.replace("    to: [dpi]", "    to: [dpi, doubts]", 1).replace(
        "on_conflict: dead_letter }\n    to: [dpi, doubts]",
        "on_conflict: dead_letter }\n      - split: { by: OBR }\n    to: [dpi, doubts]",
    )

    async def test(it: Group) -> None:
        await known(it)
        for name in ("dpi", "doubts"):
            away(it, name)
        parts = ("OBR|1|||A", "OBX|1|ST|a||1", "OBR|2|||B", "OBX|1|ST|b||2")
        await it.send("lis_cha", hl7(3, "R01", A, *parts, type_="ORU"))
        rows = [one.delivery for one in it.store.disk.deliveries.values() if one.delivery.place == 3]
        assert len(rows) == 4
        # the joined number is the first hospital's: part it, so that what the other hospital's number had is left
        done, outcome = await it.act("identity-unlink", identifiers=[key(it, 10, "1")], sites="cha")
        assert done, outcome
        await it.rest(5)
        again = {one.id: row(it, 3, one.id & 0xFFFF) for one in rows}
        assert all(again[one.id].payload != one.payload for one in rows)
        assert {one.flags for one in again.values()} == {one.flags for one in rows}
        assert sorted(one.part for one in again.values()) == [(1, 2), (1, 2), (2, 2), (2, 2)]
        for name in ("dpi", "doubts"):
            await back(it, name)
            sent = [data for one, data in it.doors[name].data if one.place == 3][-2:]
            assert [b"OBR|1|||A" in one for one in sent] != [b"OBR|2|||B" in one for one in sent]

    group(tmp_path, test, text=SITES + DOORS + split)


def test_a_qualified_ins_joins_nobody_again(tmp_path: pathlib.Path) -> None:
    """The INS by which the rule joined the two still stands in what waits: it is looked up, not decided again."""

    async def test(it: Group) -> None:
        ins = f"~284037510100164{INS}"
        await it.send("gam_cha", hl7(1, "A28", A + ins))
        away(it)
        await it.send("gam_chb", hl7(2, "A28", B))
        await it.send("gam_chb", hl7(3, "A31", B + ins))
        joined = list(it.store.disk.identity_events.values())[-1]
        rows = it.store.disk.identifiers
        assert rows[key(it, 10, "1")].patient == rows[key(it, 20, "7")].patient
        assert (await it.act("identity-undo", event=joined.id))[0]
        await back(it)
        assert it.left("dpi") == [1, 2, 3]
        assert it.number("dpi", 3) == it.number("dpi", 2) != it.number("dpi", 1)
        assert rows[key(it, 10, "1")].patient != rows[key(it, 20, "7")].patient

    group(tmp_path, test)
