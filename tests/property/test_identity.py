"""
Random histories of three hospitals and a few people: what must hold after each message and each act.

No link that the rules don't allow, no number that leads nowhere, no decision without a rule, and every decision can be
taken back to exactly the state before it.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from engine.core.identities import IdentifierKind, IdentityEvent, ReviewState
from engine.identity import acts
from engine.identity.acts import Act
from engine.identity.crossreference import Known, Unread
from engine.identity.deciding import everyday as everyday_module
from engine.identity.deciding.dispatch import decide_events
from engine.identity.deciding.parting import speakers
from engine.identity.deciding.terms import Terms
from engine.identity.decisions import Outcome
from engine.identity.policy import MINT, OnMerge
from engine.identity.statuses import Status
from engine.identity.traits import Likeness, compare_traits, traits_of
from tests.support.identity import (
    NIA,
    NIR,
    NOW_MS,
    REFERENCES,
    SITE_OF,
    SITES,
    Group,
    ins,
    ipp,
    message,
    nda,
    pid,
    usual_on_unknown,
)

CONTRACT = frozenset({"cha", "chb"})
PEOPLE = [
    {"name": "DURAND", "first": "ANNE", "born": "19700102", "sex": "F", "place": "38185"},
    {"name": "DURAND", "first": "LUCIE", "born": "19700102", "sex": "F", "place": "38185"},
    {"name": "DURAND", "first": "ANNE", "born": "19700102", "sex": "F", "place": "38185"},
    {"name": "MARTIN", "first": "LUC", "born": "20200505", "sex": "M", "place": "75056"},
]
INS = [("270013818500123", NIR), ("270013818500456", NIR), ("270013818500789", NIR), ("170013818500123", NIA)]

sites = st.sampled_from(SITES)
numbers = st.sampled_from("1234")
people = st.sampled_from(PEOPLE)
stays = st.sampled_from(["", "S1", "S2"])
statuses = st.sampled_from(["VALI", "VALI", "VALI", "PROV", "", "PROV~FICT", "PROV~ANOM"])
insurances = st.lists(st.sampled_from(INS), max_size=2, unique=True)
ordinary = st.sampled_from(["A28", "A31", "A08", "A01", "A02"])
replacing = st.sampled_from(["A40", "A47", "A44", "A41", "A49", "A36", "A18"])
typing_errors = st.sampled_from([{}, {}, {}, {"name": "DURANT"}, {"place": ""}, {"born": "19700103"}, {"first": ""}])


class Histories(RuleBasedStateMachine):
    """Messages and acts in any order, over memory that is emptied now and then."""

    @initialize(on_merge=st.sampled_from(OnMerge))
    def begin(self, on_merge):
        self.group = Group(contracts=frozenset({CONTRACT}), on_merge=on_merge)
        self.before = {}

    # --- what happens ----------------------------------------------------------------------------------------

    @rule(site=sites, number=numbers, who=people, error=typing_errors, status=statuses, held=insurances,
          event=ordinary, stay=stays)  # fmt: skip
    def hospital_says(self, site, number, who, error, status, held, event, stay):
        self.hear(site, message(event, self.patient(site, number, {**who, **error}, status, held, stay)))

    @rule(
        site=sites, new=numbers, old=numbers, who=people, event=replacing, stay=stays, status=statuses, held=insurances
    )
    def hospital_replaces(self, site, new, old, who, event, stay, status, held):
        merged = f"MRG|{ipp(site, old)}||{nda(site, stay) if stay else ''}"
        self.hear(site, message(event, self.patient(site, new, who, status, held, stay), merged))

    @rule(site=sites, one=numbers, other=numbers, who=people, event=st.sampled_from(["A24", "A37"]))
    def hospital_links(self, site, one, other, who, event):
        self.hear(site, message(event, pid(ipp(site, one), **who), pid(ipp(site, other), **who)))

    @rule(site=sites, number=numbers, who=people, stay=stays)
    def result_comes(self, site, number, who, stay):
        self.hear(site, message("R01", self.patient(site, number, who, "", [], stay), type_="ORU"))

    @rule(site=sites, who=people, stay=st.sampled_from(["S1", "S2"]))
    def result_with_a_stay_only(self, site, who, stay):
        self.hear(site, message("R01", pid(stay=nda(site, stay), **who), type_="ORU"))

    @rule()
    def restart(self):
        self.group.restart()

    @precondition(lambda self: len(self.group.disk.patients) > 1)
    @rule(data=st.data())
    def officer_links_or_parts(self, data):
        one, other = data.draw(st.permutations(sorted(self.group.disk.patients)))[:2]
        act = data.draw(st.sampled_from([acts.link, acts.mark_apart]))
        self.act(lambda view, how: act(one, other, view, how))

    @precondition(lambda self: self.group.disk.identifiers)
    @rule(data=st.data())
    def officer_unlinks(self, data):
        rows = self.group.disk.identifiers
        local = sorted(key for key, row in rows.items() if row.kind in (IdentifierKind.LOCAL, IdentifierKind.ALIAS))
        key = data.draw(st.sampled_from(local))
        others = self.group.disk.patients[rows[key].patient].identifiers
        going, unsure = speakers([rows[key]], [rows[one] for one in others if one in local and one != key], SITE_OF)
        self.act(lambda view, how: acts.unlink(
            [key], view, how, policy=self.group.policy, references=REFERENCES, next_patient=self.group.next_patient,
            sites=going, unsure=unsure,
        ))  # fmt: skip

    @precondition(lambda self: self.group.events)
    @rule(back=st.integers(0, 3))
    def officer_undoes(self, back):
        """Of the last decision always possible, and then the state is exactly the one before it."""
        if back >= len(self.group.events):
            return
        event = self.group.events[-1 - back]
        done = self.act(lambda view, how: acts.undo(event, view, how))
        if back == 0:
            assert isinstance(done, IdentityEvent)
        if isinstance(done, IdentityEvent) and back == 0:
            assert self.group.disk.copy() == self.before[event.id]

    # --- what must hold --------------------------------------------------------------------------------------

    @invariant()
    def rows_lead_to_the_living(self):
        disk = self.group.disk
        for key, row in disk.identifiers.items():
            assert row.hash == key
            if row.kind is IdentifierKind.STAY:
                assert row.patient == 0
            else:
                assert key in disk.patients[row.patient].identifiers
        for id_, patient in disk.patients.items():
            assert list(patient.identifiers) == sorted(set(patient.identifiers))
            assert all(disk.identifiers[key].patient == id_ for key in patient.identifiers)
            assert [one.site for one in patient.assertions] == sorted({one.site for one in patient.assertions})
            assert all(id_ in disk.patients[other].apart for other in patient.apart if other in disk.patients)

    @invariant()
    def an_ins_qualified_on_both_sides_belongs_to_one_patient(self):
        """Adults, sites with a contract, all strict traits equal, and no officer said that they are two."""
        held = [(patient, one) for patient in self.group.disk.patients.values() for one in patient.assertions
                if one.ins and one.status == Status.QUALIFIED and not one.birth_date.startswith("2020")]  # fmt: skip
        for patient, one in held:
            row = self.group.disk.identifiers.get(one.ins)
            if row is None or row.patient == patient.id:
                continue
            pair = min(row.patient, patient.id), max(row.patient, patient.id)
            excused = pair in self.group.disk.reviews or pair[1] in self.group.disk.patients[pair[0]].apart
            for owner, other in held:
                if owner.id == row.patient and other.ins == one.ins and {one.site, other.site} == CONTRACT:
                    equal = compare_traits(traits_of(one), traits_of(other)).likeness is Likeness.EQUAL
                    assert excused or not equal

    @invariant()
    def no_decision_without_a_rule(self):
        assert all(event.rule and (event.identifiers or event.patients or event.reviews) for event in self.group.events)

    @invariant()
    def memory_and_disk_agree(self):
        disk, known = self.group.disk, self.group.known
        for key in disk.identifiers:
            try:
                assert known.identifier(key) == disk.identifiers[key]
            except Unread:
                continue

    # --- how -------------------------------------------------------------------------------------------------

    def patient(self, site, number, who, status, held, stay):
        return pid(
            ipp(site, number), *[ins(value, oid) for value, oid in held], status=status,
            stay=nda(site, stay) if stay else "", **who,
        )  # fmt: skip

    def hear(self, site, raw):
        before = self.group.disk.copy()
        self.everyday_is_what_all_rules_say(site, raw)
        decision = self.group.hear(raw, site)
        after = self.group.disk.copy()
        if decision.outcome in (Outcome.DEAD, Outcome.WAIT):
            assert after[:2] == before[:2], "a message that dies decides nothing"
            assert decision.code or decision.wait
        self.absence_never_unlinks(site, raw, before, after)
        self.before.update(dict.fromkeys([event.id for event in decision.events], before))

    def absence_never_unlinks(self, site, raw, before, after):
        """Only what an event names changes hands; an ordinary one takes no number from anybody."""
        event = raw.split(b"|")[8][4:7]
        if event in (b"A28", b"A31", b"A08", b"A01", b"A02", b"R01"):
            gone = set(before[0]) - set(after[0])
            assert all(before[0][key].kind is IdentifierKind.INS for key in gone), "an INS that its site corrected"
            kept = {key for key in before[0] if before[0][key].kind is IdentifierKind.LOCAL}
            for one in kept:
                for other in kept:
                    if before[0][one].patient == before[0][other].patient:
                        assert after[0][one].patient == after[0][other].patient

    def everyday_is_what_all_rules_say(self, site, raw):
        """The short way for everyday messages answers as the long one."""
        claims = self.group.claims(raw, site)
        view = Known()
        while True:
            try:
                short = everyday_module.everyday(claims, view, self.group.policy)
                if short is None:
                    return
                terms = Terms(claims, view, self.group.policy, usual_on_unknown(claims.type), lambda: 10**6, 1, NOW_MS)
                long = terms.decided(decide_events(terms))
                break
            except Unread as unread:
                view.take(self.group.disk.read(unread), unread.identifiers, unread.patients, unread.traits)
        assert (long.outcome, long.patients, long.events) == (short.outcome, short.patients, [])

    def act(self, how):
        before = self.group.disk.copy()
        self.group.rounds = 0
        while True:
            try:
                done = how(self.group.known, Act(who="officer", reason="why", place=self.group.place, at_ms=1))
                break
            except Unread as unread:
                self.group.read(unread)
        if isinstance(done, IdentityEvent):
            self.group.remember(done)
            self.before[done.id] = before
        return done


QUIET = settings(stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck))


def test_histories():
    """Some, every time."""
    run_state_machine_as_test(Histories, settings=settings(QUIET, max_examples=60))


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_many_histories():
    """Many, longer ones."""
    run_state_machine_as_test(Histories, settings=settings(QUIET, max_examples=600, stateful_step_count=50))


def test_the_review_state_of_an_act():
    """Linked and apart are told from open ones."""
    group = Group()
    for number in "12":
        group.hear(message("A28", pid(ipp("cha", number))), on_unknown=MINT)
    assert [row.state for row in group.disk.reviews.values()] == [ReviewState.OPEN]
