"""Whether a file ends as its format ends."""

from __future__ import annotations

import pathlib

import pytest

from engine.parsers.ending import lacks_end

FIXTURES = pathlib.Path(__file__).parents[2] / "fixtures" / "messages"
SANTE = b"H|~^\\&|A.HPR||LAB||ORU|||CHA||P|H2.3|20260102\r\nP|1|77\r\nOBX|1|NM|GLU||5.1\r\nL|1|2|1|4\r\n"
LETTER = b"77\r\nDOE\r\nJANE\r\n\r\n\r\n\r\n01/02/1984\r\n\r\n\r\n03/04/2026\r\nLAB\r\nCHA\r\nRAS\r\n****FIN****\r\n"
HL7 = b"MSH|^~\\&|A\rPID|1\r"


@pytest.mark.parametrize(
    "raw",
    [
        SANTE,
        SANTE.rstrip(),
        SANTE + b"\r\n \x1a",
        SANTE.replace(b"\r\nL|", b"\n L|"),
        SANTE.replace(b"|", b"$"),
        b"garbage\r\n" + SANTE,
        LETTER,
        LETTER + b"****FINFICHIER****\r\n",
        LETTER + b"***FinFichier***\r\nsent by solabio\r\n",
        LETTER.replace(b"\r\n", b"\r").strip(),
        HL7,
        HL7.rstrip(),
        b"FHS|^~\\&\rBHS|^~\\&\r" + HL7 + b"BTS|1\rFTS|1\r",
        b"FHS|^~\\&\rBHS|^~\\&\r" + HL7 + b"FTS|1\r",
        b"BHS|^~\\&\r" + HL7 + b"BTS|1\r",
        b"",
        b"\x00\x01" * 400,
        b"some text\r\n",
    ],
)
def test_whole(raw: bytes) -> None:
    """It ends as its format ends; or has no mark by which that could be told; or is no message anyway."""
    assert lacks_end(raw) == ""


@pytest.mark.parametrize(
    ("raw", "word"),
    [
        (SANTE[: SANTE.index(b"\r\nL")], "no L segment"),
        (SANTE[: SANTE.index(b"\r\nL") + 2], "no L segment"),
        (SANTE + SANTE[: SANTE.index(b"\r\nL")], "no L segment"),
        (SANTE.replace(b"\r\nL|", b"\r\nLLL|"), "no L segment"),
        (LETTER[:-5], "closing tag"),
        (LETTER[: LETTER.index(b"RAS")], "closing tag"),
        (LETTER + LETTER[:40], "closing tag"),
        (b"FHS|^~\\&\rBHS|^~\\&\r" + HL7 + b"BTS|1\r", "no FTS"),
        (b"BHS|^~\\&\r" + HL7, "no BTS"),
        (b"\xef\xbb\xbf\r\nBHS|^~\\&\r" + HL7 + b"BTS|1\rBHS|^~\\&\r" + HL7, "no BTS"),
    ],
)
def test_written_by_half(raw: bytes, word: str) -> None:
    """A sentence says what is missing."""
    assert word in lacks_end(raw)


def test_every_cut_of_a_message_is_seen() -> None:
    """Wherever the sender had got to; only what stands behind the L may be missing."""
    raw = (FIXTURES / "labo_h21.hpr").read_bytes()
    end = raw.rindex(b"\nL") + 1
    first = raw.index(b"\r\n")
    for cut in range(first, end + 1):
        assert lacks_end(raw[:cut], "hprim-sante"), cut
    assert not lacks_end(raw[: end + 2], "hprim-sante")


def test_the_source_tells_what_bytes_do_not() -> None:
    """A letter without dates and without its tag is nothing that could be recognised."""
    raw = b"77\r\nDOE\r\nJANE\r\nno dates\r\n"
    assert lacks_end(raw) == ""
    assert "closing tag" in lacks_end(raw, "hprim-medecin")
