"""
Messages of one person never overtake each other at a destination, whatever links and partings happen meanwhile.

And none leaves under the numbers of two people: what waits while its patients are parted is made anew in its place.
"""

from __future__ import annotations

import pathlib
import random
from dataclasses import dataclass, field

import pytest

from engine.core.identities import IdentifierKind, PatientRow
from engine.core.lifecycle import DeliveryState
from engine.core.messages import Delivery, DeliveryFlag, delivery_id
from engine.errors import ChangeRefused
from tests.support.fake_door import NOT_SENT, accepted, answer
from tests.support.group import DOORS, ROUTES, SITES, Group, group, hl7, of_cha, of_chb

PEOPLE = 3
STEPS = 40
REFUSED = 0.03
AWAY = 0.1
UNDONE = 0.7
"""How often a link is taken back, rather than its numbers unlinked: then it may be made again."""
FASTER = 0.03
"""How often the store refuses a decision, as if somebody else had changed its patients."""


@dataclass
class Sent:
    """A message of one number."""

    number: str
    behind: dict[str, frozenset[int]] = field(default_factory=dict)
    """By destination: places of messages of the same person that were on their way, or there, when it came."""


class World:
    """Hospitals that send, officers that link and part, receivers that are slow, away and now and then refuse."""

    def __init__(self, it: Group, seed: int, *, refusing: bool) -> None:
        self.it = it
        self.chance = random.Random(seed)
        self.sent: dict[int, Sent] = {}
        self.linked: set[int] = set()
        self.links: dict[int, tuple[int, PatientRow | None]] = {}
        """By person: the decision that linked the two numbers, and the patient as it left him."""
        self.checked = 0
        self._count = 0
        if refusing:
            it.store._fault = self.refuse
        for door in it.doors.values():

            def receive(delivery, door=door):
                self.check_numbers(*door.data[-1])
                door.latency = self.chance.choice((0.001, 0.01, 0.2, 3.0))
                if self.chance.random() < AWAY:
                    return NOT_SENT
                if self.chance.random() < REFUSED:
                    return answer(delivery.control_id, "AR", error="204")
                return accepted(delivery)

            door.receiver = receive

    def refuse(self, name: str) -> None:
        """Refuse a decision now and then."""
        if name == "route" and self.chance.random() < FASTER:
            raise ChangeRefused("somebody was faster")

    def same(self, one: str, other: str) -> bool:
        """Whether two numbers are one person's now."""
        return one == other or (one[1:] == other[1:] and int(one[1:]) in self.linked)

    def send(self, number: str, source: str = "", event: str = "A31", type_: str = "ADT") -> None:
        person = int(number[1:])
        cx, where = (of_cha(person), "gam_cha") if number[0] == "a" else (of_chb(person), "gam_chb")
        place = len(self.sent) + 1
        there = self.it.store.disk.deliveries
        self.sent[place] = Sent(number, {
            name: frozenset(
                one for one, message in self.sent.items()
                if self.same(message.number, number)
                and any((row := there.get(delivery_id(one, n))) and row.delivery.destination == name for n in range(2))
            )
            for name in ("dpi", "lab")
        })  # fmt: skip
        raw = hl7(place, event, cx, type_=type_, name=f"NOM{chr(65 + person)}^LEA^LEA")
        self.it.receive(source or where, raw)

    async def step(self) -> None:
        """Do something."""
        chance, person = self.chance, self.chance.randrange(PEOPLE)
        what = chance.random()
        if what < 0.75:
            for _ in range(chance.randint(1, 4)):
                self.send(chance.choice("ab") + str(chance.randrange(PEOPLE)))
        elif what < 0.82:
            self.send(f"a{person}", "lis_cha", "R01", "ORU")
        else:
            await self.decide(person)
        await self.it.rest(chance.choice((0.0, 0.001, 0.05, 1.0, 10.0)))

    async def decide(self, person: int) -> None:
        """Let an officer link a person's two numbers, or part them."""
        keys = [self.it.references.hash("patient", f"1.2.250.1.999.{at}.1|PI", str(person)) for at in (10, 20)]
        rows = self.it.store.disk.identifiers
        await self.it.runtime.until(lambda: self.it.identities.routers[0].settled >= 0, limit=10)
        if any(key not in rows for key in keys):
            return
        if person in self.linked:
            event = self.links.pop(person)
            if self.chance.random() < UNDONE and self.it.store.disk.patients[rows[keys[0]].patient] == event[1]:
                done, outcome = await self.it.act("identity-undo", event=event[0])
            else:
                done, outcome = await self.it.act("identity-unlink", identifiers=[keys[1]], sites="chb")
            assert done, outcome
            self.linked.discard(person)
            return
        one, other = (rows[key].patient for key in keys)
        if self.it.store.disk.patients[one].apart:
            return  # parted once: for good
        done, outcome = await self.it.act("identity-link", one=one, other=other)
        assert done, outcome
        self.linked.add(person)
        event = next(one for one in reversed(self.it.store.disk.identity_events.values()) if one.rule == "link")
        self.links[person] = event.id, event.patients[min(one, other)][1]

    def check_numbers(self, delivery: Delivery, data: bytes) -> None:
        """What is being sent names one patient, by what is known in the moment in which it leaves."""
        rows = self.it.store.disk.identifiers
        (pid,) = [line for line in data.decode().split("\r") if line.startswith("PID")]
        numbers = [one.split("^") for one in pid.split("|")[3].split("~")]
        keys = [self.it.references.hash("patient", f"{cx[3].split('&')[1]}|{cx[4]}", cx[0]) for cx in numbers]
        patients = {row.patient for one in keys if (row := rows.get(one)) is not None}
        assert len(patients) == 1, f"{delivery.place} leaves under numbers of {len(patients)} patients"
        self.checked += 1

    def check(self) -> None:
        """Compare what each receiver took with what had to be before it."""
        for name in ("dpi", "lab"):
            taken = {place: rank for rank, place in enumerate(self.it.left(name))}
            for place, message in self.sent.items():
                for before in message.behind[name]:
                    if place in taken and before in taken:
                        assert taken[before] < taken[place], f"{place} passed {before} at {name}"


@pytest.mark.parametrize("groups", [("main",), ("main", "other")], ids=["one-group", "two-groups"])
@pytest.mark.parametrize("refusing", [False, True], ids=["taking", "refusing"])
@pytest.mark.parametrize("seed", range(12))
def test_order(tmp_path: pathlib.Path, seed: int, groups: tuple[str, ...], *, refusing: bool) -> None:
    """With one routing group, and with one for each hospital."""
    doors = DOORS.replace("gam_chb: { type: mllp,", "gam_chb: { routing: other, type: mllp,") if groups[1:] else DOORS

    async def test(it: Group) -> None:
        world = World(it, seed, refusing=refusing)
        for person in range(PEOPLE):
            world.send(f"a{person}", event="A28")
            world.send(f"b{person}", event="A28")
        await it.rest()
        for _ in range(STEPS):
            await world.step()
        await it.rest(7200)
        assert len(it.left("dpi")) > STEPS / 2
        rows = it.store.disk.identifiers.values()
        kept = {row.value for row in rows if row.kind is IdentifierKind.FEDERATION}
        assert {it.number("dpi", place) for place in it.left("dpi")} <= kept
        world.check()
        assert world.checked > STEPS
        assert not [
            key for key, row in it.store.disk.deliveries.items()
            if row.delivery.flags & DeliveryFlag.PARTED and row.delivery.state is DeliveryState.PENDING
        ]  # fmt: skip
        assert not any(row.delivery.code == "E-ID-PARTED" for row in it.store.disk.deliveries.values())

    group(tmp_path, test, seed=seed, text=SITES + doors.replace("lane: block", "lane: pass") + ROUTES, groups=groups)
