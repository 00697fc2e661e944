"""Which message becomes which."""

from __future__ import annotations

import pytest

from engine.conversion.forms import MESSAGES, Form, choose
from engine.errors import StepFailed


def test_forms() -> None:
    """Structures of table 0354; versions compare as numbers, country and edition aside."""
    assert Form("ADT", "A40", "2.5").structure == "ADT_A39"
    assert Form("ORU", "R01", "2.5").structure == "ORU_R01"
    assert Form("ADT", "A01", "2.5^FRA^2.11").since(2, 5)
    assert not Form("ADT", "A01", "2.3").since(2, 3, 1)
    assert Form("ADT", "A01", "2.5.1").since(2, 5)


def test_choosing() -> None:
    """The first that is possible, or the wanted one."""
    assert choose("ORU", "") == "ORU_R01"
    assert choose("ADM", "ADT_A31") == "ADT_A31"
    assert choose("", "ORM_O01") == "ORM_O01"
    with pytest.raises(StepFailed, match="REG has no form"):
        choose("REG", "ORU_R01")
    assert "ADT" in MESSAGES
