"""A group of three hospitals whose messages are decided one after the other, over memory alone."""

from __future__ import annotations

from datetime import UTC, datetime

from engine.core.identities import IdentityEvent, IdentityRows, PatientRow
from engine.core.references import References
from engine.identity.authorities import Authorities, Authority, SiteAuthorities
from engine.identity.claims import Claims, read_claims
from engine.identity.crossreference import Known, Unread
from engine.identity.decisions import Decision, Outcome, decide
from engine.identity.policy import IDENTITY_TYPES, MINT, IdentityPolicy, OnUnknown, Unknown
from engine.parsers import open_message

SITES = ("cha", "chb", "chc")
ARCS = {site: f"1.2.3.{rank}" for rank, site in enumerate(SITES, 1)}
NIR = "1.2.250.1.213.1.4.8"
NIA = "1.2.250.1.213.1.4.9"
NOW_MS = int(datetime(2026, 3, 1, tzinfo=UTC).timestamp() * 1000)
GROUP_IPP = Authority(name="ipp", site="", type="PN", oid="1.2.3.9", hd1="GHT", hd2="1.2.3.9")


def _site(site: str) -> SiteAuthorities:
    numbers = {"ipp": "PI", "nda": "AN", "visit": "VN"}
    return SiteAuthorities(
        name=site,
        authorities={
            name: Authority(
                name=name, site=site, type=type_, oid=f"{ARCS[site]}.{rank}", hd1=site.upper(),
                hd2=f"{ARCS[site]}.{rank}",
            )
            for rank, (name, type_) in enumerate(numbers.items(), 1)
        },
    )  # fmt: skip


SITE_OF = {f"{arc}.1|PI": site for site, arc in ARCS.items()}
"""The site of a local number, by its authority."""
AUTHORITIES = Authorities([_site(site) for site in SITES], {"ipp": GROUP_IPP})
REFERENCES = References(b"0123456789abcdef")
HOLD = OnUnknown(Unknown.HOLD)


def usual_on_unknown(type_: str) -> OnUnknown:
    """What the delivered routes do with a patient whom nobody knows: an admission makes him, a result waits."""
    return MINT if type_ in IDENTITY_TYPES else HOLD


def became_known(decision: Decision) -> set[int]:
    """The hashes that nobody knew before a decision."""
    return {
        key for event in decision.events for key, (before, after) in event.identifiers.items()
        if before is None and after is not None
    }  # fmt: skip


def ipp(site: str, value: str) -> str:
    """A local number, as PID-3 writes it."""
    return f"{value}^^^{site.upper()}&{ARCS[site]}.1&ISO^PI"


def nda(site: str, value: str) -> str:
    """A stay, as PID-18 writes it."""
    return f"{value}^^^{site.upper()}&{ARCS[site]}.2&ISO^AN"


def visit(site: str, value: str) -> str:
    """A visit, as PV1-19 writes it."""
    return f"{value}^^^{site.upper()}&{ARCS[site]}.3&ISO^VN"


def pn(value: str) -> str:
    """A federation identifier."""
    return f"{value}^^^GHT&1.2.3.9&ISO^PN"


def ins(value: str, oid: str = NIR, type_: str = "INS") -> str:
    """An INS."""
    return f"{value}^^^ASIP-SANTE-INS&{oid}&ISO^{type_}"


def pid(
    *numbers: str, name: str = "DURAND", first: str = "ANNE", list_: str = "", born: str = "19700102", sex: str = "F",
    place: str = "38185", status: str = "PROV", stay: str = "", mother: str = "", birth: bool = True,
) -> str:  # fmt: skip
    """A PID segment."""
    fields = [""] * 33
    fields[0], fields[1], fields[3] = "PID", "1", "~".join(numbers)
    if name or first:
        fields[5] = f"{name}^{first}^{list_}^^^^L"
    fields[7], fields[8] = born, sex
    if place:
        fields[11] = f"^^^^^FRA^BDL^^{place}"
    fields[18], fields[21], fields[32] = stay, mother, status
    return "|".join(fields)


def message(event: str, *segments: str, type_: str = "ADT") -> bytes:
    """An HL7 message of some segments."""
    head = f"MSH|^~\\&|A|B|C|D|20260301||{type_}^{event}|1|P|2.5"
    return "\r".join([head, *segments, ""]).encode()


class Group:
    """The cross-reference of the group in memory, and the messages that come."""

    def __init__(self, **policy: object) -> None:
        self.policy = IdentityPolicy(federation=GROUP_IPP, **policy)  # type: ignore[arg-type]
        self.known = Known()
        self.disk = Disk()
        self.last = 0
        self.rounds = 0
        self.place = 0
        self.now_ms = NOW_MS
        self.events: list[IdentityEvent] = []

    def next_patient(self) -> int:
        """Number a patient."""
        self.last += 1
        return self.last

    def claims(self, raw: bytes, site: str = "cha") -> Claims:
        """Read what a message says."""
        read = open_message(raw, as_utf8=True)
        type_, _, rest = read.header.type.partition("^")
        event = rest.partition("^")[0]
        return read_claims(read, AUTHORITIES.of(site), REFERENCES, site=site, type_=type_, event=event)

    def hear(
        self, raw: bytes, site: str = "cha", on_unknown: OnUnknown | None = None, may: tuple[str, ...] = ()
    ) -> Decision:
        """Decide on a message of a site, reading what is asked for, and remember the decision."""
        return self.decide(self.claims(raw, site), on_unknown, may)

    def decide(self, claims: Claims, on_unknown: OnUnknown | None = None, may: tuple[str, ...] = ()) -> Decision:
        """Decide on claims."""
        from dataclasses import replace

        self.place += 1
        self.rounds = 0
        policy = replace(self.policy, may_assert=frozenset(may)) if may else self.policy
        on_unknown = on_unknown or usual_on_unknown(claims.type)
        before = self.last
        while True:
            try:
                self.last = before
                decision = decide(
                    claims, self.known, policy, on_unknown=on_unknown,
                    next_patient=self.next_patient, place=self.place, at_ms=self.now_ms,
                )  # fmt: skip
                break
            except Unread as unread:
                self.read(unread)
        self.remember(*decision.events)
        assert type(decision.code) is str, "it crosses to the store's process, where an enumeration has no place"
        return decision

    def read(self, unread: Unread) -> None:
        """Read what a view asks for; nobody asks again for what was all read for him, or he would ask for ever."""
        self.rounds += 1
        assert self.rounds < 40, "it asks again for what was read"
        rows = self.disk.read(unread)
        self.known.take(rows, unread.identifiers, unread.patients, unread.traits)

    def remember(self, *events: IdentityEvent) -> None:
        """Apply events in memory and on disk."""
        for event in events:
            event.id = len(self.events) + 1
            self.events.append(event)
            self.known.apply(event)
            self.disk.write(event)
            for _, patient in event.patients.values():
                for one in patient.assertions if patient is not None else ():
                    assert {type(value) for value in (one.status, *one.attributes, one.site, one.sex)} == {str}

    def restart(self) -> None:
        """Forget all that was read."""
        self.known = Known()

    def patient(self, site: str, value: str) -> PatientRow | None:
        """The patient of a local number, as it is on disk."""
        key = REFERENCES.hash("patient", f"{ARCS[site]}.1|PI", value)
        row = self.disk.identifiers.get(key)
        return None if row is None else self.disk.patients[row.patient]

    def same(self, one: tuple[str, str], other: tuple[str, str]) -> bool:
        """Whether two local numbers are one patient's."""
        mine, theirs = self.patient(*one), self.patient(*other)
        assert mine is not None
        assert theirs is not None
        return mine.id == theirs.id

    def reviews(self) -> list[tuple[int, int, str]]:
        """The review list."""
        return [(low, high, row.rule) for (low, high), row in self.disk.reviews.items()]


class Disk:
    """What a store does with events, without one."""

    def __init__(self) -> None:
        self.identifiers: dict = {}
        self.patients: dict = {}
        self.reviews: dict = {}

    def write(self, event: IdentityEvent) -> None:
        """Commit."""
        for mine, rows in (
            (self.identifiers, event.identifiers), (self.patients, event.patients), (self.reviews, event.reviews)
        ):  # fmt: skip
            for key, (before, after) in rows.items():
                assert mine.get(key) == before, "an event is written over the rows that it was decided on"
                if after is None:
                    mine.pop(key, None)
                else:
                    mine[key] = after

    def read(self, unread: Unread) -> IdentityRows:
        """Answer as Store.identities does."""
        found = {key: self.identifiers[key] for key in unread.identifiers if key in self.identifiers}
        for row in list(found.values()):
            if row.under in self.identifiers:
                found[row.under] = self.identifiers[row.under]
        wanted = {row.patient for row in found.values()} | set(unread.patients)
        patients = {id_: self.patients[id_] for id_ in wanted if id_ in self.patients}
        alike = {
            traits: tuple(sorted(
                id_ for id_, row in self.patients.items() if any(one.traits == traits for one in row.assertions)
            ))
            for traits in unread.traits
        }  # fmt: skip
        asked = {*patients, *unread.patients}
        reviews = {pair: row for pair, row in self.reviews.items() if asked.issuperset(pair)}
        return IdentityRows(found, patients, alike, reviews)

    def copy(self) -> tuple[dict, dict, dict]:
        """A picture of all rows."""
        return dict(self.identifiers), dict(self.patients), dict(self.reviews)


def settled(decision: Decision) -> bool:
    """Whether a message goes on with its patient."""
    return decision.outcome in (Outcome.KNOWN, Outcome.DECIDED)
