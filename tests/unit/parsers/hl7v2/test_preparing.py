"""What a message is made of."""

from __future__ import annotations

import pytest

from engine.errors import ParseError
from engine.parsers import base_of
from engine.parsers.hl7v2.lines import lines_of
from engine.parsers.hl7v2.preparing import prepare
from tests.support.sizes import all_is_large

HEAD = b"MSH|^~\\&|A|||||||||||||||"


@pytest.mark.parametrize(
    ("raw", "codec", "base", "flag", "findings"),
    [
        (HEAD + b"8859/1\rPID|1\r", "cp1252", HEAD + b"8859/1\rPID|1\r", 0, []),
        (HEAD + b"8859/1\rPID|\xe9\r", "cp1252", HEAD + b"8859/1\rPID|\xc3\xa9\r", 2, []),
        (HEAD + b"8859/1\r\nPID|\x80\r\n", "cp1252", HEAD + b"8859/1\rPID|\xe2\x82\xac\r", 3, []),
        (HEAD + b"8859/1\rPID|1", "cp1252", HEAD + b"8859/1\rPID|1\r", 1, []),
        (HEAD + b"UTF-8\rPID|\xe9\r", "cp1252", HEAD + b"UTF-8\rPID|\xc3\xa9\r", 2, ["charset-mismatch"]),
        (HEAD + b"8859/1\rPID|\xc3\xa9\r", "utf-8", HEAD + b"8859/1\rPID|\xc3\xa9\r", 0, ["charset-mismatch"]),
        (HEAD + b"UTF-8\nZFP\n\nPID|1", "utf-8", HEAD + b"UTF-8\rZFP\rPID|1\r", 1, []),
        (HEAD + b"UTF-8\rPID|\x00\n\r", "utf-8", HEAD + b"UTF-8\rPID|\x00\r", 1, ["control-character"]),
        (b"\xef\xbb\xbf" + HEAD + b"8859/1\rPID|\xe9\r", "cp1252", HEAD + b"8859/1\rPID|\xc3\xa9\r", 3, []),
        (b" \r\n " + HEAD + b"\rPID|1\r", "cp1252", HEAD + b"\rPID|1\r", 1, []),
    ],
)
@pytest.mark.parametrize("large", [False, True])
def test_the_base(
    raw: bytes, codec: str, base: bytes, flag: int, findings: list[str], large: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """UTF-8, one CR after each segment; made again from the flag alone. Sizes change nothing."""
    for as_utf8 in (True, False):
        if large:
            with all_is_large():
                made = prepare(raw, "cp1252", as_utf8=as_utf8)
        else:
            made = prepare(raw, "cp1252", as_utf8=as_utf8)
        made_base, made_flag, _, received, odd, lines, layout, even, _ = made
        assert (received, odd) == (codec, findings)
        assert (made_base, made_flag) == ((base, flag) if as_utf8 else (raw, 0))
        assert [bytes(line).strip() for line in lines] == [line.strip() for line in lines_of(made_base)]
        assert sum(map(len, layout.index.values())) == len(lines)
        if even:
            assert b"".join(bytes(line) + b"\r" for line in lines) == made_base
    assert base_of(raw, flag) == base


def test_the_header_is_cut_once() -> None:
    """Where it is the first line as it stands in the base."""
    assert prepare(b"MSH|^~\\&|A\rPID|1\r", "cp1252", as_utf8=True)[-1] == [b"MSH", b"|", b"^~\\&", b"A"]
    assert prepare(b"FHS|^~\\&\rMSH|^~\\&|A\r", "cp1252", as_utf8=True)[-1] is None
    assert prepare("MSH|^~\\&|é\r".encode("cp1252"), "cp1252", as_utf8=True)[-1] is None


@pytest.mark.parametrize("raw", [b"", b"PID|1\r", b"MSH\r", b"\r\r"])
def test_what_is_no_message(raw: bytes) -> None:
    """It is refused."""
    with pytest.raises(ParseError):
        prepare(raw, "cp1252", as_utf8=True)
