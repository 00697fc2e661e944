"""What belongs to what."""

from __future__ import annotations

import pytest

from engine.conversion.tree import gather_hl7, gather_hprim
from engine.errors import StepFailed
from engine.parsers import open_message


def test_hprim() -> None:
    """C belongs to what it follows; AP has no place, L was compared already."""
    raw = (
        b"H|~^\\&|F||||ORU\r\nC|1|L|head\r\nP|1\r\nC|1|P|p\r\nOBR|1\r\nC|1|L|r\r\nOBX|1|TX\r\nC|1|L|x|y\r\nOBX|2\r\nAP|1\r\nLEA\r\n"
        b"P|2\r\nOBX|1\r\nL|1\r\n"
    )
    tree = gather_hprim(open_message(raw))
    assert tree.header[6] == b"ORU"
    assert [note.text for note in tree.notes] == [b"head"]
    one, other = tree.subjects
    assert [note.text for note in one.notes] == [b"p"]
    (request,) = one.requests
    assert [note.text for note in request.notes] == [b"r"]
    assert [len(result.notes) for result in request.results] == [1, 1]
    assert len(other.requests[0].results) == 1
    assert tree.findings == ["not-converted C-4", "not-converted AP", "result-without-request"]


def test_hl7() -> None:
    """ORC belongs to the OBR behind it, SPM to the one before; a second PV1 has no place."""
    raw = (
        b"MSH|^~\\&|A|B\rPID|1\rPV1|1\rPV1|2\rORC|RE\rOBR|1\rOBX|1\rNTE|1||x\rSPM|1\rPID|2\rPD1|1\rOBX|1\rZZZ|1\r"
        b"cut text\rORC|NW\rNTE|1||y\r"
    )
    tree = gather_hl7(open_message(raw))
    assert tree.header[3:5] == [b"A", b"B"]
    one, other = tree.subjects
    assert set(one.more) == {b"PV1"}
    assert set(one.requests[0].more) == {b"ORC", b"SPM"}
    assert set(other.more) == {b"PD1"}
    assert other.requests[0].results[0].notes[0].text == b"cut text"
    assert tree.findings == [
        "not-converted PV1",
        "result-without-request",
        "not-converted ZZZ",
        "not-converted ORC",
        "not-converted NTE",
    ]


@pytest.mark.parametrize(
    ("version", "segment"), [(b"2.3", "P"), (b"2.3.1", "P"), (b"2.4", ""), (b"2.5", ""), (b"", "")]
)
def test_a_note_without_code(version: bytes, segment: str) -> None:
    """Since 2.4 it is a comment, whatever it looks like."""
    raw = b"MSH|^~\\&|A|B|||||||P|" + version + b"\rPID|1\rNTE|1||P-16 (taille) : 170\r"
    (note,) = gather_hl7(open_message(raw)).subjects[0].notes
    assert note.segment == segment


def orders_of(lines: bytes) -> list[tuple[list[bytes], list[bytes], int]]:
    """Number and specimen, comments, results of each order."""
    (subject,) = gather_hl7(open_message(b"MSH|^~\\&|A|B\rPID|1\r" + lines)).subjects
    return [
        (
            [one.obr[2], one.more.get(b"SPM", [b"", b"", b""])[2]],
            [note.text for note in one.notes], len(one.results),
        )
        for one in subject.requests
    ]  # fmt: skip


def test_specimens_before_their_orders() -> None:
    """OML^O33, OUL^R22: each is that of the orders behind it, never of the one before."""
    assert orders_of(b"SPM|1|S1\rORC|NW\rOBR|1|D1\rOBR|2|D2\rSPM|2|S2\rORC|NW\rOBR|1|D3\r") == [
        ([b"D1", b"S1"], [], 0), ([b"D2", b"S1"], [], 0), ([b"D3", b"S2"], [], 0),
    ]  # fmt: skip


def test_specimens_of_an_order() -> None:
    """ORU^R01, OML^O21: behind it; before its OBR it is not the former order's."""
    assert orders_of(b"OBR|1|D1\rSPM|1|S1\rORC|NW\rSPM|1|S2\rOBR|2|D2\r") == [
        ([b"D1", b"S1"], [], 0), ([b"D2", b"S2"], [], 0),
    ]  # fmt: skip


def test_a_comment_behind_orc_is_the_next_order_s() -> None:
    """HL7 2.6 has one there: it says nothing of the former result."""
    lines = b"ORC|NW\rNTE|1||a\rOBR|1|D1\rNTE|1||b\rOBX|1\rORC|NW\rNTE|1||c\rOBR|2|D2\r"
    assert orders_of(lines) == [([b"D1", b""], [b"a", b"b"], 1), ([b"D2", b""], [b"c"], 0)]


def test_a_result_behind_orc_is_not_the_former_order_s() -> None:
    """Its OBR is missing, and told."""
    raw = b"MSH|^~\\&|A|B\rPID|1\rORC|RE|D1\rOBR|1\rORC|RE|D2\rOBX|1\r"
    tree = gather_hl7(open_message(raw))
    one, other = tree.subjects[0].requests
    assert (one.results, len(other.results), other.more[b"ORC"][2]) == ([], 1, b"D2")
    assert tree.findings == ["result-without-request"]


def test_an_orc_without_obr_is_nobody_else_s() -> None:
    """Neither the next order's nor the next patient's; it is told."""
    raw = b"MSH|^~\\&|A|B\rPID|1\rORC|CA|D1\rORC|NW|D2\rOBR|1\rORC|CA|D3\rPID|2\rOBR|1\r"
    tree = gather_hl7(open_message(raw))
    one, other = tree.subjects
    assert one.requests[0].more[b"ORC"][1:] == [b"NW", b"D2"]
    assert other.requests[0].more == {}
    assert tree.findings == ["not-converted ORC", "not-converted ORC"]


@pytest.mark.parametrize(
    "damaged",
    [
        b"p|2|43|||MARTIN~B",
        b"P",
        b"\xef\xbb\xbfP|2|43|||MARTIN~B",
        b"PID|2|43",
        b"H|~^\\&|F2",
        b"h|~^\\&|F2",
        b"obr|2|D2||K",
        b"\xa0OBR|2|D2||K",
    ],
)
def test_results_after_a_damaged_patient_are_nobodys(damaged: bytes) -> None:
    """They must not go under the patient before: the conversion stops."""
    head = b"H|~^\\&|F.HPR||LAB||ORU|||CHA||P|H2.2~C|20260301\rP|1|42|||DUPONT~A\rOBR|1|D1||K\rOBX|1|NM|K||4.1\r"
    message = open_message(head + damaged + b"\rOBR|1|D2||K\rOBX|1|NM|K||9.9\rL|1\r", "hprim-sante")
    with pytest.raises(StepFailed, match="E-CONVERT"):
        gather_hprim(message)


@pytest.mark.parametrize(
    "damaged",
    [
        "pid|2||78||MARTIN^B", "Pid|2||78", "PID", " pid", "\ufeffPID|2||78", "\xa0PID|2||78", "MSH|^~\\&|A|B",
        "msh|^~\\&|A|B", "obr|2||F2|NA", "\ufeffOBR|2||F2|NA", "Orc|RE|P2",
    ],
)  # fmt: skip
def test_results_after_a_damaged_pid_are_nobodys(damaged: str) -> None:
    """Nor do they go under the patient, or the order, before."""
    head = "MSH|^~\\&|A|B\rPID|1||77||DUPONT^A\rOBR|1||F1|HB\rOBX|1|NM|HB||13\r"
    message = open_message((head + damaged + "\rOBX|1|NM|NA||140\r").encode(), as_utf8=True)
    with pytest.raises(StepFailed, match="E-CONVERT") as caught:
        gather_hl7(message)
    assert "140" not in caught.value.reason


@pytest.mark.parametrize("early", [b"OBR|1|D1||K\r", b"OBX|1|NM|K||9.9\r", b"C|1|L|head\rOBR|1\rOBX|1|NM|K||9.9\r"])
def test_results_before_the_first_patient_are_nobodys(early: bytes) -> None:
    """They were left out with a finding, and the message counted as delivered: the conversion stops."""
    hprim = open_message(b"H|~^\\&|F.HPR||LAB||ORU\r" + early + b"P|1|42\rOBR|1\rOBX|1|NM|K||4.1\rL|1\r", "hprim-sante")
    with pytest.raises(StepFailed, match="E-CONVERT") as caught:
        gather_hprim(hprim)
    assert caught.value.reason == "results stand before the first P: whose they are can't be known"
    hl7 = open_message(b"MSH|^~\\&|A|B\r" + early + b"PID|1||77\rOBR|1\rOBX|1|NM|K||4.1\r")
    with pytest.raises(StepFailed, match="E-CONVERT") as caught:
        gather_hl7(hl7)
    assert "first PID" in caught.value.reason


def test_without_patient_nothing_is_refused_here() -> None:
    """Who converts says that the message speaks of nobody."""
    message = open_message(b"H|~^\\&|F.HPR||LAB||ORU\rOBR|1\r", "hprim-sante")
    assert gather_hprim(message).findings == ["not-converted OBR"]


def test_text_that_was_cut_is_text() -> None:
    """A word of a report is no segment, also where segments are called so."""
    raw = b"MSH|^~\\&|A|B\rPID|1\rOBR|1\rOBX|1|TX|A||prothese:\rorc\rPIDX|1\rpid, IVG\r"
    (subject,) = gather_hl7(open_message(raw)).subjects
    assert [note.text for note in subject.requests[0].results[0].notes] == [b"orc", b"PIDX\\F\\1", b"pid, IVG"]
