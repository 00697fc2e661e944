"""Check digits of French identifiers."""

from __future__ import annotations

import pytest

from engine.validation.digits import finess_key_is_right, ins_key_is_right


@pytest.mark.parametrize("value", ["279035121518989", "276037510669326", "260058815400233", "1850578006084" + "91"])
def test_ins_keys(value):
    """97 minus the number modulo 97; Corsica's letters count as 19 and 18."""
    assert ins_key_is_right(value)
    assert not ins_key_is_right(value[:-1] + ("0" if value[-1] != "0" else "1"))


def test_ins_of_corsica():
    """2A is read as 19."""
    key = 97 - int("1850519006084") % 97
    assert ins_key_is_right(f"185052A006084{key:02}")
    assert not ins_key_is_right("185052C006084" + f"{key:02}")


@pytest.mark.parametrize("value", ["", "27903512151898", "2790351215189890", "27903512151898x"])
def test_what_is_no_ins(value):
    """Fifteen characters."""
    assert not ins_key_is_right(value)


@pytest.mark.parametrize(
    ("value", "right"),
    [("000000026", True), ("000780064", True), ("000897406", False), ("12345678", False), ("2A0000014", True),
     ("", False), ("0000000260", False)],
)  # fmt: skip
def test_finess(value, right):
    """Luhn's sum; new numbers with letters aren't judged."""
    assert finess_key_is_right(value) is right
