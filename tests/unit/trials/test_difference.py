"""What differs between two messages."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.parsers.hl7v2.message import Message
from engine.parsers.hprim.message import parse_hprim
from engine.trials.difference import changes, lines_of
from tests.support.steps import grows_with

BEFORE = 'MSH|^~\\&|A\rPID|1||1^^^A&1.2~2^^^B||DOE||""\rOBX|1|A\rOBX|2|B\rOBX|3|C\rZFP|x\r'


def differences(after: str, before: str = BEFORE) -> list[tuple[str, str | None, str | None]]:
    one, other = (Message.parse(text.encode(), as_utf8=True) for text in (before, after))
    return [(change.path, change.old, change.new) for change in changes(one, other)]


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("MSH", "MSH", []),
        ("|DOE|", "|DOE^JANE|", [("PID-5.2", None, "JANE")]),
        ("|DOE|", "||", [("PID-5", "DOE", None)]),
        ("|DOE|", "|D\\T\\E|", [("PID-5", "DOE", "D&E")]),
        ("A&1.2", "A&1.3", [("PID-3[1].4.2", "1.2", "1.3")]),
        ("~2^^^B", "", [("PID-3[2].1", "2", None), ("PID-3[2].4", "B", None)]),
        ('||""', "||1984", [("PID-7", '""', "1984")]),
        ("OBX|2|B\r", "", [("OBX[2]", "OBX|2|B", None)]),
        ("OBX|3|C\r", "OBX|3|C\rOBX|4|D\r", [("OBX[4]", None, "OBX|4|D")]),
        ("OBX|2|B", "OBX|2|Q", [("OBX[2]-2", "B", "Q")]),
        ("ZFP|x\r", "", [("ZFP", "ZFP|x", None)]),
        ("|A\r", "|A||||||ADT\r", [("MSH-9", None, "ADT")]),
    ],
)
def test_changes(old, new, found):
    """Leaf by leaf, with the path that reads it; segments that are added or removed as such."""
    assert differences(BEFORE.replace(old, new, 1)) == found


def test_charsets_are_no_difference():
    """Text is compared, not bytes."""
    one = Message.parse("MSH|^~\\&|A\rPID|1||É\r".encode("latin-1"), default_charset="latin-1")
    other = Message.parse("MSH|^~\\&|A\rPID|1||É\r".encode(), as_utf8=True)
    assert changes(one, other) == []


def test_between_formats():
    """An HPRIM file and a message share nothing but text."""
    one = parse_hprim(b"H|~^\\&|A\rP|1\r", as_utf8=True)
    other = Message.parse(b"MSH|^~\\&|A\r", as_utf8=True)
    assert [change.segment for change in changes(one, other)] == ["H", "P", "MSH"]
    assert lines_of(other) == ["MSH|^~\\&|A"]


def test_large_messages_in_linear_time():
    """A thousand segments and ten thousand, one removed at the front."""

    def comparing(count: int) -> Callable[[], object]:
        lines = [f"OBX|{rank}|NM|{rank}" for rank in range(count)]
        before = "MSH|^~\\&|A\r" + "\r".join(lines) + "\r"
        after = "MSH|^~\\&|A\r" + "\r".join(lines[1:]) + "\r"
        assert differences(after, before) == [("OBX[1]", "OBX|0|NM|0", None)]
        return lambda: differences(after, before)

    grows_with(comparing, 1_000)
