"""When the DPI changes its mood."""

from itertools import islice

import pytest

from engine.simulation.moods import MoodName, moods_by_chance, moods_of


def test_chance_is_drawn_from_the_seed():
    """The same seed, the same weather; every other turn is well."""
    first, second = (list(islice(moods_by_chance(3), 40)) for _ in range(2))
    assert first == second
    assert all(mood.name is MoodName.WELL for mood, _ in first[::2])
    assert {mood.name for mood, _ in islice(moods_by_chance(3), 400)} >= {MoodName.DOWN, MoodName.SILENT, MoodName.BUSY}


def test_a_script_is_repeated():
    """`ok 20, down 5`, then again."""
    turns = list(islice(moods_of("ok 20, down 5"), 4))
    assert [(mood.name, seconds) for mood, seconds in turns] == [("ok", 20), ("down", 5)] * 2


@pytest.mark.parametrize("text", ["sad 5", "ok", "ok soon", "", "ok 1 2"])
def test_a_script_that_says_nothing_is_refused_with_what_to_write(text):
    """The sentence quotes what was wrong."""
    with pytest.raises(ValueError, match=r"no mood|no number"):
        moods_of(text)
