r"""To `|^~\&`."""

from __future__ import annotations

import pytest

from engine.core import splices
from engine.parsers import base_of
from engine.parsers.hl7v2.message import Message
from engine.parsers.paths import Path


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("MSH$%*!@$A$B%C*D@E\rPID$1$$!F!|^%x\r", "MSH|^~\\&|A|B^C~D&E\rPID|1||$\\F\\\\S\\^x\r"),
        ("MSH|^˜\\&|A\rPID|a˜b~c\r", "MSH|^~\\&|A\rPID|a~b\\R\\c\r"),
        ("MSH|^~|A\rPID|a&b\\c\r", "MSH|^~\\&|A\rPID|a\\T\\b\\E\\c\r"),
        ("MSH|^~\\&#|A\rPID|a&b\\T\\#\r", "MSH|^~\\&|A\rPID|a&b\\T\\#\r"),
        ("MSH|^~\\&#|A\rPID|\\P\\\r", "MSH|^~\\&|A\rPID|#\r"),
        ("MSH|^~\\&|A\rPID|a\r", "MSH|^~\\&|A\rPID|a\r"),
        ("MSH#^|A\rBHS\x00\r", "MSH|^~\\&\rBHS|^~\\&\r"),
    ],
)
def test_the_meaning_stays(raw: str, expected: str) -> None:
    """Every leaf reads as before, with its escapes."""
    message = Message.parse(raw.encode(), as_utf8=True)
    message.normalise_delimiters()
    rendered, difference = message.render()
    assert rendered == expected.encode()
    assert splices.apply(raw.encode(), splices.pack(difference, message.base_flag), base_of) == rendered
    assert message.delimiters.usual


def test_edits_before_and_after_are_in_it() -> None:
    """Whatever the order."""
    message = Message.parse(b"MSH$%*!@$A\rPID$1$2\r", as_utf8=True)
    Path.parse("PID-1").write(message, "a$|")
    message.normalise_delimiters()
    Path.parse("PID-2").write(message, "b$|")
    assert message.to_bytes() == b"MSH|^~\\&|A\rPID|a$\\F\\|b$\\F\\\r"
