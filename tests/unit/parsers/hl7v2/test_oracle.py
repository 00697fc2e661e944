"""hl7apy as an oracle: where it reads a message, we read the same segments and fields."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.parsers.hl7v2.message import Message

FIXTURES = Path(__file__).resolve().parents[4] / "tests" / "fixtures" / "messages"
MESSAGES = sorted(path for path in FIXTURES.glob("*.hl7"))


@pytest.mark.parametrize("path", MESSAGES, ids=lambda path: path.name)
def test_the_same_fields(path: Path) -> None:
    """Segment by segment and field by field: hl7apy without groups (with them it drops Z segments)."""
    from hl7apy.exceptions import HL7apyException
    from hl7apy.parser import parse_message

    message = Message.parse(path.read_bytes(), as_utf8=True)
    text = message.to_bytes().decode()
    try:
        oracle = parse_message(text, find_groups=False)
    except HL7apyException as refused:
        pytest.fail(f"hl7apy refuses a synthetic message of ours: {type(refused).__name__}")
    theirs = [segment.to_er7().rstrip("|").split("|") for segment in oracle.children]
    ours = [line.decode().rstrip("|").split("|") for line in message.to_bytes().split(b"\r") if line]
    assert [fields[0] for fields in ours] == [fields[0] for fields in theirs]
    for mine, other in zip(ours, theirs, strict=True):
        assert mine == other


def test_there_is_something_to_compare() -> None:
    """The delivered fixtures are there."""
    assert len(MESSAGES) >= 10
