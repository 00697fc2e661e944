"""What stops a message before any route is asked."""

from __future__ import annotations

import pytest

from engine.core.lifecycle import MessageState
from engine.errors import OperationRefused
from engine.routes.evaluation import evaluate, render_again
from tests.unit.routes.test_evaluation import adt, routes


def test_site_of_a_shared_system(small, references, stored):
    """The first path with a known value tells the site; without one the message is dead, and no value is shown."""
    configuration = small("routes:\n  r:\n    from: [lis]\n    to: [raw]\n")
    assert evaluate(configuration, stored(adt(), "lis"), references).site == "cha"
    stray = adt().replace(b"|010000024|", b"|SECRET|")
    decision = evaluate(configuration, stored(stray, "lis"), references)
    assert (decision.state, decision.code, decision.field) == (MessageState.DEAD, "E-SITE-UNKNOWN", "MSH-4.2")
    assert "SECRET" not in decision.reason


@pytest.mark.parametrize("between", [b"", b"BTS|2\rBHS|^~\\&\r"], ids=["MSH after MSH", "batches"])
def test_several_messages_in_one_block(small, references, stored, between):
    """`batch: whole` never sends the second patient's results under the first one's name."""
    configuration = small(routes("    to: [dpi]\n"))
    message = stored(adt(), "gam")
    message.raw = adt() + between + adt(ipp="222")
    decision = evaluate(configuration, message, references)
    assert (decision.state, decision.code, decision.deliveries) == (MessageState.DEAD, "E-SEVERAL-MESSAGES", [])
    assert "batch: split" in decision.reason
    with pytest.raises(OperationRefused, match="batch: split"):
        render_again(configuration, message, references, "r1", "dpi", 1)


def test_one_message_in_an_envelope(small, references, stored):
    """A batch of one message has nothing to mix up."""
    message = stored(adt(), "gam")
    message.raw = b"BHS|^~\\&\r" + adt() + b"BTS|1\r"
    decision = evaluate(small(routes("    to: [dpi]\n")), message, references)
    assert decision.code != "E-SEVERAL-MESSAGES"


def test_processing(small, references, stored):
    """MSH-11 other than the source's is filtered; an empty one counts as P."""
    configuration = small(routes("    to: [dpi]\n"))
    assert (
        evaluate(configuration, stored(adt().replace(b"|P|2.5", b"|D|2.5"), "gam"), references).code == "E-PROCESSING"
    )
    assert evaluate(configuration, stored(adt().replace(b"|P|2.5", b"||2.5"), "gam"), references).code == ""


def test_a_block_inside_a_block_is_no_message(small, references, stored):
    """A lost FS: what follows the second VT is another patient's, and must not go under the first one's header."""
    cut = adt(rest="ZZZ|4\x0b") + adt(ipp="77")
    decision = evaluate(small(routes("    to: [dpi]\n")), stored(cut, "gam"), references)
    assert (decision.state, decision.code) == (MessageState.DEAD, "E-SEVERAL-MESSAGES")
    cut = adt()[:-3] + b"\x0b" + adt(ipp="77")
    decision = evaluate(small(routes("    to: [dpi]\n")), stored(cut, "gam"), references)
    assert (decision.state, decision.code) == (MessageState.DEAD, "E-SEVERAL-MESSAGES")
