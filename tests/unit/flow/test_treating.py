"""What operators ask of a router where patients are known: a retry uses today's cross-reference."""

from __future__ import annotations

import pathlib

from engine.core.messages import delivery_id
from tests.support.fake_door import accepted, answer
from tests.support.group import Group, group, hl7, of_cha, of_chb


def test_a_retry_after_a_merge(tmp_path: pathlib.Path) -> None:
    """It leaves under the number that goes on, in the lanes of both."""

    async def test(it: Group) -> None:
        door = it.doors["dpi"]
        door.receiver = lambda one: answer(one.control_id, "AR", error="204") if one.place == 2 else accepted(one)
        await it.send("gam_cha", hl7(1, "A28", of_cha(1)))
        await it.send("gam_chb", hl7(2, "A28", of_chb(2)))
        number = it.number("dpi", 1)
        assert it.number("dpi", 2) not in ("", number)
        survivor = it.number("lab", 1)
        done, outcome = await it.act("identity-link", one=1, other=2)
        assert done, outcome
        door.receiver = accepted
        done, outcome = await it.act("retry", delivery=delivery_id(2, 0))
        assert done, outcome
        await it.rest()
        assert it.number("dpi", 2) == survivor

    group(tmp_path, test)


def test_a_retry_that_decides(tmp_path: pathlib.Path) -> None:
    """What died decided nothing; its retry does, in one transaction with its delivery."""

    async def test(it: Group) -> None:
        await it.send("gam_cha", hl7(1, "A28", of_cha(1)))
        assert (await it.store.identity_facts()).patients == 0
        step = "      - require: "
        text = "\n".join(line for line in it.text.splitlines() if not line.startswith(step))
        it.configure(text)
        done, outcome = await it.act("retry", delivery=delivery_id(1, 0))
        assert done, outcome
        await it.rest()
        assert it.number("dpi", 1) == "G00000000196"
        assert (await it.store.identity_facts()).patients == 1

    from tests.support.group import DOORS, ROUTES, SITES

    strict = ROUTES.replace(
        "    to:\n      - dpi\n",
        '      - require: { all: [ { when: PV1-3 exists, else: "a place is needed" } ] }\n    to:\n      - dpi\n', 1,
    )  # fmt: skip
    group(tmp_path, test, text=SITES + DOORS + strict)
