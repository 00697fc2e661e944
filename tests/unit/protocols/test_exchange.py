"""Which block ends an exchange, and which is dropped."""

from __future__ import annotations

import pytest

from engine.protocols.exchange import Exchange, Reception, acknowledged_control_id


def ack(control_id: str, separator: str = "|") -> bytes:
    return f"MSH{separator}^~\\&\rMSA{separator}AA{separator}{control_id}{separator}text\r".encode()


@pytest.mark.parametrize(
    ("block", "control_id"),
    [
        (ack("A1"), b"A1"),
        (ack("A1", "$"), b"A1"),
        (b"MSA|AA|A1", b"A1"),
        (b"MSH|\nMSA|AA|A1\n", b"A1"),
        (b"MSH|\rMSA|AA", b""),
        (b"MSH|^~\\&\r", None),
        (b"", None),
        (b"MSH|\rMSA", None),
    ],
)
def test_acknowledged_control_id(block: bytes, control_id: bytes | None) -> None:
    """MSA-2 is found whatever the separator and the line ends."""
    assert acknowledged_control_id(block) == control_id


def test_the_answer_ends_the_exchange() -> None:
    """The acknowledgement that names the message is its answer."""
    exchange = Exchange(match_control_id=True)
    exchange.sent(b"A1")
    assert exchange.under_way
    assert exchange.received(ack("A1")) is Reception.ANSWER
    assert not exchange.under_way


def test_a_late_answer_is_dropped() -> None:
    """A second acknowledgement of an earlier message is not taken for the next one's."""
    exchange = Exchange(match_control_id=True)
    exchange.sent(b"A1")
    exchange.received(ack("A1"))
    exchange.sent(b"A2")
    assert exchange.received(ack("A1")) is Reception.LATE
    assert exchange.received(ack("A2")) is Reception.ANSWER


def test_another_control_id_is_suspect() -> None:
    """An answer to nothing known ends the exchange and condemns the connection."""
    exchange = Exchange(match_control_id=True)
    exchange.sent(b"A1")
    assert exchange.received(ack("B7")) is Reception.SUSPECT


def test_receivers_that_leave_it_empty() -> None:
    """With ack_match: any, the next block is the answer whatever it names."""
    exchange = Exchange(match_control_id=False)
    exchange.sent(b"A1")
    assert exchange.received(ack("")) is Reception.ANSWER
    assert exchange.received(ack("")) is Reception.UNASKED
