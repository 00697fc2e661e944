"""`normalise_identity` says whose numbers a message has when they stand for nobody."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from engine.identity.deciding.decision import Code, Decision, Outcome
from engine.identity.policy import MINT
from engine.parsers import open_message
from engine.transforms.identifying import Unidentified
from engine.transforms.normalise_identity import NormaliseIdentity
from tests.support.identity import AUTHORITIES, message, pid


def reason(code: Code, *numbers: str) -> str:
    """The sentence of a dead letter of site cha."""
    decision = Decision(Outcome.DEAD, code=code, reason="it names nobody")
    context = SimpleNamespace(
        identities=SimpleNamespace(decide=lambda *_: decision), findings=[], format="hl7v2",
        message=open_message(message("A01", *(pid(one) for one in numbers)), as_utf8=True),
    )  # fmt: skip
    with pytest.raises(Unidentified) as caught:
        NormaliseIdentity(MINT, AUTHORITIES.of("cha")).apply(context)  # type: ignore[arg-type]
    return caught.value.reason


def test_it_names_the_authority() -> None:
    """Of every PID, each once, at most three; a value never."""
    assert reason(Code.NOBODY, "900077^^^X&1.2.3.77.1&ISO^PI", "900078^^^X&1.2.3.77.1&ISO^PI") == (
        "it names nobody. PID-3 has numbers of 1.2.3.77.1/PI"
    )
    many = "~".join(f"9^^^X&1.2.3.77.{rank}&ISO^PI" for rank in range(9))
    assert reason(Code.NOBODY, many).count("/PI") == 3


def test_other_letters_keep_their_sentence() -> None:
    """And those that have no number at all."""
    assert reason(Code.UNKNOWN, "900077^^^X&1.2.3.77.1&ISO^PI") == "it names nobody"
    assert reason(Code.NOBODY) == reason(Code.NOBODY, "") == "it names nobody"
