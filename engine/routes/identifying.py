"""
Who the patients of one message are: what the verbs of identity ask, and what follows for its lanes.

Decisions are made on the view that all routers share, and laid over it at once, so that what comes later in the same
walk builds on them; `take_back` undoes them where the walk ends without a decision (rows are missing, code of the
hospital's own is asked) or the message dies. What one message says is decided once, at the first verb that asks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING, Final, NamedTuple

from engine.core.identities import IdentifierKind, Wait
from engine.identity.claims import read_claims
from engine.identity.crossreference import Known, Unread
from engine.identity.decisions import Outcome, decide, recall, references_of, territorial, touched
from engine.identity.ins import read_ins
from engine.identity.policy import OnUnknown, Registry, Unknown
from engine.transforms.hprim_to_hl7 import in_utf8

if TYPE_CHECKING:
    from engine.core.identities import IdentifierRow, IdentityEvent, PatientRow, ReviewRow
    from engine.core.messages import StoredMessage
    from engine.core.references import References
    from engine.identity.authorities import Authority, Recogniser
    from engine.identity.claimed import Claims
    from engine.identity.decisions import Decision
    from engine.identity.policy import IdentityPolicy
    from engine.parsers.hl7v2.message import Message
    from engine.routes.configuration import Configuration, Site, Source
    from engine.transforms.step import Context

_LINES: Final = (b"PID", b"MRG", b"P", b"ZFD", b"PD1")
_FIELDS: Final = ((b"PV1", 19), (b"PV1", 50), (b"PV2", 22))


def _said(message: Message) -> bytes:
    """
    Return a digest of what makes two copies of a message say the same of its patients.

    It holds all that identity.claims reads, and all that normalise_identity writes anew but ZBE-1. How many PV1 there
    are says which field is which; lines begin with their names.
    """
    marks = message.delimiters
    visits = len(message.positions(b"PV1"))
    lines = [message.peek(position).line() for code in _LINES for position in message.positions(code)]
    parts = (b"%s%s%d" % (marks.field, marks.declared, visits), *lines, b"", *message.fields(_FIELDS))
    return blake2b(b"\r".join(parts), digest_size=16).digest()


def _as_read(message: Message) -> Message:
    """
    Return a message as the router read it, whose decision it shares.

    The steps of a destination `as_received` run on the received bytes, in their charset and with their delimiters:
    names read from those would be others, and asserted.
    """
    message = in_utf8(message)
    if message.format == "hl7v2" and not message.delimiters.usual:
        message = message.copy()
        message.normalise_delimiters()
    return message


_NOBODY: Final = (None, None)
USUAL_MAX: Final = 16_384
_USUAL_ROWS_MAX: Final = 32
"""What names more numbers is decided each time: memory stays bounded, whatever a sender puts into a PID."""


class Usual(NamedTuple):
    """
    A decision that found its patient known and remembered nothing new.

    A system says the same of a patient in each message of a stay: as long as the very rows are in the view on which
    this was decided, it would be decided again.
    """

    decision: Decision
    policy: IdentityPolicy
    rows: tuple[tuple[int, IdentifierRow | None], ...]
    patient: PatientRow
    ins: tuple[tuple[bytes, int], ...]
    named: tuple[tuple[int, int], ...]
    """Hash of the federation identifier -> patient."""
    lane: int
    """Of the patient."""


@dataclass(slots=True)
class Knowledge:
    """What the walk of a message may know of patients."""

    view: Known
    """Shared by all who decide."""
    next_patient: Callable[[], int]
    """Gives the id of a new patient, never the same twice."""
    give_back: Callable[[int], None] = lambda _: None
    """Takes ids back that nobody used: those from this one on."""
    expired: bool = False
    """The message waited until its time was over."""
    identified: Identified | None = None
    """What the walk decided."""
    usual: dict[tuple[object, ...], Usual] = field(default_factory=dict)
    """Decisions that changed nothing, by what the message said; shared as the view is, bounded by USUAL_MAX."""
    wide: bool = False
    """The message may be older than decisions that it didn't see: its lanes hold its own numbers too."""
    recalls: bool = False
    """The message was decided on before: who its patients are is looked up, and nothing is decided."""


def knows_nobody() -> Knowledge:
    """Return the knowledge of a trial: a cross-reference in memory, empty at first."""
    counter = iter(range(1, 1 << 62))
    return Knowledge(Whole(), lambda: next(counter))


class Whole(Known):
    """A cross-reference that is all in memory: what isn't there isn't known."""

    __slots__ = ()

    def identifier(self, key: int) -> IdentifierRow | None:
        """Return an identifier by its hash."""
        return self._identifiers.get(key)

    def patient(self, id_: int) -> PatientRow | None:
        """Return a patient."""
        return self._patients.get(id_)

    def alike(self, traits: int) -> tuple[int, ...]:
        """Return the patients of whom a site asserts these strict traits."""
        self._traits.add(traits)
        return super().alike(traits)

    def review(self, low: int, high: int) -> ReviewRow | None:
        """Return the entry of a pair on the review list."""
        return self._reviews.get((low, high))


class Identified:
    """The patients of one message; see transforms.identifying.Identification."""

    __slots__ = (
        "_decided", "_first", "_ins", "_knowledge", "_named", "_numbers_in", "_policy", "_recogniser", "_references",
        "_sites", "_stored", "_territorial",
        "changed", "decisions", "group", "keys",
    )  # fmt: skip

    group: Authority

    def __init__(
        self, configuration: Configuration, source: Source, stored: StoredMessage, references: References,
        recogniser: Recogniser, knowledge: Knowledge,
        numbers_in: Callable[[Message], tuple[int, ...] | None] = lambda _: None,
    ) -> None:  # fmt: skip
        self.group = configuration.authorities.group["ipp"]
        self._policy = configuration.policies[source.name]
        self._sites = configuration.sites
        self._stored = stored
        self._references = references
        self._recogniser = recogniser
        self._knowledge = knowledge
        self._numbers_in = numbers_in
        """Gives the hashed references of a message's patients where they are known already."""
        self._territorial: dict[int, int] = {}
        """Patient -> his lane key."""
        self._ins: dict[bytes, int] = {}
        """INS that were claimed -> their hashes."""
        self._decided: dict[bytes, Decision] = {}
        self._named: dict[int, int] = {}
        """Hash of a federation identifier that was written -> its patient."""
        self._first = 0
        """The first id that was given to a new patient; 0: none."""
        self.decisions: list[Decision] = []
        """In order; their events are laid over the view."""
        self.changed: dict[tuple[int, int], None] = {}
        """References that they changed, as (before, after)."""
        self.keys: dict[int, None] = {}
        """Hashes of what leaves: numbers and INS, as search keys."""

    # --- what the verbs ask ----------------------------------------------------------------------------------

    def decide(self, context: Context, on_unknown: OnUnknown) -> Decision:
        """Decide once for what a message says."""
        said = _said(_as_read(context.message))
        decision = self._decided.get(said)
        if decision is None and self._knowledge.recalls:
            decision = self._decided[said] = self._recall(self.claims(context), on_unknown)
        if decision is None:
            key = (said, context.site, context.type, context.event, self._stored.source)
            decision = self._as_usual(key)
            if decision is None:
                claims = self.claims(context)
                decision = self._decide(claims, on_unknown)
                if decision.outcome is Outcome.KNOWN and len(claims.keys) <= _USUAL_ROWS_MAX:
                    self._remember(key, claims, decision)
            self._decided[said] = decision
        return decision

    def _as_usual(self, key: tuple[object, ...]) -> Decision | None:
        """Return the decision made before on the very same, where nothing of it has changed."""
        usual = self._knowledge.usual.get(key)
        if usual is None or usual.policy is not self._policy:
            return None
        view = self._knowledge.view
        try:
            if view.patient(usual.patient.id) is not usual.patient:
                return None
            for number, row in usual.rows:
                if view.identifier(number) is not row:
                    return None
        except Unread:
            return None
        self.decisions.append(usual.decision)
        self._territorial[usual.patient.id] = usual.lane
        self._ins.update(usual.ins)
        self._named.update(usual.named)
        return usual.decision

    def _remember(self, key: tuple[object, ...], claims: Claims, decision: Decision) -> None:
        """Keep a decision that changed nothing, and that no row but those of its only patient decided."""
        kept, view = self._knowledge.usual, self._knowledge.view
        patient = decision.patient
        if patient is None or len(claims.persons) > 1:
            return
        try:
            rows = {number: view.identifier(number) for number in claims.keys}
            unders = [row.under for row in rows.values() if row is not None and row.under]
            rows |= {number: view.identifier(number) for number in unders}
        except Unread:
            return  # nobody asked for one of its numbers: what it means isn't known
        if any(row is not None and not row.under and row.patient != patient.id for row in rows.values()):
            return
        if len(kept) >= USUAL_MAX:
            del kept[next(iter(kept))]  # the oldest one
        kept[key] = Usual(
            decision, self._policy, tuple(rows.items()), patient, tuple(self._ins.items()),
            tuple(self._named.items()), self._lane_of(patient.id),
        )  # fmt: skip

    def claims(self, context: Context) -> Claims:
        """Read what a message says of its patients."""
        message = _as_read(context.message)
        return read_claims(
            message, self._recogniser, self._references, site=context.site, type_=context.type, event=context.event,
            lanes=self._numbers_in(message),
        )  # fmt: skip

    def _decide(self, claims: Claims, on_unknown: OnUnknown) -> Decision:
        knowledge, stored = self._knowledge, self._stored
        if knowledge.expired and on_unknown.action is Unknown.HOLD:
            on_unknown = on_unknown.after_wait
        for person in claims.persons:
            for one in (*person.ins, *person.prior_ins):
                self._ins[one.ins.value.encode()] = one.hash
        try:
            decision = decide(
                claims, knowledge.view, self._policy, on_unknown=on_unknown, next_patient=self._next_patient,
                place=stored.place, at_ms=stored.received_ms,
            )  # fmt: skip
        except Unread as unread:
            raise unread.with_identifiers(_lacking(knowledge.view, claims.keys)) from None
        for event in decision.events:
            knowledge.view.apply(event)
            self.changed.update(dict.fromkeys(self._touched(event)))
        self._note(decision)
        return decision

    def _recall(self, claims: Claims, on_unknown: OnUnknown) -> Decision:
        view = self._knowledge.view
        try:
            decision = recall(claims, view, self._policy, passes=on_unknown.action is Unknown.PASS)
        except Unread as unread:
            raise unread.with_identifiers(_lacking(view, claims.keys)) from None
        self._note(decision)
        return decision

    def _note(self, decision: Decision) -> None:
        self.decisions.append(decision)
        make, authority = self._references.hash, self.group.key
        for patient in decision.patients:
            if patient is not None and patient.number:
                self._named[make("patient", authority, patient.number)] = patient.id

    def _touched(self, event: IdentityEvent) -> list[tuple[int, int]]:
        """Return the references that an event changed; nothing waits under the number of a patient just numbered."""
        pairs = touched(event, self._references)
        if self._policy.registry is not Registry.OWN:
            return pairs
        fresh = {
            key
            for key, (before, after) in event.identifiers.items()
            if before is None and after is not None and after.kind is IdentifierKind.FEDERATION
            and event.patients.get(after.patient, _NOBODY)[0] is None
        }  # fmt: skip
        return [pair for pair in pairs if pair[0] not in fresh]

    def _next_patient(self) -> int:
        given = self._knowledge.next_patient()
        self._first = self._first or given
        return given

    def patients(self, message: Message) -> tuple[PatientRow | None, ...]:
        """Return the patient whom each PID of a message names: by any number of his that it holds."""
        claims = read_claims(
            message, self._recogniser, self._references, site=self._recogniser.site, type_="", event=""
        )  # fmt: skip
        view = self._knowledge.view
        found: list[PatientRow | None] = []
        for person in claims.persons:
            rows = [view.identifier(one.hash) for one in (*person.federation, *person.local)]
            ids = dict.fromkeys(row.patient for row in rows if row is not None)
            found.append(view.patient(next(iter(ids))) if len(ids) == 1 else None)
        return tuple(found)

    def numbers(self, patient: PatientRow, site: str) -> list[IdentifierRow]:
        """Return the numbers that a site uses for a patient today; those that it replaced aren't."""
        keys = {one.key for one in self._sites[site].authorities.values()}
        rows = [self._knowledge.view.identifier(key) for key in patient.identifiers]
        return [row for row in rows if row is not None and row.kind is IdentifierKind.LOCAL and row.authority in keys]

    def waits(self, on_unknown: OnUnknown) -> bool:
        """Whether the message waits under this rule."""
        return on_unknown.action is Unknown.HOLD and not self._knowledge.expired

    def wait(self, message: Message, patients: Sequence[PatientRow | None], site: str, on_unknown: OnUnknown) -> Wait:
        """Return what ends a wait: one of its patients becomes known, or gets a number of the site."""
        make = self._references.hash
        keys = {number_at(self._references, site, one.id): None for one in patients if one is not None}
        if len(keys) < len(patients) or not patients:
            claims = read_claims(message, self._recogniser, self._references, site="", type_="", event="")
            keys.update(dict.fromkeys(claims.keys))
        if not keys:
            keys[make("source", "", self._stored.source)] = None  # nobody can end it but its time
        return Wait(tuple(keys), self._stored.received_ms + on_unknown.hold_ms)

    # --- what follows ----------------------------------------------------------------------------------------

    def lanes(self, numbers: Sequence[int]) -> tuple[int, ...]:
        """
        Return the lane keys of a message that names patients under these numbers (hashes of their own).

        The references before its decisions and after them; raises Unread.
        """
        view, named = self._knowledge.view, self._named
        found: dict[int, None] = {}
        for number in numbers:
            patient = named.get(number)
            if patient is None:
                try:
                    row = view.identifier(number)
                except Unread as unread:
                    raise unread.with_identifiers(_lacking(view, numbers)) from None
                patient = row.patient if row is not None else 0
            found[self._lane_of(patient) if patient else number] = None
        if self._knowledge.wide:
            found.update(dict.fromkeys(numbers))
        for decision in self.decisions:
            for one in decision.patients:
                if one is not None:
                    found[self._lane_of(one.id)] = None
        for before, after in self.changed:
            found[before] = found[after] = None
        return tuple(found)

    def _lane_of(self, patient: int) -> int:
        known = self._territorial.get(patient)
        if known is None:
            known = self._territorial[patient] = territorial(self._references, patient)
        return known

    def left_with_ins(self, message: Message, data: bytes) -> None:
        """Note the INS with which a message leaves; what was claimed needs no reading again."""
        if self.decisions and self._ins:
            self.keys.update({key: None for value, key in self._ins.items() if data.find(value) >= 0})
        else:
            self.keys.update(dict.fromkeys(ins_hashes(message, self._references)))

    @property
    def emits(self) -> list[tuple[str, str]]:
        """Return the merges that follow: (federation identifier that ends, the one that goes on)."""
        return [pair for decision in self.decisions for pair in decision.emits]

    def stay_lanes(self, context: Context) -> tuple[int, ...]:
        """Return the lane keys of a message without any number of a patient: those of its stays' patients."""
        return references_of(self.claims(context), self._knowledge.view)

    @property
    def events(self) -> list[IdentityEvent]:
        """What is to be committed with the message."""
        return [event for decision in self.decisions for event in decision.events]

    @property
    def releases(self) -> tuple[int, ...]:
        """Hashes that became known; messages that wait for one of them go on."""
        return releases_of(self.events, self._references, self._sites)

    def take_back(self, *, keep_conflicts: bool = False) -> None:
        """
        Undo what was decided: nothing of it is remembered.

        Args:
            keep_conflicts: What a message in conflict put on the review list stays there.
        """
        view = self._knowledge.view
        kept: list[Decision] = []
        for decision in reversed(self.decisions):
            for event in reversed(decision.events):
                view.revert(event)
            if keep_conflicts and decision.outcome == "dead":
                kept.append(decision)
        self.decisions = kept[::-1]
        for event in self.events:
            view.apply(event)
        self._decided.clear()
        self._named.clear()
        self.changed.clear()
        if self._first:
            self._knowledge.give_back(self._first)
            self._first = 0


def _lacking(view: Known, keys: Sequence[int]) -> list[int]:
    """Return the keys that were never read, to ask for all at once: a message may name thousands of numbers."""
    lacking = []
    for key in keys:
        try:
            view.identifier(key)
        except Unread:
            lacking.append(key)
    return lacking


def number_at(references: References, site: str, patient: int) -> int:
    """Return the hash for which a message waits until a site has a number for a patient."""
    return references.hash("number-at", site, str(patient))


def releases_of(events: Sequence[IdentityEvent], references: References, sites: Mapping[str, Site]) -> tuple[int, ...]:
    """Return the hashes that events made known: numbers of patients and stays, and numbers that a site now has."""
    found: dict[int, None] = {}
    owners = {one.key: site.name for site in sites.values() for one in site.authorities.values()} if events else {}
    for event in events:
        for key, (before, after) in event.identifiers.items():
            if after is None:
                continue
            if before is None:
                found[key] = None
            if after.kind is IdentifierKind.LOCAL and (before is None or before.patient != after.patient):
                found[number_at(references, owners.get(after.authority, ""), after.patient)] = None
        for id_, (_, patient) in event.patients.items():
            if patient is None:  # joined to another, who may have the numbers that were missing
                found.update({number_at(references, site, id_): None for site in sites})
    return tuple(found)


def ins_hashes(message: Message, references: References) -> list[int]:
    """Return the hashes of every INS under which a message names its patients."""
    found = []
    for data in message.fields(_NUMBERED):
        for repetition in message.delimiters.repetitions(data):
            ins = read_ins(repetition, message.delimiters)
            if ins is not None and ins.value and not ins.deleted:
                found.append(references.hash("ins", ins.authority.oid, ins.value))
    return found


_NUMBERED: Final = ((b"PID", 3), (b"MRG", 1))
