"""Messages that go on in other messages."""

from __future__ import annotations

import pytest

from engine.parsers.hl7v2.fragments import NotOne, fragment_of, may_go_alone, put_together, rejoin, repeats
from engine.parsers.hl7v2.message import Message


def message(*lines: bytes, pointer: bytes = b"", control_id: bytes = b"1") -> bytes:
    header = b"MSH|^~\\&|A||B||||ORU^R01|" + control_id + b"|P|2.5||" + pointer
    return b"".join(line + b"\r" for line in (header.rstrip(b"|"), *lines))


FIRST = message(b"PID|1", b"OBX|1|TX|a||one", b"DSC|P1|F")


@pytest.mark.parametrize(
    ("raw", "continued", "goes_on"),
    [
        (FIRST, b"", b"P1"),
        (message(b"PID|1", b"DSC|P1"), b"", b"P1"),
        (message(b"PID|1", b"DSC|P1|F") + b"\0\0\0", b"", b"P1"),
        (message(b"PID|1", b"DSC|P1|F", b"\x0c \x1a", b"\0" * 200), b"", b"P1"),
        (message(b"PID|1", b"DSC|" + b"P" * 200 + b"|F"), b"", b"P" * 200),
        (message(b"PID|1", b"DSC", b"DSC|P1|F"), b"", b"P1"),
        (message(b"OBX|2", pointer=b"P1"), b"P1", b""),
        (message(b"OBX|2", b"DSC|P2|F", pointer=b"P1"), b"P1", b"P2"),
    ],
)
def test_parts_of_a_longer_message(raw: bytes, continued: bytes, goes_on: bytes) -> None:
    """By DSC-1 and MSH-14."""
    fragment = fragment_of(raw)
    assert fragment is not None
    assert (fragment.continues, fragment.goes_on) == (continued, goes_on)


@pytest.mark.parametrize(
    "raw",
    [
        message(b"PID|1"),
        message(b"PID|1", b"DSC|"),
        message(b"PID|1", b"DSC"),
        message(b"PID|1", b'DSC|""'),
        message(b"QAK|1", b"PID|1", b"DSC|P1"),
        message(b"QPD|1", b"PID|1", b"DSC|P1|I"),
        message(b"PID|1", b"OBX|1|TX|a||the word", b"DSC", b"in a text"),
        b"",
        b"PID|1\rDSC|P1|F\r",
        b"MSH\rDSC|P1|F\r",
    ],
)
def test_messages_that_stand_for_themselves(raw: bytes) -> None:
    """No pointer, an answer to a query that goes on when it is asked for, no message at all."""
    assert fragment_of(raw) is None
    assert rejoin([raw]) == [raw]


@pytest.mark.parametrize(
    ("raw", "field", "why"),
    [
        (message(b"PID|1", b"DSC|P1|F", b"ZZZ|x"), "DSC", "last"),
        (message(b"DSC|P1|F", b"PID|1"), "DSC", "last"),
        (message(b"PID|1", b"DSC|P1|F", b"DSC|P1|F"), "DSC", "last"),
        (message(b"PID|1", b"DSC|P1|I"), "DSC-2", "neither F"),
        (message(b"PID|1", b"DSC|P1|f"), "DSC-2", "neither F"),
        (message(b"PID|1", b"DSC||F"), "DSC-1", "empty"),
        (message(b"PID|1", b"ADD|", b"DSC"), "DSC-1", "empty"),
        (message(b"PID|1", b"DSC|" + b"P" * 1_001), "DSC-1", "longer"),
        (message(b"OBX|2", b"DSC|P2|X", pointer=b"P1"), "DSC-2", "neither F"),
    ],
)
def test_parts_that_say_badly_how_they_go_on(raw: bytes, field: str, why: str) -> None:
    """They are no whole messages; nothing is joined to them."""
    fragment = fragment_of(raw)
    assert fragment is not None
    assert fragment.flaw is not None
    assert (fragment.flaw[0], why in fragment.flaw[1]) == (field, True)
    parts = [raw, message(b"OBX|2", pointer=b"P1")]
    assert rejoin(parts) == parts
    with pytest.raises(NotOne) as caught:
        put_together([FIRST, raw])
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("lines", "begins"),
    [
        ([b"PID|1", b"OBX|1"], True),
        ([b"SFT|x", b"EVN|A01", b"PID|1"], True),
        ([b"SCH|1", b"TQ1|1", b"PID|1"], True),
        ([b"OBX|2", b"PID|2", b"OBX|1"], False),
        ([b"NTE|1", b"PID|2"], False),
        ([b"ADD|e", b"PID|2"], False),
        ([b"EVN|A01"], False),
    ],
)
def test_a_message_of_its_own(lines: list[bytes], begins: bool) -> None:
    """Whose patient stands before all that is said of him."""
    fragment = fragment_of(message(*lines, pointer=b"P1"))
    assert fragment is not None
    assert fragment.begins is begins


@pytest.mark.parametrize(
    ("parts", "whole"),
    [
        (
            [FIRST, message(b"OBX|2|TX|a||two", pointer=b"P1")],
            message(b"PID|1", b"OBX|1|TX|a||one", b"OBX|2|TX|a||two"),
        ),
        (
            [
                message(b"PID|1", b"OBX|1|TX|a||on", b"ADD", b"DSC|P1|F"),
                message(b"ADD|e, tw", b"ADD|", b"DSC|P2|F", pointer=b"P1"),
                message(b"SFT|x", b"ADD|o", b"NTE|1", pointer=b"P2"),
            ],
            message(b"PID|1", b"OBX|1|TX|a||one, two", b"NTE|1"),
        ),
        (
            [message(b"PID|1", b"OBX|on", b"DSC|P1|F"), message(b"ADD|e", pointer=b"P1")],
            message(b"PID|1", b"OBX|one"),
        ),
        ([FIRST, message(pointer=b"P1")], message(b"PID|1", b"OBX|1|TX|a||one")),
        ([FIRST[:-1], message(b"OBX|2", pointer=b"P1")], message(b"PID|1", b"OBX|1|TX|a||one", b"OBX|2")),
    ],
)
def test_joined(parts: list[bytes], whole: bytes) -> None:
    """The first header counts; what was cut is whole again; nothing else is lost."""
    assert rejoin(parts) == [whole]
    other = message(b"PID|2", control_id=b"9")
    assert rejoin([other, parts[0], other, *parts[1:], other]) == [other, whole, other, other]


def test_what_is_missing_stays_missing() -> None:
    """Without its continuation a message keeps DSC, without its beginning MSH-14; other delimiters aren't mixed in."""
    last = message(b"OBX|3", pointer=b"P2")
    assert rejoin([FIRST, last]) == [FIRST, last]
    middle = message(b"OBX|2", b"DSC|P2|F", pointer=b"P1")
    assert rejoin([FIRST, middle]) == [message(b"PID|1", b"OBX|1|TX|a||one", b"OBX|2", b"DSC|P2|F")]
    assert rejoin([last, FIRST]) == [last, FIRST]
    odd = message(b"OBX|2", pointer=b"P1").replace(b"|", b"$")
    assert rejoin([FIRST, odd]) == [FIRST, odd]


def test_two_patients_are_never_joined() -> None:
    """A sender that fills both pointers with the same each time would mix them up."""
    other = message(b"PID|2", b"OBX|1", pointer=b"P1")
    assert rejoin([FIRST, other]) == [FIRST, other]
    nobody = message(b"OBX|0", b"DSC|P1|F")
    assert rejoin([nobody, other]) == [message(b"OBX|0", b"PID|2", b"OBX|1")]


A1, A2 = message(b"PID|1", DSC_Q := b"DSC|Q|F"), message(b"OBX|2|TX|a||of A", pointer=b"Q")
B1, B2 = message(b"PID|2", DSC_Q), message(b"OBX|2|TX|a||of B", pointer=b"Q")


@pytest.mark.parametrize(
    "parts",
    [
        [A1, B1, A2, B2],
        [A1, B1, B2],
        [A1, A2, B2],
        [B2, A1, A2],
        [A1, A2.replace(b"|A|", b"|Z|")],
        [A1, A2.replace(b"ORU^R01", b"MDM^T02")],
        [A1, A2.replace(b"|2.5|", b"|2.3|")],
        [A1, message(b"pid|1||2", b"OBX|1", pointer=b"Q")],
        [A1, message(b"\xef\xbb\xbfPID|1||2", pointer=b"Q")],
        [A1, message(b"OBX|2", DSC_Q, pointer=b"Q"), A2],
    ],
    ids=[
        "crosswise", "announced twice", "continued twice", "continued before", "another sender", "another type",
        "another version", "a damaged patient", "a mark before the patient", "one pointer before and behind",
    ],
)  # fmt: skip
def test_what_one_block_does_not_join(parts: list[bytes]) -> None:
    """All stay apart: the router decides on them by the same rules, with what waits already."""
    assert rejoin(parts) == parts


def test_a_pointer_that_is_used_again_in_one_block() -> None:
    """In turns it is sure whose the ends are."""
    assert len(rejoin([A1, A2, B1, B2])) == 2
    assert rejoin([A1, A2, B1])[1] == B1


LAST = message(b"OBX|2|TX|a||two", pointer=b"P1", control_id=b"2")


def test_parts_of_blocks_of_their_own() -> None:
    """Time, number and pointer are each sending's own; the first header counts."""
    later = LAST.replace(b"||||ORU", b"||20260102||ORU")
    assert put_together([FIRST, later]) == message(b"PID|1", b"OBX|1|TX|a||one", b"OBX|2|TX|a||two")


@pytest.mark.parametrize(
    ("parts", "field"),
    [
        ([LAST, FIRST], "DSC-1"),
        ([FIRST], "DSC-1"),
        ([LAST], "DSC-1"),
        ([FIRST, message(b"OBX|2", pointer=b"P2")], "DSC-1"),
        ([FIRST, message(b"PID|1", pointer=b"P1")], "PID"),
        ([FIRST, message(b"pid|2||43", b"OBX|1", pointer=b"P1")], "PID"),
        ([FIRST, message("\ufeffPID|2||43".encode(), pointer=b"P1")], "PID"),
        ([FIRST, message("\u200bPID|2||43".encode(), pointer=b"P1")], "PID"),
        ([FIRST, message(b"\xa0pv1|2", pointer=b"P1")], "PID"),
        ([FIRST, LAST.replace(b"|A|", b"|Z|")], "MSH-3"),
        ([FIRST, LAST.replace(b"|B|", b"|Z|")], "MSH-5"),
        ([FIRST, LAST.replace(b"ORU", b"OUL")], "MSH-9"),
        ([FIRST, LAST.replace(b"|P1", b"|P1||||UNICODE UTF-8")], "MSH-18"),
        ([FIRST, LAST.replace(b"|", b"$")], "MSH-2"),
    ],
)
def test_what_is_not_one(parts: list[bytes], field: str) -> None:
    """The place is told, and no value."""
    with pytest.raises(NotOne) as caught:
        put_together(parts)
    assert caught.value.field == field
    assert "UNICODE" not in caught.value.reason


def test_the_same_part_again() -> None:
    """Whatever is said of the sending itself; another pointer or another text is another part."""
    again = LAST.replace(b"|2|P|", b"|7|P|").replace(b"||||ORU", b"||2026||ORU")
    assert repeats(LAST, again)
    assert not repeats(LAST, LAST.replace(b"two", b"three"))
    assert not repeats(LAST, LAST.replace(b"P1", b"P2"))


NAMED = (b"PID|1||42", b"PV1|1", b"OBR|1", b"OBX|1|TX|a||one")
DSC = b"DSC|P1|F"


@pytest.mark.parametrize(
    ("raw", "alone"),
    [
        (message(*NAMED, DSC), True),
        (message(*NAMED, b"ADD|", DSC), True),
        (message(*NAMED, b"NTE|1", b"ADD|more", b"ADD|", DSC), True),
        (message(*NAMED[:3], DSC), False),
        (message(*NAMED[:2], b"OBX|1|TX|a||one", DSC), False),
        (message(*NAMED[:2], b"NTE|1", DSC), False),
        (message(b"PID|1||4", b"ADD|", DSC), False),
        (message(b"PID|1||4", DSC), False),
        (message(b"PID|1||4", b"ADD|2", b"ADD|", DSC), False),
        (message(*NAMED, b"PID|2||43", b"NTE|1", DSC), False),
        (message(*NAMED, b"PID|2||43", b"OBR|2", b"OBX|2", DSC), True),
        (message(*NAMED, b"PI", b"ADD|", DSC), False),
        (message(b"OBX|2|TX|a||two", pointer=b"P1"), True),
        (message(b"ADD|rest", pointer=b"P1"), True),
        (message(b"ADD|rest", b"ADD|", b"DSC|P2|F", pointer=b"P1"), True),
        (message(b"OBR|2", b"DSC|P2|F", pointer=b"P1"), False),
        (message(b"OBR|2", b"OBX|2", b"DSC|P2|F", pointer=b"P1"), True),
        (message(b"ADD|rest", *NAMED, pointer=b"P1"), False),
        (message(*NAMED, b"DSC|P2|F", pointer=b"P1"), False),
        (message(b"PV1|1", b"OBX|2", b"DSC|P2|F", pointer=b"P1"), False),
        (message(b"ADD|rest", b"MRG|41", pointer=b"P1"), False),
        (message(DSC), False),
        (message(b"OBX|2", b"pid|1||43", pointer=b"P1"), False),
        (message(b"OBX|2", b"\xa0pv1|1", pointer=b"P1"), False),
        (message(*NAMED, b"DSC|P1|X"), True),
        (message(*NAMED, DSC, b"ZZZ"), False),
    ],
)
def test_what_may_go_alone(raw: bytes, alone: bool) -> None:
    """Where no cut can concern who the patient is, or of which order."""
    fragment = fragment_of(raw)
    assert fragment is not None
    assert may_go_alone(fragment, Message.parse(raw).names) is alone
