"""Codes of the router: with what a message ended before any destination, and what a step could not do."""

from __future__ import annotations

from typing import Final

from engine.core.lifecycle import FRAGMENT_WAITING, JOINED
from engine.operations.codes.meaning import Meaning

_DEAD: Final = "dead letter"
_FILTERED: Final = "filtered message"
_RETRY: Final = "then `passerelle dead retry`"

MEANINGS: Final = (
    # Before the routes.
    Meaning(
        "E-PARSE", _DEAD,
        "The message was taken, but can't be read; the reason says at which place.",
        "Show it (`passerelle msg show ID`) to the sender's support; a corrected one must be sent, this one discarded.",
    ),
    Meaning(
        "E-SEVERAL-MESSAGES", _DEAD,
        "The header of another message stands in it, so none was routed: they may be of different patients.",
        "The reason says which: write batch: split at the source, or have the sender mended; then have all sent again.",
    ),
    Meaning(
        "E-HEADER", _DEAD,
        "The header line (MSH) is so long that no system can have meant it; the reason names the field.",
        "Have the sender mended and the message sent again, then discard this letter.",
    ),
    Meaning(
        "E-CHARSET", _DEAD,
        "A character of the patient's line (PID, MRG, P) is damaged, so that a name could become another.",
        "Show it (`passerelle msg show ID`) to the sender's support; have it sent again whole, then discard this one.",
    ),
    Meaning(
        "E-DAMAGED", _DEAD,
        "A line reads as PID, MRG, ORC or OBR and its name is damaged: what follows it could go out as another's.",
        "Show it (`passerelle msg show ID`) to the sender's support; have it sent again whole, then discard this one.",
    ),
    Meaning(
        "E-FRAGMENT", _DEAD,
        "A part of a longer message (DSC-1, MSH-14): the others didn't come in time, don't fit, or its patient is cut.",
        "Have the whole sent again, then discard the parts; they aren't joined by a retry. Where receivers put parts "
        "together themselves: fragments: deliver at the source, `passerelle apply`, then `passerelle dead retry`.",
    ),
    Meaning(
        FRAGMENT_WAITING, "waiting message",
        "A part of a longer message: it waits for the others, or for its end where it can't be told from others.",
        "Nothing, if they are on their way; the reason says what is missing, or what to do. Later it is E-FRAGMENT.",
    ),
    Meaning(
        JOINED, "joined message",
        "It came as a part of a longer message, which went on as a whole under the message that it names.",
        "Nothing. `passerelle msg trace ID` of that message says what became of the whole.",
    ),
    Meaning(
        "E-ATTACHMENT", _DEAD,
        "A document that the message names isn't there: it didn't come in time, or not from the message's own folder.",
        "Ask the sender for the message and its documents again, then discard this letter.",
    ),
    Meaning(
        "E-SITE-UNKNOWN", _DEAD,
        "The message doesn't say from which hospital it is, or names one that isn't declared.",
        f"Add it to the table that site_from of the source names, `passerelle apply`, {_RETRY}.",
    ),
    Meaning(
        "E-SOURCE", _DEAD,
        "The message waited for its routes, and the configuration has its source no more.",
        f"Put the source back, or say renamed_from: at its new name; apply, {_RETRY}. Or discard the letter.",
    ),
    Meaning(
        "E-PROCESSING", _FILTERED,
        "A message for tests or training (MSH-11 is not P), which the source doesn't take.",
        "Nothing, if it is a test. A real one must say P; processing: at the source takes others too.",
    ),
    # The ending.
    Meaning(
        "E-DUPLICATE", "duplicate",
        "The same message was sent again by its source; the first one is treated.",
        "Nothing. The message names the first one: `passerelle msg show ID`.",
    ),
    Meaning(
        "E-FILTERED", _FILTERED,
        "A route filters it: drop, or on_no_match: filter. Nobody is to have it.",
        "Nothing, unless a receiver misses it: `passerelle explain ROUTE --message ID` says which condition decided.",
    ),
    Meaning(
        "E-UNROUTED", "unrouted message",
        "No route wanted it.",
        "`passerelle explain ROUTE --message ID` says why; write a route that takes it, or one that filters it.",
    ),
    Meaning(
        "E-NO-MATCH", _DEAD,
        "The condition of a route with on_no_match: dead_letter doesn't hold, and no other route wanted the message.",
        f"`passerelle explain ROUTE --message ID` says which part fails; correct when: or the sender, {_RETRY}.",
    ),
    Meaning(
        "E-REJECTED", _DEAD,
        "A step rejects the message (reject), but its sender had been told already that it is taken.",
        "Tell the sender's support why; correct the message at its origin, then discard this letter.",
    ),
    Meaning(
        "E-DROPPED", _DEAD,
        "It was retried, and today's route drops it for this receiver (drop).",
        "If the receiver is not to have it any more, discard the letter; else correct the route and retry.",
    ),
    Meaning(
        "E-SPLIT", _DEAD,
        "The message becomes too many messages, or has no group by which it is to be split.",
        f"Correct split: or the route, `passerelle apply`, {_RETRY}.",
    ),
    Meaning(
        "E-INTERNAL", "dead letter or refusal",
        "A fault of Passerelle itself; the reason names the place in its code. Other messages go on.",
        f"Report it, with the place. After the next version: {_RETRY}.",
    ),
    # Steps.
    Meaning(
        "E-AUTHORITY", _DEAD,
        "No identifier of the field was given by an authority that a site declares.",
        f"Declare the authority (its OID) at the site in routes.yaml, `passerelle apply`, {_RETRY}.",
    ),
    Meaning(
        "E-MAP-MISS", _DEAD,
        "A code of the message isn't in the table that translates it.",
        f"`passerelle table misses` lists the codes; add them to the table, `passerelle apply`, {_RETRY}.",
    ),
    Meaning(
        "E-MAP-DATE", _DEAD,
        "The table has validity dates, and the message has no day at which to ask it.",
        f"Name another field in at: of the step, `passerelle apply`, {_RETRY}.",
    ),
    Meaning(
        "E-MAP-SEVERAL", _DEAD,
        "Several values of the field become different codes, and the step writes one place.",
        f"Put the step into foreach, `passerelle apply`, {_RETRY}.",
    ),
    Meaning(
        "E-DATE", _DEAD,
        "A date of the message is none, or isn't written as the step expects.",
        f"Correct it at its origin, or say on_error: in the step, `passerelle apply`, {_RETRY}.",
    ),
    Meaning(
        "E-REQUIRE", _DEAD,
        "The route requires something that the message doesn't have (require); the reason is the route's own sentence.",
        "Do what the sentence says; a corrected message must be sent, this one discarded.",
    ),
    Meaning(
        "E-VALIDATE", _DEAD,
        "The message isn't as its profile says (validate).",
        "`passerelle msg validate FILE` shows every fault (`msg raw ID` makes the file); tell the sender's support.",
    ),
    Meaning(
        "E-COMPARE", _DEAD,
        "A condition compares a value that is no number or no date.",
        f"Correct the message at its origin, or the condition (when:), `passerelle apply`, {_RETRY}.",
    ),
    Meaning(
        "E-CONVERT", _DEAD,
        "The message has no form in the other standard (HPRIM to HL7, or back); the reason says what is missing.",
        f"Correct the route's conversion, `passerelle apply`, {_RETRY}; or have a whole message sent.",
    ),
    Meaning(
        "E-PARSE-FIELD", _DEAD,
        "A field that should carry a message inside carries none, or one that can't be read.",
        f"Correct the step (parse), `passerelle apply`, {_RETRY}; or have the message sent again.",
    ),
    Meaning(
        "E-PYTHON", _DEAD,
        "Code of the hospital's own failed on the message, didn't return in time, or wrote what it may not.",
        f"Give the reason to who wrote the code; after the correction `passerelle apply`, {_RETRY}.",
    ),
    Meaning(
        "E-NO-SEGMENT", _DEAD,
        "A step writes into a segment that the message doesn't have.",
        f"Add the segment first, or ask for it in when:, `passerelle apply`, {_RETRY}.",
    ),
    Meaning(
        "E-NO-REPETITION", _DEAD,
        "A step writes into a repetition that the message doesn't have.",
        f"Correct the path of the step, `passerelle apply`, {_RETRY}.",
    ),
    Meaning(
        "E-NO-FIELD", _DEAD,
        "A step writes to a whole segment; it can write to fields only.",
        f"Name a field in the path of the step, `passerelle apply`, {_RETRY}.",
    ),
    Meaning(
        "E-NO-FOREACH", _DEAD,
        "A path that begins with a dot stands outside foreach, where it has no meaning.",
        f"Write the whole path, or put the step into foreach, `passerelle apply`, {_RETRY}.",
    ),
    Meaning(
        "E-NO-SITE", _DEAD,
        "A path asks for an identifier of the message's own site, and the site isn't known.",
        f"Say site: or site_from: at the source, `passerelle apply`, {_RETRY}.",
    ),
    Meaning(
        "E-DELIMITERS", _DEAD,
        "A step would write the separators of the message, or needs one that the message doesn't declare (MSH-2).",
        f"Correct the step, or have the sender declare its separators; `passerelle apply`, {_RETRY}.",
    ),
    Meaning(
        "E-SEGMENT-END", _DEAD,
        "A step would write the end of a segment into a field.",
        f"Take the line break out of the value, `passerelle apply`, {_RETRY}.",
    ),
    Meaning(
        "E-NO-ESCAPE", _DEAD,
        "A value needs an escape, and the message declares no escape character (MSH-2).",
        f"Have the sender declare one, or correct the value in the route; `passerelle apply`, {_RETRY}.",
    ),
    # At the exit.
    Meaning(
        "E-ENCODE", _DEAD,
        "A character can't be written in the charset that the destination, or the message, has.",
        f"Say another charset or unencodable: replace in encode: of the destination, `passerelle apply`, {_RETRY}.",
    ),
    Meaning(
        "E-TARGET", _DEAD,
        "No topic or file name can be made of the message for this destination.",
        f"Correct topic: or file_name: of the destination, `passerelle apply`, {_RETRY}.",
    ),
    Meaning(
        "E-INS-TEST", _DEAD,
        "A test identity (INS of the test range) was on its way to a destination in production.",
        "Don't force it. Find out who tests against production; then discard the letter.",
    ),
    Meaning(
        "E-INS-ONLY", _DEAD,
        "Without the INS, which may not go to this destination, no identifier of the patient is left.",
        "Have the sender give the hospital's own number too; write may_have: [ins] only if the receiver may have it.",
    ),
    Meaning(
        "E-INS-BODY", _DEAD,
        "What the route wrote itself holds an INS or an insurance number that may not go to this destination.",
        f"Take the number out of the template, `passerelle apply`, {_RETRY}.",
    ),
)  # fmt: skip
