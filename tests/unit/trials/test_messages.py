"""Bytes that a test gives, as intake would take them."""

from __future__ import annotations

import pytest

from engine.routes.configuration import Source
from engine.trials.messages import EPOCH_MS, NoMessage, split, taken
from tests.support.fragments import cut, result

ONE = b"MSH|^~\\&|A|B|C|D|20260301||ADT^A01|9|P|2.5\r"


def test_taken():
    """Header, format, site and digest as in custody; a second a message, without a clock."""
    message = taken(ONE, Source(name="gam", type="mllp", site="cha", routing="main"), 3)
    assert (message.type, message.control_id, message.format, message.site) == ("ADT^A01", "9", "hl7v2", "cha")
    assert (message.place, message.received_ms) == (3, EPOCH_MS + 3000)
    assert message.digest


def test_split():
    """As the source does with a block of several."""
    source = Source(name="gam", type="mllp")
    assert split(ONE + ONE, source) == [ONE, ONE]
    assert split(ONE, source) == [ONE]
    parts = cut(result("W"), (result("W").index(b"OBX|2") + 4,), ("p1",))
    assert split(b"".join(parts), source) == [result("W")]
    assert split(ONE + ONE, Source(name="gam", type="mllp", batch="whole")) == [ONE + ONE]
    with pytest.raises(NoMessage, match="would refuse the block"):
        split(b"PID|1\r" + ONE + ONE, source)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("{ message: 'hello' }", "message: gam would refuse it: "),
        ("{ file: adt.hl7, without: [MSH-10] }", "adt: gam would refuse it: MSH-10 is absent"),
        ("{ file: adt.hl7, without: [ZFP] }", "adt: adt has no ZFP to leave out"),
        ("{ file: adt.hl7, with: { ZFP-1: x } }", "adt: E-NO-SEGMENT ZFP-1"),
    ],
)
def test_what_can_not_be_sent(failures, given, sentence):
    """A message that its source would refuse fails the test with the reason."""
    [found] = failures(given, "{ dpi: delivered }")
    assert found.startswith(sentence)
