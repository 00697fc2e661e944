r"""\F\ \S\ \T\ \R\ \E\ and the others."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.parsers.hl7v2 import escapes
from engine.parsers.hl7v2.delimiters import STANDARD, read_delimiters
from engine.parsers.hl7v2.escapes import escape, escape_all, translate, unescape

OTHER = read_delimiters(b"MSH$%*!@$")
BARE = read_delimiters(b"MSH|^~|")


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (b"a\\F\\b\\S\\c\\T\\d\\R\\e\\E\\f", b"a|b^c&d~e\\f"),
        (b"line\\.br\\next", b"line\nnext"),
        (b"\\X0D0A\\", b"\r\n"),
        (b"\\X4a\\", b"J"),
        (b"\\XC3A9\\", b"\\XC3A9\\"),
        (b"\\H\\bold\\N\\", b"\\H\\bold\\N\\"),
        (b"\\.sp2\\", b"\\.sp2\\"),
        (b"\\Q\\", b"\\Q\\"),
        (b"C:\\DATA", b"C:\\DATA"),
        (b"\\", b"\\"),
        (b"\\P\\", b"\\P\\"),
    ],
)
def test_reading(written: bytes, text: bytes) -> None:
    """What means text becomes text, the rest stays."""
    assert unescape(written, STANDARD) == text


@pytest.mark.parametrize(
    ("text", "written"),
    [
        (b"a|b^c&d~e\\f", b"a\\F\\b\\S\\c\\T\\d\\R\\e\\E\\f"),
        (b"\n\r\x0b", b"\\.br\\\\X0D\\\\X0B\\"),
        (b"\\H\\bold\\N\\", b"\\H\\bold\\N\\"),
        (b"C:\\DATA\\X", b"C:\\E\\DATA\\E\\X"),
        (b"\\X41\\", b"\\E\\X41\\E\\"),
        (b"tab\tstays", b"tab\tstays"),
    ],
)
def test_writing(text: bytes, written: bytes) -> None:
    """No delimiter, segment end or framing byte enters a leaf."""
    assert escape(text, STANDARD) == written


def test_absent_delimiters_are_text() -> None:
    """Without escape character nothing is an escape, and a delimiter can't be written."""
    assert unescape(b"\\F\\&", BARE) == b"\\F\\&"
    assert escape(b"\\F\\&", BARE) == b"\\F\\&"
    with pytest.raises(ValueError, match="no escape"):
        escape(b"a^b", BARE)


def test_truncation_character() -> None:
    r"""\P\ means it where MSH-2 has a fifth character (HL7 v2.7 § 2.5.5.2)."""
    assert unescape(b"\\P\\", read_delimiters(b"MSH|^~\\&#|")) == b"#"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"a!F!b", b"a$b"),
        (b"a^b|c", b"a\\S\\b\\F\\c"),
        (b"!.br!!H!x!N!", b"\\.br\\\\H\\x\\N\\"),
        (b"!Q!", b"!Q!"),
        (b"\\", b"\\E\\"),
        (b"!XC3A9!", b"\\XC3A9\\"),
    ],
)
def test_translating(old: bytes, new: bytes) -> None:
    """A leaf means the same under other delimiters."""
    assert translate(old, OTHER, STANDARD) == new


_PIECES = [
    b"\\",
    b"T",
    b"H",
    b".br",
    b"X41",
    b"XC3A9",
    b"&",
    b"|",
    b"\n",
    b"\x01",
    b" ",
    b"text",
    b".sp",
    b"+2",
    b"\xc3\xa9",
]


@given(st.lists(st.sampled_from(_PIECES), max_size=60).map(b"".join), st.integers(1, 40))
def test_runs_cut_nothing_in_two(data: bytes, size: int) -> None:
    """A long value that is done in runs becomes what it becomes in one."""
    whole = (unescape(data, STANDARD, "utf-8"), escape(data, STANDARD), escape_all(data, STANDARD))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(escapes, "RUN_BYTES", size)
        assert (unescape(data, STANDARD, "utf-8"), escape(data, STANDARD), escape_all(data, STANDARD)) == whole


@pytest.mark.parametrize("unit", [b"\\T\\", b"\\.br\\", b"\\X41\\", b"\\H\\", b"a \\T\\ b \\.br\\"])
def test_nothing_of_ours_is_called_for_each_sequence(unit: bytes) -> None:
    """A value may be nothing but sequences: 10 MB of them held the router for seconds."""
    data, calls = unit * (300_000 // len(unit)), 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event == "call"

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        escape(unescape(data, STANDARD, "utf-8"), STANDARD, "utf-8")
    finally:
        sys.setprofile(before)
    assert calls < 1_000
