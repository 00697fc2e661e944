"""OBR, OBX and NTE to HPRIM; types stand in test_hl7_to_hprim."""

from __future__ import annotations

import pytest

from engine.conversion.hprim_results import Results
from engine.conversion.notes import Note, of_field
from engine.conversion.tree import Request, Result
from engine.errors import StepFailed


def write(*requests: Request, orders: bool = False) -> Results:
    results = Results("F", orders=orders)
    results.add(list(requests))
    return results


def status_of(line: bytes) -> bytes:
    return b"".join(line.split(b"|")[25:26])


def request(obr: bytes, *, orc: bytes = b"", spm: bytes = b"", results: tuple[Result, ...] = ()) -> Request:
    more = {line[:3]: line.split(b"|") for line in (orc, spm) if line}
    return Request(obr.split(b"|"), results=list(results), more=more)


def test_what_was_asked_for_together_is_one_request() -> None:
    """Same ORC-4, and no other difference than the analysis."""
    orc = b"ORC|RE|D||1"
    made = write(request(b"OBR|1|D||A", orc=orc), request(b"OBR|2|D||B", orc=orc), request(b"OBR|3|D||C|S", orc=orc))
    assert made.lines == [b"OBR|1|^D||A~B", b"OBR|2|^D||C|S"]


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (b"ORC|NW|D||1", b"ORC|CA|D||1", [b"", b"X"]), (b"ORC|CA|D||1", b"ORC|NW|D||1", [b"X", b""]),
        (b"ORC|SC|D||1|CA", b"ORC|SC|D||1|IP", [b"X", b""]),
    ],
)  # fmt: skip
def test_a_cancelled_analysis_is_no_wanted_one(one: bytes, other: bytes, expected: list[bytes]) -> None:
    """Asked for together, cancelled alone: each OBR says its own."""
    made = write(request(b"OBR|1|D||A", orc=one), request(b"OBR|2|D||B", orc=other))
    assert [line.split(b"|")[4] for line in made.lines] == [b"A", b"B"]
    assert [status_of(line) for line in made.lines] == expected


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"orc": b"ORC|NW|D1||1"}, {"orc": b"ORC|NW|D2||1"}),
        ({"orc": b"ORC|NW||F1|1"}, {"orc": b"ORC|NW||F2|1"}),
        ({"orc": b"ORC|NW|||1", "spm": b"SPM|1|S1"}, {"orc": b"ORC|NW|||1", "spm": b"SPM|2|S2"}),
        ({"orc": b'ORC|NW|||""'}, {"orc": b'ORC|NW|||""'}),
    ],
)
def test_what_differs_in_more_than_the_analysis(one: dict[str, bytes], other: dict[str, bytes]) -> None:
    """Another order, another sample: neither number may stand for both. A null group is none."""
    made = write(request(b"OBR|1|||A", **one), request(b"OBR|2|||B", **other))
    assert [line.split(b"|")[4] for line in made.lines] == [b"A", b"B"]


@pytest.mark.parametrize("control", [b"CA", b"OC", b"CR", b"DC", b"OD", b"DR"])
def test_every_word_for_cancelled(control: bytes) -> None:
    """Of orders and results alike."""
    for orders in (True, False):
        made = write(request(b"OBR|1|D||A", orc=b"ORC|" + control + b"|D"), orders=orders)
        assert [status_of(line) for line in made.lines] == [b"X"]
        assert made.findings == []


@pytest.mark.parametrize(
    ("control", "status", "expected", "findings"),
    [
        (b"NW", b"", b"", []), (b"RE", b"F", b"F", []), (b"XO", b"", b"C", []), (b"XO", b"C", b"C", []),
        (b"XO", b"P", b"P", ["not-converted ORC-1"]), (b"RO", b"", b"", ["not-converted ORC-1"]),
        (b'""', b"", b"", []),
    ],
)  # fmt: skip
def test_what_orc_1_says_besides(control: bytes, status: bytes, expected: bytes, findings: list[str]) -> None:
    """A change has a status in HPRIM; of the rest people are told."""
    asked = request(b"OBR|1|D||A" + b"|" * 21 + status, orc=b"ORC|" + control + b"|D")
    made = write(asked, orders=True)
    assert [status_of(line) for line in made.lines] == [expected]
    assert made.findings == findings


def test_an_order_that_is_none() -> None:
    """On hold, or replaced: HPRIM would have it done. A result of it is told all the same."""
    held = request(b"OBR|1|D||A", orc=b"ORC|HD|D")
    with pytest.raises(StepFailed, match="E-CONVERT ORC-1"):
        write(held, orders=True)
    assert write(held).findings == ["not-converted ORC-1"]


def test_an_order_without_orc_behind_a_cancelled_one() -> None:
    """Whether it is cancelled too nobody knows; behind one that is asked for it is asked for."""
    other = request(b"OBR|2|D||B")
    with pytest.raises(StepFailed, match="E-CONVERT ORC"):
        write(request(b"OBR|1|D||A", orc=b"ORC|CA|D"), other, orders=True)
    assert len(write(request(b"OBR|1|D||A", orc=b"ORC|NW|D"), other, orders=True).lines) == 2


def test_numbers_and_specimen() -> None:
    """From SPM and ORC where OBR has none."""
    made = write(request(b"OBR|1||F|X", orc=b"ORC|NW|D", spm=b"SPM|1|S&n^E||SG"))
    assert made.lines == [b"OBR|1|S^D|E^F|X|||||||||||SG"]
    made = write(request(b"OBR|1||F|X", spm=b"SPM|1|^E||NAV^Not available^HL70353"))
    assert made.lines == [b"OBR|1||E^F|X"]
    made = write(request(b"OBR|1||F|X", spm=b"SPM|1|^E||NASK^Not asked^HL70353"))  # a sender's own: it isn't dropped
    assert made.lines == [b"OBR|1||E^F|X|||||||||||NASK^Not asked^HL70353"]
    made = write(request(b'OBR|1|""|F|X', orc=b"ORC|NW|D"))  # a null is no number
    assert made.lines == [b"OBR|1|^D|^F|X"]


def test_notes_go_back_to_their_fields() -> None:
    """Comments stay comments."""
    result = Result(b"OBX|1|TX|X||a".split(b"|"), [of_field("OBX", 2, b"GC"), Note(b"L", b"vu")])
    asked = request(b"OBR|1|||X" + b"|" * 21 + b"P", results=(result,))
    asked.notes = [of_field("OBR", 25, b"M")]
    assert write(asked).lines == [b"OBR|1|||X" + b"|" * 21 + b"M", b"OBX|1|GC|X||a", b"C|1|L|vu"]


def test_an_order_number_that_was_changed_stays_changed() -> None:
    """A note holds the one under which the file came."""
    for note, number, findings in ((b"S^D", b"S^D", []), (b"S^E", b"^D", ["not-converted OBR-2"])):
        asked = request(b"OBR|1|D||X")
        asked.notes = [of_field("OBR", 2, note)]
        made = write(asked)
        assert (made.lines, made.findings) == ([b"OBR|1|" + number + b"||X"], findings)


@pytest.mark.parametrize(("value", "findings"), [(b'""', []), (b"", []), (b"^a^pdf^Base64", ["not-decoded OBX-5"])])
def test_a_document_that_is_none_is_no_file(value: bytes, findings: list[str]) -> None:
    """It is deleted, or not there yet: an empty file would stand for it."""
    made = write(request(b"OBR|1|||X", results=(Result([b"OBX", b"1", b"ED", b"X", b"", value]),)))
    assert made.lines[1] == b"OBX|1|ST" + (b"|X||" + value if value else b"|X")
    assert (made.attachments, made.findings) == ([], findings)


def test_several_documents() -> None:
    """None is left out: each is a file, and a result of its own."""
    several = Result(b"OBX|1|ED|X||^application^pdf^Base64^QUJD~^text^plain^A^x".split(b"|"), [Note(b"L", b"n")])
    made = write(request(b"OBR|1|||X", results=(several,)))
    assert made.lines[1:] == [b"OBX|1|FIC|X||^F_1.PDF^PDF", b"C|1|L|n", b"OBX|2|FIC|X||^F_2.TXT^TXT"]
    assert made.attachments == [("F_1.PDF", b"ABC"), ("F_2.TXT", b"x")]


def test_a_document_that_came_as_a_file_gets_its_name_back() -> None:
    """Unless it can't be decoded: then it stays where it is."""
    given = of_field("OBX", 5, b"res^CR.PDF^PDF")
    good = Result(b"OBX|1|ED|X||^application^pdf^Base64^QUJD".split(b"|"), [given])
    made = write(request(b"OBR|1|||X", results=(good,)))
    assert made.lines[1] == b"OBX|1|FIC|X||res^CR.PDF^PDF"
    assert made.attachments == [("res/CR.PDF", b"ABC")]
    bad = Result(b"OBX|1|ED|X||^application^pdf^Base64^?".split(b"|"), [given])
    made = write(request(b"OBR|1|||X", results=(bad,)))
    assert made.lines[1] == b"OBX|1|ST|X||^application^pdf^Base64^?"
    assert made.findings == ["not-decoded OBX-5"]
