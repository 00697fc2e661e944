"""Codes of dead letters of class identity, and of messages that wait: who the patient is isn't sure."""

from __future__ import annotations

from typing import Final

from engine.operations.codes.meaning import Meaning

_DEAD: Final = "dead letter"

MEANINGS: Final = (
    Meaning(
        "E-ID-WAITING", "waiting message",
        "Nobody knows its patient yet, or the performing site has no number for him. It waits by itself.",
        "Nothing, if the admission is on its way. Otherwise ask the site for the patient's identity message.",
    ),
    Meaning(
        "E-ID-UNKNOWN", _DEAD,
        "Nobody knew its patient, or the time for which it could wait is over.",
        "Ask the site to send the patient's identity (A28 or A31), then `passerelle dead retry`.",
    ),
    Meaning(
        "E-ID-ELSEWHERE", _DEAD,
        "At its retry nobody knew the patient, and the route sends such messages to another destination.",
        "Ask the site to send the patient's identity (A28 or A31), then `passerelle dead retry`.",
    ),
    Meaning(
        "E-ID-NOBODY", _DEAD,
        "It names nobody: no PID, or no number of an authority that a site declares.",
        "Declare the authority of its numbers at the site, or have the message corrected; then retry. Messages "
        "that are about no patient belong to a route without normalise_identity.",
    ),
    Meaning(
        "E-ID-NOT-ASSERTED", _DEAD,
        "A source speaks of numbers of another site.",
        "Find out why. If it may, write may_assert at the source, `passerelle apply`, then retry. An alert names the "
        "source, once an hour.",
    ),
    Meaning(
        "E-ID-TWO-PATIENTS", _DEAD,
        "Its identifiers belong to two patients of the group. What comes for both waits behind it.",
        "An identity officer looks at the review list and decides; then retry, or discard.",
    ),
    Meaning(
        "E-ID-TWO-NUMBERS", _DEAD,
        "A patient would get two numbers of one site, and no merge says so; or an A37 parts two, and says nothing of "
        "the numbers that ended in them. What comes for him waits behind it.",
        "Have the site merge them (A40) or correct the message; then retry, or discard. An A37: do it with `passerelle "
        "identity unlink`, then discard it.",
    ),
    Meaning(
        "E-ID-INS-ELSEWHERE", _DEAD,
        "It names an INS that another patient of the group holds. What comes for both waits behind it.",
        "An identity officer finds out whose INS it is; the site that is wrong corrects it; then retry, or discard.",
    ),
    Meaning(
        "E-ID-TWO-INS", _DEAD,
        "A patient would have two INS. What comes for him waits behind it.",
        "An identity officer finds out which one is right; the site corrects it; then retry, or discard.",
    ),
    Meaning(
        "E-ID-TRAITS", _DEAD,
        "Names, dates or sex disagree: of two patients that it asks to join, or with what is known of its number: of "
        "whom the site was sure last (`was sure of` in `identity show`), whatever it said since as doubtful, fictive "
        "or provisional.",
        "Don't force it. Ask the site who it is. Another person from now on: `passerelle identity unlink ID "
        "--ipp --another-person`, then retry. Wrong: have it corrected, discard. Of two patients to be "
        "joined: discard, unless corrected.",
    ),
    Meaning(
        "E-ID-TAKEN", _DEAD,
        "It gives a patient a number that another one has in use. What comes for both waits behind it.",
        "The site should have sent a merge (A40), or made a mistake: ask it; then retry, or discard.",
    ),
    Meaning(
        "E-ID-APART", _DEAD,
        "It asks to join two patients of whom an identity officer said that they are two people.",
        "Ask the officer. If that was wrong, undo it and retry; otherwise have the site undo its merge, and discard.",
    ),
    Meaning(
        "E-ID-CYCLE", _DEAD,
        "It merges a number into one that was merged into it before.",
        "Ask the site which number goes on; have it send that; then discard this one.",
    ),
    Meaning(
        "E-ID-UNPAIRED", _DEAD,
        "It merges, renames or moves numbers, and doesn't name both sides of one declared authority.",
        "Declare the authority at its site and retry; or have the message corrected, and discard this one.",
    ),
    Meaning(
        "E-ID-EVENT", _DEAD,
        "It replaces numbers (MRG) by an event that says nothing of how.",
        "Do what it asks for with `passerelle identity link` or `unlink`, then discard it.",
    ),
    Meaning(
        "E-ID-STAY", _DEAD,
        "It names a stay that isn't this patient's. What comes for both waits behind it.",
        "Find out whose stay, or whose result, it is; have it corrected; then retry, or discard.",
    ),
    Meaning(
        "E-ID-HASH", _DEAD,
        "Two numbers have one hash. Nothing was decided.",
        "Tell the maintainers: that is to be expected once in billions of numbers.",
    ),
    Meaning(
        "E-ID-NUMBERS", _DEAD,
        "No federation identifier of the declared width is left.",
        "Write a greater width under identity.number, `passerelle apply`, then retry.",
    ),
    Meaning(
        "E-ID-PARTED", _DEAD,
        "Its patients were parted while it waited, and it can't be made anew: it merges them, its numbers are two"
        " people's, nobody's, or of somebody whose traits aren't known to be these, or its route is gone. What "
        "comes for them waits behind it.",
        "An officer looks whose it is. Discard a merge that holds no more, or what is about who had the number "
        "before; retry what is right: it is decided on again by what it says, so mark two people apart first "
        "(`identity apart`).",
    ),
    Meaning(
        "E-ID-SITE", _DEAD,
        "The step localise_identity found no performing site in the message that is one of the group's.",
        "Look at the field that site: names; map it to the names of the sites, `passerelle apply`, then retry.",
    ),
    Meaning(
        "E-ID-NO-NUMBER", _DEAD,
        "The performing site has no number for this patient.",
        "Have the patient admitted there; when the site has sent his identity, `passerelle dead retry`.",
    ),
    Meaning(
        "E-ID-SEVERAL-NUMBERS", _DEAD,
        "The performing site uses several numbers for this patient.",
        "Have the site merge them (A40), then `passerelle dead retry`.",
    ),
)  # fmt: skip
