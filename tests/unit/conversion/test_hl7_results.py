"""OBR, OBX and C to HL7; whole files stand in test_hprim_to_hl7."""

from __future__ import annotations

import pytest

from engine.conversion.forms import Form
from engine.conversion.hl7_results import Results
from engine.conversion.notes import Note, read
from engine.conversion.tree import Request, Result
from engine.errors import StepFailed

ORU = Form("ORU", "R01", "2.5")


def write(request: Request, form: Form = ORU, **options: str) -> Results:
    results = Results(form, {}, options.get("on_missing", "dead_letter"))
    results.add(request)
    return results


def request(obr: bytes, *results: bytes) -> Request:
    return Request(obr.split(b"|"), results=[Result(line.split(b"|")) for line in results])


@pytest.mark.parametrize(
    ("kind", "value", "written"),
    [
        (b"NM", b"5.4", b"NM|X||5.4"), (b"NM", b"5,4", b"NM|X||5.4"), (b"NM", b"< 5", b"ST|X||< 5"),
        (b"NM", b"", b"NM|X"), (b"NM", b'""', b'NM|X||""'), (b"CNA", b"1^N", b"XCN|X||1^N"), (b"GB", b"x", b"TX|X||x"),
        (b"FIC", b"", b"|X"), (b"FIC", b'""', b'ST|X||""'), (b"", b"x", b"ST|X||x"), (b"", b"", b"|X"),
    ],
)  # fmt: skip
def test_types(kind: bytes, value: bytes, written: bytes) -> None:
    """A number has digits and a point; what isn't one is text, unchanged."""
    made = write(request(b"OBR|1|||X", b"OBX|1|" + kind + b"|X||" + value))
    assert made.lines[1] == b"OBX|1|" + written


def test_results_follow_their_analysis() -> None:
    """By code; a code of no analysis follows the result before it. ORC-4 joins them, comments stand once."""
    asked = request(b"OBR|1|^D||A~B", b"OBX|1|ST|B||b", b"OBX|2|ST|Z||z", b"OBX|3|ST|A||a")
    asked.notes.append(Note(b"L", b"n"))
    assert write(asked).lines == [
        b"ORC|RE|D||1", b"OBR|1|D||A", b"NTE|1|L|n", b"OBX|1|ST|A||a",
        b"ORC|RE|D||1", b"OBR|2|D||B", b"OBX|1|ST|B||b", b"OBX|2|ST|Z||z",
    ]  # fmt: skip


def test_numbers_of_samples() -> None:
    """The request's comes first in HL7; where there is only the sample's it stands for it."""
    unknown = b"||NAV^Not available^HL70353"
    assert write(request(b"OBR|1|S^D|E^F|X")).lines == [b"OBR|1|D|F|X", b"SPM|1|S^E" + unknown]
    assert write(request(b"OBR|1||E|X")).lines == [b"OBR|1||E|X", b"SPM|1|^E" + unknown]


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (b"SG^Sang", b"SG"), (b"", b"NAV^Not available^HL70353"), (b'""', b"NAV^Not available^HL70353"),
        (b"^Sang", b"NAV^Not available^HL70353"),
    ],
)  # fmt: skip
def test_a_specimen_has_a_kind(said: bytes, kind: bytes) -> None:
    """HL7 requires SPM-4; what HPRIM says of it stays in OBR-15 as it is."""
    obr, spm = write(request(b"OBR|1||E|X" + b"|" * 11 + said)).lines
    assert spm == b"SPM|1|^E||" + kind
    assert obr == (b"OBR|1||E|X" + b"|" * 11 + said).rstrip(b"|")


def test_a_null_is_no_number() -> None:
    """Neither of a request nor of a sample, for all that have none would have the same: notes keep it."""
    made = write(request(b'OBR|1|S^""|""^F|X'))
    kept = [line.split(b"|")[4].partition(b"^")[0] for line in made.lines if line.startswith(b"NTE")]
    assert kept == [b"OBR-2", b"OBR-3"]
    assert [line for line in made.lines if not line.startswith(b"NTE")] == [
        b"OBR|1|S|F|X",
        b"SPM|1|S||NAV^Not available^HL70353",
    ]
    assert write(request(b'OBR|1|""||X')).lines[0] == b"OBR|1|||X"


def test_several_numbers() -> None:
    """The first stands in OBR, all in a note, once: `D~S2` would be nobody's."""
    for form in (ORU, Form("ORM", "O01", "2.5")):
        lines = write(request(b"OBR|1|S^D~S2^D2||X"), form).lines
        assert b"OBR|1|D||X" in lines
        (kept,) = [read(line.split(b"|")) for line in lines if line.startswith(b"NTE")]
        assert (kept.number, kept.text) == (2, b"S^D~S2^D2")


def test_an_end_within_the_sampling_date() -> None:
    """HL7 has a field for it."""
    assert write(request(b"OBR|1|||X|||1~2")).lines == [b"OBR|1|||X|||1|2"]


def test_a_file_that_is_missing() -> None:
    """Stops, unless the route wants a pointer."""
    asked = request(b"OBR|1|||X", b"OBX|1|FIC|X||^a.pdf^PDF")
    with pytest.raises(StepFailed, match="E-ATTACHMENT OBX-5"):
        write(asked)
    made = write(asked, on_missing="pointer")
    assert made.lines[1] == b"OBX|1|RP|X||a.pdf^^application^pdf"
    assert made.findings == ["attachment-missing OBX-5"]


def test_several_files() -> None:
    """Each is a result of its own, with its name as a note."""
    results = Results(ORU, {"a.pdf": b"A", "b.pdf": b"B"}, "dead_letter")
    results.add(request(b"OBR|1|||X", b"OBX|1|FIC|X||^a.pdf^PDF~^b.pdf^PDF", b"OBX|2|ST|X||v"))
    observed = [line for line in results.lines if line.startswith(b"OBX")]
    assert observed == [
        b"OBX|1|ED|X||^application^pdf^Base64^QQ==", b"OBX|2|ED|X||^application^pdf^Base64^Qg==", b"OBX|3|ST|X||v",
    ]  # fmt: skip
    assert sum(b"OBX-5" in line for line in results.lines) == 2


@pytest.mark.parametrize(("status", "control"), [(b"", b"NW"), (b"X", b"CA"), (b"D", b"CA"), (b"C", b"XO")])
def test_control_of_orders(status: bytes, control: bytes) -> None:
    """From the status of the request."""
    made = write(request(b"OBR|1|^D||X" + b"|" * 21 + status), Form("ORM", "O01", "2.5"))
    assert made.lines[0] == b"ORC|" + control + b"|D"


def test_fields_beyond_the_norm_are_notes() -> None:
    """And odd dates are told."""
    made = write(request(b"OBR|1|||X||hier" + b"|" * 31 + b"z", b"OBX|1|ST|X||v" + b"|" * 12 + b"m"))
    assert b"OBR-37 : z" in made.lines[1]
    assert b"OBX-17 : m" in made.lines[3]
    assert made.findings == ["odd-date OBR-6"]
