"""
The admissions of one hospital: identities (ITI-30) and movements (ITI-31) of PAM France.

As PAM France 2.11.1 says, with the liberties that real products take: no PV1-3 in identity messages, bare `ZFP|`,
`Z99` corrections, A44 before its A40, an archive number and a third party's number in PID-3.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Final

from engine.simulation.patients import Person
from engine.simulation.systems import Clock, Hospital, Sequence
from engine.simulation.writing import (
    Outgoing,
    escaped,
    ins_of,
    message_bytes,
    names,
    segment,
    stamp,
    traits,
)

STRUCTURES: Final = {
    "A01": "ADT_A01", "A02": "ADT_A02", "A03": "ADT_A03", "A04": "ADT_A01", "A05": "ADT_A05", "A06": "ADT_A06",
    "A08": "ADT_A01", "A11": "ADT_A09", "A12": "ADT_A12", "A13": "ADT_A01", "A28": "ADT_A05", "A31": "ADT_A05",
    "A40": "ADT_A39", "A44": "ADT_A43", "Z99": "ADT_A01",
}  # fmt: skip
"""MSH-9.3 by event (PAM France 2.11.1); a Z99 carries the structure of what it corrects."""

DOCTOR: Final = "10009999901^PETIT^ANNE^^^DR^^^ASIP-SANTE-PS&1.2.250.1.71.4.2.1&ISO^L^^^RPPS"


@dataclass(slots=True)
class Movement:
    """One movement: what ZBE tells of it, and what a correction repeats."""

    number: str
    event: str
    unit: str
    begin: dt.datetime


@dataclass(slots=True)
class Stay:
    """A stay of a person at one hospital."""

    person: Person
    ipp: str
    nda: str
    visit: str
    patient_class: str
    """PV1-2: I inpatient, E emergency, O outpatient."""
    unit: str
    bed: str
    opened: dt.datetime
    movements: list[Movement] = field(default_factory=list)
    closed: bool = False
    mother: str = ""
    """The mother's IPP as a CX, for a newborn (PID-21)."""


class Gam:
    """Writes the messages of one hospital's admissions; decides nothing."""

    def __init__(self, hospital: Hospital, sequence: Sequence, clock: Clock, *, stays: int = 0) -> None:
        """Numbers of stays begin after `stays`; control ids differ from run to run by the sequence's tag."""
        self.hospital = hospital
        self.sequence = sequence
        self._clock = clock
        self._stays = stays
        self._movements = 0

    # --- stays ---------------------------------------------------------------------------------------------

    def new_stay(self, person: Person, ipp: str, unit: str, patient_class: str) -> Stay:
        """Open a stay; nothing is sent yet."""
        self._stays += 1
        nda = f"{self.sequence.last % 1000:03d}{self._stays:06d}"
        bed = f"{unit}-{self._stays % 20 + 1:02d}"
        return Stay(person, ipp, nda, f"{nda}1", patient_class, unit, bed, self._clock())

    def identity(self, event: str, person: Person, ipp: str, mother: str = "") -> Outgoing:
        """A28 (creation), A31 or A08 (change): who the person is; no movement."""
        visit = segment("PV1", {2: "N"})  # no PV1-3, as CPage sends
        segments = [self._pid(person, ipp, mother=mother), self._pd1(), visit, *self._trailer(person)]
        return self._message(event, segments, ipp)

    def movement(self, event: str, stay: Stay, *, action: str = "INSERT", corrects: str = "") -> Outgoing:
        """
        A movement of a stay, or the cancellation of its last one.

        Args:
            event: A01, A02, A03, A04, A05, A06, A11, A12, A13 or Z99.
            stay: Its unit and class are those after the event.
            action: ZBE-4: INSERT, UPDATE (Z99 only) or CANCEL.
            corrects: ZBE-6: the event that is updated or cancelled.
        """
        if action == "INSERT":
            self._movements += 1
            number = f"{self.sequence.last % 1000:03d}{self._movements:06d}"
            stay.movements.append(Movement(number, event, stay.unit, self._clock()))
        moved = stay.movements[-1]
        if action == "CANCEL" and len(stay.movements) > 1:
            stay.movements.pop()
            stay.unit = stay.movements[-1].unit  # PV1-3 and ZBE-7 carry the values before (PAM France 2.11.1)
        segments = [
            self._pid(stay.person, stay.ipp, stay=stay, mother=stay.mother),
            self._pd1(),
            self._pv1(event, stay),
            self._zbe(moved, stay, action, corrects),
            *self._trailer(stay.person),
        ]
        return self._message(event, segments, stay.ipp)

    def merge(self, person: Person, kept: str, gone: str) -> Outgoing:
        """A40: `gone` is the same person as `kept`."""
        old = segment("MRG", {1: self.hospital.identifier("ipp", gone), 7: names(person)})
        return self._message("A40", [self._pid(person, kept), self._pd1(), old], kept)

    def move_stay(self, stay: Stay, kept: str, gone: str) -> Outgoing:
        """A44: a stay of `gone` goes to `kept`; may leave before the A40."""
        nda = self.hospital.identifier("nda", stay.nda)
        old = segment("MRG", {1: self.hospital.identifier("ipp", gone), 3: nda})
        return self._message("A44", [self._pid(stay.person, kept, stay=stay), self._pd1(), old], kept)

    # --- segments ------------------------------------------------------------------------------------------

    def _message(self, event: str, segments: list[str], ipp: str) -> Outgoing:
        hospital, habits, control_id = self.hospital, self.hospital.habits, self.sequence.next()
        now = stamp(self._clock())
        type_of = f"ADT^{event}^{STRUCTURES[event]}" if habits.structure else f"ADT^{event}"
        header = segment(
            "MSH",
            {
                3: habits.application, 4: hospital.site.name.upper(), 5: "PASSERELLE", 6: "GHT", 7: now, 9: type_of,
                10: control_id, 11: "P", 12: "2.5^FRA^2.11", 17: "FRA", 18: habits.charset, 19: "FR",
            },
        )  # fmt: skip
        event_segment = segment("EVN", {2: now, 6: now})
        payload = message_bytes([header, event_segment, *segments], codec=habits.codec, end=habits.end)
        return Outgoing(
            hospital.source.name, control_id, f"ADT^{event}", payload, hospital.site.name, f"{hospital.site.name}/{ipp}"
        )

    def _pid(self, person: Person, ipp: str, *, stay: Stay | None = None, mother: str = "") -> str:
        hospital = self.hospital
        numbers = [hospital.identifier("ipp", ipp)]
        if person.qualified:
            numbers.append(ins_of(person))
        if hospital.habits.archive:
            numbers.append(f"A{person.number:06d}^^^{hospital.habits.application}^MR")
            numbers.append(f"{person.number + 31_000_000}^^^DOCTOLIB^PI")
        fields = {1: "1", 3: "~".join(numbers), **traits(person), 32: "VALI" if person.qualified else "PROV"}
        if stay is not None:
            fields[18] = hospital.identifier("nda", stay.nda)
        if mother:
            fields |= {21: mother, 24: "N", 25: "1"}
        return segment("PID", fields)

    def _pd1(self) -> str:
        return segment("PD1", {4: DOCTOR})

    def _pv1(self, event: str, stay: Stay) -> str:
        hospital = self.hospital
        ward = f"{stay.unit}^{stay.bed}^1^{hospital.site.finess_eg and f'&{hospital.site.finess_eg}&N'}"
        fields = {
            1: "1", 2: stay.patient_class, 3: ward, 4: "R", 7: DOCTOR,
            19: hospital.identifier("visit", stay.visit), 44: stamp(stay.opened),
        }  # fmt: skip
        if event == "A02" and len(stay.movements) > 1:
            fields[6] = stay.movements[-2].unit
        if event == "A03":
            fields |= {36: "8", 45: stamp(self._clock())}
        if stay.mother:
            fields[4] = "N"
        return segment("PV1", fields)

    def _zbe(self, moved: Movement, stay: Stay, action: str, corrects: str) -> str:
        authority = self.hospital.site.authorities.get("visit") or self.hospital.site.authorities.get("nda")
        oid = authority.oid if authority else ""
        unit = f"{escaped('Unité')} {stay.unit}^^^^^{self.hospital.habits.application}&{oid}&L^UF^^^{stay.unit}"
        return segment(
            "ZBE",
            {
                1: f"{moved.number}^{self.hospital.habits.application}^{oid}^ISO", 2: stamp(moved.begin), 4: action,
                5: "N", 6: corrects, 7: unit, 8: unit, 9: "HMS",
            },
        )  # fmt: skip

    def _trailer(self, person: Person) -> list[str]:
        segments = ["ZFP|"] if self.hospital.habits.archive else []
        if person.qualified:
            segments.append(segment("ZFD", {3: "N", 4: "N", 5: "INSI", 7: "CN"}))
        return segments
