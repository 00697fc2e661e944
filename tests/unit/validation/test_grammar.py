"""Message structures in abstract syntax."""

from __future__ import annotations

import pytest

from engine.dictionary.dictionary import PAM_FR, dictionary_of
from engine.dictionary.versions import VERSIONS
from engine.validation.grammar import DEPTH_MAX, Item, StructureError, parse_structure


def written(item: Item, *, top: bool = False) -> str:
    """Write an item back."""
    text = item.name
    if item.children is not None:
        inner = ("|" if item.choice else " ").join(written(child) for child in item.children)
        if top:
            return inner
        text += f"<{inner}>" if item.choice else f"({inner})"
    text = f"{{{text}}}" if not item.most else text
    return text if item.least else f"[{text}]"


@pytest.mark.parametrize("version", VERSIONS)
def test_every_structure_of_the_dictionary_is_read(version):
    """And says the same when it is written again."""
    dictionary = dictionary_of(version, PAM_FR if version == "2.5" else "")
    for name in dictionary._structures:
        content = dictionary.structure(name)
        assert written(parse_structure(name, content), top=True) == content, name


def test_what_an_item_holds_and_begins_with():
    """A group begins with its first required child, or one of the optional ones before it."""
    root = parse_structure("X", "MSH [{A([B] [C] D E)}] F<G|H>")
    group = root.children[1]
    assert (group.name, group.least, group.most) == ("A", 0, 0)
    assert group.names == {"B", "C", "D", "E"}
    assert group.firsts == {"B", "C", "D"}
    choice = root.children[2]
    assert choice.choice
    assert choice.firsts == {"G", "H"}
    assert choice.holds("G")
    assert not choice.begins("F")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "the structure is empty"),
        ("MSH [PID", "'the end' stands where a segment or a group is expected"),
        ("MSH ]", "']' stands where a segment or a group is expected"),
        ("MSH [PID PV1]", "[ ] holds one segment or group"),
        ("MSH A()", "the group A is empty"),
        ("MSH ; PID", "';' can't stand in a structure"),
        ("[" * (DEPTH_MAX + 2) + "MSH", "brackets inside each other"),
    ],
)
def test_what_is_no_structure(text, reason):
    """The sentence says what was expected."""
    with pytest.raises(StructureError) as refused:
        parse_structure("X", text)
    assert reason in str(refused.value)


@pytest.mark.parametrize(
    ("text", "least", "most"), [("{A}2..5", 2, 5), ("{A}2..*", 2, 0), ("[{A}1..3]", 0, 3), ("{A}", 1, 0), ("A", 1, 1)]
)
def test_how_often(text: str, least: int, most: int) -> None:
    """Behind { }, for profiles that count."""
    [item] = parse_structure("X", text).children or ()
    assert (item.name, item.least, item.most) == ("A", least, most)
