"""Character sets by their escape sequences."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.parsers.hl7v2.iso2022 import Switches, encode, is_known

GREEK = "Ελένη"
KANJI = "山田"


@pytest.mark.parametrize(
    ("switch", "data", "text"),
    [
        (b"C2D41", b"\xe9", "é"),
        (b"C2D42", b"\xb1\xe6", "ąć"),
        (b"C2D43", b"\xa6", "Ĥ"),
        (b"C2D44", b"\xa1", "Ą"),
        (b"C2D4C", b"\xb0\xd0", "Аа"),
        (b"C2D47", b"\xc7", "ا"),
        (b"c2d46", GREEK.encode("iso8859-7"), GREEK),
        (b"C2D48", b"\xe0", "א"),
        (b"C2D4D", b"\xfd", "ı"),
        (b"C2D62", b"\xa4", "€"),
        (b"C2949", b"\xd4\xcf\xc0\xde", "ﾔﾏﾀﾞ"),
        (b"C284A", b"\\5~", "¥5‾"),
        (b"M2442", b";3ED", KANJI),
        (b"M242844", b"0!", "丂"),
    ],
)
def test_each_character_set(switch: bytes, data: bytes, text: str) -> None:
    """As HL7 v2.5 § 2.7.2 lists them; hexadecimal digits in any case."""
    assert is_known(switch)
    switches = Switches("latin-1")
    switches.switch(switch)
    assert switches.decode(data) == text


def test_two_character_sets_at_once() -> None:
    """One for bytes below 0x80, one for those above; ASCII comes back alone."""
    switches = Switches("latin-1")
    switches.switch(b"M2442")
    switches.switch(b"C2D46")
    assert switches.decode(b";3\xc5\xebED") == "山Ελ田"
    assert switches.lower
    switches.switch(b"C2842")
    assert not switches.lower
    assert switches.decode(b";3\xc5") == ";3Ε"


@pytest.mark.parametrize("body", [b"C0000", b"M0000", b"C2D", b"X41", b"", b"M015F"])
def test_unknown_ones(body: bytes) -> None:
    """They switch nothing."""
    assert not is_known(body)


@pytest.mark.parametrize(
    ("data", "codec", "text"),
    [
        (b"\xc3\xa9", "utf-8", "é"),
        (b"\xe9", "utf-8", None),
        (b"\xe9", "cp1252", "é"),
        (b"\x85", "iso8859-15", None),
        (b"\xff\xd8\xff\x81", "cp1252", None),
        (b"\r\n", "utf-8", "\r\n"),
    ],
)
def test_bytes_of_a_sequence(data: bytes, codec: str, text: str | None) -> None:
    """Text, or bytes about which two systems agreed."""
    assert Switches(codec).text(data) == text


@pytest.mark.parametrize(
    ("text", "codec", "alternates", "pieces"),
    [
        ("abc", "latin-1", (), [(b"", b"abc")]),
        ("aΕλb", "latin-1", ("iso8859-7",), [(b"", b"a"), (b"C2D46", b"\xc5\xeb"), (b"C2D41", b""), (b"", b"b")]),
        ("山", "cp1252", ("iso8859-7", "IR87"), [(b"M2442", b";3"), (b"C2842", b"")]),
        ("Ε", "latin-1", (), None),
        ("山", "latin-1", ("iso8859-7",), None),
        ("Ε", "cp850", ("iso8859-7",), None),
        ("", "latin-1", ("IR87",), []),
    ],
)
def test_writing(text: str, codec: str, alternates: tuple[str, ...], pieces: list[tuple[bytes, bytes]] | None) -> None:
    """What the codec can't hold goes into the first set that can, and comes back."""
    assert encode(text, codec, alternates) == pieces


@given(st.text(alphabet="aé\\|Ελ山田Ж¥ą ", max_size=12))
def test_what_is_written_is_read(text: str) -> None:
    """Piece by piece."""
    pieces = encode(text, "cp1252", ("iso8859-7", "iso8859-5", "IR87", "iso8859-2"))
    assert pieces is not None
    switches = Switches("cp1252")
    found = ""
    for switch, data in pieces:
        if switch:
            switches.switch(switch)
        found += switches.decode(data)
    assert found == text
