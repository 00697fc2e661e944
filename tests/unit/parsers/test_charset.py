"""What is declared, what is true, and that the difference is told."""

from __future__ import annotations

import pytest

from engine.parsers.charset import CODECS, base_flag, base_of, codec_of, decide
from engine.parsers.hl7v2.lines import LARGE_BYTES
from engine.parsers.mixed import CODEC as MIXED

LATIN, UTF8 = "é’".encode("cp1252"), "é’".encode()


@pytest.mark.parametrize(
    ("raw", "declared", "default", "codec", "finding"),
    [
        (UTF8, "UNICODE UTF-8", "cp1252", "utf-8", ""),
        (LATIN, "8859/1", "utf-8", "cp1252", ""),
        ("é€".encode("iso8859-15"), "8859/15", "cp1252", "iso8859-15", ""),
        (LATIN, "UNICODE UTF-8", "cp1252", "cp1252", "charset-mismatch"),
        (UTF8 + b"|\xc3\r", "UNICODE UTF-8", "cp1252", MIXED, "charset-mixed"),
        (UTF8 + b"|\xe9\r", "", "utf-8", MIXED, "charset-mixed"),
        (UTF8 + b"|\xe9\r", "", MIXED, MIXED, "charset-mixed"),
        (UTF8 + b"|\xe9\r", "8859/1", MIXED, "cp1252", ""),
        (b"\xa4", "UNICODE UTF-8", "iso8859-15", "iso8859-15", "charset-mismatch"),
        (UTF8, "8859/1", "cp1252", "utf-8", "charset-mismatch"),
        (b"\x81\xe9", "8859/1", "cp1252", "latin-1", "charset-mismatch"),
        (LATIN, "", "cp1252", "cp1252", "charset-undeclared"),
        (UTF8, "", "cp1252", "utf-8", "charset-undeclared"),
        (LATIN, "ASCII", "cp1252", "cp1252", "charset-mismatch"),
        (LATIN, "KLINGON", "cp1252", "cp1252", "charset-unknown"),
        (LATIN, "8859/1~UNICODE UTF-8", "cp1252", "cp1252", "charset-repeated"),
        (LATIN, "KLINGON~8859/15", "cp1252", "iso8859-15", "charset-repeated"),
        (b"abc", "", "iso8859-15", "iso8859-15", ""),
        (b"abc", "ASCII", "utf-8", "utf-8", ""),
        (b"abc", "KLINGON", "utf-8", "utf-8", "charset-unknown"),
        (b"abc", "8859/15", "utf-8", "iso8859-15", ""),
        (LATIN, "", "no such codec", "cp1252", "charset-undeclared"),
    ],
)
def test_decisions(raw: bytes, declared: str, default: str, codec: str, finding: str) -> None:
    """Strict first; the fallback is found and told."""
    assert decide(raw, declared, default) == (codec, finding)
    raw.decode(codec)


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("ISO-8859-1", "cp1252"),
        (" 8859/1", "cp1252"),
        ("latin-1", "cp1252"),
        ("iso8859_15", "iso8859-15"),
        ("UTF8", "utf-8"),
        ("UNICODE", "utf-8"),
        ("8859/2", "iso8859-2"),
        ("cp850", "cp850"),
        ("windows-1252", "cp1252"),
        ("rot13", ""),
        ("", ""),
        ("ascii", ""),
    ],
)
def test_names(name: str, codec: str) -> None:
    """Table 0211, IANA and Python say it differently."""
    assert codec_of(name) == codec


def test_the_flag_of_a_base_never_changes_its_meaning() -> None:
    """Differences are stored for years: the numbers of codecs are these."""
    assert CODECS[:8] == ("utf-8", "cp1252", "iso8859-15", "latin-1", "cp850", "cp437", "mac-roman", "cp1250")
    assert base_flag("utf-8", ends=True) == 1
    assert base_flag("cp1252", ends=False) == 2
    assert base_flag("iso8859-15", ends=True) == 5


def test_base_of_received_bytes() -> None:
    """Blank lines and the byte order mark go, each segment gets one CR, text becomes UTF-8."""
    raw = b"\xef\xbb\xbf \r\nMSH|a\r\n\r\n  \nPID|\xc3\xa9\nZZZ"
    assert base_of(raw, 0) is raw
    assert base_of(raw, 1) == "MSH|a\rPID|é\rZZZ\r".encode()
    assert base_of(b"MSH|\xe9\x80\r\r\n", 3) == "MSH|é€\r".encode()
    assert base_of(b"MSH|\xa4\n", 4) == "MSH|€\n".encode()


@pytest.mark.parametrize("size", [0, LARGE_BYTES - 1, LARGE_BYTES, LARGE_BYTES + 1, 3 * LARGE_BYTES])
def test_a_base_of_mixed_bytes(size: int) -> None:
    """Characters stay whole wherever a large text is cut; only the broken byte becomes another."""
    raw = b"MSH|" + b"x" * size + "é’é".encode() * 3 + b"\xe9\rNTE|\xc3\r"
    assert base_of(raw, base_flag(MIXED, ends=True)).decode() == "MSH|" + "x" * size + "é’é" * 3 + "é\rNTE|Ã\r"
    assert CODECS.index(MIXED) == 17, "the number is stored"
