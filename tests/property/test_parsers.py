"""What the parsers promise for any bytes, any text and any delimiters."""

from __future__ import annotations

from contextlib import nullcontext

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core import splices
from engine.errors import ParseError, StepFailed
from engine.parsers import base_of, header_of, open_message, sniff
from engine.parsers.charset import CODECS, decide
from engine.parsers.hl7v2.delimiters import STANDARD, read_delimiters
from engine.parsers.hl7v2.escapes import escape, translate, unescape
from engine.parsers.hl7v2.message import Message
from engine.parsers.parts import leaf_of, text_of
from engine.parsers.paths import Path
from tests.support.sizes import all_is_large

MARKS = "|^~\\&#$%!*@:;+.-§˜¤"
marks = st.permutations(MARKS).map(lambda order: order[:5])
pieces = st.sampled_from(
    [
        b"PID|1||123^^^A&1.2&ISO^PI~456\r",
        b"PV1|1|I\n",
        b"\r\n",
        b"OBX|1|TX|a||caf\xc3\xa9\r",
        b"OBX|2|TX|a||caf\xe9\r",
        b"  ",
        b"MSH|^~\\&|x\r",
        b"ZZZ",
        b"\x0b\x00",
        b"NTE|\\F\\\\H\\\\X0D\\|\r",
        b"\xef\xbb\xbf",
        b"|^~",
        b"FHS|^~\\&\r",
    ]
)
bodies = st.one_of(st.binary(max_size=200), st.lists(pieces, max_size=8).map(b"".join))


def header_with(order: list[str] | str) -> bytes:
    field, component, repetition, mark, subcomponent = order[:5]
    declared = component + repetition + mark + subcomponent
    return (
        "MSH" + field + declared + field + field.join(["A", "B", "C", "D", "", "", "ADT", "1", "P", "2.5"])
    ).encode()


@given(bodies)
def test_what_is_not_touched_comes_back_byte_for_byte(body: bytes) -> None:
    """Whatever follows a header, to_bytes gives back what was received."""
    raw = b"MSH|^~\\&|A|B|C|D|20260101||ADT^A01|1|P|2.5\r" + body
    assert Message.parse(raw).to_bytes() == raw


@given(bodies, st.sampled_from(["", "8859/1", "8859/15", "UNICODE UTF-8", "x"]), st.sampled_from(["\r", "\n", "\r\n"]))
def test_the_base_is_derived_from_the_bytes_and_the_flag_alone(body: bytes, declared: str, end: str) -> None:
    """base_of gives the message's base from its flag; it is UTF-8 with one CR after each segment."""
    raw = f"MSH|^~\\&|A|B|C|D|20260101||ADT^A01|1|P|2.5||||||{declared}{end}".encode() + body
    message = Message.parse(raw, as_utf8=True)
    with all_is_large():
        assert Message.parse(raw, as_utf8=True).base == base_of(raw, message.base_flag) == message.base
    assert message.base == base_of(raw, message.base_flag) == message.to_bytes()
    message.base.decode("utf-8")
    assert message.base.endswith(b"\r")
    assert b"\n" not in message.base
    assert all(line.strip() for line in message.base[:-1].split(b"\r"))
    again = Message.parse(message.base, as_utf8=True, default_charset="utf-8")
    assert again.base == message.base


@given(st.binary(max_size=300))
def test_any_bytes_are_a_message_or_refused(raw: bytes) -> None:
    """No bytes raise anything but ParseError, whatever is asked of them."""
    sniff(raw)
    for format_ in ("auto", "hl7v2", "hprim-sante", "hprim-medecin"):
        try:
            header_of(raw, format_)
            message = open_message(raw, format_)
            assert open_message(raw, format_, as_utf8=False).to_bytes() == raw
            message.normalise_delimiters()
            message.to_bytes()
        except ParseError as refused:
            assert refused.reason  # noqa: PT017 - read or refused, both are right


@given(st.binary(max_size=100).map(lambda tail: b"MSH" + tail))
def test_any_header_is_read_or_refused(raw: bytes) -> None:
    """A header of any bytes is read or refused with a location."""
    try:
        header = header_of(raw, "hl7v2")
    except ParseError as refused:
        assert refused.location.startswith("MSH")  # noqa: PT017 - read or refused, both are right
    else:
        assert header.type.isascii()
        assert len(header.type) <= 40
        assert header.delimiters.component


@given(st.text(max_size=60), marks)
def test_escaping_is_undone_by_unescaping(text: str, order: list[str]) -> None:
    """Any text survives, and what is written holds no delimiter and no control character."""
    delimiters = read_delimiters(header_with(order))
    data = text.encode("utf-8", "surrogatepass")
    written = escape(data, delimiters)
    assert unescape(written, delimiters) == data
    assert not any(mark in written for mark in (delimiters.field, *delimiters.structural))
    assert not any(code in written for code in (b"\r", b"\n", b"\x0b", b"\x1c"))


@given(st.lists(st.sampled_from(["\\", "H", "\\H\\", "\\E\\", "X41", "XC3A9", ".br", "\\.sp2\\", "a", "|", "F", "\n"])))
def test_escaping_is_undone_where_text_looks_like_escapes(parts: list[str]) -> None:
    """Text made of pieces of sequences survives too."""
    data = "".join(parts).encode()
    assert unescape(escape(data, STANDARD), STANDARD) == data


SEQUENCES = [
    "\\",
    "E\\",
    "\\XE9\\",
    "\\XC3A9\\",
    "\\C2D46\\",
    "\\M2442\\",
    "\\C0000\\",
    "\\Z1\\",
    ";3",
    "é",
    "Ε",
    "|",
    "\n",
]
RECEIVED = [piece.encode("iso8859-7", "replace") for piece in SEQUENCES if piece not in "|\n"]


@given(st.lists(st.sampled_from(SEQUENCES), max_size=8).map("".join), st.sampled_from(["utf-8", "cp1252", "iso8859-7"]))
def test_text_that_looks_like_sequences_is_written_and_read(text: str, codec: str) -> None:
    """In each codec that can write it, also with switches: what is read is what was meant."""
    if codec == "utf-8" or not set(text) & {"é", "Ε"}:
        assert text_of(leaf_of(text, codec, STANDARD, ""), codec, STANDARD) == text
    else:
        leaf = leaf_of(text, codec, STANDARD, "", ("iso8859-7", "latin-1", "IR87"))
        assert text_of(leaf, codec, STANDARD) == text


@given(st.lists(st.sampled_from(RECEIVED), max_size=8).map(b"".join))
def test_routes_read_what_was_received(leaf: bytes) -> None:
    """Whatever the sequences, a leaf of the base reads as the received one, and the base comes from its flag."""
    raw = b"MSH|^~\\&|A|||||||||||||||8859/7\rPID|1||||" + leaf + b"|x\r"
    path, message = Path.parse("PID-5"), Message.parse(raw, as_utf8=True)
    assert path.first(message) == path.first(Message.parse(raw))
    assert base_of(raw, message.base_flag) == message.base
    again = Message.parse(message.base, as_utf8=True, default_charset="utf-8")
    assert path.first(again) == path.first(message)


@given(st.text(alphabet=MARKS + "aé\\HEF.X0", max_size=40), marks)
def test_other_delimiters_mean_the_same(text: str, order: list[str]) -> None:
    """A leaf translated to the standard delimiters reads as before."""
    old = read_delimiters(header_with(order))
    written = escape(text.encode(), old)
    translated = translate(written, old, STANDARD)
    kept = old.escape + b"H" + old.escape  # kept sequences change their escape character, as they must
    if kept not in written and b".sp" not in written:
        assert unescape(translated, STANDARD) == text.encode()


PATHS = [
    "PID-3",
    "PID-3.1",
    "PID-3.4.2",
    "PID-3[2].1",
    "PID-3[5=PI].1",
    "PID-5.9",
    "PID-40.2",
    "ZZZ[2]-1",
    "PID-3[last].6",
]


@given(st.text(alphabet=st.characters(codec="utf-8"), min_size=1, max_size=30), marks, st.sampled_from(PATHS))
def test_what_is_written_is_read_back(text: str, order: list[str], path_text: str) -> None:
    """Any text, any delimiters, any path: read gives what write was given, in the copy only."""
    field, component = order[0], order[1]
    body = f"\rPID{field}1{field}{field}1{component}2\rZZZ{field}a\rZZZ{field}b\r".encode()
    original = Message.parse(header_with(order) + body, as_utf8=True)
    before = original.to_bytes()
    message = original.copy()
    path = Path.parse(path_text)
    assert path.write(message, text) == 1
    assert path.read(message) == [text]
    assert original.to_bytes() == before
    assert path.read(Message.parse(message.to_bytes(), as_utf8=True)) == [text]


@given(
    st.lists(pieces, max_size=6).map(b"".join),
    st.lists(pieces, max_size=6).map(b"".join),
    st.text(alphabet="aé|^\\&~", max_size=6),
    st.sampled_from([b"\r", b"\n", b"\r\n"]),
    st.booleans(),
)
def test_a_change_of_one_value_changes_no_other_byte(
    before: bytes, after: bytes, text: str, end: bytes, large: bool
) -> None:
    """PID-5.1 of a message as received, whatever stands around it: line ends, blank lines, broken text, cuts."""
    head = b"MSH|^~\\&|A|||||||||||||||8859/1" + end + b"EVN|x" + end
    raw = head + b"PID|1|\xe9||^~|@@@^b~c|d" + end + b"ADD|e" + end + before + b"ZZZ|1" + end + after
    with all_is_large() if large else nullcontext():
        message = Message.parse(raw)
        codec = message.codec
        assert Path.parse("PID-5.1").write(message, text) == 1
        rendered = message.to_bytes()
    assert rendered == raw.replace(b"@@@", escape(text.encode(codec), STANDARD, codec))
    assert Path.parse("PID-5.1").read(Message.parse(rendered, default_charset=codec)) == ([text] if text else [])


edits = st.lists(
    st.one_of(
        st.tuples(
            st.just("write"),
            st.sampled_from(["PID-3.1", "PID-3[+].1", "PID-8", "PID-40", "MSH-3", "OBX[*]-5", "OBX[last]-5.2"]),
            st.text(alphabet="aé|^\\", max_size=6),
        ),
        st.tuples(
            st.just("delete"),
            st.sampled_from(["PID-3", "PID-3[1]", "PID-3.4", "OBX[2]", "ZZZ", "PID", "NTE[*]"]),
            st.just(""),
        ),
        st.tuples(st.just("add"), st.sampled_from(["PV1", "ZZZ", "OBX"]), st.sampled_from(["", "PID", "MSH", "OBX"])),
    ),
    max_size=8,
)
ENDS = ["\r", "\n", "\r\n", "\r\r", "\n  \n"]


@settings(max_examples=200)
@given(
    edits,
    st.lists(st.sampled_from(ENDS), min_size=6, max_size=6),
    st.sampled_from(["8859/1", "UNICODE UTF-8", ""]),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)
def test_splices_applied_to_the_received_bytes_give_the_message(
    steps: list[tuple[str, str, str]], ends: list[str], declared: str, as_utf8: bool, last_end: bool, large: bool
) -> None:
    """Whatever is edited, what is stored as a difference gives the very bytes that were rendered."""
    with all_is_large() if large else nullcontext():
        check_splices(steps, ends, declared, as_utf8, last_end)


def check_splices(
    steps: list[tuple[str, str, str]], ends: list[str], declared: str, as_utf8: bool, last_end: bool
) -> None:
    lines = [
        f"MSH|^~\\&|A|B|C|D|20260101||ADT^A01|1|P|2.5||||||{declared}",
        "PID|1||1^^^A&b&c^PI~2||é",
        "NTE|1",
        "OBX|1|TX|a||x",
        "OBX|2|TX|a||y^z",
        "ZZZ",
    ]
    text = "".join(line + end for line, end in zip(lines, ends, strict=True))
    raw = (text if last_end else text.rstrip()).encode("utf-8" if declared.startswith("U") else "cp1252")
    message = Message.parse(raw, as_utf8=as_utf8)
    for verb, where, what in steps:
        try:
            if verb == "write":
                Path.parse(where).write(message, what)
            elif verb == "delete":
                Path.parse(where).delete(message)
            else:
                Path.parse(f"{where}[last]-2").write(message, "x") if not what else message.add_segment(where, what)
        except StepFailed as failed:
            assert failed.code == "E-NO-SEGMENT"  # noqa: PT017 - read or refused, both are right
    rendered, difference = message.render()
    assert splices.apply(raw, splices.pack(difference, message.base_flag), base_of) == rendered
    codec = message.codec
    rendered.decode(codec)
    again = Message.parse(rendered, default_charset=codec, as_utf8=as_utf8)
    assert [n for n in again.names if n] == [n for n in message.names if n]
    for name in ("PID", "OBX", "ZZZ"):
        for left, right in zip(again.segments(name), message.segments(name), strict=True):
            assert [left.field(n) for n in range(1, 41)] == [right.field(n) for n in range(1, 41)]


@given(st.binary(max_size=80), st.text(max_size=12), st.sampled_from([*CODECS, "", "?"]))
def test_the_decided_codec_decodes(raw: bytes, declared: str, default: str) -> None:
    """Whatever is declared, the decision is a codec that decodes all the bytes."""
    decision = decide(raw, declared, default)
    assert decision.codec in CODECS
    raw.decode(decision.codec)


@given(st.text(alphabet='PIDOBX-.[]=@*+0123456789 ,!"inlast', max_size=20))
def test_a_text_is_a_path_or_refused_with_advice(text: str) -> None:
    """Path.parse never raises anything but PathError, which says where and what to write."""
    from engine.errors import PathError

    try:
        path = Path.parse(text)
    except PathError as refused:
        assert refused.hint  # noqa: PT017 - read or refused, both are right
        assert 0 <= refused.column <= len(text)  # noqa: PT017 - read or refused, both are right
    else:
        assert path.text == text
