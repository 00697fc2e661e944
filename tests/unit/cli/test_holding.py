"""`passerelle hold`, `release`, `probe`."""

from __future__ import annotations

from dataclasses import replace

from engine.operations.queues import _CALL


def test_hold_says_what_waits_and_until_when(passerelle, live) -> None:
    """Then does it."""
    shown = passerelle("hold", "dpi", "--for", "2h", "--yes", "--expect", "1", "--reason", "maintenance")
    assert shown.exit_code == 0, shown.output
    assert shown.stdout.splitlines()[0] == "destination dpi will be held for 2h; 1 delivery waits"
    shown = passerelle("release", "dpi", "--yes", "--reason", "over")
    assert shown.stdout.splitlines()[0] == "destination dpi will be released; 1 delivery waits"
    shown = passerelle("hold", "adt_to_dpi", "--yes", "--reason", "x")
    assert shown.stdout.splitlines()[0].startswith("route adt_to_dpi will be held until it is released")
    shown = passerelle("hold", "gam_cha", "--yes", "--reason", "x")
    assert "1 message waits" in shown.stdout


def test_probe_exits_as_it_went(passerelle, live) -> None:
    """Step by step."""
    assert passerelle("probe", "dpi").stdout.splitlines() == ["ok    name: 127.0.0.1", "ok    connect: in 1 ms"]
    live.steps.append(("ack", False, "none for 6 min"))
    shown = passerelle("probe", "dpi")
    assert (shown.exit_code, shown.stdout.splitlines()[-1]) == (1, "FAIL  ack: none for 6 min")
    assert shown.stderr == f"{_CALL} (5555)\n"


def test_a_probe_that_fails_says_where_to_look(passerelle, live) -> None:
    """By the step that failed, and whom to call; programs have it in a field of its own operation."""
    live.steps = [("name", True, "dpi is 10.1.4.20"), ("tcp", False, "port 5500: connection refused")]
    shown = passerelle("probe", "dpi")
    assert shown.stderr.startswith("look at the address in connect:, then ask the destination's contact")
    assert shown.stderr.endswith("(5555)\n")


def test_a_destination_of_the_past_is_not_probed(passerelle, live) -> None:
    """It has no door any more."""
    live.runs = replace(live.runs, destinations={"archive": live.runs.destinations["dpi"]})
    shown = passerelle("probe", "dpi")
    assert (shown.exit_code, "no destination of the running configuration" in shown.stderr) == (1, True), shown.stderr


def test_a_duration_is_more_than_nothing(passerelle, live) -> None:
    """`0s` and what is negative hold nothing for ever: usage."""
    for text in ("0s", "-2h", "0h0m"):
        shown = passerelle("hold", "dpi", f"--for={text}", "--yes", "--reason", "x")
        assert (shown.exit_code, shown.stderr) == (2, "passerelle: a duration must be more than 0\n")


def test_a_lane_in_which_nothing_waits_is_warned_about(passerelle, live) -> None:
    """With the name as it was typed."""
    shown = passerelle("hold", "000000000000004e", "--kind", "lane", "--yes", "--reason", "x")
    assert shown.stdout.splitlines()[0].startswith(
        "lane 000000000000004e will be held until it is released; nothing waits in that lane"
    )
    shown = passerelle("hold", "000000000000004d", "--kind", "lane", "--yes", "--reason", "x")
    assert "1 delivery waits" in shown.stdout
    assert "000000000000004d, until released" in passerelle("audit").stdout
