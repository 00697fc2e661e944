"""Whether what waits of the parted may leave as it was made: also where its bytes name the group's number alone."""

from __future__ import annotations

import pathlib

import pytest

from engine.core.lifecycle import DeliveryState
from tests.support.group import DOORS, ROUTES, SITES, Group, group, hl7
from tests.support.parting import B, away, back, known, row, undo

NUMBER_ALONE = ROUTES.replace(
    "    to:\n      - dpi\n", "    to:\n      - { destination: dpi, steps: [ { delete: 'PID-3[2]' } ] }\n", 1
)
AS_IT_IS = ROUTES.partition("  orders:")[0] + "  orders: { from: [dpi_out], to: [lab] }\n"


def test_the_hospitals_number_was_left_out(tmp_path: pathlib.Path) -> None:
    """The message came under a number that is another patient's now: it leaves under his, not as it was made."""

    async def test(it: Group) -> None:
        await known(it)
        away(it)
        await it.send("gam_chb", hl7(3, "A31", B, name="MARTIN^LEO^LEO"))
        (joined,) = {one.number for one in it.store.disk.patients.values()}
        assert joined.encode() in (await it.store.payloads([row(it, 3).id], 1 << 20))[row(it, 3).id]
        await undo(it)
        await back(it)
        assert it.left("dpi") == [1, 2, 3]
        assert len(it.pid3("dpi", 3)) == 1
        assert it.number("dpi", 3) not in ("", joined)

    group(tmp_path, test, text=SITES + DOORS + NUMBER_ALONE)


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ({}, DeliveryState.DELIVERED),
        ({"name": "MARTIN^LEO^LEO"}, DeliveryState.DEAD),
        ({"name": "^^", "birth": ""}, DeliveryState.DEAD),
    ],
    ids=["his", "the other person's", "nobody's by what it says"],
)
def test_it_came_under_the_groups_number_alone(
    tmp_path: pathlib.Path, said: dict[str, str], state: DeliveryState
) -> None:
    """Whoever wrote the number may have meant either of the two who had it: what is said of the person tells."""

    async def test(it: Group) -> None:
        await known(it)
        number = it.pid3("dpi", 1)[0]
        away(it, "lab")
        await it.send("dpi_out", hl7(3, "O01", number, type_="ORM", **said))
        await undo(it)
        await back(it, "lab")
        one = row(it, 3)
        assert one.state is state
        if state is DeliveryState.DEAD:
            assert (one.code, one.field) == ("E-ID-PARTED", "PID-3")
            assert "aren't known to be his" in one.reason
        else:
            assert it.number("lab", 3) == number.partition("^")[0]

    group(tmp_path, test, text=SITES + DOORS + AS_IT_IS)
