"""
What happens to the patients of the group: admissions, movements, merges, orders, results, transfers.

The same seed, clock and configuration tell the same story.

The story only says what is sent and in which order; `ght` sends it.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Final

from engine.simulation.gam import Gam, Stay
from engine.simulation.lis import Lis, TownLaboratory
from engine.simulation.patients import Person, Population
from engine.simulation.ris import Ris
from engine.simulation.systems import Clock, Sequence, Systems
from engine.simulation.writing import Outgoing

SECONDS_A_BIRTH: Final = 16
"""A run of the usual rate has fewer births than one in so many seconds, and less than a stay a second at a hospital."""
_BIRTHS: Final = 390_000
_STAYS: Final = 1_000_000
"""After so many the numbers come again, which have six digits; newborns end before those registered twice begin."""

OPEN_STAYS_MAX: Final = 150
"""Beds of one hospital: when they are taken, patients leave first."""

UNKNOWN_UNIT: Final = "9999"
"""A functional unit that no table of codes knows: what an analyst forgot."""

Telling = Callable[["Ward"], list[Outgoing]]


class Ward:
    """The open stays of one hospital, and who was ever registered there."""

    def __init__(self, gam: Gam) -> None:
        """Begin empty."""
        self.gam = gam
        self.stays: list[Stay] = []
        self.known: set[int] = set()
        self.last_left: Stay | None = None


class Story:
    """Tells one message, or some that belong together, at each step."""

    def __init__(
        self, systems: Systems, population: Population, *, seed: int, tag: str, clock: Clock, begin_s: int = 0
    ) -> None:
        """
        Prepare the hospitals.

        Args:
            systems: From `systems_of`.
            population: Who can fall ill.
            seed: Of all that happens.
            tag: Begins all control ids of this run.
            clock: For the instants in messages.
            begin_s: Seconds of the wall clock at which the run begins: newborns and stays of a later run are others,
                and must have other numbers where the engine remembers those of an earlier one.
        """
        self._chance = random.Random(seed)
        self._population = population
        self._clock = clock
        self.wards = [
            Ward(Gam(hospital, Sequence(f"{tag}{hospital.site.name[-1]}"), clock, stays=begin_s % _STAYS))
            for hospital in systems.hospitals
        ]
        results, reports = Sequence(f"{tag}L"), Sequence(f"{tag}R")
        self._laboratories = {site: Lis(source, results, clock) for site, source in systems.laboratories.items()}
        self._radiologies = {site: Ris(source, reports, clock) for site, source in systems.radiologies.items()}
        town = systems.town_laboratory
        self._town = TownLaboratory(town, Sequence(f"V{tag}"), clock) if town else None
        self._orders = 0
        self._births = begin_s // SECONDS_A_BIRTH % _BIRTHS
        self._later: list[tuple[int, Callable[[], list[Outgoing]]]] = []
        self._step = 0
        self._events: list[tuple[Telling, int]] = [
            (self._admission, 22), (self._transfer, 14), (self._discharge, 10), (self._update, 8), (self._analyses, 20),
            (self._imaging, 8), (self._correction, 5), (self._merge, 3), (self._cancelled, 4), (self._birth, 1),
            (self._elsewhere, 5), (self._town_results, 2),
        ]  # fmt: skip

    def step(self) -> list[Outgoing]:
        """Return what is sent next: at least one message, in the order of sending."""
        self._step += 1
        for index, (when, telling) in enumerate(self._later):
            if when <= self._step:
                del self._later[index]
                return telling()
        ward = self._chance.choice(self.wards)
        tellings, weights = zip(*self._events, strict=True)
        telling_now: Telling = self._chance.choices(tellings, weights)[0]
        if len(ward.stays) >= OPEN_STAYS_MAX:
            telling_now = self._discharge
        return telling_now(ward) or self._admission(ward)

    # --- what can happen -----------------------------------------------------------------------------------

    def _admission(self, ward: Ward) -> list[Outgoing]:
        return self._admit(ward, self._population.person(self._chance.randrange(self._population.size)))

    def _admit(self, ward: Ward, person: Person, patient_class: str = "") -> list[Outgoing]:
        gam = ward.gam
        ipp = gam.hospital.ipp(person.number)
        out = [] if person.number in ward.known else [gam.identity("A28", person, ipp)]
        ward.known.add(person.number)
        patient_class = patient_class or self._chance.choice("IIEOP")
        stay = gam.new_stay(person, ipp, self._unit(ward), "I" if patient_class == "P" else patient_class)
        ward.stays.append(stay)
        if patient_class == "P":
            self._after(6, lambda: [gam.movement("A01", stay)])
            return [*out, gam.movement("A05", stay)]
        return [*out, gam.movement("A01" if patient_class == "I" else "A04", stay)]

    def _transfer(self, ward: Ward) -> list[Outgoing]:
        stay = self._some_stay(ward)
        if stay is None:
            return []
        if stay.patient_class != "I":
            stay.patient_class = "I"
            return [ward.gam.movement("A06", stay)]
        stay.unit = self._unit(ward)
        return [ward.gam.movement("A02", stay)]

    def _discharge(self, ward: Ward) -> list[Outgoing]:
        stay = self._some_stay(ward)
        if stay is None:
            return []
        stay.closed = True
        ward.stays.remove(stay)
        ward.last_left = stay
        return [ward.gam.movement("A03", stay)]

    def _cancelled(self, ward: Ward) -> list[Outgoing]:
        """A13 after A03, A12 after A02, A11 after A01: people press the wrong key."""
        left = ward.last_left
        if left is not None:
            ward.last_left = None
            left.closed = False
            ward.stays.append(left)
            return [ward.gam.movement("A13", left, action="CANCEL", corrects="A03")]
        stay = self._some_stay(ward)
        if stay is None or not stay.movements:
            return []
        last = stay.movements[-1].event
        if last == "A02":
            return [ward.gam.movement("A12", stay, action="CANCEL", corrects="A02")]
        if last in ("A01", "A04") and len(stay.movements) == 1:
            ward.stays.remove(stay)
            return [ward.gam.movement("A11", stay, action="CANCEL", corrects=last)]
        return []

    def _update(self, ward: Ward) -> list[Outgoing]:
        stay = self._some_stay(ward)
        if stay is None:
            return []
        gam = ward.gam
        if gam.hospital.habits.update == "A08":  # not France's rule, yet sent: with its movement segments
            return [gam.movement("A08", stay, action="UPDATE", corrects=stay.movements[-1].event)]
        return [gam.identity("A31", stay.person, stay.ipp)]

    def _correction(self, ward: Ward) -> list[Outgoing]:
        stay = self._some_stay(ward)
        if stay is None:
            return []
        moved = stay.movements[-1]
        moved.unit = stay.unit = self._unit(ward)
        return [ward.gam.movement("Z99", stay, action="UPDATE", corrects=moved.event)]

    def _merge(self, ward: Ward) -> list[Outgoing]:
        """Somebody was registered twice: the second identity gets a stay and results, then goes."""
        kept = self._some_stay(ward)
        if kept is None:
            return []
        gam, person = ward.gam, kept.person
        twice = gam.hospital.ipp(person.number, copy=1)
        stay = gam.new_stay(person, twice, self._unit(ward), "E")
        out = [gam.identity("A28", person, twice), gam.movement("A04", stay)]
        lis = self._lis(ward)
        if lis is not None:
            self._orders += 1
            out.append(lis.results(gam.hospital, stay, str(self._orders), self._chance, "F"))
        self._after(4, lambda: self._merged(ward, stay, kept.ipp, twice))
        return out

    def _merged(self, ward: Ward, stay: Stay, kept: str, gone: str) -> list[Outgoing]:
        gam = ward.gam
        moved, merged = gam.move_stay(stay, kept, gone), gam.merge(stay.person, kept, gone)
        stay.ipp = kept
        ward.stays.append(stay)
        return [moved, merged] if gam.hospital.habits.move_first else [merged, moved]

    def _birth(self, ward: Ward) -> list[Outgoing]:
        mother = next((stay for stay in ward.stays if stay.person.sex == "F" and stay.patient_class == "I"), None)
        if mother is None:
            return []
        gam = ward.gam
        self._births += 1
        number = self._population.size + self._births
        child = self._population.child_of(mother.person, number, self._clock().date())
        ipp, of_mother = gam.hospital.ipp(child.number), gam.hospital.identifier("ipp", mother.ipp)
        stay = gam.new_stay(child, ipp, mother.unit, "I")
        stay.mother = of_mother
        ward.stays.append(stay)
        return [gam.identity("A28", child, ipp, of_mother), gam.movement("A01", stay)]

    def _elsewhere(self, ward: Ward) -> list[Outgoing]:
        """A patient goes to another hospital of the group: discharged here, admitted there."""
        others = [other for other in self.wards if other is not ward]
        if not others or not ward.stays:
            return []
        person = ward.stays[-1].person
        if person.number >= self._population.size:  # newborns stay with their mothers
            return []
        stay = ward.stays.pop()
        stay.closed = True
        other = self._chance.choice(others)
        self._after(2, lambda: self._admit(other, person, "I"))
        return [ward.gam.movement("A03", stay)]

    def _analyses(self, ward: Ward) -> list[Outgoing]:
        stay, lis = self._some_stay(ward), self._lis(ward)
        if stay is None or lis is None:
            return []
        self._orders += 1
        order, hospital = f"{self._orders:06d}", ward.gam.hospital
        if self._chance.random() < 0.3:
            self._after(8, lambda: [lis.results(hospital, stay, order, self._chance, "F")])
            return [lis.results(hospital, stay, order, self._chance, "P")]
        return [lis.results(hospital, stay, order, self._chance, self._chance.choice("FFFFC"))]

    def _imaging(self, ward: Ward) -> list[Outgoing]:
        stay, ris = self._some_stay(ward), self._ris(ward)
        if stay is None or ris is None:
            return []
        self._orders += 1
        order, hospital, rank = f"{self._orders:06d}", ward.gam.hospital, self._orders
        self._after(10, lambda: [ris.report(hospital, stay, order, rank)])
        return [ris.order(hospital, stay, order, rank)]

    def _town_results(self, ward: Ward) -> list[Outgoing]:
        town = self._town
        if town is None or not ward.stays or ward.gam.hospital.site.name != town.source.site:
            return []
        stay = self._chance.choice(ward.stays)
        return [town.results(ward.gam.hospital, stay.person, stay.ipp, self._chance)]

    def _lis(self, ward: Ward) -> Lis | None:
        """Return the hospital's own laboratory, else the shared one."""
        return self._laboratories.get(ward.gam.hospital.site.name) or self._laboratories.get("")

    def _ris(self, ward: Ward) -> Ris | None:
        return self._radiologies.get(ward.gam.hospital.site.name) or self._radiologies.get("")

    # --- chance --------------------------------------------------------------------------------------------

    def _some_stay(self, ward: Ward) -> Stay | None:
        return self._chance.choice(ward.stays) if ward.stays else None

    def _unit(self, ward: Ward) -> str:
        if self._chance.random() < 0.002:
            return UNKNOWN_UNIT
        return self._chance.choice(ward.gam.hospital.units)

    def _after(self, steps: int, telling: Callable[[], list[Outgoing]]) -> None:
        self._later.append((self._step + steps, telling))
