"""Texts with values of the message."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.parsers.hl7v2.message import Message
from engine.transforms.step import Context
from engine.transforms.text import TextError, compile_text, looks_like_path, pieces

CONTEXT = Context(Message.parse(b"MSH|^~\\&|A\r"), site="cha", event="A01", place=7)


def compile_(text: str, extra: tuple[str, ...] = ()):
    return compile_text(text, lambda path, column: lambda context: f"<{path}>", {"nda"}, extra)


def test_parts():
    """Literals, paths, names, braces."""
    text = compile_("a {PID-3.1} {site}/{event} {{x}} {place}")
    assert text.render(CONTEXT) == "a <PID-3.1> cha/A01 {x} 7"
    assert text.constant is None
    assert compile_("a {{b}}").constant == "a {b}"
    assert compile_("").render(CONTEXT) == ""


def test_safe():
    """Only values are cleaned."""
    assert compile_("a/{site}").render_safe(CONTEXT, str.upper) == "a/CHA"


@pytest.mark.parametrize(
    ("text", "column"), [("a {", 2), ("}", 0), ("{}", 0), ("a {x} b", 3), ("{ }", 0), ("{value}", 1)]
)
def test_refused(text, column):
    """Open, alone, empty braces and unknown names, with their column."""
    with pytest.raises(TextError) as caught:
        compile_(text)
    assert caught.value.column == column


def test_extra_names():
    """A verb may know further names."""
    CONTEXT.value = "v"
    assert compile_("{value}", ("value",)).render(CONTEXT) == "v"


@given(st.text())
def test_literal_text_comes_back(text):
    """Any text, its braces doubled, gives itself."""
    quoted = text.replace("{", "{{").replace("}", "}}")
    assert "".join(piece.text for piece in pieces(quoted)) == text


def test_paths_and_names_differ():
    """Paths begin with a capital letter or a dot."""
    assert looks_like_path("PID-3")
    assert looks_like_path(".4.1")
    assert not looks_like_path("site")
