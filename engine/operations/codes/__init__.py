"""
What the codes mean that operators meet on messages, refusals and alerts: what happened, and what to do next.

    meaning      the words of one code
    receiving    codes of refusals: what was not taken into custody
    routing      codes of the router: what a message ended with, what a step could not do
    identity     codes of class identity: who the patient is
    delivering   codes of attempts, and those that a receiver gives (`AE 204`)
    running      codes of alerts and of notes in `status`
    findings     words of what was odd in a message that was taken

`passerelle code E-POISON` prints one; docs/operators/dead-letters.md has them all. A code that stands in the engine
and not here fails a test. Codes of `passerelle lint` (E120) have pages of their own: engine/routes/codes.
"""

from __future__ import annotations

from typing import Final

from engine.operations.codes import delivering, findings, identity, receiving, routing, running
from engine.operations.codes.meaning import Meaning

MEANINGS: Final[dict[str, Meaning]] = {
    meaning.code: meaning
    for meaning in (*receiving.MEANINGS, *routing.MEANINGS, *identity.MEANINGS, *delivering.MEANINGS, *running.MEANINGS)
}
"""By code, in the order in which a message meets them."""

FINDINGS: Final[dict[str, Meaning]] = {meaning.code: meaning for meaning in findings.MEANINGS}
"""By the word with which a finding begins."""


def meaning_of(code: str) -> Meaning | None:
    """
    Return what a code means, also one that a receiver gave (`AE 204`, `AR`) or a finding; None: nobody gives it.

    Args:
        code: As it is shown, a finding also with its field: `not-converted P-9`.
    """
    return MEANINGS.get(code) or delivering.meaning_of_answer(code) or _meaning_of_finding(code)


def _meaning_of_finding(code: str) -> Meaning | None:
    word = code.lower().partition(" ")[0]
    return FINDINGS.get(word) or (FINDINGS["review"] if word.startswith("review-") else None)
