"""`passerelle dead`: the number first, then the question, then the act."""

from __future__ import annotations

import json

import pytest


def test_lists_and_groups(passerelle, live) -> None:
    """Oldest first; `--json` has all that the table has."""
    shown = passerelle("dead", "ls").stdout
    assert [line.split()[0] for line in shown.splitlines()[1:]] == ["5", "3-0", "4-0"]
    groups = [json.loads(line) for line in passerelle("dead", "groups", "--json").stdout.splitlines()]
    assert [group["count"] for group in groups] == [2, 1]
    more = passerelle("dead", "ls", "--limit", "1")
    assert more.stderr.endswith("\nmore: add --after 5\n")


def test_show_has_the_history(passerelle, live) -> None:
    """What the receiver said, by its code."""
    shown = passerelle("dead", "show", "3-0").stdout
    assert "3-0 to dpi: dead AE 102 PID-7 the receiver refused 'n3'" in shown
    assert "refused" in shown
    assert "ZUBROWKA" not in shown


def test_scripts_say_yes_expect_and_why(passerelle, live) -> None:
    """The number comes first, the outcome last."""
    shown = passerelle("dead", "retry", "--to", "dpi", "--yes", "--expect", "2", "--reason", "fixed")
    assert shown.exit_code == 0, shown.output
    assert shown.stdout.splitlines() == ["2 dead letters to dpi will be routed again: 3-0, 4-0", "2 done: carried out"]


def test_another_number_changes_nothing(passerelle, live) -> None:
    """Exit code 3, and no line in the audit trail."""
    shown = passerelle("dead", "discard", "--to", "dpi", "--yes", "--expect", "5", "--reason", "x")
    assert (shown.exit_code, "nothing was changed" in shown.stderr) == (3, True)
    assert passerelle("audit").stdout == "nothing was done\n"


def test_nobody_to_ask_is_usage(passerelle, live) -> None:
    """A script without --yes, or without a reason, changes nothing."""
    assert passerelle("dead", "retry", "3-0", "--reason", "x").exit_code == 2
    shown = passerelle("dead", "retry", "3-0", "--yes", "--expect", "1")
    assert (shown.exit_code, "a reason is needed" in shown.stderr) == (2, True)


def test_people_are_asked(passerelle, live, monkeypatch) -> None:
    """A reason, then yes or no; no changes nothing."""
    monkeypatch.setattr("engine.cli.acting.interactive", lambda: True)
    refused = passerelle("dead", "pass", "3-0", input="on the phone\nn\n")
    assert (refused.exit_code, "nothing was changed" in refused.stderr) == (1, True)
    done = passerelle("dead", "pass", "3-0", input="on the phone\ny\n")
    assert done.exit_code == 0, done.output
    assert "1 done" in done.stdout
    assert "on the phone" in passerelle("audit").stdout


def test_restore_wants_discarded_letters(passerelle, live) -> None:
    """What is dead already is told."""
    shown = passerelle("dead", "restore", "3-0", "--yes", "--reason", "x")
    assert (shown.exit_code, "3-0 is not discarded" in shown.stderr) == (1, True)
    assert "`passerelle msg trace 3` tells its way" in shown.stderr


def test_a_stale_retry_is_said_before_the_question(passerelle, live) -> None:
    """Which, and what overtook it; the refusal exits with 1; `--stale` sends it all the same."""
    live.overtake()
    refused = passerelle("dead", "retry", "3-0", "--yes", "--expect", "1", "--reason", "fixed")
    assert refused.exit_code == 1
    lines = refused.stdout.splitlines()
    assert lines[1] == "of these 1 will be refused:"
    assert lines[2].startswith("  3-0: stale: message 7 of the same lane (ADT^A01) was delivered to dpi since")
    assert lines[-1].startswith("1 refused")
    done = passerelle("dead", "retry", "3-0", "--stale", "--yes", "--expect", "1", "--reason", "fixed")
    assert (done.exit_code, done.stdout.splitlines()[-1]) == (0, "1 done: carried out")


def test_a_retry_behind_its_lane_says_that_it_is_late(passerelle, live) -> None:
    """Also where `--stale` sends it all the same."""
    live.overtake()
    shown = passerelle("dead", "retry", "3-0", "--stale", "--yes", "--reason", "x").stdout.splitlines()
    assert shown[1] == "later messages of this patient have already left: it arrives late (3-0)"


def test_a_discard_says_what_leaves_then(passerelle, monkeypatch) -> None:
    """The lane goes on: how many wait behind."""
    counted = {"count": 1, "ids": ["3-0"], "destinations": ["dpi"], "behind": 12}
    done = {"count": 1, "accepted": 1, "refused": 0, "rows": [{"id": "3-0", "outcome": "discarded"}]}
    monkeypatch.setattr("engine.cli.acting.ask", lambda _, dry=False, **__: counted if dry else done)
    shown = passerelle("dead", "discard", "3-0", "--yes", "--reason", "x").stdout.splitlines()
    assert shown[1] == "the lane goes on: 12 deliveries behind leave"


@pytest.mark.parametrize("act", ["pass", "retry"])
def test_an_act_at_a_destination_that_is_closed_says_so(passerelle, live, act) -> None:
    """Held or away: nothing leaves, whatever the act does to the lane."""
    live.facts["dpi"] = {"state": "held", "why": "dpi is held by nadia until it is released: DPI update"}
    shown = passerelle("dead", act, "3-0", "--yes", "--reason", "x").stdout
    assert "but nothing leaves now: dpi is held by nadia until it is released: DPI update" in shown
    live.facts["dpi"] = {"state": "retrying", "why": "dpi: 1 delivery is tried again"}
    assert "nothing leaves" not in passerelle("dead", act, "4-0", "--yes", "--reason", "x").stdout


def test_a_letter_of_class_identity_names_the_commands_of_the_officer(passerelle, monkeypatch) -> None:
    """Of a message and of a delivery; no other letter does."""
    shown = {"message": {"id": "3", "state": "dead", "code": "E-ID-TRAITS"}, "deliveries": []}
    monkeypatch.setattr("engine.cli.dead.ask", lambda *_, **__: shown)
    assert "`passerelle identity review`" in passerelle("dead", "show", "3").stderr
    shown["message"]["code"] = ""
    shown["deliveries"] = [{"id": "3-0", "destination": "dpi", "state": "dead", "code": "E-ID-PARTED"}]
    assert "`passerelle identity find --ipp`" in passerelle("dead", "show", "3-0").stderr
    shown["deliveries"][0]["code"] = "E-POISON"
    assert "identity" not in passerelle("dead", "show", "3-0").stderr


def test_one_letter_says_what_to_do_next(passerelle, live) -> None:
    """By its code, of a delivery and of a message; the same for programs."""
    shown = passerelle("dead", "show", "3").stdout
    assert "do next: what is shown here names the field" in shown
    assert "do next       Add it to the table that site_from" in passerelle("dead", "show", "5").stdout
    told = json.loads(passerelle("dead", "show", "5", "--json").stdout)
    assert told["then"].startswith("Add it to the table")
    assert "`passerelle code CODE`" in passerelle("dead", "groups").stderr
    assert not passerelle("dead", "groups", "--json").stderr
