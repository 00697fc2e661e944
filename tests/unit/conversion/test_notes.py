"""Notes that can be read back."""

from __future__ import annotations

from engine.conversion import notes
from engine.conversion.forms import Form
from engine.conversion.notes import Note

V23, V25 = Form("ORU", "R01", "2.3"), Form("ORU", "R01", "2.5")


def test_a_field() -> None:
    """People read what it was; the code says for certain."""
    note = notes.of_field("P", 25, b"12^102\\F\\~x")
    line = notes.write(note, 2, V25)
    assert line.decode() == "NTE|2||P-25 (localisation) : 12\\R\\102\\E\\F\\E\\^x|P-25^localisation^HPRIM".replace(
        "^x|", "\\S\\x|"
    )
    assert notes.read(line.split(b"|")) == note
    assert notes.read(notes.write(note, 2, V23).split(b"|")) == note


def test_a_comment() -> None:
    """Stays one, even if it looks like a note of ours."""
    line = notes.write(Note(b"L", b"seuil^x"), 1, V25)
    assert line == b"NTE|1|L|seuil^x"
    assert notes.read(line.split(b"|")) == Note(b"L", b"seuil^x")
    other = [b"NTE", b"1", b"L", b"P-25 (localisation) : x", b"RE^Remark^HL70364"]
    assert not notes.read(other).segment


def test_what_only_looks_like_a_note_of_ours() -> None:
    """A comment must not become a patient number, a value, or a death."""
    looks = [b"NTE", b"1", b"", b"P-2 : 999"]
    assert notes.read(looks, coded=True) == Note(b"", b"P-2 : 999")
    assert notes.read(looks).segment == "P"
    assert notes.read([*looks[:2], b"L", looks[3]]) == Note(b"L", b"P-2 : 999")
    for field in (b"P-33", b"P-7", b"P-11", b"OBX-3", b"OBR-4", b"H-4", b"ENT-7"):
        assert notes.read([b"NTE", b"1", b"", field + b" : x"]) == Note(b"", field + b" : x")
    assert notes.read([b"NTE", b"1", b"", b"OBR-37 : x"]).number == 37
