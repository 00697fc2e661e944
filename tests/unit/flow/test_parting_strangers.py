"""Two patients are parted: nothing of anybody else waits, is forgotten or is told anew for it."""

from __future__ import annotations

import pathlib
from collections.abc import Collection, Mapping
from typing import Any

from engine.core.changes import Change, Remake
from engine.core.lifecycle import DeliveryState
from engine.core.messages import Delivery, DeliveryFlag, Hold
from engine.core.ports import SendOutcome
from engine.errors import ChangeRefused
from tests.support.fake_door import accepted, answer
from tests.support.group import Group, group, hl7, of_cha
from tests.support.parting import A, B, away, back, known, row, undo


def test_a_stranger_leaves_at_once(tmp_path: pathlib.Path) -> None:
    """Also while somebody else's delivery has no answer for half a minute."""

    async def test(it: Group) -> None:
        await known(it)
        it.doors["dpi"].latency = 28.0
        await it.send("gam_chb", hl7(3, "A31", B, name="MARTIN^LEO^LEO"))
        await it.send("gam_cha", hl7(4, "A31", A))
        assert it.doors["dpi"].under_way == 1
        await undo(it)
        it.doors["dpi"].latency = 0.1
        await it.send("gam_cha", hl7(5, "A28", of_cha(9), name="BERNARD^IDA^IDA"))
        assert row(it, 5).state is DeliveryState.DELIVERED
        assert row(it, 3).state is DeliveryState.PENDING
        await it.rest(60)
        assert it.left("dpi") == [1, 2, 5, 3, 4]

    group(tmp_path, test)


def refuses(one: Delivery) -> SendOutcome:
    """Refuse everything."""
    return answer(one.control_id, "AE", error="204")


def test_what_died_before_a_storm_comes_back(tmp_path: pathlib.Path) -> None:
    """Four died of it before it was known as one, then two others are parted: they are given back all the same."""

    async def test(it: Group) -> None:
        await known(it)
        it.doors["dpi"].receiver = refuses
        for place in range(3, 7):
            await it.send("gam_cha", hl7(place, "A28", of_cha(place), name=f"BERNARD{place}^IDA^IDA"))
        assert [row(it, place).state for place in range(3, 7)] == [DeliveryState.DEAD] * 4
        it.stage.holds.set(Hold("source", "gam_chb", 0, "nadia", "a test", 0))
        await it.send("gam_chb", hl7(20, "A31", B, name="MARTIN^LEO^LEO"))
        await undo(it)
        it.stage.holds.remove("source", "gam_chb")
        it.stage.holds_changed()
        for place in range(8, 21):
            await it.send("gam_cha", hl7(place, "A28", of_cha(place), name=f"BERNARD{place}^IDA^IDA"))
        it.doors["dpi"].receiver = accepted
        await it.rest(1_000)
        assert [row(it, place).state for place in range(3, 21)] == [DeliveryState.DELIVERED] * 18

    group(tmp_path, test)


def test_what_is_parked_is_told_once(tmp_path: pathlib.Path) -> None:
    """A conflict that holds its lanes is no news because two others were parted."""

    async def test(it: Group) -> None:
        await known(it)
        await it.send("gam_cha", hl7(3, "A40", A, f"MRG|{A}~{B}"))
        await it.send("gam_chb", hl7(4, "A31", B, name="DURAND^PAUL^PAUL", birth="19500101", sex="M"))
        await it.send("gam_cha", hl7(5, "A31", A))
        told = [sentence for code, sentence in it.alerts if code == "dead"]
        assert told
        assert row(it, 5).state is DeliveryState.PENDING
        await undo(it)
        await it.rest(60)
        assert [sentence for code, sentence in it.alerts if code == "dead"] == told

    group(tmp_path, test)


def test_what_is_always_refused_is_told(tmp_path: pathlib.Path) -> None:
    """It holds its lanes, and is tried again each second: told once."""

    async def test(it: Group) -> None:
        await known(it)
        away(it)
        await it.send("gam_chb", hl7(3, "A31", B, name="MARTIN^LEO^LEO"))
        submit = it.store.submit

        def refuse(change: Change, *how: Any) -> None:
            if isinstance(change, Remake):
                it.runtime.call_soon(lambda: how[1](ChangeRefused("a test")))
            else:
                submit(change, *how)

        it.store.submit = refuse  # type: ignore[method-assign]
        await undo(it)
        await it.rest(5)
        assert not it.alerts
        await it.rest(60)
        assert [code for code, sentence in it.alerts if "delivery 3-0" in sentence] == ["disagreement"]
        it.store.submit = submit  # type: ignore[method-assign]
        await back(it)
        assert it.left("dpi") == [1, 2, 3]

    group(tmp_path, test)


def test_what_has_lost_its_bytes_is_a_dead_letter(tmp_path: pathlib.Path) -> None:
    """It held its lanes unseen; what stands beside it is made anew, and who ended it meanwhile is left alone."""

    async def test(it: Group) -> None:
        await known(it)
        away(it)
        for place in (3, 4, 5):
            await it.send("gam_chb", hl7(place, "A31", B, name="MARTIN^LEO^LEO"))
        payloads, reads = it.store.payloads, []

        async def lossy(ids: Collection[int], size: int) -> Mapping[int, bytes]:
            reads.append(list(ids))
            found = await payloads(ids, size)
            return {key: data for key, data in found.items() if key >> 16 != 4}

        it.store.payloads = lossy  # type: ignore[method-assign]
        await undo(it)
        await it.rest(5)
        lost = row(it, 4)
        assert (lost.state, lost.code) == (DeliveryState.DEAD, "E-ID-PARTED")
        assert "its bytes aren't on disk any more" in lost.reason
        assert not any(row(it, place).flags & DeliveryFlag.PARTED for place in (3, 5))
        read = len(reads)
        await it.rest(60)
        assert not [ids for ids in reads[read:] if lost.id in ids], "it is looked at again"
        it.store.payloads = payloads  # type: ignore[method-assign]
        assert (await it.act("discard", stage="delivery", delivery=lost.id))[0]
        await back(it)
        assert it.left("dpi") == [1, 2, 3, 5]
        assert it.number("dpi", 3) == it.number("dpi", 5) == it.number("dpi", 2)

    group(tmp_path, test)


def test_what_was_ended_meanwhile_is_left_alone(tmp_path: pathlib.Path) -> None:
    """Its bytes are gone because it is: nothing becomes of it."""

    async def test(it: Group) -> None:
        await known(it)
        away(it)
        await it.send("gam_chb", hl7(3, "A31", B, name="MARTIN^LEO^LEO"))
        payloads, delivery, gone = it.store.payloads, it.store.delivery, row(it, 3).id

        async def of_others(ids: Collection[int], size: int) -> Mapping[int, bytes]:
            return await payloads([key for key in ids if key != gone], size)

        async def of_none(key: int) -> Delivery | None:
            return None if key == gone else await delivery(key)

        it.store.payloads, it.store.delivery = of_others, of_none  # type: ignore[method-assign]
        await undo(it)
        await it.rest(20)
        assert row(it, 3).state is DeliveryState.PENDING
        assert it.identities.parting.is_done

    group(tmp_path, test)


def test_what_died_of_an_outage_and_cannot_come_back_is_told(tmp_path: pathlib.Path) -> None:
    """Its patients were parted before the storm was known: it isn't sent as it was, and doesn't stay dead unseen."""

    async def test(it: Group) -> None:
        await known(it)
        it.doors["dpi"].receiver = refuses
        await it.send("gam_chb", hl7(3, "A31", B, name="MARTIN^LEO^LEO"))
        await undo(it)
        for place in range(4, 20):
            it.receive("gam_cha", hl7(place, "A28", of_cha(place), name=f"BERNARD{place}^IDA^IDA"))
        await it.rest(2)
        it.doors["dpi"].receiver = accepted
        await it.rest(1_000)
        one = row(it, 3)
        assert (one.state, bool(one.flags & DeliveryFlag.PARTED)) == (DeliveryState.DEAD, True)
        assert sum("3-0 is dead" in sentence for _, sentence in it.alerts) == 1
        assert [row(it, place).state for place in range(4, 20)] == [DeliveryState.DELIVERED] * 16

    group(tmp_path, test)
