"""
Who gave an identifier, for its pseudonym: found as the routes find it, however a sender spells it.

Without it one patient would have two pseudonyms: one under the spelling received, one under the complete
authority that `normalise_authorities` writes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from engine.transforms.normalise_authorities import EXPECTED_TYPES

if TYPE_CHECKING:
    from engine.identity.authorities import Recogniser
    from engine.parsers.hl7v2.delimiters import Delimiters
    from engine.routes.configuration import Configuration

_OF_HPRIM: Final = {"P-2": "PI", "P-4": "AN"}
"""The requester's number of the patient and of the stay (HPRIM Santé, segment P): they name no authority."""


class Assigners:
    """The authorities of one site's messages, in their normal form."""

    def __init__(self, recogniser: Recogniser) -> None:
        """Keep what recognises them (`Authorities.of`)."""
        self._recogniser = recogniser

    def of(self, path: str, parts: Sequence[str], delimiters: Delimiters, repetition: int) -> str:
        """
        Say who gave an identifier.

        Args:
            path: `PID-3`.
            parts: The components of one repetition.
            delimiters: Those of the message, as bytes of UTF-8.
            repetition: Its index, from 0.

        Returns:
            The authority's key (`1.2.250.1.999.10.1|PI`); where it isn't recognised, CX-4 and CX-5 as they stand.
        """
        components = [part.encode() for part in parts]
        expected = EXPECTED_TYPES.get(path, "")
        if path in _OF_HPRIM:
            components, expected = components[:1], _OF_HPRIM[path]
        found = self._recogniser.recognise(components, delimiters, repetition, expected)
        return found.key if found is not None else spelt(parts)


def spelt(parts: Sequence[str]) -> str:
    """Return CX-4 and CX-5 as they stand."""
    return "/".join(parts[3:5])


def assigners_of(configuration: Configuration | None, site: str, source: str) -> Assigners | None:
    """
    Return what names the authorities of a message, None without a configuration.

    Args:
        configuration: Today's.
        site: Of the message; empty where it isn't known.
        source: Its name: its `untyped:` says whose number stands alone.
    """
    if configuration is None:
        return None
    declared = configuration.sources.get(source)
    untyped = declared.untyped if declared is not None else ""
    return Assigners(configuration.authorities.of(site, untyped))
