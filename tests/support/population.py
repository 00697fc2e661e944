"""
A population whose truth is known: people of five establishments, and what these say of them, with all that goes wrong.

Nobody exists: names are syllables, towns and numbers are drawn. What is made: homonyms with all five strict traits
equal, twins, typing errors, duplicates with their A40, wrong A40, INS of every state (qualified, unqualified, NIA then
NIR, downgraded, deleted, wrong: a twin's or a stranger's), newborns without given name, anonymous and fictive
identities, minors. What isn't made, since no rule can see it: a person registered under another's INS *and* all of
another's traits.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from random import Random

from engine.core.identities import IdentifierKind, IdentifierRow, IdentityEvent, PatientRow, ReviewRow
from engine.core.references import References
from engine.identity.authorities import Authorities, Authority, SiteAuthorities
from engine.identity.claims import Claimed, ClaimedIns, Claims, Person, read_claims
from engine.identity.decisions import Decision, Outcome, decide
from engine.identity.ins import Ins, authority_of, matricule_key
from engine.identity.policy import MINT, IdentityPolicy
from engine.identity.statuses import identity_status
from engine.identity.traits import StrictTraits
from engine.parsers import open_message
from tests.support.identity import GROUP_IPP, NIA, NIR, NOW_MS, message, pid

SITES = ("cha", "chb", "chc", "chd", "che")
TRUSTING = frozenset(SITES[:4])
"""The fifth has no contract with anybody."""
REFERENCES = References(b"population-key--")
POLICY = IdentityPolicy(federation=GROUP_IPP, contracts=frozenset({TRUSTING}))
_SYLLABLES = [start + end for start in "BCDFGLMNPRSTV" for end in "AEIOU"]
_OTHER_LETTER = {"A": "E", "E": "A", "I": "Y", "O": "U", "U": "O"}


@dataclass(frozen=True)
class Human:
    """One person, as he is."""

    id: int
    traits: StrictTraits
    nir: str
    nia: str
    minor: bool
    kind: str = ""
    """`newborn`, `anonymous`, `fictive`, or nothing."""


@dataclass(frozen=True)
class Said:
    """What a site says in one message."""

    human: int
    site: str
    number: str
    event: str
    traits: StrictTraits
    status: str
    """PID-32."""
    ins: tuple[tuple[str, str], ...] = ()
    prior: str = ""
    mother: str = ""
    faithful: bool = True
    """Traits and INS are the person's own."""


@dataclass
class World:
    """The people, and the messages in the order in which they come."""

    humans: list[Human]
    messages: list[Said]
    owner: dict[tuple[str, str], int] = field(default_factory=dict)
    """(site, number) -> person."""


class Maker:
    """Makes a world from a seed."""

    def __init__(self, people: int, seed: int) -> None:
        self.random = Random(seed)
        self.people = people
        self.humans: list[Human] = []
        self.siblings: dict[int, int] = {}
        self.homonyms: dict[int, int] = {}
        self.numbers = Counter[str]()
        self.early: list[Said] = []
        self.late: list[Said] = []
        self.owner: dict[tuple[str, str], int] = {}

    def world(self) -> World:
        """Make it."""
        while len(self.humans) < self.people:
            self._human()
        for human in self.humans:
            self._visits(human)
        self._wrong_merges()
        self.random.shuffle(self.early)
        self.random.shuffle(self.late)
        return World(self.humans, [*self.early, *self.late], self.owner)

    # --- people ----------------------------------------------------------------------------------------------

    def _human(self) -> None:
        draw = self.random.random
        before = self.humans[-1] if self.humans else None
        minor = draw() < 0.15
        traits = self._traits(minor=minor)
        id_ = len(self.humans)
        if before is not None and draw() < 0.015:  # a twin
            first = self._name(2)
            traits = before.traits._replace(first_name=first, first_names=f"{first} {self._name(2)}")
            minor = before.minor
            self.siblings[id_], self.siblings[before.id] = before.id, id_
        elif before is not None and draw() < 0.005:  # the same five strict traits, another person
            other = self.random.choice(self.humans)
            traits, minor = other.traits, other.minor
            self.homonyms[id_], self.homonyms[other.id] = other.id, id_
        kind, chance = "", draw()
        if chance < 0.003:
            kind = "anonymous"
        elif chance < 0.004:
            kind = "fictive"
        elif chance < 0.014:
            kind, minor = "newborn", True
            traits = traits._replace(birth_date=f"2026{self.random.randint(1, 2):02}{self.random.randint(1, 28):02}")
        self.humans.append(
            Human(id_, traits, self._matricule(id_, traits), self._matricule(id_, traits, "9"), minor, kind)
        )

    def _traits(self, *, minor: bool) -> StrictTraits:
        random = self.random
        year = random.randint(2009, 2025) if minor else random.randint(1930, 2007)
        first = self._name(2)
        return StrictTraits(
            self._name(random.choice((2, 2, 3))), first, f"{first} {self._name(2)}",
            f"{year}{random.randint(1, 12):02}{random.randint(1, 28):02}", random.choice("MF"),
            f"{random.randint(1, 95):02}{random.randint(1, 40):03}",
        )  # fmt: skip

    def _name(self, syllables: int) -> str:
        return "".join(self.random.choice(_SYLLABLES) for _ in range(syllables))

    def _matricule(self, id_: int, traits: StrictTraits, first: str = "5") -> str:
        number = f"{first}{traits.birth_date[2:6]}{id_:08}"
        key = matricule_key(number)
        return f"{number}{key:02}"

    # --- what establishments say -----------------------------------------------------------------------------

    def _visits(self, human: Human) -> None:
        for site in self.random.sample(SITES, self.random.choice((1, 1, 1, 2, 2, 3, 5))):
            first = self._registered(human, site)
            if self.random.random() < 0.03:
                second = self._registered(human, site)
                if self.random.random() < 0.5:
                    self.late.append(replace(first, event="A40", prior=second.number))

    def _registered(self, human: Human, site: str) -> Said:
        random, draw = self.random, self.random.random
        self.numbers[site] += 1
        number = str(self.numbers[site])
        self.owner[site, number] = human.id
        base = Said(human.id, site, number, random.choice(("A28", "A01", "A04")), self._written(human.traits), "PROV")
        said = self._concealed(human, base) if human.kind else self._stated(human, base)
        self.early.append(said)
        if draw() < 0.3:
            self.late.append(replace(said, event=random.choice(("A31", "A08", "A02"))))
        return said

    def _stated(self, human: Human, base: Said) -> Said:
        """Choose the state of the INS."""
        chance = self.random.random()
        held = ((human.nir, NIR),)
        if chance < 0.5:
            return replace(base, status="VALI", ins=held)
        if chance < 0.55:  # validated, one trait mistyped, and yet qualified
            return replace(base, status="VALI", ins=held, traits=self._mistyped(base.traits), faithful=False)
        if chance < 0.6:  # the NIR of its household, sent as INS by a system that qualifies nothing
            return replace(base, status=self.random.choice(("", "PROV")), ins=held)
        if chance < 0.62:
            self.late.append(replace(base, event="A31", status="VALI", ins=held))
            return replace(base, status="VALI", ins=((human.nia, NIA),))
        if chance < 0.63:
            self.late.append(replace(base, event="A31", status="PROV"))
            return replace(base, status="VALI", ins=held)
        if chance < 0.64:
            self.late.append(replace(base, event="A47", status="PROV", ins=(('""', NIR),)))
            return replace(base, status="VALI", ins=held)
        if chance < 0.65:
            return replace(base, status="VALI", ins=((self._wrong(human), NIR),), faithful=False)
        if chance < 0.8:
            return replace(base, status="VALI")
        return base if chance < 0.95 else replace(base, traits=self._mistyped(base.traits), faithful=False)

    def _concealed(self, human: Human, base: Said) -> Said:
        if human.kind == "newborn":
            declared = replace(base, event="A31", status="VALI", ins=((human.nir, NIR),))
            self.late.append(declared)
            return replace(base, traits=base.traits._replace(first_name="", first_names=""), mother="1")
        return replace(base, status="PROV~ANOM" if human.kind == "anonymous" else "PROV~FICT")

    def _written(self, traits: StrictTraits) -> StrictTraits:
        """Write the same traits as one of several systems does."""
        habit = self.random.randrange(4)
        if habit == 0:
            return traits._replace(birth_name=traits.birth_name.capitalize().replace("e", "é", 1), first_names="")
        if habit == 1:
            return traits._replace(first_names=traits.first_names.replace(" ", "-"))
        return traits

    def _mistyped(self, traits: StrictTraits) -> StrictTraits:
        which = self.random.choice(("birth_name", "first_name", "birth_date", "sex", "birth_place", "absent"))
        if which in ("birth_name", "first_name"):
            name = getattr(traits, which)
            place = self.random.randrange(len(name))
            letter = _OTHER_LETTER.get(name[place].upper(), "X")
            wrong = traits._replace(**{which: name[:place] + letter + name[place + 1 :]})
            return wrong._replace(first_names="") if which == "first_name" else wrong
        if which == "birth_date":
            return traits._replace(birth_date=f"{traits.birth_date[:6]}{29 - int(traits.birth_date[6:]):02}")
        if which == "sex":
            return traits._replace(sex="F" if traits.sex == "M" else "M")
        return traits._replace(birth_place="" if which == "absent" else "99999")

    def _wrong(self, human: Human) -> str:
        """Another person's INS: a twin's where there is one; never that of somebody with the same five traits."""
        if human.id in self.siblings:
            return self.humans[self.siblings[human.id]].nir
        other = self.random.choice(self.humans)
        return other.nir if other.id != self.homonyms.get(human.id) and other.traits != human.traits else human.nir

    def _wrong_merges(self) -> None:
        """A hospital merges two of its patients who are two people: homonyms, twins, or by mistake."""
        by_site = defaultdict(list)
        for said in self.early:
            by_site[said.site].append(said)
        for said in list(self.early):
            if self.random.random() < 0.001:
                other = self.random.choice(by_site[said.site])
                if other.human != said.human:
                    self.late.append(replace(said, event="A40", prior=other.number))


# --- deciding ------------------------------------------------------------------------------------------------


class Everything:
    """A CrossReference that has read all there is."""

    def __init__(self) -> None:
        self.identifiers: dict[int, IdentifierRow] = {}
        self.patients: dict[int, PatientRow] = {}
        self.reviews: dict[tuple[int, int], ReviewRow] = {}
        self._alike: dict[int, set[int]] = {}

    def identifier(self, key: int) -> IdentifierRow | None:
        return self.identifiers.get(key)

    def patient(self, id_: int) -> PatientRow | None:
        return self.patients.get(id_)

    def alike(self, traits: int) -> tuple[int, ...]:
        return tuple(sorted(self._alike.get(traits, ())))

    def review(self, low: int, high: int) -> ReviewRow | None:
        return self.reviews.get((low, high))

    def apply(self, event: IdentityEvent) -> None:
        for rows, changes in ((self.identifiers, event.identifiers), (self.reviews, event.reviews)):
            for key, (_, after) in changes.items():
                if after is None:
                    rows.pop(key, None)
                else:
                    rows[key] = after
        for id_, (before, after) in event.patients.items():
            for one in before.assertions if before else ():
                self._alike.get(one.traits, set()).discard(id_)
            for one in after.assertions if after else ():
                if one.traits:
                    self._alike.setdefault(one.traits, set()).add(id_)
            if after is None:
                self.patients.pop(id_, None)
            else:
                self.patients[id_] = after


def authority(site: str) -> Authority:
    """The authority of a site's numbers."""
    oid = f"1.2.3.{SITES.index(site) + 1}.1"
    return Authority(name="ipp", site=site, type="PI", oid=oid, hd1=site.upper(), hd2=oid)


KEYS = {site: authority(site).key for site in SITES}


def claimed(site: str, number: str) -> Claimed:
    """A local number as a claim."""
    key = KEYS[site]
    return Claimed(REFERENCES.hash("patient", key, number), IdentifierKind.LOCAL, key, number, site)


def claims_of(said: Said) -> Claims:
    """What reading the message gives."""
    held = [Ins(value, authority_of(oid), "INS") for value, oid in said.ins]
    person = Person(said.traits, identity_status(said.status.split("~"), held))
    person.local = [claimed(said.site, said.number)]
    person.ins = [ClaimedIns(REFERENCES.hash("ins", one.authority.oid, one.value), one) for one in held]
    person.names = (said.traits.birth_name,)
    if said.prior:
        person.prior, person.replaces = [claimed(said.site, said.prior)], True
    elif said.event == "A47":
        person.replaces = True
    lanes = tuple(one.hash for one in (*person.local, *person.prior))
    return Claims([person], REFERENCES, site=said.site, type_="ADT", event=said.event, lanes=lanes)


@dataclass
class Report:
    """What came of a world."""

    world: World
    view: Everything
    decisions: Counter[str] = field(default_factory=Counter)
    dead: Counter[str] = field(default_factory=Counter)

    def false_links(self) -> list[tuple[int, set[int]]]:
        """Patients under whom numbers of several people are."""
        found = ((id_, self._people(patient)) for id_, patient in self.view.patients.items())
        return [(id_, people) for id_, people in found if len(people) > 1]

    def links(self) -> int:
        """Pairs of numbers of different establishments under one patient."""
        counts = (
            sum(1 for key in patient.identifiers if key in self._owners) for patient in self.view.patients.values()
        )
        return sum(count * (count - 1) // 2 for count in counts)

    def recall(self) -> tuple[int, int]:
        """Of the pairs that an INS qualified on both sides allows to be linked: (linked, all)."""
        held: dict[tuple[int, int], list[tuple[str, int]]] = defaultdict(list)
        last: dict[tuple[str, str], Said] = {}
        for said in self.world.messages:
            if said.event not in ("A40", "A02"):
                last[said.site, said.number] = said
        for (site, number), said in last.items():
            human = self.world.humans[said.human]
            row = self.view.identifiers.get(claimed(site, number).hash)
            if row is None or not said.faithful or human.minor or site not in TRUSTING or said.status != "VALI":
                continue
            for value, _ in said.ins:
                held[said.human, REFERENCES.hash("ins", NIR, value)].append((site, row.patient))
        linked = whole = 0
        for numbers in held.values():
            for rank, (site, patient) in enumerate(numbers):
                for other_site, other in numbers[rank + 1 :]:
                    if site != other_site:
                        whole += 1
                        linked += patient == other
        return linked, whole

    def reviews(self) -> Counter[str]:
        """The review list by rule."""
        return Counter(row.rule for row in self.view.reviews.values())

    @property
    def _owners(self) -> dict[int, int]:
        if not hasattr(self, "_owned"):
            self._owned = {claimed(site, number).hash: human for (site, number), human in self.world.owner.items()}
        return self._owned

    def _people(self, patient: PatientRow) -> set[int]:
        return {self._owners[key] for key in patient.identifiers if key in self._owners}


def run(world: World, claims: Callable[[Said], Claims] = claims_of) -> Report:
    """Decide on all messages of a world, in order."""
    report = Report(world, Everything())
    ids = iter(range(1, 10**9))
    for place, said in enumerate(world.messages, 1):
        decision = decide(
            claims(said), report.view, POLICY, on_unknown=MINT, next_patient=lambda: next(ids),
            place=place, at_ms=NOW_MS,
        )  # fmt: skip
        note(report, decision)
        for event in decision.events:
            report.view.apply(event)
    return report


def note(report: Report, decision: Decision) -> None:
    """Count a decision."""
    report.decisions[decision.outcome.value] += 1
    if decision.outcome is Outcome.DEAD:
        report.dead[str(decision.code)] += 1


def describe(report: Report) -> Iterator[str]:
    """Say it in lines."""
    linked, whole = report.recall()
    false = report.false_links()
    yield f"people {len(report.world.humans)}, numbers {len(report.world.owner)}, messages {len(report.world.messages)}"
    yield f"decisions {dict(report.decisions.most_common())}"
    yield f"dead letters {dict(report.dead.most_common())}"
    yield f"patients {len(report.view.patients)}, pairs of numbers linked {report.links()}, false links {len(false)}"
    yield f"recall where an INS qualified on both sides allows it {linked}/{whole} = {linked / max(1, whole):.4f}"
    yield f"review list {sum(report.reviews().values())}: {dict(report.reviews().most_common())}"


# --- as messages ---------------------------------------------------------------------------------------------

AUTHORITIES = Authorities(
    [SiteAuthorities(name=site, authorities={"ipp": authority(site)}) for site in SITES], {"ipp": GROUP_IPP}
)


def raw_of(said: Said) -> bytes:
    """Write what a site says as an HL7 message."""

    def cx(value: str, assigner: str, type_: str) -> str:
        return f"{value}^^^{assigner}^{type_}"

    own = f"{said.site.upper()}&{authority(said.site).oid}&ISO"
    traits = said.traits
    numbers = [cx(said.number, own, "PI"), *(cx(value, f"INS&{oid}&ISO", "INS") for value, oid in said.ins)]
    segment = pid(
        *numbers, name=traits.birth_name, first=traits.first_name, list_=traits.first_names, born=traits.birth_date,
        sex=traits.sex, place=traits.birth_place, status=said.status,
    )  # fmt: skip
    prior = [f"MRG|{cx(said.prior, own, 'PI')}"] if said.prior else ["MRG|||||||X"] if said.event == "A47" else []
    return message(said.event, segment, *prior)


def read_of(said: Said) -> Claims:
    """Read that message."""
    read = open_message(raw_of(said), as_utf8=True)
    recogniser = AUTHORITIES.of(said.site)
    return read_claims(read, recogniser, REFERENCES, site=said.site, type_="ADT", event=said.event)
