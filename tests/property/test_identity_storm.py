"""
A storm over a group of hospitals: random people, events, names of others, concealed ones, INS that are swapped.

Whatever comes, in whatever order: no patient is two people. What would make one dies, and its pair is reviewed; an
officer's link is refused likewise. The same seed makes the same storm.
"""

from __future__ import annotations

import random

import pytest

from engine.core.identities import IdentifierKind, PatientRow
from engine.identity import acts
from engine.identity.acts import Act
from engine.identity.crossreference import Unread
from engine.identity.deciding.parting import speakers
from engine.identity.decisions import Outcome
from engine.identity.former import NUMBERS as KINDS
from engine.identity.former import going_along
from engine.identity.policy import OnMerge
from engine.identity.traits import StrictTraits, compare_traits, traits_of
from tests.support.identity import NIA, NIR, REFERENCES, SITE_OF, SITES, Group, ins, ipp, message, pid

STEPS = 1230
NUMBERS = 12
ORDINARY = ("A28", "A31", "A31", "A08", "A01", "A02", "A28")
REPLACING = ("A40", "A40", "A47", "A18", "A36", "A46", "A43")
STATUSES = ("VALI", "VALI", "VALI", "PROV", "PROV", "")
UNBELIEVED = {"anonymous", "fictive", "doubtful", "nameless", "usurped", "duplicate", "collision"}
"""Attributes of an identity that says itself that its traits aren't to be believed."""
MASKS = {"anonymous", "fictive"}
"""Attributes of an identity that stands in for the person's own."""
HIDING = ("~CACH", "~ANOM", "~FICT", "~DOUT", "~HOMO", "~DOUB", "~USUR", "~COLP")
NAMES = ("DURAND", "DURANT", "MARTIN", "LEROY", "PETIT", "MOREAU")
FIRST = ("ANNE", "LUCIE", "LUC", "PAUL", "INES")
BORN = ("19700102", "19700103", "19511224", "19880909", "20200505")


class Storm:
    """One storm, over the pure rules."""

    def __init__(self, seed: int, on_merge: OnMerge) -> None:
        self.chance = random.Random(seed)
        contracts = frozenset({frozenset({"cha", "chb"})}) if seed % 3 else frozenset({frozenset(SITES)})
        self.group = Group(contracts=contracts, on_merge=on_merge)
        self.people = [self.person(rank) for rank in range(24)]
        self.owner: dict[tuple[str, str], dict[str, str]] = {}
        self.sure: dict[tuple[int, str], StrictTraits] = {}
        """By patient and site: the traits of which the site was sure last, whatever it said since."""
        self.given_back = 0
        """How often an unlink took a number of the group along."""

    def person(self, rank: int) -> dict[str, str]:
        pick = self.chance.choice
        return {
            "name": pick(NAMES), "first": pick(FIRST), "born": pick(BORN), "sex": pick("MF"),
            "place": pick(("38185", "75056")), "ins": f"2{rank:02}0138185001{rank:02}",
        }  # fmt: skip

    # --- what happens ----------------------------------------------------------------------------------------

    def step(self) -> None:
        """Hear a message, or carry out an officer's act; look at every patient that it touched."""
        before, decided = dict(self.group.disk.patients), len(self.group.events)
        draw = self.chance.random()
        acted = draw >= 0.97
        if draw < 0.62:
            self.say(self.chance.choice(ORDINARY))
        elif draw < 0.84:
            self.replace(self.chance.choice(REPLACING))
        elif draw < 0.94:
            self.link(self.chance.choice(("A24", "A24", "A37")))
        elif draw < 0.97:
            self.group.restart()
        else:
            self.officer()
        touched = {id_: row for id_, row in self.group.disk.patients.items() if before.get(id_) != row}
        if not acted:
            self.inherit(before, touched)
        self.each_number_is_of_one()
        parted = acted or any(event.rule == "unlink" for event in self.group.events[decided:])
        for id_, patient in touched.items():
            self.is_one_person(patient, None if parted else before.get(id_))
            self.is_who_it_was(patient, parted=parted)

    def say(self, event: str) -> None:
        site, number = self.number()
        self.hear(site, event, *self.identity(site, number))

    def replace(self, event: str) -> None:
        site, new = self.number()
        old = self.number(site)[1]
        self.hear(site, event, *self.identity(site, new), f"MRG|{ipp(site, old)}")

    def link(self, event: str) -> None:
        site, one = self.number()
        other = self.number(site)[1]
        self.hear(site, event, *self.identity(site, one), *self.identity(site, other))

    def officer(self) -> None:
        """Link, unlink, or take back: an officer may do what the rules may, and part whom they join."""
        patients, rows = self.group.disk.patients, self.group.disk.identifiers
        draw = self.chance.random()
        if draw < 0.5 and len(patients) > 1:
            one, other = self.chance.sample(sorted(patients), 2)
            self.act(lambda view, how: acts.link(one, other, view, how))
        elif draw < 0.8 and rows:
            local = sorted(key for key, row in rows.items() if row.kind is IdentifierKind.LOCAL)
            key = self.chance.choice(local)
            keys = self.chance.choice(([key], self.came_with(key)))
            going, unsure = self.speakers(keys)
            self.act(lambda view, how: acts.unlink(
                keys, view, how, policy=self.group.policy, references=REFERENCES,
                next_patient=self.group.next_patient, sites=going, unsure=unsure, former=self.former(keys),
            ))  # fmt: skip
        elif self.group.events:
            event = self.group.events[-1]
            self.act(lambda view, how: acts.undo(event, view, how))

    def came_with(self, key: int) -> list[int]:
        """The hospitals' numbers that came to a patient together with one, where he was joined; else this one."""
        rows = self.group.disk.identifiers
        own = {one for one in self.group.disk.patients[rows[key].patient].identifiers if rows[one].kind in KINDS}
        for event in reversed(self.group.events):
            was, now = event.identifiers.get(key, (None, None))
            if was is not None and now is not None and event.patients.get(was.patient, (None, was))[1] is None:
                came = {one for one, (row, _) in event.identifiers.items() if row and row.patient == was.patient}
                return sorted(came & own) or [key]
        return [key]

    def speakers(self, keys: list[int]) -> tuple[frozenset[str], frozenset[str]]:
        """The sites whose assertions go with some numbers, and those of whom nothing shows it."""
        rows = self.group.disk.identifiers
        own = self.group.disk.patients[rows[keys[0]].patient].identifiers
        left = [rows[key] for key in own if rows[key].kind in KINDS and key not in keys]
        return speakers([rows[key] for key in keys], left, SITE_OF)

    def former(self, keys: list[int]) -> list[int]:
        """The group's numbers that go along with some, as the officer's desk finds them."""
        rows = self.group.disk.identifiers
        patient = self.group.disk.patients[rows[keys[0]].patient]
        found = going_along(patient, [rows[one] for one in patient.identifiers], keys, self.group.events)
        self.given_back += bool(found)
        return [row.hash for row in found]

    # --- what must hold --------------------------------------------------------------------------------------

    def each_number_is_of_one(self) -> None:
        """A number of the group leads to one patient, who lists it; nobody has another one's."""
        rows, patients = self.group.disk.identifiers, self.group.disk.patients
        for key, row in rows.items():
            if row.kind is IdentifierKind.FEDERATION:
                assert [id_ for id_, one in patients.items() if key in one.identifiers] == [row.patient]
        numbers = [one.number for one in patients.values()]
        assert len({*numbers}) == len(numbers)
        for id_, one in patients.items():
            assert rows[REFERENCES.hash("patient", "1.2.3.9|PN", one.number)].patient == id_

    def is_one_person(self, patient: PatientRow, before: PatientRow | None) -> None:
        """No two sites speak of two people; nor does one site, under two numbers one after the other."""
        believed = [one for one in patient.assertions if not UNBELIEVED & set(one.attributes)]
        for rank, one in enumerate(believed):
            for other in believed[rank + 1 :]:
                if compare_traits(traits_of(one), traits_of(other)).beyond_tolerance:
                    raise AssertionError(f"{one} and {other} are one patient")
        if before is None:
            return
        for was in before.assertions:
            now = next((one for one in patient.assertions if one.site == was.site), None)
            if now is None or MASKS & {*was.attributes, *now.attributes} or self.numbers(patient, was.site) < 2:
                continue
            if UNBELIEVED & {*was.attributes} and (patient.id, was.site) in self.sure:
                continue  # is_who_it_was
            assert not compare_traits(traits_of(was), traits_of(now)).beyond_tolerance, f"{was} became {now}"

    def inherit(self, before: dict[int, PatientRow], touched: dict[int, PatientRow]) -> None:
        """Of whom a site was sure, he is one with the patient in whom he ended."""
        for gone in before.keys() - self.group.disk.patients.keys():
            heir = next(id_ for id_, row in touched.items() if {*before[gone].identifiers} & {*row.identifiers})
            for site in SITES:
                if (sure := self.sure.pop((gone, site), None)) is not None:
                    self.sure.setdefault((heir, site), sure)

    def is_who_it_was(self, patient: PatientRow, *, parted: bool) -> None:
        """Nobody becomes another by way of what his site says meanwhile without being sure, unless he was parted."""
        if parted:
            for site in SITES:
                self.sure.pop((patient.id, site), None)
        for now in patient.assertions:
            traits = traits_of(now)
            if UNBELIEVED & {*now.attributes} or now.status == "PROV":
                if not now.firm:
                    continue
                traits = StrictTraits(*now.firm)  # an A24 may say two things, the second one unsure
            was = self.sure.get((patient.id, now.site))
            if was is not None:
                compared = compare_traits(was, traits)
                assert len({*compared.different} - {"birth place"}) < 3, f"{was} became {now}"
                several = self.numbers(patient, now.site) > 1
                assert not (several and compared.beyond_tolerance), f"{was} became {now}, who has several numbers"
            self.sure[patient.id, now.site] = traits

    def numbers(self, patient: PatientRow, site: str) -> int:
        """Count the numbers of a site that lead to a patient, those that ended too."""
        rows = (self.group.disk.identifiers[key] for key in patient.identifiers)
        own = ipp(site, "x").split("&")[1]
        return sum(row.authority.startswith(f"{own}|") for row in rows)

    # --- how -------------------------------------------------------------------------------------------------

    def number(self, site: str = "") -> tuple[str, str]:
        return site or self.chance.choice(SITES), str(self.chance.randrange(NUMBERS))

    def identity(self, site: str, number: str) -> list[str]:
        """What a site says under a number: most often whom it stands for, sometimes another, concealed, mistyped."""
        draw, pick = self.chance.random, self.chance.choice
        person = self.owner.setdefault((site, number), pick(self.people))
        if draw() < 0.3:
            person = pick(self.people)
        said = {key: value for key, value in person.items() if key != "ins"}
        errors = {"name": "DURANT", "place": "", "first": "", "born": "", "sex": ""}
        said |= {key: error for key, error in errors.items() if draw() < 0.08}
        holds = person if draw() < 0.8 else pick(self.people)
        numbers = [ins(holds["ins"], pick((NIR, NIR, NIA)))] if draw() < 0.5 else []
        status = pick(STATUSES) + (pick(HIDING) if draw() < 0.2 else "")
        concealed = ["PD1||||||||||||Y"] if draw() < 0.12 else []
        return [pid(ipp(site, number), *numbers, status=status, **said), *concealed]

    def hear(self, site: str, event: str, *segments: str) -> None:
        decision = self.group.hear(message(event, *segments), site)
        assert decision.outcome is not Outcome.WAIT

    def act(self, how) -> None:
        self.group.rounds = 0
        while True:
            try:
                done = how(self.group.known, Act(who="officer", reason="why", place=self.group.place, at_ms=1))
                break
            except Unread as unread:
                self.group.read(unread)
        if not isinstance(done, acts.Refusal):
            self.group.remember(done)


@pytest.mark.parametrize("on_merge", OnMerge)
@pytest.mark.parametrize("seed", [*range(3), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(3, 60))])
def test_no_patient_is_two_people(seed: int, on_merge: OnMerge) -> None:
    """After each of many steps."""
    storm = Storm(seed, on_merge)
    for _ in range(STEPS):
        storm.step()
