"""Is anything stuck, silent, refused? And the balance."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.core.changes import Configure, Moments, Refuse, SetHold
from engine.core.identities import Wait
from engine.core.lifecycle import MessageState
from engine.core.messages import Hold, Refusal, Takeover
from engine.operations.service import Operations
from engine.operations.wording import clock
from tests.support.custody import (
    DESTINATION,
    NOW_MS,
    SOURCE,
    FakeLive,
    call,
    configuration,
    opened,
    receive,
    submitted,
)


def test_status_answers_the_three_questions() -> None:
    """States, ages, sources, and a balance without difference."""
    answer = call("status")
    destination, source = answer["destinations"][0], answer["sources"][0]
    assert answer["engine"] == "running"
    assert answer["headline"] == "engine running for 1 h 00"
    assert (destination["name"], destination["waiting"], destination["dead"]) == (DESTINATION, 1, 2)
    assert (source["name"], source["received"], source["connections"]) == (SOURCE, 6, 2)
    line = "received 6 = delivered 1 + waiting 1 + dead 3 + filtered 1 + duplicate 0   difference 0"
    assert answer["balance"]["line"] == line


def test_status_is_degraded_and_says_why_and_whom_to_call() -> None:
    """A destination in trouble gives its sentence, with its contact."""
    live = FakeLive()
    live.facts[DESTINATION] = {"state": "down", "circuit": "connect", "why": "dpi accepts no connection", "retrying": 1}
    answer = call("status", live=live)
    assert answer["engine"] == "degraded"
    assert answer["destinations"][0]["state"] == "down"
    assert answer["problems"][0].startswith("dpi accepts no connection")
    assert answer["problems"][0].endswith("(call 5555)")
    why = "dpi: 1 dead delivery holds its lane"
    for officer in (False, True):  # who decides on a conflict of identity isn't at the receiver
        live.facts[DESTINATION] = {"state": "parked", "why": why, "parked": 1, "for_officer": officer}
        answer = call("status", live=live)
        assert ("5555" in answer["problems"][0]) is not officer
        assert ("contact" in answer["destinations"][0]) is not officer


@pytest.mark.parametrize(
    ("facts", "state"),
    [({}, "waiting"), ({"state": "ok"}, "waiting"), ({"state": "retrying"}, "retrying"), ({"state": "held"}, "held"),
     ({"state": "stopped"}, "blocked")],
)  # fmt: skip
def test_a_destination_has_one_word(facts: dict[str, Any], state: str) -> None:
    """Delivery's own; `stopped` would be taken for the engine."""
    live = FakeLive()
    live.facts[DESTINATION] = facts
    assert call("status", live=live)["destinations"][0]["state"] == state


def test_what_waits_too_long_degrades_whatever_the_reason() -> None:
    """A queue that looks fine and doesn't move is a problem too."""

    async def run() -> None:
        desk, store = await opened()
        desk.now_ms = lambda: NOW_MS + 3_600_000
        answer = await Operations(desk).call("status", {}, who="nurse")
        assert answer["engine"] == "degraded"
        assert "the oldest has waited 1 h 09" in answer["problems"][0]
        await store.close()

    asyncio.run(run())


def test_a_file_that_differs_from_what_runs_is_told(tmp_path: Path) -> None:
    """As a note: nothing is wrong. So is a configuration on trial."""
    live = FakeLive()
    live.running.path = tmp_path / "routes.yaml"
    live.running.path.write_text("version: 1\n")
    live.runs = replace(configuration(), contents={"routes.yaml": b"version: 1\n"})
    assert call("status", live=live)["notes"] == []
    live.running.path.write_text("version: 1\n\n")
    answer = call("status", live=live)
    assert answer["engine"] == "running"
    assert answer["configuration"] == {
        "hash": "c0ffee", "path": str(live.running.path), "changed": ["routes.yaml"], "refused": "",
        "confirm_until_ms": 0,
    }  # fmt: skip
    assert answer["notes"] == [
        "routes.yaml differs from what runs: `passerelle plan` says in what, `passerelle apply` takes it"
    ]
    live.trial_until_ms = NOW_MS + 600_000
    assert "`passerelle confirm` lets it stay" in call("status", live=live)["notes"][0]
    assert call("status", stopped=True)["configuration"] == {}


def notes_after(takeover: Takeover, live: FakeLive | None) -> list[str]:
    """Return the notes of status where this was the last that the log of configurations says."""

    async def run() -> list[str]:
        desk, store = await opened(live=live)
        await submitted(store, Configure(Takeover("start", "abc1", "", 1_000, "passerelle", ""), files={}))
        await submitted(store, Configure(takeover, files={}))
        refusal = Takeover("refuse", "", takeover.hash, takeover.at_ms + 1, "alice", "routes.yaml has 1 error")
        await submitted(store, Configure(refusal))
        answer = await Operations(desk).call("status", {}, who="nurse")
        await store.close()
        notes: list[str] = answer["notes"]
        return notes

    return asyncio.run(run())


def test_what_was_gone_back_from_is_told(tmp_path: Path) -> None:
    """As long as the file says something else: it would come back with the next `apply`."""
    live = FakeLive()
    live.running.path = tmp_path / "routes.yaml"
    live.runs = replace(configuration(), contents={"routes.yaml": b"version: 1\n"})
    back = Takeover("return", "c0ffee", "abc1", NOW_MS, "passerelle", "abc1 was not confirmed in time")
    assert (
        notes_after(back, live)[0]
        == f"configuration c0ffee came back at {clock(NOW_MS, NOW_MS)}: abc1 was not confirmed in time"
    )
    live.running.path.write_text("version: 1\n")
    assert notes_after(back, live) == []


@pytest.mark.parametrize(("left_ms", "words"), [(60_000, "starts after that, abc1"), (-60_000, "starts, abc1")])
def test_a_stopped_engine_had_one_on_trial(left_ms: int, words: str) -> None:
    """What comes back, and when."""
    trial = Takeover("apply", "c0ffee", "abc1", NOW_MS - 90_000, "alice", "new", NOW_MS + left_ms)
    [note] = notes_after(trial, None)
    assert note.startswith("configuration c0ffee was on trial until ")
    assert note.endswith(f"when the engine {words} comes back")


def test_a_stopped_engine_tells_when_it_last_heard() -> None:
    """Last message and last acknowledgement are kept in the store."""

    async def run() -> None:
        desk, store = await opened(live=None, known=configuration(), stopped_since_ms=NOW_MS)
        await submitted(store, Moments({("received", SOURCE): 5000, ("accepted", DESTINATION): 6000}))
        answer = await Operations(desk).call("status", {}, who="nurse")
        assert (answer["sources"][0]["last_ms"], answer["destinations"][0]["last_ack_ms"]) == (5000, 6000)
        await store.close()

    asyncio.run(run())


def test_a_stopped_engine_is_said_first() -> None:
    """Never the last rosy figures alone."""
    answer = call("status", stopped=True)
    assert answer["engine"] == "stopped"
    assert answer["headline"].startswith("ENGINE STOPPED since ")
    assert answer["destinations"][0]["state"] == "stopped"
    assert answer["balance"]["difference"] == 0


def test_a_source_in_trouble_is_down_and_degrades() -> None:
    """Its folder is away: the sentence stands among the problems."""
    live = FakeLive()
    live.source_facts = {"trouble": "the folder is missing", "paused": True}
    answer = call("status", live=live)
    assert (answer["engine"], answer["sources"][0]["state"]) == ("degraded", "down")
    assert answer["problems"] == ["source gam_cha is down: the folder is missing"]


def test_open_alerts_are_shown() -> None:
    """As they are; the last ones, which may be over, are not."""
    live = FakeLive()
    alert = {"code": "outage", "subject": "dpi", "sentence": "dpi: no answer", "at_ms": NOW_MS - 1000}
    live.alerts = {"open": [alert], "last": [alert, alert]}
    assert call("status", live=live)["alerts"] == [alert]
    assert call("status", stopped=True)["alerts"] == []


def test_findings_are_counted_by_source() -> None:
    """Those of reception and those of the router together, the most frequent first."""
    live = FakeLive()
    live.source_facts = {"findings": {"batch-count": 1, "charset-unknown": 2}}
    live.router_findings = {"gam_cha: charset-unknown": 3, "other: two-headers": 1}
    (source,) = call("status", live=live)["sources"]
    assert list(source["findings"].items()) == [("charset-unknown", 5), ("batch-count", 1)]


def test_a_held_source_is_seen_with_who_and_why() -> None:
    """Its row is `held`, the sentence stands among the problems; a hold that is over is no problem."""

    async def run() -> None:
        desk, store = await opened()
        held = Hold(kind="source", name=SOURCE, until_ms=0, who="root", reason="wrong identifiers", at_ms=NOW_MS)
        over = Hold(kind="route", name="adt_to_dpi", until_ms=NOW_MS - 1, who="root", reason="over", at_ms=NOW_MS)
        await desk.commit(SetHold(held), SetHold(over))
        answer = await Operations(desk).call("status", {}, who="nurse")
        assert answer["sources"][0]["state"] == "held"
        assert answer["problems"] == ["source gam_cha is held by root: wrong identifiers; 1 waits"]
        assert answer["engine"] == "degraded"
        await store.close()

    asyncio.run(run())


def test_a_parked_destination_says_how_to_see_its_dead_letters() -> None:
    """The command stands in the sentence."""
    live = FakeLive()
    live.facts[DESTINATION] = {"state": "parked", "why": "dpi: 1 dead delivery holds its lane", "parked": 1}
    assert "`passerelle dead ls --to dpi`" in call("status", live=live)["problems"][0]


def test_dead_letters_are_counted_without_degrading() -> None:
    """Deliveries, and messages that died before any."""
    answer = call("status")
    assert (answer["dead_letters"], answer["engine"]) == (3, "running")


def test_refusals_of_former_runs_count() -> None:
    """Those in the store, and those of this run that couldn't be kept."""

    async def run() -> None:
        live = FakeLive()
        desk, store = await opened(live=live)
        kept = len(await store.queries.refusals(source="gam_cha"))
        await submitted(store, Refuse(Refusal("gam_cha", "", 1, "E-EMPTY", "it is empty", 0)))

        async def refused() -> int:
            answer = await Operations(desk).call("status", {}, who="nurse")
            return next(row["refused"] for row in answer["sources"] if row["name"] == "gam_cha")

        before = await refused()
        live.source_facts = {"unkept_refusals": 2}
        assert (before, await refused()) == (kept + 1, kept + 3)
        await store.close()

    asyncio.run(run())


@pytest.mark.parametrize(
    ("fact", "count", "words"),
    [
        ("unfinished", 1, "gam_cha: 1 file waits until its end is written"),
        ("unfinished", 3, "gam_cha: 3 files wait, each until its end is written"),
        ("waiting_for_attachments", 1, "gam_cha: 1 file waits until the documents are there"),
        ("without_companion", 2, "gam_cha: 2 files wait, each for the companion"),
    ],
)
def test_files_that_cannot_be_taken_yet_are_told(fact: str, count: int, words: str) -> None:
    """They are no messages and stand in no queue: a note says how many, why and where; nothing is degraded by them."""
    live = FakeLive()
    live.source_facts = {"path": "/in/labo", "unfinished": 0, fact: count}
    answer = call("status", live=live)
    (note,) = answer["notes"]
    assert note.startswith(words)
    assert note.endswith("; look into /in/labo")
    assert answer["engine"] == "running"


def test_messages_that_wait_for_their_patient_are_told() -> None:
    """They stand in no queue: a note says how many, and where to look; nothing is degraded by them."""

    async def run() -> None:
        desk, store = await opened()
        until = NOW_MS + 3_600_000
        await receive(store, 9, state=MessageState.WAITING, code="E-ID-WAITING", wait=Wait((42,), until))
        answer = await Operations(desk).call("status", {}, who="nurse")
        (note,) = answer["notes"]
        assert note.startswith(
            f"1 message waits until the patient is known, until {clock(until, NOW_MS)} at the latest"
        )
        assert "`passerelle msg find --state waiting`" in note
        assert answer["engine"] == "running"
        await receive(store, 10, state=MessageState.WAITING, code="E-FRAGMENT-WAITING", wait=Wait((11,), until))
        first, second = (await Operations(desk).call("status", {}, who="nurse"))["notes"]
        assert first == note
        assert second.startswith("1 message waits until the other parts of the same message are there, until ")
        waits = (await Operations(desk).call("status", {}, who="nurse"))["waits"]
        assert [(one["code"], one["count"], one["first_until_ms"]) for one in waits] == [
            ("E-ID-WAITING", 1, until), ("E-FRAGMENT-WAITING", 1, until),
        ]  # fmt: skip
        await store.close()

    asyncio.run(run())


def test_a_destination_that_the_configuration_has_no_more() -> None:
    """It is named, with what waits and what to do; where nothing waits it isn't shown."""
    live = FakeLive()
    live.runs = replace(configuration(), destinations={})
    answer = call("status", live=live)
    (row,) = answer["destinations"]
    assert (row["name"], row["state"]) == (DESTINATION, "gone")
    assert row["why"].startswith(f"{DESTINATION} is no longer in the configuration, and ")
    assert f"`renamed_from: {DESTINATION}`" in row["why"]
    assert row["why"] in answer["problems"][0]
    assert answer["engine"] == "degraded"
