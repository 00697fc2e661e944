"""HPRIM Santé to HL7, as the expected messages say."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.conversion import parts_of, to_hl7
from engine.errors import StepFailed
from engine.parsers import open_message

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "conversion"
FILES = sorted(path for path in FIXTURES.iterdir() if path.suffix in (".hpr", ".hpm"))
H = b"H|~^\\&|F.HPR||L1~LABO||%s|||CHA||P|H2.3~L|20260102\r\n"
P = b"P|1|77|||DURAND~Zo\xc3\xa9\r\n"


def convert(context: bytes, lines: bytes, **options: object) -> list[str]:
    made = to_hl7(open_message(H % context + lines), **options)  # type: ignore[arg-type]
    return [one.data.decode() for one in made.messages]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_files_become_the_expected_messages(path: Path) -> None:
    """Each field where the table of correspondences puts it, what has no place noted or told."""
    made = to_hl7(open_message(path.read_bytes()), attachments={"res/CR1.PDF": b"%PDF-1.4"})
    messages = [one.data.decode().replace("\r", "\n") for one in made.messages]
    assert "\n".join([*messages, *made.findings, ""]) == path.with_suffix(".expected").read_text(encoding="utf-8")


def test_a_fusion_comes_first() -> None:
    """A40, then the results: each knows its patient's rank."""
    made = to_hl7(open_message((FIXTURES / "merge.hpr").read_bytes()))
    assert [(one.type, one.control_id, one.subject) for one in made.messages] == [
        ("ADT^A40", "FUS-1.HPR", 1), ("ORU^R01", "FUS-2.HPR", 1),
    ]  # fmt: skip


def test_a_fusion_needs_its_flag() -> None:
    """A second number alone merges nobody."""
    made = to_hl7(open_message(H % b"ORU" + b"P|1|77~78||\r\n"))
    assert [one.type for one in made.messages] == ["ORU^R01"]
    assert made.findings == ["not-converted P-2.2"]


@pytest.mark.parametrize(
    ("status", "dates", "event"),
    [
        (b"IP", b"20260101", "A01"), (b"IP", b"", "A01"), (b"", b"20260101", "A01"), (b"OP", b"20260101", "A04"),
        (b"ER", b"", "A04"), (b"PA", b"20260201", "A05"), (b"IP", b"20260101^20260103", "A03"), (b"", b"", "A31"),
        (b"IP", b'20260101^""', "A01"), (b"", b'""', "A31"), (b"", b'""^20260103', "A03"), (b'""', b"", "A31"),
        (b"", b"00000000^00000000", "A31"), (b"OP", b'""^""^20260103', "A04"),
    ],
)  # fmt: skip
def test_events_of_admissions(status: bytes, dates: bytes, event: str) -> None:
    """HPRIM names none: status and dates tell."""
    (message,) = convert(b"ADM", b"P|1|77" + b"|" * 21 + dates + b"|" + status + b"\r\n")
    assert f"ADT^{event}" in message
    assert f"\rEVN|{event}|20260102" in message


@pytest.mark.parametrize(
    ("dates", "occurred"), [(b"20260101^20260103", "20260103"), (b'20260101^""', "20260101"), (b'""', ""), (b"00", "")]
)
def test_when_it_occurred(dates: bytes, occurred: str) -> None:
    """EVN-6 holds a date, or nothing; PV1 what the file says."""
    (message,) = convert(b"ADM", b"P|1|77" + b"|" * 21 + dates + b"\r\n")
    event = message.split("\r")[1].split("|")
    assert event[6:] == ([occurred] if occurred else [])


def test_a_null_fusion_merges_nobody() -> None:
    """Neither in the messages nor in the lanes: no A40 with a null in MRG-1."""
    for numbers in (b'77~""~FU', b'""~78~FU'):
        message = open_message(H % b"ADM" + b"P|1|" + numbers + b"\r\n")
        made = to_hl7(message)
        assert [one.type for one in made.messages] == ["ADT^A31"]
        assert made.findings == ["not-converted P-2.2"]
        assert len(parts_of(message)) == 1


def test_nulls_of_the_header_are_nothing() -> None:
    """Two files named by a null would be one message; its sender has no numbers."""
    raw = b'H|~^\\&|""||""~""||ORU|||""||""|H2.3~L|""\r\n' + P.replace(b"|77|", b"|77|L9")
    (message,) = to_hl7(open_message(raw)).messages
    header = message.data.decode().split("\r")[0].split("|")
    assert header[2:7] == [""] * 5
    assert header[9].startswith("HP")
    assert header[10] == "P"
    assert b"PID|1||77^^^^PI||" in message.data


def test_more_than_one_receiver() -> None:
    """MSH has room for the first: the others are told."""
    made = to_hl7(open_message((H % b"ORU").replace(b"|||CHA||", b"|||CHA~CH~x^CHB||").replace(b"|P|", b"|P^T|") + P))
    assert made.findings == ["not-converted H-9", "not-converted H-11"]


def test_a_wanted_event() -> None:
    """The route may say better."""
    (message,) = convert(b"ADM", P, wanted="ADT_A28")
    assert "ADT^A28^ADT_A05" in message


@pytest.mark.parametrize(
    ("context", "wanted", "sentence"),
    [
        (b"ADM", "ORU_R01", "the context ADM can't become ORU_R01; write message: ADT"),
        (b"FAC", "", "FAC has no form in HL7"),
        (b"", "", "what H-6 says"),
        (b"ORU", "MDM_T02", "can't become MDM_T02"),
    ],
)
def test_what_can_t_be_made(context: bytes, wanted: str, sentence: str) -> None:
    """With a sentence that says what can."""
    with pytest.raises(StepFailed, match=sentence) as failed:
        convert(context, P, wanted=wanted)
    assert failed.value.code == "E-CONVERT"
    assert failed.value.field == "H-6"


def test_a_context_that_isn_t_told() -> None:
    """The route says what the file is."""
    (message,) = convert(b"", P, wanted="ORU_R01")
    assert "ORU^R01" in message


def test_nobody() -> None:
    """Results without a patient go nowhere."""
    with pytest.raises(StepFailed, match="no P segment"):
        convert(b"ORU", b"OBX|1|ST|a||b\r\n")


def test_a_control_id_of_its_own() -> None:
    """A file that has no name gets its digest: the same file the same one."""
    raw = (H % b"ORU").replace(b"F.HPR", b"") + P
    ids = {to_hl7(open_message(raw)).messages[0].control_id for _ in range(2)}
    assert len(ids) == 1
    assert ids.pop().startswith("HP")


@pytest.mark.parametrize(
    ("version", "type_", "phone"),
    [("2.3", "ORU^R01|", "|01020304"), ("2.4", "ORU^R01^ORU_R01|", "|01020304"),
     ("2.5^FRA^2.11", "ORU^R01^ORU_R01|", "|^^^^^^^^^^^01020304")],
)  # fmt: skip
def test_versions(version: str, type_: str, phone: str) -> None:
    """Structure since 2.3.1, comment type since 2.4, XTN-12 and SPM since 2.5."""
    lines = b"P|1|77||||||||||01020304||||170\r\nOBR|1|S1~D1||GLU\r\n"
    (message,) = convert(b"ORU", lines, version=version)
    assert type_ in message
    assert phone in message
    assert ("|P-16^taille^HPRIM" in message) is (version != "2.3")
    assert ("\rSPM|1|S1" in message) is version.startswith("2.5")
    assert ("OBR-2 (numéro du demandeur) : S1\\R\\D1" in message) is not version.startswith("2.5")


def test_an_odd_date_of_the_file() -> None:
    """MSH-7 holds no nonsense; a note keeps it."""
    raw = (H % b"ORU").replace(b"20260102", b"hier") + P
    made = to_hl7(open_message(raw))
    assert made.findings == ["odd-date H-13"]
    assert b"H-13 (date) : hier" in made.messages[0].data


def test_a_line_that_belongs_to_nothing_is_a_comment() -> None:
    """A text cut by a line end isn't lost."""
    (message,) = convert(b"ORU", P + b"OBR|1|||GLU\r\nOBX|1|TX|N||d\xc3\xa9but\r\nsuite | fin\r\n")
    assert message.endswith("OBX|1|TX|N||début\rNTE|1||suite \\F\\ fin\r")
