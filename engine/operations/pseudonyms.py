"""Stable names without meaning for identifiers, so that two lists can be compared without showing a patient."""

from __future__ import annotations

from typing import Final

from engine.core.references import References

_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Base 32 without I, L, O, U: read aloud on the telephone without mistakes."""


class Pseudonyms:
    """Names of identifiers, from the data directory's key: useless elsewhere."""

    def __init__(self, references: References) -> None:
        """Keep the hash."""
        self._references = references

    def of(self, authority: str, value: str) -> str:
        """
        Return the pseudonym of one identifier: `P.7F3A-K2QD`, 40 bits of its keyed hash.

        Args:
            authority: Who gave it, as text; one number of two hospitals has two pseudonyms.
            value: The identifier.
        """
        bits = self._references.hash("pseudonym", authority, value) & 0xFF_FFFF_FFFF
        letters = "".join(_ALPHABET[bits >> shift & 31] for shift in range(35, -1, -5))
        return f"P.{letters[:4]}-{letters[4:]}"
