"""HPRIM Médecin in the terms of a message."""

from __future__ import annotations

import pytest

from engine.core import splices
from engine.errors import ParseError, StepFailed
from engine.parsers import base_of
from engine.parsers.hprim.letter import parse_letters
from engine.parsers.paths import Path

LETTER = (
    "0000129610\r\nMARTIN\r\nLéa\r\n1 RUE DU FOUR\r\n\r\n01000 ARVIGNY\r\n"
    "18/12/2009\r\n2791299999999 75\r\n    506232\r\n"
    "22/05/2013\r\n         C LabFictif\r\n     DUPONT DR DUPONT\r\n \r\n   ALLERGIE | IgE\r\n****LAB****\r\nTEX\r\n"
    "TEX| a|b\r\nRES|IgE totales|IGET 000|N|164|UI/ml|0|100|H|F\r\nres||IGET 005|A\r\n****FIN****\r\n"
).encode("cp1252")
RAW = LETTER + b"****FINFICHIER****\r\n"


def test_paths() -> None:
    """Header lines by their number, results by field, texts whole."""
    message = parse_letters(RAW, as_utf8=True)
    assert message.names == ["ENT", "TXT", "TXT", "TEX", "TEX", "RES", "RES"]
    assert message.findings == []
    assert Path.parse("ENT-2").read(message) == ["MARTIN"]
    assert Path.parse("ENT-3").read(message) == ["Léa"]
    assert Path.parse("ENT-5").read(message) == []
    assert Path.parse("TXT[2]-1").read(message) == ["   ALLERGIE | IgE"]
    assert Path.parse("TEX[*]-1").read(message) == [" a|b"]
    assert Path.parse("RES[2=IGET 000]-4").read(message) == ["164"]
    assert parse_letters(RAW).to_bytes() is RAW


def test_several_letters() -> None:
    """Each has its header."""
    message = parse_letters(LETTER + LETTER.replace(b"MARTIN", b"DURAND") + b"****FINFICHIER****\r\n")
    assert Path.parse("ENT[*]-2").read(message) == ["MARTIN", "DURAND"]


def test_edits() -> None:
    """A header line, a result, a text, a line that was missing: no other byte changes."""
    raw = RAW.replace(b"\r\n\r\n01000", b"\r\n01000")
    message = parse_letters(raw, as_utf8=True).copy()
    assert message.findings == ["letter-header"]
    Path.parse("ENT-5").write(message, "Bât. é")
    Path.parse("ENT-9").write(message, "7")
    Path.parse("RES[2]-4").write(message, "9,5")
    Path.parse("TXT[1]-1").write(message, "Bonjour")
    added = message.add_segment("RES")
    added.set_field(2, b"X")
    written, difference = message.render()
    text = RAW.decode("cp1252").replace("\r\n\r\n01000", "\r\nBât. é\r\n01000").replace("    506232", "7")
    text = text.replace("res||IGET 005|A\r\n", "RES||IGET 005|A|9,5\r\nRES||X\r\n").replace(
        "\r\n \r\n", "\r\nBonjour\r\n"
    )
    assert written.decode() == text
    assert splices.apply(raw, splices.pack(difference, message.base_flag), base_of) == written


def test_a_separator_can_t_be_written() -> None:
    """The format has no escapes."""
    with pytest.raises(StepFailed, match="E-NO-ESCAPE"):
        Path.parse("RES-1").write(parse_letters(RAW), "a|b")


def test_an_empty_file() -> None:
    """It is no letter."""
    with pytest.raises(ParseError, match="empty"):
        parse_letters(b" \r\n\x1a")


def test_a_file_of_blank_lines() -> None:
    """Has its limit: each line of a letter is kept."""
    with pytest.raises(ParseError, match="more than 100000 lines"):
        parse_letters(RAW + b"\r\n" * 100_000)


def test_header() -> None:
    """There is none in HL7's sense."""
    header = parse_letters(RAW).header
    assert (header.format, header.control_id, header.type) == ("hprim-medecin", "", "")


def test_a_part_is_a_file_of_its_own() -> None:
    """Tags stand where the format wants them."""
    message = parse_letters(LETTER + LETTER.replace(b"MARTIN", b"DURAND") + b"****FINFICHIER****\r\n", as_utf8=True)
    second = message.names.index("ENT", 1)
    part = message.part([0, second, *range(second + 1, len(message.names))])
    assert part.names == ["ENT", *message.names[second:]]
    again = parse_letters(part.to_bytes(), default_charset="utf-8")
    assert again.names == part.names
    assert again.findings == []
    assert Path.parse("ENT[*]-2").read(again) == ["MARTIN", "DURAND"]
    assert Path.parse("RES[1]-4").read(again) == ["164"]
