"""Dead letters: listed, grouped, found by id."""

from __future__ import annotations

import json

import pytest

from engine.errors import OperationRefused
from engine.operations.dead import _joined, _then, normalised
from tests.support.custody import (
    DESTINATION,
    SOURCE,
    call,
    calls,
)


def test_dead_letters_are_listed_by_page() -> None:
    """Messages that died in the router first, then deliveries; `next` goes on where the page ended."""
    assert [row["id"] for row in call("dead_list")["rows"]] == ["5", "3-0", "4-0"]
    first, second = calls([("dead_list", {"limit": 2}), ("dead_list", {"after": "3-0", "limit": 2})])
    assert (first["next"], [row["id"] for row in second["rows"]]) == ("3-0", ["4-0"])
    assert [row["id"] for row in call("dead_list", destination=DESTINATION)["rows"]] == ["3-0", "4-0"]
    assert [row["id"] for row in call("dead_list", source=SOURCE)["rows"]] == ["5", "3-0", "4-0"]


def test_groups_leave_out_what_differs() -> None:
    """Two refusals of one kind are one line, whatever they quote."""
    answer = call("dead_groups")
    first = answer["rows"][0]
    assert [row["count"] for row in answer["rows"]] == [2, 1]
    assert (first["code"], first["detail"], first["lanes"]) == ("AE 102", "the receiver refused …", 1)
    listed = call("dead_list", group=first["group"])
    assert [row["id"] for row in listed["rows"]] == ["3-0", "4-0"]


def test_dead_show_has_the_history_without_the_answer() -> None:
    """The receiver's answer may quote the patient."""
    answer = call("dead_show", id="3-0")
    assert answer["deliveries"][0]["history"][0]["code"] == "AE 102"
    assert "ZUBROWKA" not in json.dumps(answer)


def test_an_id_of_a_message_means_its_dead_deliveries() -> None:
    """`3` is `3-0` when the message itself is not dead."""
    assert call("dead_pass", ids=["3"], dry=True)["ids"] == ["3-0"]


def test_what_differs_from_case_to_case() -> None:
    """Numbers and quoted words go, paths stay."""
    assert normalised("'x' is not in table 12 (MSH-4.2)") == "… is not in table … (MSH-4.2)"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [({"destination": "nope"}, "no destination 'nope'; there are dpi"),
     ({"source": "nope"}, "no source 'nope'; there are gam_cha"),
     ({"group": "G.000000"}, "no group of dead letters 'G.000000'; there are G.")],
)  # fmt: skip
def test_unknown_names_are_answered_with_those_that_exist(arguments: dict[str, str], sentence: str) -> None:
    """Of lists and of acts; never an empty list."""
    with pytest.raises(OperationRefused, match=sentence) as refused:
        call("dead_list", **arguments)
    assert refused.value.exit_code == 1
    if "source" not in arguments:
        with pytest.raises(OperationRefused, match=sentence):
            call("dead_retry", dry=True, **arguments)


def test_the_name_of_a_group_is_read_in_small_letters_too() -> None:
    """As people type it."""
    group = call("dead_groups", destination=DESTINATION)["rows"][0]["group"]
    assert len(call("dead_list", group=group.lower())["rows"]) == 2


def test_show_of_what_is_not_dead_says_so() -> None:
    """A delivered delivery, a message that nothing of died."""
    with pytest.raises(OperationRefused, match="1-0 is not dead: it is delivered"):
        call("dead_show", id="1-0")
    with pytest.raises(OperationRefused, match="message 6 is not dead: it is filtered"):
        call("dead_show", id="6")
    assert call("dead_show", id="5")["message"]["id"] == "5"


def test_a_patient_of_two_numbers_is_one_lane() -> None:
    """Keys that a delivery shares make one lane, in whatever order they come."""
    lanes: list[set[str]] = []
    for keys in ({"a", "b"}, {"c"}, set(), {"d"}, {"c", "d"}, {"a", "b"}):
        lanes = _joined(lanes, keys)
    assert sorted(map(sorted, lanes)) == [["a", "b"], ["c", "d"]]


def test_what_to_do_next_is_not_the_same_command() -> None:
    """Who reads it has typed it just now."""
    assert _then({"code": "E-POISON"}).startswith("what is shown here tells each attempt")


def test_a_group_that_was_retried() -> None:
    """Is no typing error: what it had waits again."""
    with pytest.raises(OperationRefused, match="what was retried is dead no more: it waits again"):
        call("dead_retry", group="G.000000", dry=True)
