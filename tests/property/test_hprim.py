"""What the HPRIM parsers promise for any file."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core import splices
from engine.errors import ParseError, StepFailed
from engine.parsers import base_of, open_message
from engine.parsers.hprim.addenda import LINE_CHARACTERS_MAX, fold, rejoin
from engine.parsers.paths import Path

ENDS = st.sampled_from(["\r\n", "\n", "\r", "\r\n\r\n"])
TEXTS = st.text(alphabet="aé~^&\\| \u20ac", max_size=30)
DELIMITERS = st.sampled_from(["~^\\&", "^~\\&", "\\^&~", "^~&"])
LINES = st.lists(st.tuples(st.sampled_from(["P", "OBR", "OBX", "C", "A", "A", "L", "Z", ""]), TEXTS, ENDS), max_size=12)
PATHS = ["P-5.2", "OBX[last]-5", "C[2]-3", "L", "H-10", "ENT-5", "ENT-12", "RES[last]-4", "TXT[1]-1", "TEX-1"]
EDITS = st.lists(
    st.tuples(
        st.sampled_from(["write", "delete", "add"]),
        st.sampled_from(PATHS),
        st.one_of(st.text(alphabet="aé |", max_size=6), st.just("long text " * 60)),
    ),
    max_size=5,
)


def santé(declared: str, lines: list[tuple[str, str, str]]) -> bytes:
    text = f"H|{declared}|F.HPR||LAB||ORU||||P|H2.3\r\n" + "".join(f"{name}|{text}{end}" for name, text, end in lines)
    return text.encode("cp1252")


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\r\n"), min_size=1, max_size=2000))
def test_what_is_cut_is_rejoined(text: str) -> None:
    """Any segment comes back from its lines, none of which is longer than the norm allows."""
    line = ("C|" + text).encode()
    lines = fold(line, b"|", b"\r\n", "utf-8")
    assert all(len(one.decode()) <= LINE_CHARACTERS_MAX for one in lines.split(b"\r\n"))
    assert [one.data for one in rejoin(lines, 0, b"|")] == [line]


@given(DELIMITERS, LINES)
def test_a_santé_file_comes_back(declared: str, lines: list[tuple[str, str, str]]) -> None:
    """Byte for byte, and no addendum is a segment."""
    raw = santé(declared, lines)
    for as_utf8 in (True, False):
        message = open_message(raw, as_utf8=as_utf8)
        assert message.to_bytes() == message.base == base_of(raw, message.base_flag)
        assert "A" not in message.names
    assert open_message(raw, as_utf8=False).to_bytes() == raw


LETTER_WORDS = [
    "", "DURAND", "01000 ARVIGNY", "18/12/2009", "22/05/13", "2791299999999 75", "****LAB****", "RES|a|b|N|1", "TEX",
    "TEX|é|a", "****FIN****", "****FINFICHIER****", "res|", "\x1a",
]  # fmt: skip
LETTER_LINES = st.lists(st.tuples(st.sampled_from(LETTER_WORDS), ENDS), min_size=1, max_size=40)


def letter(lines: list[tuple[str, str]]) -> bytes:
    return "".join(line + end for line, end in lines).encode("cp1252")


@given(LETTER_LINES)
def test_a_letter_comes_back(lines: list[tuple[str, str]]) -> None:
    """Whatever its lines are, every one that isn't blank or a tag is a part of a segment."""
    raw = letter(lines)
    try:
        message = open_message(raw, "hprim-medecin")
    except ParseError:
        assert not [line for line, _ in lines if line.strip("\x1a") and "***" not in line]
        return
    assert message.to_bytes() == message.base == base_of(raw, message.base_flag)
    fields = [segment.field(number) for segment in message.segments() for number in range(1, segment.count + 1)]
    for word in ("DURAND", "01000 ARVIGNY", "18/12/2009", "2791299999999 75"):
        assert fields.count(word.encode()) == [line for line, _ in lines].count(word)


@settings(max_examples=150)
@given(st.one_of(st.builds(santé, DELIMITERS, LINES), st.builds(letter, LETTER_LINES)), EDITS)
def test_differences_apply_to_what_was_received(raw: bytes, edits: list[tuple[str, str, str]]) -> None:
    """Whatever is edited, the stored difference gives the very bytes that were rendered, and they read the same."""
    format_ = "hprim-sante" if raw.startswith(b"H|") else "hprim-medecin"
    for as_utf8 in (True, False):
        try:
            message = open_message(raw, format_, as_utf8=as_utf8).copy()
        except ParseError:
            continue
        for verb, where, text in edits:
            try:
                if verb == "write":
                    Path.parse(where).write(message, text)
                elif verb == "delete":
                    Path.parse(where).delete(message)
                else:
                    message.add_segment("C" if format_ == "hprim-sante" else "RES").set_field(
                        3, text.encode(message.codec)
                    )
            except StepFailed as failed:
                assert failed.code in ("E-NO-SEGMENT", "E-NO-FIELD", "E-NO-ESCAPE")  # noqa: PT017 - written or refused
        rendered, difference = message.render()
        assert splices.apply(raw, splices.pack(difference, message.base_flag), base_of) == rendered
        if format_ == "hprim-sante":
            again = open_message(rendered, format_, default_charset=message.codec, as_utf8=as_utf8)
            assert [name for name in again.names if name] == [name for name in message.names if name]
