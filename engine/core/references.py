"""
Keyed hashes of identifiers: lane keys and search keys.

The key of a data directory makes them useless elsewhere: an identifier of a patient is never stored
outside the messages themselves.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b
from struct import Struct
from typing import Final

_SIGNED: Final = Struct(">q").unpack
_PACKED: Final = Struct(">q").pack
_PREFIXES_MAX: Final = 1024


class References:
    """Hash identifiers with one data directory's key."""

    def __init__(self, key: bytes) -> None:
        """
        Keep the key.

        Args:
            key: 16 to 64 secret bytes, kept in the data directory.
        """
        self._seed = blake2b(key=key, digest_size=8)
        self._prefixes: dict[tuple[str, str], blake2b] = {}
        """What was hashed already of a name and an authority: no value of a message; bounded."""

    def hash(self, name: str, authority: str, value: str) -> int:
        """
        Hash one identifier.

        Args:
            name: What it is: `patient`, `ipp`, `nda`, `control`… (one space of values a name).
            authority: Who gave it, in its normal form (OID or FINESS, and type); may be empty.
            value: The identifier, opaque.

        Returns:
            A signed 64-bit integer, never 0.
        """
        prefix = self._prefixes.get((name, authority)) or self._prefix(name, authority)
        state = prefix.copy()
        state.update(value.encode("utf-8", "surrogatepass"))
        result: int = _SIGNED(state.digest())[0]
        return result or 1

    def _prefix(self, name: str, authority: str) -> blake2b:
        """Hash what stands before the value, once for all values of one authority."""
        state = self._seed.copy()
        state.update(f"{name}\x1f{authority}\x1f".encode("utf-8", "surrogatepass"))
        if len(self._prefixes) >= _PREFIXES_MAX:
            self._prefixes.clear()
        self._prefixes[name, authority] = state
        return state


def digest_of(raw: bytes, beside: Iterable[int] = ()) -> int:
    """
    Return a signed 64-bit digest of a message, to recognise its retransmission.

    Args:
        raw: Its bytes.
        beside: Digests of the files that came with it, 0 for one that didn't come: the same message with another
            document is news.
    """
    state = blake2b(raw, digest_size=8)
    for one in beside:
        state.update(_PACKED(one))
    result: int = _SIGNED(state.digest())[0]
    return result
