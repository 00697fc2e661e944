"""`passerelle convert FILE --to …`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "conversion"
HL7 = (
    "MSH|^~\\&|LIS|LABO|||20260102||ORU^R01|A1|P|2.5\rPID|1||77^^^^PI||DURAND^Zoé^^^^^L\rOBR|1||F1|CR\r"
    "OBX|1|ED|CR||^application^pdf^Base64^JVBERg==\r"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with an HPRIM file, the document that it names, and an HL7 message."""
    (tmp_path / "res").mkdir()
    (tmp_path / "res" / "cr1.pdf").write_bytes(b"%PDF-1.4")
    (tmp_path / "results.hpr").write_bytes((FIXTURES / "results.hpr").read_bytes())
    (tmp_path / "a1.hl7").write_bytes(HL7.encode())
    return tmp_path


def test_to_hl7(passerelle, folder) -> None:
    """The very bytes to a file or a pipe; documents are read from the file's folder; what found no place is counted."""
    done = passerelle("convert", str(folder / "results.hpr"), "--to", "hl7", "--output", str(folder / "out.hl7"))
    assert done.exit_code == 0
    written = (folder / "out.hl7").read_bytes()
    assert written.count(b"\rMSH|") + written.startswith(b"MSH|") == 2
    assert b"|ED|CR^Compte rendu^L||^application^pdf^Base64^JVBERi0xLjQ=" in written
    assert "passerelle: not-converted AP: The field or segment" in done.stderr
    assert passerelle("convert", str(folder / "results.hpr"), "--to", "hl7").stdout_bytes == written


def test_what_was_converted_is_valid(passerelle) -> None:
    """A sample with a number and no kind, a laboratory named by its FINESS (HD-3 N): nothing is missing."""
    made = passerelle("convert", str(FIXTURES / "merge.hpr"), "--to", "hl7").stdout_bytes
    assert b"SPM|" in made
    done = passerelle("msg", "validate", "-", input=made.replace(b"^^^^PI", b"^^^LABO&000000026&N^PI"))
    assert (done.exit_code, "table 0301" in done.output) == (0, False), done.output


def test_from_stdin_a_document_is_pointed_at(passerelle, folder) -> None:
    """There is no folder to look in."""
    done = passerelle("convert", "-", "--to", "hl7", input=(folder / "results.hpr").read_bytes())
    assert b"|RP|CR^Compte rendu^L||res/CR1.PDF^^application^pdf" in done.stdout_bytes
    assert "attachment-missing OBX-5" in done.stderr


def test_to_hprim(passerelle, folder) -> None:
    """In CP1252, documents beside it, never over another file."""
    (folder / "out").mkdir()
    (folder / "out" / "A1_1.PDF").write_bytes(b"another")
    for _ in range(2):
        done = passerelle(
            "convert", str(folder / "a1.hl7"), "--to", "hprim", "--output", str(folder / "out" / "A1.HPR")
        )
        assert done.exit_code == 0
    assert "DURAND~Zoé".encode("cp1252") in (folder / "out" / "A1.HPR").read_bytes()
    assert sorted(path.name for path in (folder / "out").iterdir()) == [
        "A1.HPR",
        "A1_1-1.PDF",
        "A1_1-2.PDF",
        "A1_1.PDF",
    ]


def test_to_json(passerelle, folder) -> None:
    """One object a message, whatever the format."""
    for name, format_ in (("results.hpr", "hprim-sante"), ("a1.hl7", "hl7v2")):
        (line,) = passerelle("convert", str(folder / name), "--to", "json").stdout.splitlines()
        assert json.loads(line)["format"] == format_


@pytest.mark.parametrize(
    ("name", "arguments", "code", "sentence"),
    [
        ("a1.hl7", ["--to", "hl7"], 1, "is HL7 already"),
        ("results.hpr", ["--to", "hprim"], 1, "is HPRIM already"),
        ("a1.hl7", ["--to", "hprim"], 2, "1 documents go beside the HPRIM file: give --output PATH"),
        ("results.hpr", ["--to", "hl7", "--message", "ORU"], 2, "--message ORU isn't possible: ORU_R01"),
        ("results.hpr", ["--to", "hl7", "--version", "3"], 2, "--version 3 isn't possible"),
        ("results.hpr", ["--to", "hl7", "--message", "ADT"], 1, "the context ORU can't become ADT"),
        ("results.hpr", ["--to", "json", "--charset", "X"], 2, "'X' is no charset"),
        ("res/cr1.pdf", ["--to", "json"], 1, "can't be read"),
        ("none", ["--to", "json"], 2, "can't be read: No such file"),
    ],
)
def test_refusals(passerelle, folder, name, arguments, code, sentence) -> None:
    """What is wrong, and what to give."""
    done = passerelle("convert", str(folder / name), *arguments)
    assert (done.exit_code, sentence in done.stderr) == (code, True), done.stderr
