"""A difference applied gives the bytes back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.core.splices import Splice, apply, pack


@st.composite
def edits(draw: st.DrawFn) -> tuple[bytes, list[Splice], bytes]:
    base = draw(st.binary(max_size=600))
    cuts = sorted(draw(st.lists(st.integers(0, len(base)), max_size=10)))
    splices: list[Splice] = []
    expected, position = b"", 0
    for begin, end in zip(cuts[::2], cuts[1::2], strict=False):
        put = draw(st.binary(max_size=300))
        splices.append((begin, end - begin, put))
        expected += base[position:begin] + put
        position = end
    return base, splices, expected + base[position:]


@given(edits())
def test_pack_and_apply(case: tuple[bytes, list[Splice], bytes]) -> None:
    """Packing any ordered edits and applying them gives the edited bytes."""
    base, splices, expected = case
    assert apply(base, pack(splices), lambda raw, flag: raw) == expected


def test_a_base_other_than_the_bytes_received() -> None:
    """The flag byte goes to the function that makes the base."""
    packed = pack([(0, 1, b"X")], base=3)
    assert apply(b"abc", packed, lambda raw, flag: raw.upper() * flag) == b"XBCABCABC"


def test_a_small_edit_is_stored_small() -> None:
    """Twenty bytes put into five megabytes cost some thirty bytes."""
    assert len(pack([(5_000_000, 3, b"x" * 20)])) < 32
