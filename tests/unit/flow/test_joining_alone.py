"""Parts of a longer message whose others didn't come, and that go on alone (`then: deliver`)."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from engine.core.lifecycle import MessageState
from tests.conformance.stores import balanced
from tests.support.fragments import cut, result
from tests.support.group import DOORS, ROUTES, SITES, Group, group, hl7, of_cha
from tests.support.laboratory import Laboratory
from tests.unit.flow.test_joining import lab

WHOLE = result("W")
WAITING, DEAD = MessageState.WAITING, MessageState.DEAD


@pytest.mark.parametrize("at", [b"42^", b"^^CHA", b"OE^JANE", b"PV1", b"|I|", b"OBR", b"F1"])
def test_a_part_that_is_cut_in_its_patient_never_goes_alone(tmp_path: Path, at: bytes) -> None:
    """`then: deliver`: its number may be half of one; it is a dead letter that isn't retried."""

    async def test(it: Laboratory) -> None:
        it.send(cut(WHOLE, (WHOLE.index(at) + 1,), ("p1",))[0])
        await asyncio.sleep(70)
        row = await it.row(1)
        assert (row["state"], row["code"], row["field"]) == ("dead", "E-FRAGMENT", "DSC-1")
        assert "have the whole sent again" in row["reason"]
        await it.retry(1)
        assert (await it.states(), it.left) == ([DEAD], [])

    lab(tmp_path, test, "fragments: { join: 1m, then: deliver }")


DOUBTFUL = DOORS.replace('"127.0.0.1:6103" }', '"127.0.0.1:6103", fragments: { join: 1m, then: deliver } }')
OF_A_STRANGER = hl7("R", "R01", of_cha(1), "OBR|1", "OBX|1|TX|A||one", "DSC|p1|F", type_="ORU", name="DURAND^PAUL^PAUL")

END = hl7("S", "R01", "", type_="ORU").split(b"\r")[0].replace(b"|2.5||", b"|2.5||p1") + b"\rOBX|2|TX|A||two\r"


@pytest.mark.parametrize("crash", [False, True])
@pytest.mark.parametrize("known", [True, False])
def test_a_part_alone_waits_for_its_patient(tmp_path: Path, known: bool, crash: bool) -> None:
    """
    When its others didn't come it is a message that may wait in its turn, for as long as it may, or until he is known.

    It is never taken for a part again, in another run neither: an end that comes then isn't joined to it.
    """
    disks: list[Any] = []

    async def before(it: Group) -> None:
        await it.send("lis_cha", OF_A_STRANGER)
        row = await it.store.queries.message_row(1)
        assert row is not None
        assert row["code"] == "E-FRAGMENT-WAITING"
        await it.rest(70)
        row = await it.store.queries.message_row(1)
        assert row is not None
        assert (row["state"], row["code"], row["linked_to"]) == ("waiting", "E-ID-WAITING", 1)
        disks.append(it.store.disk)
        if not crash:
            await after(it)

    async def after(it: Group) -> None:
        await it.send("lis_cha", END)
        assert await it.state(1) is await it.state(2) is WAITING
        if known:
            await it.send("gam_cha", hl7(2, "A28", of_cha(1), name="DURAND^PAUL^PAUL"))
            assert it.left("dpi") == [3, 1]
        else:
            await it.rest(72 * 3600 + 10)
            assert (it.left("doubts")[:1], 1 in it.left("dpi")) == ([1], False)
        assert it.sent("dpi" if known else "doubts", 1)[-2:] == ["OBX|1|TX|A||one", "DSC|p1|F"]
        await balanced(it.store)

    group(tmp_path, before, text=SITES + DOUBTFUL + ROUTES)
    if crash:
        group(tmp_path, after, text=SITES + DOUBTFUL + ROUTES, disk=disks[0])


def test_a_part_alone_that_was_filtered_is_retried_alone(tmp_path: Path) -> None:
    """It doesn't wait again: the end that waits under its pointer by then may be another patient's."""
    filtering = ROUTES.replace(
        "    from: [lis_cha]\n", "    from: [lis_cha]\n    when: PID-8 == 'M'\n    on_no_match: filter\n"
    )

    async def test(it: Group) -> None:
        await it.send("lis_cha", OF_A_STRANGER)
        await it.rest(70)
        row = await it.store.queries.message_row(1)
        assert row is not None
        assert row["state"] == "filtered"
        await it.send("lis_cha", END)
        it.configure(SITES + DOUBTFUL + ROUTES)
        await it.act("retry", message=1)
        await it.rest()
        row = await it.store.queries.message_row(1)
        assert row is not None
        assert (row["state"], row["code"], row["joins"]) == ("waiting", "E-ID-WAITING", [])
        assert await it.state(2) is WAITING

    group(tmp_path, test, text=SITES + DOUBTFUL + filtering)
