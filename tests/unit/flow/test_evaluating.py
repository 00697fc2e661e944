"""Messages of several hospitals, from custody to the doors: whose they are, what waits, what is held."""

from __future__ import annotations

import pathlib

from engine.core.lifecycle import DeliveryState, MessageState
from engine.core.messages import DeliveryKind
from tests.support.group import INS, Group, group, hl7, of_cha, of_chb


def test_minted_and_known(tmp_path: pathlib.Path) -> None:
    """The first message makes the patient known, the next ones find him; values stay, authorities are completed."""

    async def test(it: Group) -> None:
        await it.send("gam_cha", hl7(1, "A28", of_cha(42)), hl7(2, "A31", f"AR1^^^ARCH^MR~{of_cha(42)}"))
        assert it.number("dpi", 1) == "G00000000196"
        assert it.pid3("dpi", 2) == [
            "G00000000196^^^GHT-IPP&1.2.250.1.999.1.1&ISO^PN",
            "42^^^CHA-IPP&1.2.250.1.999.10.1&ISO^PI",
            "AR1^^^ARCH^MR",
        ]

    group(tmp_path, test)


def test_two_hospitals_link_by_ins(tmp_path: pathlib.Path) -> None:
    """An INS qualified on both sides, equal traits: one patient of the group, one lane from then on."""

    async def test(it: Group) -> None:
        await it.send("gam_cha", hl7(1, "A28", f"{of_cha(42)}~284036912345632{INS}"))
        await it.send("gam_chb", hl7(2, "A28", f"{of_chb(7)}~284036912345632{INS}"))
        assert it.number("dpi", 1) == it.number("dpi", 2)
        rows = it.store.disk.deliveries
        assert set(rows[1 << 16].delivery.lanes) & set(rows[2 << 16].delivery.lanes)

    group(tmp_path, test)


def test_a_result_waits_for_its_patient(tmp_path: pathlib.Path) -> None:
    """It has no delivery; when its patient becomes known it goes on, in its old place."""

    async def test(it: Group) -> None:
        await it.send("lis_cha", hl7(1, "R01", of_cha(42), type_="ORU"), hl7(2, "R01", of_cha(42), type_="ORU"))
        assert [await it.state(1), await it.state(2)] == [MessageState.WAITING] * 2
        assert not it.store.disk.deliveries
        await it.send("gam_cha", hl7(3, "A28", of_cha(42)))
        assert [await it.state(1), await it.state(2)] == [MessageState.ROUTED] * 2
        assert it.number("dpi", 1) == it.number("dpi", 3) != ""
        assert it.left("dpi") == [3, 1, 2]

    group(tmp_path, test)


def test_a_wait_that_nobody_ends(tmp_path: pathlib.Path) -> None:
    """After its time the message does what `then` says; the engine may have been restarted meanwhile."""

    async def test(it: Group) -> None:
        await it.send("lis_cha", hl7(1, "R01", of_cha(42), type_="ORU"))
        await it.rest(71 * 3600)
        assert await it.state(1) is MessageState.WAITING
        await it.rest(2 * 3600)
        assert await it.state(1) is MessageState.ROUTED
        assert it.left("doubts") == [1]
        assert it.left("dpi") == []

    group(tmp_path, test)


def test_a_conflict_holds_both_patients(tmp_path: pathlib.Path) -> None:
    """A47 onto a number in use: a dead letter in both lanes at every destination, whatever its policy says."""

    async def test(it: Group) -> None:
        await it.send("gam_cha", hl7(1, "A28", of_cha(1)), hl7(2, "A28", of_cha(2), name="PETIT^JEAN^JEAN"))
        await it.send("gam_cha", hl7(3, "A47", of_cha(2), f"MRG|{of_cha(1)}"))
        dead = [row.delivery for key, row in it.store.disk.deliveries.items() if key >> 16 == 3]
        assert {(one.destination, one.state, one.kind, one.queued) for one in dead} == {
            ("dpi", DeliveryState.DEAD, DeliveryKind.BODILESS, True),
            ("lab", DeliveryState.DEAD, DeliveryKind.BODILESS, True),
        }
        assert {one.code.startswith("E-ID-") for one in dead} == {True}
        await it.send("gam_cha", hl7(4, "A31", of_cha(1)), hl7(5, "A31", of_cha(2), name="PETIT^JEAN^JEAN"))
        await it.send("gam_cha", hl7(6, "A28", of_cha(3), name="AUTRE^LUC^LUC"))
        assert it.left("dpi") == [1, 2, 6]
        assert it.left("lab") == [1, 2, 6]
        assert [one["low"] for one in await it.store.queries.reviews()] == [1]

    group(tmp_path, test)


def test_a_message_that_dies_decides_nothing(tmp_path: pathlib.Path) -> None:
    """The step behind fails: no patient is known, and the number isn't lost."""

    async def test(it: Group) -> None:
        await it.send("gam_cha", hl7(1, "A28", of_cha(1)))
        assert (await it.store.identity_facts()).patients == 0
        await it.send("gam_cha", hl7(2, "A28", of_cha(2), "PV1|1|I|1010"))
        assert it.number("dpi", 2) == "G00000000196"

    from tests.support.group import DOORS, ROUTES, SITES

    strict = ROUTES.replace(
        "    to:\n      - dpi\n",
        '      - require: { all: [ { when: PV1-3 exists, else: "a place is needed" } ] }\n    to:\n      - dpi\n', 1,
    )  # fmt: skip
    group(tmp_path, test, text=SITES + DOORS + strict)


def test_an_order_goes_out_under_the_sites_number(tmp_path: pathlib.Path) -> None:
    """The performing site's number stands first; without one it waits until the site has one."""

    async def test(it: Group) -> None:
        await it.send("gam_cha", hl7(1, "A28", of_cha(42)))
        number = it.number("dpi", 1)
        ours = f"{number}^^^GHT-IPP&1.2.250.1.999.1.1&ISO^PN"
        await it.send("dpi_out", hl7(2, "O01", ours, type_="ORM", to="cha"))
        assert it.pid3("lab", 2) == ["42^^^CHA-IPP&1.2.250.1.999.10.1&ISO^PI", ours]
        await it.send("dpi_out", hl7(3, "O01", ours, type_="ORM", to="chb"))
        assert await it.state(3) is MessageState.WAITING
        await it.send("gam_chb", hl7(4, "A28", f"{ours}~{of_chb(7)}"))

    group(tmp_path, test)
