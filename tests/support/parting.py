"""Two patients who are linked, something that waits of them, and an officer who parts them."""

from __future__ import annotations

from engine.core.messages import Delivery, delivery_id
from tests.support.fake_door import NOT_SENT, accepted
from tests.support.group import Group, hl7, of_cha, of_chb

A, B = of_cha(1), of_chb(7)
"""Numbers of the one hospital and of the other."""


async def known(it: Group) -> tuple[int, int]:
    """Make a patient known in each hospital, and let an officer link them; return the ids."""
    await it.send("gam_cha", hl7(1, "A28", A))
    await it.send("gam_chb", hl7(2, "A28", B, name="MARTIN^LEO^LEO"))
    rows = it.store.disk.identifiers
    one, other = (rows[key(it, where, value)].patient for where, value in ((10, "1"), (20, "7")))
    assert one != other
    assert (await it.act("identity-link", one=one, other=other))[0]
    await it.rest()
    return one, other


def key(it: Group, where: int, value: str) -> int:
    """The hash of a hospital's number."""
    return it.references.hash("patient", f"1.2.250.1.999.{where}.1|PI", value)


def away(it: Group, name: str = "dpi") -> None:
    """Nobody listens there."""
    it.doors[name].receiver = lambda _: NOT_SENT


async def back(it: Group, name: str = "dpi") -> None:
    """Somebody listens again; what waited leaves."""
    it.doors[name].receiver = accepted
    await it.rest(300)


async def undo(it: Group) -> None:
    """Take the last decision of an officer back."""
    events = [one for one in it.store.disk.identity_events.values() if one.who]
    done, outcome = await it.act("identity-undo", event=events[-1].id)
    assert done, outcome


def row(it: Group, place: int, ordinal: int = 0) -> Delivery:
    """A delivery as it is stored."""
    return it.store.disk.deliveries[delivery_id(place, ordinal)].delivery
