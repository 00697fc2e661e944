"""Trials of routes that ask who the patient is: nobody at first, or whoever is known today; nothing is changed."""

from __future__ import annotations

import pathlib

from engine.core.identities import IdentityRows
from engine.core.lifecycle import MessageState
from engine.core.messages import StoredMessage
from engine.core.references import References
from engine.identity.crossreference import Unread
from engine.routes import check
from engine.store.memory_identities import identities
from engine.trials.following import follow
from engine.trials.judging import judge
from engine.trials.patients import NOBODY, Patients
from engine.trials.running import run_case
from tests.support.group import DOORS, ROUTES, SITES, Group, group, hl7, of_cha


def given(name: str, source: str, raw: bytes) -> str:
    """Write one message of a test."""
    segments = raw.decode().rstrip("\r").split("\r")
    message = "\n".join(f"          {segment}" for segment in segments)
    return f"      - name: {name}\n        source: {source}\n        message: |\n{message}\n"


def written(name: str, expect: str, *messages: str) -> str:
    return f"  - name: {name}\n    route: results\n    given:\n{''.join(messages)}    expect: {expect}\n"


def test_a_test_makes_patients_known(tmp_path: pathlib.Path) -> None:
    """What waits goes on in its old place; what nobody ends waits, and a test may expect that."""
    number = "{ dpi: { 'PID-3[1].1': G00000000196 } }"
    early = given("early", "lis_cha", hl7(1, "R01", of_cha(42), type_="ORU"))
    admission = given("admission", "gam_cha", hl7(2, "A28", of_cha(42)))
    late = given("late", "lis_cha", hl7(3, "R01", of_cha(42), type_="ORU"))
    both = number.replace("{ dpi", f"{{ messages: {{ early: {number} }}, dpi", 1)
    cases = "tests:\n" + written("before its admission", both, early, admission, late)
    cases += written("alone", "{ waiting: yes }", early)
    (tmp_path / "routes.yaml").write_text(SITES + DOORS + ROUTES, encoding="utf-8")
    (tmp_path / "some_test.yaml").write_text(cases, encoding="utf-8")
    configuration, findings = check(tmp_path / "routes.yaml", tests=[tmp_path / "some_test.yaml"])
    assert configuration is not None, findings
    for case in configuration.cases:
        assert judge(case, run_case(configuration, case)) == []


def test_a_stored_message_meets_todays_patients(tmp_path: pathlib.Path) -> None:
    """As the router would; what it decides is forgotten."""

    async def test(it: Group) -> None:
        await it.send("gam_cha", hl7(1, "A28", of_cha(42)))
        before = await it.store.identity_facts()

        class Today:
            def __call__(self, unread: Unread) -> IdentityRows:
                return identities(it.store.disk, unread.identifiers, unread.patients, unread.traits)

            def next_patient(self) -> int:
                return before.next_patient

        patients = Patients(it.references, Today())
        for number, wanted in ((42, it.number("dpi", 1)), (43, "G00000000295")):
            raw = hl7(9, "A31", of_cha(number), name="AUTRE^LUC^LUC")
            stored = StoredMessage("gam_cha", "main", raw, it.runtime.now_ms(), type="ADT^A31", place=9)
            followed = follow(it.configuration, "adt", stored, "m", patients=patients)
            (delivery, _) = followed.deliveries()
            assert wanted.encode() in (delivery.rendered or b"")
        assert await it.store.identity_facts() == before

    group(tmp_path, test)


def test_a_trial_that_waits_says_so(tmp_path: pathlib.Path) -> None:
    """At the step that asked."""

    async def test(it: Group) -> None:
        stored = StoredMessage(
            "lis_cha", "main", hl7(9, "R01", of_cha(1), type_="ORU"), it.runtime.now_ms(), type="ORU^R01", place=9
        )
        followed = follow(it.configuration, "results", stored, "m")
        assert followed.passed.evaluation.state is MessageState.WAITING
        assert followed.steps[0].stopped.startswith("waits: ")

    group(tmp_path, test)
    assert isinstance(NOBODY.references, References)
