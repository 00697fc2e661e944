r"""\C..\, \M..\ and \X..\ beyond ASCII."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import ParseError
from engine.parsers.charset import base_of
from engine.parsers.hl7v2 import switching
from engine.parsers.hl7v2.delimiters import STANDARD, read_delimiters
from engine.parsers.hl7v2.message import Message
from engine.parsers.hl7v2.switching import depends_on_charset, read, resolve, write
from engine.parsers.paths import Path

NAME = Path.parse("PID-5.1")
OTHER = read_delimiters(b"MSH$%*!@$")


def message(leaf: bytes, declared: bytes = b"8859/1", marks: bytes = b"|^~\\&") -> bytes:
    field = marks[:1]
    header = field.join([b"MSH", marks[1:], *[b""] * 9, b"2.5", *[b""] * 5, declared])
    return header + b"\r" + field.join([b"PID", b"1", b"", b"7", b"", leaf + marks[1:2] + b"x", b""]) + b"\r"


@pytest.mark.parametrize(
    ("leaf", "codec", "text"),
    [
        (b"\\XE9\\t\\XE9\\", "cp1252", "été"),
        (b"\\XC3A9\\t", "utf-8", "ét"),
        (b"\\XE9\\", "utf-8", "\\XE9\\"),
        (b"\\XFFD8\\", "utf-8", "\\XFFD8\\"),
        (b"\\X85\\", "latin-1", "\\X85\\"),
        (b"a\\F\\\\C2D46\\\xc5\\S\\\\C2D41\\\xe9", "cp1252", "a|Ε^é"),
        (b"\\M2442\\;3ED\\C2842\\ x", "cp1252", "山田 x"),
        (b"\\M2442\\%\\E\\\\.br\\;3\\H\\", "cp1252", "ボ\n山\\H\\"),
        (b"\\C284A\\\\F\\\\E\\", "cp1252", "|¥"),
        (b"\\C0000\\\xe9", "cp1252", "\\C0000\\é"),
        (b"\\M2442\\;", "cp1252", "\\M2442\\;"),
        (b"\\C0000\\\\XE9\\\\F\\", "cp1252", "\\C0000\\é|"),
        (b"\\C2D42\\", "cp1252", ""),
        (b"\\C2D46\\\\XC5EB\\", "cp1252", "Ελ"),
    ],
)
def test_reading(leaf: bytes, codec: str, text: str) -> None:
    """As text; the same from the received bytes and from the base of routes."""
    assert read(leaf, codec, STANDARD) == text
    raw = message(leaf, {"cp1252": b"8859/1", "utf-8": b"UNICODE UTF-8", "latin-1": b"8859/15"}[codec])
    assert NAME.first(Message.parse(raw)) == text
    routed = Message.parse(raw, as_utf8=True)
    assert NAME.first(routed) == text
    assert base_of(raw, routed.base_flag) == routed.base
    assert Message.parse(raw).to_bytes() == raw


def test_the_base_holds_characters() -> None:
    """What depends on the received charset has become text; other sequences, structure and line ends stay."""
    raw = message(b"\\F\\\\XE9\\\\H\\\\X0D\\\\C2D46\\\xc5&\xe9^").replace(b"\r", b"\r\n")
    base = Message.parse(raw, as_utf8=True).base
    assert base.split(b"\r")[1] == "PID|1||7||\\F\\é\\H\\\\X0D\\Ε&é^^x|".encode()
    assert resolve(raw, "cp1252") == base.replace(b"\r", b"\r\n")


def test_characters_that_would_be_structure_are_escaped() -> None:
    """Also with other delimiters."""
    assert (
        resolve(message(b"\\XE97C5C0D\\"), "cp1252").split(b"\r")[1].split(b"|")[5] == "é\\F\\\\E\\\\X0D\\^x".encode()
    )
    odd = message(b"!XE924!!C284A!!F!", marks=b"$%*!@")
    assert resolve(odd, "cp1252").split(b"\r")[1].split(b"$")[5] == "é!F!!F!%x".encode()
    assert NAME.first(Message.parse(odd, as_utf8=True)) == "é$$"


def test_a_message_without_such_sequences_keeps_its_flag() -> None:
    """`C:\\` in a path is none."""
    for leaf in (b"C:\\COMMON\\X", b"\\XYZ\\", b"\\X41\\", b"\\C\\"):
        assert Message.parse(message(leaf), as_utf8=True).base_flag == 0
    assert Message.parse(message(b"\\XC3A9\\", b"UNICODE UTF-8"), as_utf8=True).base_flag == 0


def test_delimiters_beyond_ascii() -> None:
    """They are made UTF-8 as the rest is."""
    raw = message(b"\xa7XE9\xa7", marks="|^~§&".encode("cp1252"))
    assert NAME.first(Message.parse(raw)) == "é"
    assert NAME.first(Message.parse(raw, as_utf8=True)) == "é"


def test_writing_into_declared_character_sets() -> None:
    """Where MSH-18 declares them; without them the character is refused."""
    received = Message.parse(message(b"x", b"8859/1~8859/7~ISO IR87"))
    assert NAME.write(received, "é|Ελ山") == 1
    leaf = received.to_bytes().split(b"\r")[1].split(b"|")[5].split(b"^")[0]
    assert leaf == b"\xe9\\F\\\\C2D46\\\xc5\xeb\\C2D41\\\\M2442\\;3\\C2842\\"
    assert NAME.first(received) == "é|Ελ山"
    assert NAME.first(Message.parse(received.to_bytes(), as_utf8=True)) == "é|Ελ山"
    assert write("Ж", "cp1252", ("iso8859-7",), STANDARD) is None
    with pytest.raises(ValueError, match="no escape"):
        write("Ε", "cp1252", ("iso8859-7",), read_delimiters(b"MSH|^~|"))


@pytest.mark.parametrize("sequence", [b"\\X0D\\", b"\\XE9\\", b"\\XE90D\\ "])
def test_a_value_of_nothing_but_sequences_is_resolved_in_runs(sequence: bytes) -> None:
    """No function of ours runs once for each: 10 MB of them held every sender for 18 seconds."""
    raw = message(sequence * 100_000)
    calls = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event == "call"

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        resolved = resolve(raw, "cp1252")
    finally:
        sys.setprofile(before)
    assert calls < 1_000
    assert resolved == message(
        sequence.replace(b"\\XE9\\", "é".encode()).replace(b"\\XE90D\\", "é\\X0D\\".encode()) * 100_000
    )


@given(
    st.lists(st.sampled_from([b"\\", b"X", b"E9", b"8", b"0D", b"A", b"\xe9", b"T", b".br", b"&", b" "]), max_size=16),
    st.sampled_from(["cp1252", "iso8859-15", "latin-1"]),
)
def test_resolving_in_runs_is_resolving_one_by_one(pieces: list[bytes], codec: str) -> None:
    """Where nothing switches, a sequence means the same wherever it stands; a switch back to nothing changes that."""
    leaf = b"".join(pieces)
    if leaf.count(b"\\") % 2:
        leaf += b"\\"
    switched = resolve(message(leaf + b"\\C2842\\"), codec)
    assert resolve(message(leaf), codec) == switched.replace(b"\\C2842\\", b"")


@pytest.mark.parametrize(
    ("data", "codec", "depends"),
    [
        (b"a\\F\\", "cp1252", False),
        (b"\\X0D\\", "utf-8", False),
        (b"\\X0D\\", "cp1252", False),
        (b"\\X0DE9\\", "cp1252", True),
        (b"\\X0D8\\", "cp1252", False),
        (b"\\C2842\\", "utf-8", True),
        (b"CMX", "cp1252", False),
    ],
)
def test_what_may_depend_on_the_charset(data: bytes, codec: str, depends: bool) -> None:
    """A cheap look; more than it says does not."""
    assert depends_on_charset(data, b"\\", codec) is depends
    assert not depends_on_charset(data, b"", codec)


def test_bytes_of_utf_8_become_characters_before_they_leave() -> None:
    """In another charset they would mean something else."""
    assert resolve(b"MSH|^~\\&|\\XC3A9\\|\\XE9\\|\\X0D\\\r", "utf-8") == "MSH|^~\\&|é|\\XE9\\|\\X0D\\\r".encode()


def test_delimiters_beyond_ascii_are_those_of_the_charset() -> None:
    """Beside a switch, an escaped delimiter is read in the message's charset, not as UTF-8."""
    raw = "MSH|^¨\\&|A|||||||||||||||8859/1\rPID|1||||a\\R\\\\C2D46\\b\r".encode("latin-1")
    assert Path.parse("PID-5").read(Message.parse(raw, as_utf8=True)) == ["a¨b"]


@pytest.mark.parametrize(("piece", "most"), [(b"\\C2D46\\\xe9", 10), (b"\\M2442\\", 10), (b"\\XE9\\", 100)])
def test_a_message_of_sequences_alone_is_refused(piece: bytes, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """It held up every other message for seconds; the limit is on the whole message, however it is cut."""
    monkeypatch.setattr(switching, "SEQUENCES_MAX", 10)
    resolve(message(piece * most), "cp1252")
    for leaf in (piece * (most + 1), (piece * (most // 2 + 1) + b"^") * 2):
        with pytest.raises(ParseError, match="more than 10 escape sequences in text of other character sets"):
            resolve(message(leaf), "cp1252")


@pytest.mark.parametrize("codec", ["cp1252", "utf-8"])
def test_leaves_between(codec: str) -> None:
    """Whatever stands before and behind a leaf with sequences is read as it is, delimiters too."""
    leaf = "&é&^~\\C2D41\\&&a\\F\\~é^\\C2D41\\".encode(codec)
    assert resolve(message(leaf), codec).split(b"|")[-2] == "&é&^~&&a\\F\\~é^^x".encode()
    odd = message("%é%*!@C2D41@%a@F@!é*".encode("latin-1"), marks=b"\xa7*!@%")
    assert resolve(odd, "latin-1").split("§".encode())[-2] == "%é%*!%a@F@!é**x".encode()


def test_other_sequences_are_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A report may have any number of line ends and delimiters."""
    monkeypatch.setattr(switching, "SEQUENCES_MAX", 1)
    leaf = b"\\.br\\" * 50 + b"&\\XE9\\&" + b"\\F\\" * 50
    assert resolve(message(leaf), "cp1252").count(b"\\.br\\") == 50
