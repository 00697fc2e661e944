"""Files and encapsulated data."""

from __future__ import annotations

import pytest

from engine.conversion.documents import AttachmentMissing, attached_files, document, file_of, read_document
from engine.parsers import open_message


@pytest.mark.parametrize(
    ("value", "path", "kind"),
    [
        (b"res^CR.PDF^PDF", "res/CR.PDF", "PDF"), (b"^CR.txt^TXT", "CR.txt", "TXT"), (b"CR.pdf", "CR.pdf", "PDF"),
        (b"CR^PDF", "CR", "PDF"), (b".\\E\\a\\E\\b^CR.x", "a/b/CR.x", "X"), (b"../..^etc^TXT", "../../etc", "TXT"),
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


@pytest.mark.parametrize("name", ["x.PDF", "x.txt", "x.jpg"])
def test_a_document_comes_back(name: str) -> None:
    """Byte for byte, with its kind."""
    kind, value = document(f"^{name}^".encode(), {name: b"\x00\xff|^~"})
    assert kind == b"ED"
    assert read_document(value) == (b"\x00\xff|^~", name[-3:].upper())


def test_a_file_that_is_missing() -> None:
    """Stops, or is pointed at; its name stands in no sentence."""
    with pytest.raises(AttachmentMissing) as missing:
        document(b"^DURAND.PDF^PDF", {})
    assert "DURAND" not in str(missing.value.failure())
    assert missing.value.pointer() == (b"RP", b"DURAND.PDF^^application^pdf")


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (b"^AP^PDF^Base64^QUJD", (b"ABC", "PDF")), (b"^TEXT^XML^base64^QU\\X0D\\JD", (b"ABC", "XML")),
        (b"^text^plain^A^a\\F\\b", (b"a|b", "TXT")), (b"^x^y^Hex^4", None),
        (b"^x^y^Base64^QUJ", None), (b"^x^y^?^a", None),
    ],
)  # fmt: skip
def test_encodings(value: bytes, read: object) -> None:
    """What is damaged is no document."""
    assert read_document(value) == read
