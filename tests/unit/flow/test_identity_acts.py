"""Acts of identity officers: between two messages, undone exactly, refused in a sentence."""

from __future__ import annotations

import pathlib

from engine.core.lifecycle import MessageState
from tests.support.group import Group, group, hl7, of_cha, of_chb

STEPS: tuple[tuple[str, dict[str, int]], ...] = ("", {}), ("link", {"one": 1, "other": 2}), ("undo", {"event": 3})


async def two(it: Group) -> None:
    """Two patients of two hospitals."""
    await it.send("gam_cha", hl7(1, "A28", of_cha(1)))
    await it.send("gam_chb", hl7(2, "A28", of_chb(2)))


def test_link_and_undo(tmp_path: pathlib.Path) -> None:
    """Both numbers lead to one patient; undone, each to his own again; nothing but a later change forbids it."""

    async def test(it: Group) -> None:
        await two(it)
        one, other = it.number("dpi", 1), it.number("dpi", 2)
        done, outcome = await it.act("identity-link", one=1, other=2)
        assert done, outcome
        await it.send("gam_chb", hl7(3, "A31", of_chb(2)))
        assert it.number("dpi", 3) == one
        event = (await it.store.queries.identity_events(limit=1))[0]
        done, outcome = await it.act("identity-undo", event=event.id)
        assert done, outcome
        await it.send("gam_chb", hl7(4, "A31", of_chb(2)))
        assert it.number("dpi", 4) == other
        done, outcome = await it.act("identity-undo", event=event.id)
        assert not done
        assert "later" in outcome

    group(tmp_path, test)


def test_the_same_message_means_another_patient_after_an_act(tmp_path: pathlib.Path) -> None:
    """What was decided on the very same bytes of a patient holds only while nothing of him has changed."""

    async def test(it: Group) -> None:
        await two(it)
        found = []
        for number, (verb, arguments) in enumerate(STEPS):
            if verb:
                done, outcome = await it.act(f"identity-{verb}", **arguments)
                assert done, outcome
            await it.send("gam_chb", *(hl7(f"{number}{again}", "A31", of_chb(2)) for again in "ab"))
            places = 3 + 2 * number, 4 + 2 * number
            found.append([it.number("dpi", place) for place in places])
        one, other = it.number("dpi", 1), it.number("dpi", 2)
        assert found == [[other, other], [one, one], [other, other]]
        assert it.identities.usual

    group(tmp_path, test)


def test_unlink_and_apart(tmp_path: pathlib.Path) -> None:
    """The numbers get a patient of their own; those who are apart are joined by nobody."""

    async def test(it: Group) -> None:
        await two(it)
        await it.act("identity-link", one=1, other=2)
        key = it.references.hash("patient", "1.2.250.1.999.20.1|PI", "2")
        done, outcome = await it.act("identity-unlink", identifiers=[key], sites="chb")
        assert done, outcome
        await it.send("gam_chb", hl7(3, "A31", of_chb(2)))
        assert it.number("dpi", 3) not in (it.number("dpi", 1), it.number("dpi", 2), "")
        done, outcome = await it.act("identity-link", one=1, other=3)
        assert not done

    group(tmp_path, test)


def test_next_number(tmp_path: pathlib.Path) -> None:
    """It only goes forward."""

    async def test(it: Group) -> None:
        assert (await it.act("identity-next", patient=1000))[0]
        await it.send("gam_cha", hl7(1, "A28", of_cha(1)))
        assert it.number("dpi", 1) == "G00000100067"
        assert (await it.act("identity-next", patient=10))[0]
        await it.send("gam_cha", hl7(2, "A28", of_cha(2)))
        assert it.number("dpi", 2).startswith("G000001001")

    group(tmp_path, test)


def test_what_waits_goes_on(tmp_path: pathlib.Path) -> None:
    """An order for a site without a number leaves when an officer links the patient to one of that site."""

    async def test(it: Group) -> None:
        await two(it)
        ours = f"{it.number('dpi', 1)}^^^GHT-IPP&1.2.250.1.999.1.1&ISO^PN"
        await it.send("dpi_out", hl7(3, "O01", ours, type_="ORM", to="chb"))
        assert await it.state(3) is MessageState.WAITING
        done, outcome = await it.act("identity-link", one=1, other=2)
        assert done, outcome
        await it.rest()
        assert it.pid3("lab", 3)[0] == "2^^^CHB-IPP&1.2.250.1.999.20.1&ISO^PI"

    group(tmp_path, test)


def test_what_no_act_can_be(tmp_path: pathlib.Path) -> None:
    """No such verb, number, patient, decision."""

    async def test(it: Group) -> None:
        for verb, arguments in (
            ("identity-link", {"one": 8, "other": 9}), ("identity-link", {"one": 0, "other": 9}),
            ("identity-unlink", {}), ("identity-undo", {"event": 99}), ("identity-merge", {}),
        ):  # fmt: skip
            done, outcome = await it.act(verb, **arguments)
            assert not done
            assert outcome

    group(tmp_path, test)
