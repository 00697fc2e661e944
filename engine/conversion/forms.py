"""Which HL7 messages are made of which HPRIM files, and in which versions of the standard."""

from __future__ import annotations

from typing import Final, NamedTuple

from engine.errors import StepFailed

UNSUITABLE: Final = "E-CONVERT"
"""Code of the failure of a message that has no form in the other standard."""

VERSIONS: Final = ("2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.6", "2.7", "2.8")
"""Versions of HL7 that are written; `2.5^FRA^2.11` is 2.5."""


class Form(NamedTuple):
    """One kind of HL7 message, as it is written."""

    type: str
    event: str
    version: str
    """MSH-12, with country and edition where they were given."""

    @property
    def structure(self) -> str:
        """MSH-9.3."""
        return f"{self.type}_{_STRUCTURES.get(self.event, self.event)}"

    def since(self, *numbers: int) -> bool:
        """Tell whether the version is this one or a later one: `since(2, 5)`."""
        return tuple(map(int, self.version.partition("^")[0].split("."))) >= numbers


_STRUCTURES: Final = {"A04": "A01", "A28": "A05", "A31": "A05", "A40": "A39"}
"""Structures that have another event's name (HL7 v2.5 table 0354)."""

_EVENTS: Final = ("A01", "A03", "A04", "A05", "A28", "A31")
_OF_CONTEXT: Final[dict[str, tuple[str, ...]]] = {
    "ORU": ("ORU_R01",),
    "ORM": ("ORM_O01",),
    "ADM": ("ADT", *(f"ADT_{event}" for event in _EVENTS)),
    "letter": ("ORU_R01", "MDM_T02"),
}
"""What can be made of each context (H-6), and of a letter; the first where nothing is asked."""

MESSAGES: Final = tuple(dict.fromkeys(name for names in _OF_CONTEXT.values() for name in names))
"""Values of `message:`; `ADT` leaves the event to what the file says."""


def choose(context: str, wanted: str) -> str:
    """
    Return the message to make.

    Args:
        context: H-6, or `letter`.
        wanted: One of MESSAGES, or empty.

    Raises:
        StepFailed: E-CONVERT, when there is none for the context, or another one is wanted.
    """
    if not context and wanted:
        return wanted  # the file doesn't say, the route does
    possible = _OF_CONTEXT.get(context)
    if possible is None:
        shown = context if context in ("FAC", "REG", "ERR") else "what H-6 says (or doesn't)"
        raise StepFailed(UNSUITABLE, f"{shown} has no form in HL7: {', '.join(_OF_CONTEXT)} have", field="H-6")
    if wanted and wanted not in possible:
        what = "a letter" if context == "letter" else f"the context {context}"
        raise StepFailed(UNSUITABLE, f"{what} can't become {wanted}; write message: {possible[0]}", field="H-6")
    return wanted or possible[0]
