"""From bytes to lines, small and large."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.parsers.hl7v2.lines import LongLine, cut, cut_at_any_end, extents, has_controls, lines_of, split, starts_of
from tests.support.sizes import all_is_large

DOCUMENT = b"OBX|1|ED|||" + b"QUJD" * 20_000
LARGE = b"MSH|^~\\&|A\r" + DOCUMENT + b"\rNTE|1\r"

pieces = st.sampled_from([b"PID|1", b"\r", b"\n", b"\r\n", b"  ", b"\x00", b"x" * 40, b"\xef\xbb\xbf", b"\t", b"\xe9"])
texts = st.lists(pieces, max_size=12).map(b"".join)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (b"a\rb\r", [b"a", b"b"]),
        (b"a\r\rb\r", [b"a", b"", b"b"]),
        (b"a\tb\r", [b"a\tb"]),
        (b"a\rb", None),
        (b"a\r\nb\r", None),
        (b"a\nb\r", None),
        (b"a\x00\r", None),
    ],
)
def test_a_text_that_needs_no_second_look(text: bytes, lines: list[bytes] | None) -> None:
    """One CR after each line, no line feed, no control character but tab."""
    assert cut(text) == lines
    if lines is not None:
        assert split(text) == lines


def test_a_document_is_not_copied() -> None:
    """Of a large text, a long line is a place."""
    for lines in (cut(LARGE), lines_of(LARGE), split(LARGE)):
        assert lines is not None
        head, document, note = lines
        assert (head, note) == (b"MSH|^~\\&|A", b"NTE|1")
        assert isinstance(document, LongLine)
        assert document.text is LARGE
        assert bytes(document) == bytes(document.view()) == DOCUMENT
        assert (len(document), document[:4], document[-4:]) == (len(DOCUMENT), b"OBX|", b"QUJD")


@pytest.mark.parametrize(
    "large", [LARGE[:-1], LARGE.replace(b"NTE", b"\nNTE"), LARGE + b"\r", b"\xef\xbb\xbf" + LARGE, LARGE + b"\x00\r"]
)
def test_a_large_text_that_needs_a_second_look(large: bytes) -> None:
    """No last end, a line feed, a blank line, a byte order mark, a control character."""
    assert cut(large) is None
    assert cut_at_any_end(large) is None
    assert [bytes(line) for line in lines_of(large)][:2] == [b"MSH|^~\\&|A", DOCUMENT]


def test_control_characters() -> None:
    """Tabs and line ends are none; those deep in a document aren't looked for."""
    assert not has_controls(b"a\tb\r\n\xe9\xff")
    assert has_controls(b"a\r\x0bb\r")
    assert not has_controls(LARGE)
    assert has_controls(LARGE + b"NTE|\x1c\r")
    assert has_controls(LARGE.replace(b"OBX|1|", b"OBX|\x00|"))


@given(texts)
def test_large_texts_are_cut_as_small_ones(text: bytes) -> None:
    """The limits change no meaning."""
    small = lines_of(text), starts_of(text), has_controls(text), cut(text)
    with all_is_large():
        assert [bytes(line) for line in lines_of(text)] == small[0]
        assert starts_of(text) == small[1]
        seen = cut(text)
        if seen is not None and small[3] is not None:  # control characters deep in a line aren't looked for
            assert [bytes(line) for line in seen] == small[3]
    for line, start in zip(*small[:2], strict=True):
        assert text.startswith(bytes(line), start)
    for start, end in extents(text):
        assert text[start:end].splitlines() == [text[start:end]]


@given(texts)
def test_lines_at_any_end(text: bytes) -> None:
    """Where there is no control character, and no byte order mark, as lines_of but for blank lines."""
    lines = cut_at_any_end(text)
    assert (lines is None) == has_controls(text)
    if lines is not None and not text.startswith(b"\xef\xbb\xbf"):
        assert [line for line in lines if bytes(line).strip()] == lines_of(text)
