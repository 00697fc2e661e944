"""Findings: what was odd in a message that was taken all the same. `status` counts them by source."""

from __future__ import annotations

from typing import Final

from engine.operations.codes.meaning import Meaning

_STANDS: Final = "finding"
_ENCODING: Final = "Write charset of the site or source as its system really writes; have MSH-18 mended there."
_HALF: Final = "Ask the sender whether something is missing; it may have to be sent again."
_NOTHING: Final = "Nothing, if the receiver doesn't need it; else have the sender mend it."
_DATE: Final = "Have the sender write dates as YYYYMMDD; the receiver may refuse such a message."

MEANINGS: Final = (
    Meaning("charset-mismatch", _STANDS, "The bytes aren't in the character set that MSH-18 declares.", _ENCODING),
    Meaning(
        "charset-mixed", _STANDS,
        "The message is UTF-8, and some bytes of it aren't: they were read as CP1252, all others as UTF-8.",
        "Have the sender cut its texts between characters, and write all of them in UTF-8.",
    ),
    Meaning("charset-unknown", _STANDS, "MSH-18 names a character set that nobody knows.", _ENCODING),
    Meaning("charset-undeclared", _STANDS, "MSH-18 names no character set, and there are accents.", _ENCODING),
    Meaning("charset-repeated", _STANDS, "MSH-18 names several; the first that is known was taken.", _ENCODING),
    Meaning("control-character", _STANDS, "A character that can't be printed stands in the message.", _NOTHING),
    Meaning("odd-delimiters", _STANDS, "MSH-1 and MSH-2 aren't those of nearly everybody (|^~\\&).", _NOTHING),
    Meaning("two-headers", _STANDS, "The header of another message stands in the middle.", _HALF),
    Meaning("batch-count", _STANDS, "BTS-1 counts another number of messages than came in the batch.", _HALF),
    Meaning("file-count", _STANDS, "FTS-1 counts another number of batches than came in the file.", _HALF),
    Meaning("batch-not-ended", _STANDS, "A batch has no BTS, with which it ends.", _HALF),
    Meaning("file-not-ended", _STANDS, "A file of batches has no FTS, with which it ends.", _HALF),
    Meaning("message-not-ended", _STANDS, "An HPRIM message has no L, with which it ends.", _HALF),
    Meaning("letter-not-ended", _STANDS, "A letter has no ****FIN****, with which it ends.", _HALF),
    Meaning("letter-header", _STANDS, "The header of a letter hasn't the twelve lines of the norm.", _NOTHING),
    Meaning("text-after-end", _STANDS, "Text stands behind the end of a letter, and belongs to none.", _HALF),
    Meaning("patient-count", _STANDS, "L-3 counts another number of patients than the HPRIM file has.", _HALF),
    Meaning("segment-count", _STANDS, "L-4 counts another number of segments than the HPRIM file has.", _HALF),
    Meaning("lines-without-segment", _STANDS, "A line begins with no segment's name and continues none.", _HALF),
    Meaning(
        "continues-another", _STANDS,
        "MSH-14 says that the message continues another, and it has a PID of its own: it was taken as a whole one.",
        "Nothing, if the sender always fills MSH-14; else ask it to send the whole.",
    ),
    Meaning(
        "unknown-authority", _STANDS, "An identifier has an authority that no site declares; it stayed as it was.",
        "If it is one of a site, declare it under authorities or aliases of the site, and apply.",
    ),
    Meaning(
        "not-converted", _STANDS, "The field or segment has no place in the other standard, and was left out.",
        "Nothing, if the receiver doesn't need it; else set a field of your choice in a step before.",
    ),
    Meaning("decimal-comma", _STANDS, "A number had a comma, and got the point that HL7 wants.", "Nothing."),
    Meaning("html-entities", _STANDS, "Signs like &eacute; stood in a letter, and became letters.", "Nothing."),
    Meaning("not-numeric", _STANDS, "A value that is declared a number is none; it goes on as a text.", _NOTHING),
    Meaning("odd-date", _STANDS, "A date is none, or has a year of two digits.", _DATE),
    Meaning(
        "attachment-missing", _STANDS, "A file that the message names wasn't there; a pointer to it stands instead.",
        "Have the sender write the file, and send both again.",
    ),
    Meaning("attachments-left", _STANDS, "The destination has no room for the files of the message.", _NOTHING),
    Meaning("not-decoded", _STANDS, "A document in OBX-5 couldn't be decoded, and is no file.", _HALF),
    Meaning("result-without-request", _STANDS, "Results came without an OBR before them; one was made.", _NOTHING),
    Meaning(
        "merge-source-unknown", _STANDS, "A merge names a number that nobody has here: nothing was joined.",
        "Nothing: the message goes on. If it lasts, ask whether the admissions of that site come at all.",
    ),
    Meaning(
        "rename-source-unknown", _STANDS, "A change of number names one that nobody has here: nothing was changed.",
        "Nothing: the message goes on. If it lasts, ask whether the admissions of that site come at all.",
    ),
    Meaning("merged-with-itself", _STANDS, "A merge names one number twice: nothing was joined.", _NOTHING),
    Meaning("not-linked", _STANDS, "An unlink names two who are not one here: nothing was parted.", _NOTHING),
    Meaning(
        "stay-without-traits", _STANDS,
        "A message names a stay and no number, and neither birth date nor sex, which would confirm the patient.",
        "Have the sender write PID-7 and PID-8, or the patient's number.",
    ),
    Meaning(
        "stay-elsewhere", _STANDS, "A stay of one patient came with the number of another.",
        "Look at the pair in `passerelle identity review`.",
    ),
    Meaning(
        "review", _STANDS, "Two patients may be one, and no rule may decide it.",
        "Look at the pair in `passerelle identity review`.",
    ),
    Meaning(
        "ins-withheld", _STANDS, "An INS was taken out, since it may not leave for that destination.",
        "Nothing; where it may, write may_have: [ins] at the destination.",
    ),
    Meaning(
        "ins-unqualified", _STANDS, "An INS was taken out, since the identity isn't qualified (PID-32).",
        "Nothing; the hospital qualifies the identity, then it leaves.",
    ),
    Meaning("ins-obsolete", _STANDS, "An INS-C was taken out: it is no longer allowed.", "Have the sender stop it."),
    Meaning("ins-key", _STANDS, "The key of an INS doesn't fit its number.", "Have the hospital look at it."),
    Meaning("ins-form", _STANDS, "An INS hasn't the form of one.", "Have the hospital look at it."),
    Meaning("ins-type", _STANDS, "CX-5 of an INS isn't INS.", "Have the sender mend it; it leaves as it is."),
    Meaning(
        "ins-in-document", _STANDS, "An INS stands in a text or document, which is never rewritten.",
        "Send documents only where an INS may go.",
    ),
    Meaning(
        "insurance-withheld", _STANDS, "An insurance number was taken out, since it may not leave there.",
        "Nothing; where it may, write may_have: [insurance] at the destination.",
    ),
    Meaning(
        "unencodable", _STANDS, "A character has no place in the destination's charset, and left as `?`.",
        "Write encode: { charset: UTF-8 } at the destination, if its receiver reads that.",
    ),
)  # fmt: skip
