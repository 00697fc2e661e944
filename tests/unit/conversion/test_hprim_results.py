"""OBR, OBX and NTE to HPRIM; types stand in test_hl7_to_hprim."""

from __future__ import annotations

from engine.conversion.hprim_results import Results
from engine.conversion.notes import Note, of_field
from engine.conversion.tree import Request, Result


def write(*requests: Request) -> Results:
    results = Results("F")
    results.add(list(requests))
    return results


def request(obr: bytes, *, orc: bytes = b"", spm: bytes = b"", results: tuple[Result, ...] = ()) -> Request:
    more = {line[:3]: line.split(b"|") for line in (orc, spm) if line}
    return Request(obr.split(b"|"), results=list(results), more=more)


def test_what_was_asked_for_together_is_one_request() -> None:
    """Same ORC-4, and no other difference than the analysis."""
    orc = b"ORC|RE|D||1"
    made = write(request(b"OBR|1|D||A", orc=orc), request(b"OBR|2|D||B", orc=orc), request(b"OBR|3|D||C|S", orc=orc))
    assert made.lines == [b"OBR|1|^D||A~B", b"OBR|2|^D||C|S"]


def test_numbers_and_specimen() -> None:
    """From SPM and ORC where OBR has none."""
    made = write(request(b"OBR|1||F|X", orc=b"ORC|NW|D", spm=b"SPM|1|S&n^E||SG"))
    assert made.lines == [b"OBR|1|S^D|E^F|X|||||||||||SG"]


def test_notes_go_back_to_their_fields() -> None:
    """Comments stay comments."""
    result = Result(b"OBX|1|TX|X||a".split(b"|"), [of_field("OBX", 2, b"GC"), Note(b"L", b"vu")])
    asked = request(b"OBR|1|||X" + b"|" * 21 + b"P", results=(result,))
    asked.notes = [of_field("OBR", 25, b"M")]
    assert write(asked).lines == [b"OBR|1|||X" + b"|" * 21 + b"M", b"OBX|1|GC|X||a", b"C|1|L|vu"]


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
