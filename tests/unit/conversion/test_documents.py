"""Files and encapsulated data."""

from __future__ import annotations

import pytest

from engine.conversion.documents import (
    AttachmentMissing,
    attached_files,
    document,
    file_of,
    one_each,
    read_document,
)
from engine.conversion.notes import Note
from engine.conversion.tree import Result
from engine.parsers import open_message


@pytest.mark.parametrize(
    ("value", "path", "kind"),
    [
        (b"res^CR.PDF^PDF", "res/CR.PDF", "PDF"), (b"^CR.txt^TXT", "CR.txt", "TXT"), (b"CR.pdf", "CR.pdf", "PDF"),
        (b"CR^PDF", "CR", "PDF"), (b"CR^DURAND_ZOE", "CR/DURAND_ZOE", ""), (b"^a^DURAND ZOE", "a", ""),
        (b"2.60.01.01.075", "2.60.01.01.075", ""), (b"d^a.pdf^DURAND", "d/a.pdf", "PDF"),
        (b".\\E\\a\\E\\b^CR.x", "a/b/CR.x", "X"), (b"../..^etc^TXT", "../../etc", "TXT"),
    ],
)  # fmt: skip
def test_names(value: bytes, path: str, kind: str) -> None:
    """Folder, file and kind; the door decides where a name may lead."""
    assert file_of(value) == (path, kind)


def test_the_files_of_a_message() -> None:
    """Each once, whatever the delimiters."""
    raw = (
        b"H|~^\\&|F|||\r\nOBX|1|FIC|a||d~x.pdf~PDF\r\nOBX|2|FIC|a||d~x.pdf~PDF\r\nOBX|3|TX|a||y.pdf\r\nOBX|4|FIC|a\r\n"
    )
    assert [file.path for file in attached_files(open_message(raw))] == ["d/x.pdf"]
    raw = b'H|~^\\&|F|||\r\nOBX|1|FIC|a||d~x.pdf~PDF^""^y.txt\r\nOBX|2|FIC|a||""\r\n'
    assert [file.path for file in attached_files(open_message(raw))] == ["d/x.pdf", "y.txt"]


def test_one_document_a_result() -> None:
    """What is said of several stays with the first; other values keep their repetitions."""
    note = Note(b"L", b"n")
    several = Result([b"OBX", b"1", b"ED", b"CR", b"", b'^a~^""^b~""~~^c', b"u"], [note])
    other = Result([b"OBX", b"2", b"CE", b"X", b"", b"a~b"])
    made = one_each([several, other], b"ED")
    assert [(one.obx[5], one.obx[6:], one.notes) for one in made] == [
        (b"^a", [b"u"], [note]), (b'^""^b', [b"u"], []), (b"^c", [b"u"], []), (b"a~b", [], []),
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["x.PDF", "x.txt", "x.jpg"])
def test_a_document_comes_back(name: str) -> None:
    """Byte for byte, with its kind."""
    kind, value = document(f"^{name}^".encode(), {name: b"\x00\xff|^~"})
    assert kind == b"ED"
    assert read_document(value) == (b"\x00\xff|^~", name[-3:].upper())


def test_a_file_that_is_missing() -> None:
    """Stops, or is pointed at; its name stands in no sentence."""
    for value in (b"res^DURAND_ZOE_19600101", b"res^a^DURAND ZOE", b"DURAND", b"a.ZOE"):
        with pytest.raises(AttachmentMissing) as missing:
            document(value, {})
        assert missing.value.failure().reason == "the file that it names is not here"
    with pytest.raises(AttachmentMissing) as missing:
        document(b"^DURAND.PDF^PDF", {})
    assert missing.value.failure().reason == "the PDF file that it names is not here"
    assert "DURAND" not in str(missing.value.failure())
    assert missing.value.pointer() == (b"RP", b"DURAND.PDF^^application^pdf")


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (b"^AP^PDF^Base64^QUJD", (b"ABC", "PDF")), (b"^TEXT^XML^base64^QU\\X0D\\JD", (b"ABC", "XML")),
        (b"^text^plain^A^a\\F\\b", (b"a|b", "TXT")), (b"^^octet-stream^A^a", (b"a", "BIN")),
        (b"^x^../y/Durand^A^a", (b"a", "BIN")), (b"^^^A^a", (b"a", "TXT")), (b"^x^y^Hex^4", None),
        (b"^x^y^Base64^", None), (b'^x^y^A^""', None), (b"^x^y^Base64^QUJ", None), (b"^x^y^?^a", None),
    ],
)  # fmt: skip
def test_encodings(value: bytes, read: object) -> None:
    """What is damaged is no document."""
    assert read_document(value) == read
