"""Headers with lines too many and too few."""

from __future__ import annotations

import pytest

from engine.parsers.hprim.layout import lay_out

HEADER = [
    "0000129610", "MARTIN", "Léa", "1 RUE DU FOUR", "", "01000 ARVIGNY", "18/12/2009", "2791299999999 75", "    506232",
    "22/05/2013", "C LabFictif", "DUPONT DR DUPONT",
]  # fmt: skip
NORM = [line.encode() for line in HEADER]


def letter(header: list[str] = HEADER, *, end: str = "\r\n", fin: str = "****FIN****") -> bytes:
    return end.join([*header, "Bonjour", fin, ""]).encode()


def header_of(text: bytes) -> list[bytes]:
    (header,) = [part.fields for part in lay_out(text)[0] if part.code == b"ENT"]
    return header


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
@pytest.mark.parametrize("fin", ["****FIN****", "  ****fin****  ", "***FIN***", "*****FIN*****"])
def test_the_norm_s_header(end: str, fin: str) -> None:
    """Any line ends, any spelling of the tags."""
    parts, findings = lay_out(letter(end=end, fin=fin))
    assert [part.code for part in parts] == [b"ENT", b"TXT"]
    assert parts[0].fields == NORM
    assert findings == []


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (["solabio", *HEADER], NORM),
        (["", "x", *HEADER], NORM),
        (HEADER[:4] + HEADER[5:], NORM),
        (HEADER[:3] + HEADER[5:], [*NORM[:3], b"", b"", *NORM[5:]]),
        (HEADER[:8] + HEADER[9:], [*NORM[:8], b"", *NORM[9:]]),
        (HEADER[:7] + HEADER[8:], [*NORM[:7], b"", *NORM[8:]]),
        ([*HEADER[:6], "", *HEADER[7:]], [*NORM[:6], b"", *NORM[7:]]),
        ([*HEADER[:6], "18/12/09", *HEADER[7:]], [*NORM[:6], b"18/12/09", *NORM[7:]]),
        (["", *HEADER[1:]], [b"", *NORM[1:]]),
    ],
)
def test_variants(header: list[str], expected: list[bytes]) -> None:
    """Each line gets its number by the norm."""
    assert header_of(letter(header)) == expected


def test_a_line_too_many_is_kept_and_told() -> None:
    """It belongs to no letter."""
    parts, findings = lay_out(letter(["solabio", *HEADER]))
    assert (parts[0].code, parts[0].fields) == (b"", [b"solabio"])
    assert findings == ["letter-header"]


def test_a_thirteenth_line_is_the_first_of_the_text() -> None:
    """Some leave it blank."""
    parts, findings = lay_out(letter([*HEADER, ""]))
    assert [part.fields for part in parts[1:]] == [[b""], [b"Bonjour"]]
    assert findings == []


def test_what_follows_the_last_letter_is_told() -> None:
    """Unless it is a letter again: files that somebody joined."""
    one = letter() + b"****FINFICHIER****\r\n"
    assert lay_out(one + b"[apicrypt]\r\n")[1] == ["text-after-end"]
    parts, findings = lay_out(one + one)
    assert [part.code for part in parts] == [b"ENT", b"TXT"] * 2
    assert findings == []


def test_a_letter_that_isn_t_ended() -> None:
    """It is read, and told."""
    parts, findings = lay_out(b"\n".join(NORM) + b"\nBonjour")
    assert [part.code for part in parts] == [b"ENT", b"TXT"]
    assert findings == ["letter-not-ended"]


@pytest.mark.parametrize("text", [b"", b"\r\n", b"\xef\xbb\xbf", b"****FIN****\r\n"])
def test_nothing(text: bytes) -> None:
    """No part, no failure."""
    assert lay_out(text)[0] == []


def test_short_files() -> None:
    """A header that ends early has no later lines."""
    parts, findings = lay_out(b"1\nMARTIN\n")
    assert parts[0].fields == [b"1", b"MARTIN"] + [b""] * 10
    assert "letter-header" in findings
