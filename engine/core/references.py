"""
Keyed hashes of identifiers: lane keys and search keys.

The key of a data directory makes them useless elsewhere: an identifier of a patient is never stored
outside the messages themselves.
"""

from __future__ import annotations

from hashlib import blake2b


class References:
    """Hash identifiers with one data directory's key."""

    def __init__(self, key: bytes) -> None:
        """
        Keep the key.

        Args:
            key: 16 to 64 secret bytes, kept in the data directory.
        """
        self._seed = blake2b(key=key, digest_size=8)

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
        state = self._seed.copy()
        state.update(f"{name}\x1f{authority}\x1f{value}".encode("utf-8", "surrogatepass"))
        return int.from_bytes(state.digest(), "big", signed=True) or 1


def digest_of(raw: bytes) -> int:
    """Return a signed 64-bit digest of a message, to recognise its retransmission."""
    return int.from_bytes(blake2b(raw, digest_size=8).digest(), "big", signed=True)
