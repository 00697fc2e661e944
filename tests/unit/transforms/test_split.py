"""`split` makes a message of each group."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.errors import StepFailed
from engine.parsers.hl7v2.message import DETACHED, Message
from engine.transforms.split import PARTS_MAX, Split
from engine.transforms.step import Context
from tests.support.steps import grows_with

ORU = "MSH|^~\\&|A||||||ORU|{id}|P\rPID|1||9\rPV1|1\rOBR|1\rOBX|1\rOBR|2\rOBX|1\r"


def children(text: str, by: str = "ORDER_OBSERVATION", kept: tuple[str, ...] = ()) -> list[Context]:
    return Split(by, frozenset(kept)).children(Context(Message.parse(text.encode(), as_utf8=True)))


def test_children():
    """In order, with their ranks; each a message of its own bytes."""
    first, second = children(ORU.format(id="4711"))
    assert (first.rank, second.rank) == (1, 2)
    assert first.message.to_bytes() == b"MSH|^~\\&|A||||||ORU|4711-1|P\rPID|1||9\rPV1|1\rOBR|1\rOBX|1\r"
    assert second.message.to_bytes() == b"MSH|^~\\&|A||||||ORU|4711-2|P\rPID|1||9\rPV1|1\rOBR|2\rOBX|1\r"
    assert first.message.base_flag == DETACHED
    second.message.first("PID").set_field(3, b"8")  # type: ignore[union-attr]
    assert b"PID|1||9" in first.message.to_bytes()


def test_control_ids_differ_and_fit():
    """To a receiver two parts are two messages; MSH-10 has twenty characters."""
    assert [one.message.first("MSH").field(10) for one in children(ORU.format(id="A" * 10 + "B" * 10))] == [  # type: ignore[union-attr]
        b"A" * 8 + b"B" * 10 + b"-1", b"A" * 8 + b"B" * 10 + b"-2",
    ]  # fmt: skip
    alone = children(ORU.format(id="7").replace("OBR|2\r", ""))
    assert [one.message.first("MSH").field(10) for one in alone] == [b"7"]  # type: ignore[union-attr]
    assert children(ORU.format(id=""))[0].message.first("MSH").field(10) == b""  # type: ignore[union-attr]


def test_segment_ends_stay():
    """Line feeds stay line feeds."""
    [one, _] = children(ORU.format(id="1").replace("\r", "\r\n"))
    assert one.message.to_bytes().count(b"\r") == one.message.to_bytes().count(b"\n") or one.message.codec == "utf-8"


@pytest.mark.parametrize("count", [0, PARTS_MAX + 1], ids=["none", "too many"])
def test_refused(count):
    """No group, or more than a message can become."""
    with pytest.raises(StepFailed) as caught:
        children("MSH|^~\\&|A\rPID|1\r" + "OBR|1\r" * count)
    assert caught.value.code == "E-SPLIT"


def test_the_cost_grows_with_the_message():
    """Five thousand groups cost some ten times what five hundred do."""

    def splitting(count: int) -> Callable[[], object]:
        text = "MSH|^~\\&|A||||||ORU|1\rPID|1\rPV1|1\r" + "OBR|1|X|Y\rOBX|1|NM|718-7||13\r" * count
        assert len(children(text)) == count
        return lambda: children(text)

    grows_with(splitting, 500)


@pytest.mark.parametrize(
    ("step", "code"),
    [
        ("split: { by: ORDER_OBSERVATIONS }", "E116"),
        ("split: { by: MSH }", "E112"),
        ("split: { by: obr }", "E116"),
        ("split: { keep: [PID] }", "E105"),
        ("{ foreach: OBR, do: [ { split: { by: OBX } } ] }", "E118"),
    ],
)
def test_lint(compiled, step, code):
    """Groups by their names, segments in capitals, not in foreach."""
    assert compiled(f"  - {step}").codes == [code]
