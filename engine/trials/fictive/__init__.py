"""
Stored messages made into fixtures for tests: identities are made up, dates moved, the structure kept.

    people     names, towns, numbers that nobody has
    kinds      what each leaf may tell of somebody, by data type and place
    guises     a made-up value for a real one: the same for the same, in its shape
    walking    a message walked leaf by leaf

What isn't known to be harmless is masked. What stays is compared with every name and number that was replaced: a
patient's name in a comment that a laboratory wrote into a code goes too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from engine.core.messages import StoredMessage
from engine.core.references import References
from engine.errors import ParseError
from engine.parsers import open_message
from engine.trials.fictive.guises import Guises
from engine.trials.fictive.walking import disguise, learn

_WEEKS_LEAST: Final = 52
_WEEKS_MORE: Final = 470


def made_fictive(messages: Sequence[StoredMessage], references: References) -> list[bytes]:
    """
    Make messages that go together about nobody.

    Args:
        messages: As stored, in the order in which they came.
        references: Hashes with the data directory's key: the same patient gets the same guise in every export.

    Returns:
        Their bytes, in their charsets and with their delimiters. Dates of all went back by the same number of weeks.

    Raises:
        ParseError: One can't be read: then nobody could say what in it is harmless.
    """
    weeks = _WEEKS_LEAST + references.hash("fictive weeks", "", str(messages[0].place)) % _WEEKS_MORE
    guises = Guises(references, weeks)
    opened = [open_message(one.raw, one.format, as_utf8=False) for one in messages]
    for message in opened:
        if message.format not in ("hl7v2", "hprim-sante", "hprim-medecin"):
            raise ParseError(f"a message in {message.format} can't be made into one for tests")
        learn(message, guises)
    for message in opened:
        disguise(message, guises)
    return [message.to_bytes() for message in opened]
