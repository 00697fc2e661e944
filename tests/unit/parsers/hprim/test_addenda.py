"""Lines that go on in the next."""

from __future__ import annotations

import pytest

from engine.parsers.hprim.addenda import LINE_CHARACTERS_MAX, fold, rejoin


@pytest.mark.parametrize("end", [b"\r\n", b"\n", b"\r"])
def test_pieces_are_joined_as_they_are(end: bytes) -> None:
    """A cut in a word, a separator in the addendum, an indented addendum; blank lines and DOS's last byte are none."""
    text = end.join([b"H|~^\\&|x", b"OBR|1|a~Cliniq", b"A|ue HP~L|0468", b"", b"  A|99|z", b"L|1", b"\x1a"])
    found = list(rejoin(text, 0, b"|"))
    assert [line.data for line in found] == [b"H|~^\\&|x", b"OBR|1|a~Clinique HP~L|046899|z", b"L|1"]
    assert [line.pieces for line in found] == [1, 3, 1]
    assert text[found[1].start : found[1].end].endswith(b"A|99|z")


def test_what_stands_before_the_header_is_passed_over() -> None:
    """Garbage belongs to nothing."""
    assert [line.data for line in rejoin(b"A|x\r\nH|~^\\&|\r\nA|y", 5, b"|")] == [b"H|~^\\&|y"]


def test_a_short_segment_is_one_line() -> None:
    """Nothing is cut that needs no cut: characters count, not bytes."""
    line = "é".encode() * LINE_CHARACTERS_MAX
    assert fold(line, b"|", b"\r\n", "utf-8") == line


def test_a_long_segment_is_cut_at_220_characters() -> None:
    """Each line, its `A|` included; no blank stands beside a cut."""
    line = b"C|1|P|" + b"mot suivant " * 100
    lines = fold(line, b"|", b"\r\n", "utf-8").split(b"\r\n")
    assert all(len(one) <= LINE_CHARACTERS_MAX for one in lines)
    assert all(one.startswith(b"A|") for one in lines[1:])
    assert not any(one.endswith(b" ") or one.startswith(b"A| ") for one in lines[:-1])
    assert [one.data for one in rejoin(b"\r\n".join(lines), 0, b"|")] == [line]


def test_blanks_alone_are_cut_all_the_same() -> None:
    """Where every place has a blank beside it, the limit decides."""
    assert len(fold(b" " * 500, b"|", b"\n", "utf-8").split(b"\n")) == 3
