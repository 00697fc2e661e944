"""The balance line."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.operations.balance import ENDINGS, balance


def test_the_line_reads_as_documented() -> None:
    """Endings that always matter are shown at 0, the others when there are some."""
    counters = {
        ("received", "a", "total"): 48_211,
        ("message", "a", "delivered"): 47_990,
        ("message", "a", "waiting"): 214,
        ("message", "a", "dead"): 3,
        ("message", "a", "filtered"): 4,
        ("delivery", "dpi", "delivered"): 99_999,
    }
    drawn = balance(counters)
    line = "received 48,211 = delivered 47,990 + waiting 214 + dead 3 + filtered 4 + duplicate 0   difference 0"
    assert drawn["line"] == line
    assert drawn["sources"] == {}


def test_a_missing_message_is_said() -> None:
    """A difference shows, with the source that it comes from."""
    drawn = balance({("received", "a", "total"): 3, ("message", "a", "delivered"): 2, ("received", "b", "total"): 0})
    assert drawn["difference"] == 1
    assert drawn["line"].endswith("difference 1 (in a)")


def test_sources_that_hide_each_other_are_said() -> None:
    """One source too many and one too few give 0 together, not each."""
    drawn = balance({("received", "a", "total"): 1, ("message", "b", "dead"): 1})
    assert drawn["difference"] == 0
    assert drawn["sources"] == {"a": 1, "b": -1}
    assert "but not by source: a, b" in drawn["line"]


@given(st.dictionaries(st.tuples(st.sampled_from("abc"), st.sampled_from(ENDINGS)), st.integers(0, 10_000)))
def test_messages_that_each_have_one_ending_balance(endings: dict[tuple[str, str], int]) -> None:
    """Whatever the endings are."""
    counters: dict[tuple[str, str, str], int] = {}
    for (source, ending), count in endings.items():
        counters["message", source, ending] = count
        counters["received", source, "total"] = counters.get(("received", source, "total"), 0) + count
    drawn = balance(counters)
    assert drawn["difference"] == 0
    assert not drawn["sources"]
    assert sum(drawn["parts"].values()) == drawn["received"]
