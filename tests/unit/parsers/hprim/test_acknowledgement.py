"""The context ERR."""

from __future__ import annotations

import pytest

from engine.core.ack import AnswerError
from engine.parsers import open_message
from engine.parsers.hprim.acknowledgement import accepts, build_err
from engine.parsers.hprim.header import read_hprim_header
from engine.parsers.paths import Path

RAW = b"H|%s|LAB1.HPR||L1|a|ORU|||CHA||T|H2.3|20260102\r\nP|1\r\n"
NOW = 1_767_367_800_000


def err(declared: bytes = b"~^\\&", error: AnswerError | None = None) -> bytes:
    header = read_hprim_header(RAW.replace(b"%s", declared))
    return build_err(header, name="LAB1.HPR", extension=".ERR", now_ms=NOW, utc_offset_s=3600, error=error)


def test_accepted() -> None:
    """Sender and receiver change places; mode, version and link stay; no ERR segment."""
    assert err() == b"H|~^\\&|LAB1.ERR||CHA||ERR|||L1||T|H2.3|202601021630\r\nL|1||0|2\r\n"
    assert accepts(err())


@pytest.mark.parametrize("declared", [b"~^\\&", b"^~\\&", b"\\^&~", b"^~&"])
def test_refused(declared: bytes) -> None:
    """Why, where; in the sender's delimiters, and read back."""
    error = AnswerError(code="101", location="P-2", user_text=f"manqué: {'très ' * 60}|fin")
    answer = err(declared, error)
    assert not accepts(answer)
    assert max(map(len, answer.splitlines())) <= 220
    message = open_message(answer)
    assert message.header.type == "ERR"
    assert [Path.parse(f"ERR-{n}").first(message) for n in (1, 2, 3, 4, 6, 7)] == [
        "1", "LAB1.HPR", "202601021630", "T", "P", "2",
    ]  # fmt: skip
    text = Path.parse("ERR-10").first(message)
    assert text.startswith("manque: tres tres")
    assert text.endswith("fin")
    assert message.findings == []
