"""The live screen, as text."""

import io

import pytest
from rich.console import Console
from rich.screen import Screen

from engine.simulation.screen import draw, one_line

STATUS = {
    "engine": "running", "headline": "engine running for 3 min", "now_ms": 10_000, "problems": ["dpi does not answer"],
    "sources": [{"name": "gam_cha", "state": "ok", "received": 1234, "dead": 1, "refused": 0, "last_ms": 4_000}],
    "destinations": [{"name": "dpi", "state": "retrying", "waiting": 12, "retrying": 3, "parked": 0, "dead": 1,
                      "delivered": 1200, "oldest_age_s": 6, "why": "no answer for 6 s"}],
    "balance": {"line": "received 1,234 = delivered 1,221 + waiting 12 + dead 1   difference 0"},
}  # fmt: skip
GROUP = {
    "dpi": {"mode": "slow", "accepted": 1221, "duplicates": 2, "inversions": 0},
    "bus": {"published": 1066, "topics": 12},
    "senders": {"gam_cha": {"waiting": 5, "twice": 1}},
    "events": ["09:26:53 the DPI's mood: slow"],
}


def shown(renderable):
    console = Console(width=140, height=60, no_color=True, record=True, file=io.StringIO())
    console.print(renderable)
    return console.export_text()


def test_everything_that_matters_is_on_the_screen():
    """Sources, destinations with their reason, the DPI's mood, problems, events, and the balance."""
    text = shown(draw(STATUS, GROUP))
    for part in (
        "engine running for 3 min", "the DPI is slow", "out of order 0", "the bus got 1,066 events", "gam_cha", "1,234",
        "6 s ago", "5 unanswered",
        "no answer for 6 s", "! dpi does not answer", "mood: slow", "difference 0",
    ):  # fmt: skip
        assert part in text, part


@pytest.mark.parametrize(("width", "height"), [(100, 30), (80, 24), (60, 12)])
def test_the_balance_stays_on_a_small_screen(width, height):
    """With the headline; the hint goes first, then events, the oldest before the newest."""
    destinations = [STATUS["destinations"][0] | {"name": f"dpi{rank}", "why": "no answer " * 9} for rank in range(4)]
    sources = [STATUS["sources"][0] | {"name": f"gam_{rank}"} for rank in range(6)]
    status = STATUS | {"sources": sources, "destinations": destinations, "problems": ["dpi does not answer " * 6] * 4}
    group = GROUP | {"events": [f"09:26:5{second} the DPI's mood: slow" for second in range(8)]}
    console = Console(width=width, height=height, no_color=True, record=True, file=io.StringIO())
    console.print(Screen(draw(status, group)))
    text = console.export_text()
    assert len(text.splitlines()) <= height
    for part in ("engine running for 3 min", "the DPI is", "dead 1", "difference 0", "dpi0"):
        assert part in " ".join(text.split()), part
    assert "Ctrl-C" not in text
    assert "09:26:50" not in text


def test_why_a_destination_waits_is_said_once():
    """In a line of its own, cut where the screen ends; with the DPI away everything fits into 80 x 24."""
    away = "dpi can't be reached for 42 s (connection refused at 127.0.0.1:25500); attempt 7 at 09:27:30"
    slow = "bus accepts connections but has not acknowledged for 6 min; attempt 1 at 09:26:59; contact Ada, 15"
    one = STATUS["destinations"][0]
    destinations = [one | {"state": "down", "why": away}, one | {"name": "bus", "why": slow}, one | {"name": "labo"}]
    destinations[2].pop("why")
    sources = [STATUS["sources"][0] | {"name": f"gam_{rank}"} for rank in range(3)]
    status = STATUS | {"sources": sources, "destinations": destinations, "problems": [away]}
    group = GROUP | {"events": [f"09:26:5{second} the DPI's mood: away" for second in range(4)]}
    console = Console(width=80, height=24, no_color=True, record=True, file=io.StringIO())
    console.print(Screen(draw(status, group)))
    text = console.export_text()
    lines = [line.rstrip() for line in text.splitlines()]
    assert " ".join(text.split()).count("can't be reached") == 1
    assert [line for line in lines if "has not acknowledged" in line] == ["  " + slow[:77] + "…"]
    for part in ("gam_2", "labo", "! dpi", "attempt 7", "09:26:50", "difference 0", "Ctrl-C"):
        assert part in " ".join(text.split()), part


def test_the_screen_says_that_the_engine_starts():
    """Before the first answer, and before the first figures of the group."""
    assert "the engine starts" in shown(draw(None, None))
    assert "gam_cha" in shown(draw(STATUS, None))
    assert one_line(None, None) == "the engine starts"


def test_one_line_says_the_same_without_a_terminal():
    """State, balance, mood, order."""
    line = one_line(STATUS, GROUP)
    assert "\n" not in line
    assert line.startswith("engine running for 3 min; received 1,234")
    assert line.endswith("DPI slow, twice 2, out of order 0")
