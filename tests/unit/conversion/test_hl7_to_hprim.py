"""HL7 to HPRIM Santé."""

from __future__ import annotations

import pytest

from engine.conversion import HprimFile, hl7_to_hprim
from engine.errors import StepFailed
from engine.parsers import open_message

MSH = "MSH|^~\\&|LIS|LABO^133002782^N|DPI|CHA|20260102||{type}|{id}|P|2.5\r"
PID = "PID|1||77^^^CHA&1.2.3&ISO^PI~L9^^^LABO&133002782&N^PI||DURAND^Zoé^^^^^L\r"


def convert(lines: str, *, type_: str = "ORU^R01", id_: str = "A1", **options: str) -> HprimFile:
    return hl7_to_hprim(open_message((MSH.format(type=type_, id=id_) + lines).encode()), **options)


def lines_of(file: HprimFile) -> list[str]:
    return file.data.decode().split("\r\n")


def test_results() -> None:
    """H, P with both numbers, OBR, OBX, C and L with its counts."""
    file = convert(
        PID
        + "NTE|1|P|à jeun\rORC|RE|D1|F1\rOBR|1|||NFS^Numération^L\rOBX|1|NM|HB^Hémoglobine^L||13.2|g/dL|12 - 16|N|||F\r"
        "NTE|1|L|ligne 1\\.br\\ligne 2\r"
    )
    assert lines_of(file) == [
        "H|~^\\&|A1.HPR||133002782~LABO||ORU|||~CHA||P|H2.5~C|20260102".replace("~CHA", "CHA~DPI"),
        "P|1|77|L9||DURAND~Zoé|DURAND~Zoé",
        "C|1|P|à jeun",
        "OBR|1|~D1|~F1|NFS~Numération~L",
        "OBX|1|NM|HB~Hémoglobine~L||13.2|g/dL|12 - 16|N|||F",
        "C|1|L|ligne 1^ligne 2",
        "L|1||1|7",
        "",
    ]
    assert (file.name, file.type, file.findings) == ("A1.HPR", "ORU", [])


def test_a_number_that_was_changed_stays_changed() -> None:
    """A note holds the number under which the file came: it must not undo localise_identity."""
    note = "NTE|1||P-2 (identifiant du demandeur) : 12\\R\\13\\R\\FU|P-2^identifiant du demandeur^HPRIM\r"
    file = convert(PID + note)
    assert lines_of(file)[1].startswith("P|1|77|")
    assert file.findings == ["not-converted P-2"]


def test_orders() -> None:
    """The performer is who receives them: the sender's number is the requester's."""
    file = convert(PID + "ORC|CA|D1\rOBR|1|D1||GLU\r", type_="OML^O21")
    assert lines_of(file)[1:3] == ["P|1|77|||DURAND~Zoé|DURAND~Zoé", "OBR|1|~D1||GLU" + "|" * 21 + "X"]
    assert file.findings == ["not-converted PID-3"]


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("SN", "<^3.0", "ST|X||<3.0"), ("FT", "a\\.br\\b", "TX|X||a^b"), ("CWE", "a^b", "CE|X||a~b"),
        ("XCN", "1^N", "CNA|X||1~N"), ("TM", "0800", "ST|X||0800"), ("TX", "a\\E\\.br\\E\\b", "TX|X||a\\E\\.br\\E\\b"),
        ("ED", "^x^y^Base64^!!", "ST|X||~x~y~Base64~!!"), ("", "", "|X"), ("", "v", "ST|X||v"),
        ("MO", "1^EUR", "ST|X||1~EUR"),
    ],
)  # fmt: skip
def test_types_of_values(kind: str, value: str, expected: str) -> None:
    """What HPRIM doesn't have becomes what holds the same."""
    file = convert(f"{PID}OBR|1||F1|X\rOBX|1|{kind}|X||{value}\r")
    assert lines_of(file)[3] == f"OBX|1|{expected}"


def test_documents_become_files() -> None:
    """Named after the file, decoded, in order."""
    file = convert(
        f"{PID}OBR|1||F1|CR\rOBX|1|ED|CR||^application^pdf^Base64^JVBERg==\rOBX|2|ED|CR||^TEXT^XML^A^<a/>\r"
        "OBX|3|ED|CR||^TEXT^plain^Hex^4142\r"
    )
    assert [(one.path, one.data) for one in file.attachments] == [
        ("A1_1.PDF", b"%PDF"), ("A1_2.XML", b"<a/>"), ("A1_3.TXT", b"AB"),
    ]  # fmt: skip
    assert lines_of(file)[3] == "OBX|1|FIC|CR||~A1_1.PDF~PDF"


def test_what_has_no_place_is_told() -> None:
    """Field by field, segment by segment; nothing goes in silence."""
    file = convert(
        "PID|1||77^^^^PI~8^^^X^MR||D^Z^^^^^S||||||||||||||||9\rPV1|1|R|U^^^F\rDG1|1\rOBR|1||F1|X" + "|" * 35 + "y\r"
        "OBX|1|ST|X||1" + "|" * 12 + "m\rTQ1|1\r"
    )
    assert sorted(file.findings) == [
        "not-converted DG1", "not-converted OBR-39", "not-converted OBX-17", "not-converted PID-21",
        "not-converted PID-3", "not-converted PID-5", "not-converted PV1-2",
        "not-converted PV1-3.4", "not-converted TQ1",
    ]  # fmt: skip


def test_the_ins_goes_with_a_qualified_identity_only() -> None:
    """RNIV: anything else integrates the message without it."""
    ins = "PID|1||77^^^^PI~260058815400233^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.8&ISO^INS" + "|" * 29
    assert "INS-NIR" in lines_of(convert(ins + "VALI\r"))[1]
    file = convert(ins + "PROV\r")
    assert "INS-NIR" not in lines_of(file)[1]
    assert file.findings == ["not-converted PID-3 INS"]


def test_older_versions_have_fewer_fields() -> None:
    """What they don't have is told."""
    file = convert("PID|1||77^^^^PI||D^Z^^^^^L" + "|" * 27 + "PROV\r", version="2.2", link="L")
    assert "|H2.2~L|" in lines_of(file)[0]
    assert lines_of(file)[1] == "P|1|77|||D~Z|D"
    assert file.findings == ["not-converted P-38"]


@pytest.mark.parametrize(("id_", "name"), [("LAB.HPR", "LAB.HPR"), ("12-3", "12-3.HPR"), ("a b/c", "a_b_c.HPR")])
def test_the_file_s_name(id_: str, name: str) -> None:
    """MSH-10 where it is one."""
    assert convert(PID, id_=id_).name == name


def test_long_segments_are_cut() -> None:
    """At 220 characters, and read back whole."""
    file = convert(f"{PID}OBR|1||F1|X\rOBX|1|TX|X||{'mot ' * 200}fin\r")
    assert max(map(len, lines_of(file))) <= 220
    assert open_message(file.data).segments("OBX")[0].field(5).endswith(b"mot fin")


@pytest.mark.parametrize(
    ("lines", "type_", "sentence"),
    [
        (PID, "ADT^A01", "only results"), ("", "ORU^R01", "no PID segment"),
        (PID + "ORC|CA|D1\rORC|NW|D2\rOBR|1|D2||GLU\r", "ORM^O01", "an order has no OBR"),
        (PID + "ORC|HD|D1\rOBR|1|D1||GLU\r", "ORM^O01", "neither asks for the analysis nor cancels it"),
    ],
)  # fmt: skip
def test_what_can_t_be_made(lines: str, type_: str, sentence: str) -> None:
    """With its place."""
    with pytest.raises(StepFailed, match=sentence):
        convert(lines, type_=type_)
