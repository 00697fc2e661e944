"""An HL7 v2 message as a tree."""

from __future__ import annotations

import pytest

from engine.operations.trees.hl7v2 import date_in_words, hl7v2_tree
from engine.operations.trees.tree import Mark, Node
from engine.parsers.hl7v2.message import Message

HEAD = b"MSH|^~\\&|A|B|C|D|20260301101500||ADT^A01^ADT_A01|1|P|2.5^FRA^2.11\r"


def tree(body: bytes, head: bytes = HEAD, **more: object) -> Node:
    return hl7v2_tree(Message.parse(head + body, as_utf8=True), **more)


def rows(node: Node) -> dict[str, tuple[str, str, str]]:
    found = {node.name: (node.words, node.value, node.meaning)}
    for child in node.children:
        found |= rows(child)
    return found


def test_names_values_and_meanings():
    """PID-5.1 is the birth name where XPN-7 is L; codes in the words of their table, dates as people write them."""
    found = rows(tree("PID|1||7^^^CPAGE&1.2.3&ISO^PI||MÜLLER^Zoé^^^^^L~PETIT^Zoé^^^^^D||1984|F\r".encode()))
    assert found["PID"] == ("patient identification", "", "")
    assert found["PID-3.1"] == ("patient number (IPP)", "7", "")
    assert found["PID-3.4.3"] == ("universal ID type", "ISO", "OID")
    assert found["PID-5[1].1"] == ("birth name", "MÜLLER", "")
    assert found["PID-5[2].1"] == ("usual name", "PETIT", "")
    assert found["PID-5[2].7"] == ("name type code", "D", "usual name")
    assert found["PID-7.1"] == ("time", "1984", "1984")
    assert found["PID-8"] == ("administrative sex", "F", "female")
    assert found["MSH-7.1"][2] == "2026-03-01 10:15:00"
    assert found["MSH-1"][1] == "|"
    assert found["MSH-2"][1] == "^~\\&"


def test_the_root_says_what_the_message_is():
    """Type and event in words, the version, the French extension where the message is French."""
    assert tree(b"").words == "admit/visit notification · HL7 2.5, pam-fr-2.11"
    assert tree(b"", HEAD.replace(b"2.5^FRA^2.11", b"2.3")).words == "admit/visit notification · HL7 2.3"
    assert tree(b"", HEAD.replace(b"ADT^A01^ADT_A01", b"")).name == "message"


def test_several_segments_are_counted():
    """OBX[1], OBX[2]; the data type of OBX-5 is what OBX-2 says."""
    found = rows(tree(b"OBX|1|CE|X^Y^LN||M^male^L\rOBX|2|NM|X||5\rOBX|3|??|X||a^b\r"))
    assert found["OBX[1]-5.2"] == ("text", "male", "")
    assert found["OBX[2]-5"] == ("observation value", "5", "")
    assert found["OBX[3]-5.2"] == ("", "b", "")


def test_escapes_are_replaced_and_nulls_named():
    """What the sender meant, on one line."""
    found = rows(tree(b'NTE|1||a\\F\\b\\.br\\c\rPID|1||""\r'))
    assert found["NTE-3"][1] == "a|b↵c"
    assert found["PID-3"][1:] == ('""', "erase what is known")


def test_a_coded_field_has_the_table_of_its_code():
    """PID-16 is a CE of table 0002."""
    assert rows(tree(b"PID|1|||||||||||||||M\r"))["PID-16.1"][2] == "married"


def test_unknown_segments_and_fields_have_numbers():
    """Z segments of partners, fields beyond the last, lines without a name."""
    found = rows(tree(b"ZXX|a^b|c&d\rPID|" + b"|" * 49 + b"x\rrest of a text\r"))
    assert found["ZXX-1.2"] == ("", "b", "")
    assert found["ZXX-2.1.2"] == ("", "d", "")
    assert found["PID-50"] == ("", "x", "")
    assert found["?"][1] == "rest of a text"


def test_other_delimiters():
    """As the header says."""
    found = rows(hl7v2_tree(Message.parse(b"MSH$%~\\&$A$B$C$D$$$ADT%A01$1$P$2.5\rPID$1$$7%%%X\r", as_utf8=True)))
    assert found["PID-3.4"][1] == "X"


def test_marks_stand_at_their_place():
    """On what is there and on what should be; the message's own at the root."""
    mark = Mark("error", "no")
    root = tree(
        b"PID|1||7^^^A||X~Y\r",
        marks={
            (-1, 0, 0, 0, 0): [mark], (1, 0, 0, 0, 0): [mark], (1, 8, 0, 0, 0): [mark], (1, 5, 2, 0, 0): [mark],
            (1, 3, 1, 3, 0): [mark], (1, 3, 1, 4, 0): [mark],
        },
    )  # fmt: skip

    def marked(node: Node) -> list[str]:
        return [node.name] * len(node.marks) + [name for child in node.children for name in marked(child)]

    assert marked(root) == ["ADT^A01", "PID", "PID-3.3", "PID-3.4", "PID-5[2]", "PID-8"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("2026", "2026"), ("202603", "2026-03"), ("20260301", "2026-03-01"), ("202603011015", "2026-03-01 10:15"),
        ("20260301101500.123+0100", "2026-03-01 10:15:00 +0100"), ("", ""), ("soon", ""), ("2026030110", ""),
    ],
)  # fmt: skip
def test_dates_in_words(text, words):
    """To the precision that they have."""
    assert date_in_words(text) == words
