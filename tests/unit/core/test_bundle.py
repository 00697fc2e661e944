"""A message with its files."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.bundle import message_of, pack, unpack
from engine.core.messages import Delivery, PayloadKind


@given(st.binary(), st.lists(st.tuples(st.text(st.characters(codec="utf-8")), st.binary())))
def test_what_is_packed_comes_out(data: bytes, files: list[tuple[str, bytes]]) -> None:
    """Any message, any files."""
    assert unpack(pack(data, files)) == (data, files)


def test_a_name_of_unknown_encoding_survives() -> None:
    """As the file system gave it."""
    assert unpack(pack(b"", [("\udce9.pdf", b"x")])).files == [("\udce9.pdf", b"x")]


def test_the_message_of_a_delivery() -> None:
    """Whatever its payload kind."""
    bundle = Delivery(
        id=1, destination="town", route="r", payload_kind=PayloadKind.BUNDLE, rendered=pack(b"H|", [("a", b"b")])
    )
    assert message_of(bundle) == b"H|"
    assert message_of(Delivery(id=1, destination="town", route="r", rendered=b"H|")) == b"H|"


@pytest.mark.parametrize("damaged", [b"", b"\1", pack(b"", [("a", b"bc")])[:-1]])
def test_damage(damaged: bytes) -> None:
    """Is told."""
    with pytest.raises(ValueError, match="no bundle"):
        unpack(damaged)
