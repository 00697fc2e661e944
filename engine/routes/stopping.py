"""
What stops a message before any route is asked.

Several messages in one, a part of one, a patient's line that nobody can read, a test, no files, no site.

Each is a decision with a code and a sentence; nothing of the message is delivered.
"""

from __future__ import annotations

import re
from typing import Final

from engine.core.lifecycle import FRAGMENT, FRAGMENT_WAITING, MessageState
from engine.core.messages import StoredMessage
from engine.parsers.hl7v2.ack import HEADER_BYTES_MAX
from engine.parsers.hl7v2.batch import split_batch
from engine.parsers.hl7v2.fragments import fragment_of, may_go_alone
from engine.parsers.hl7v2.header import header_line
from engine.parsers.hl7v2.layout import name_of
from engine.parsers.hl7v2.message import Message
from engine.parsers.mixed import CODEC as MIXED
from engine.parsers.mixed import is_broken
from engine.parsers.paths import Path
from engine.routes.configuration import Source
from engine.routes.decision import (
    ATTACHMENT,
    CHARSET,
    DAMAGED,
    HEADER,
    PROCESSING,
    SEVERAL,
    SITE_UNKNOWN,
    Evaluation,
)  # fmt: skip


def before_routes(source: Source, stored: StoredMessage, message: Message) -> Evaluation | None:
    """
    Tell whether a message may go to the routes at all.

    Args:
        source: Its source.
        stored: As received.
        message: As read, with its own delimiters.

    Returns:
        The decision that ends its walk, or None.
    """
    refusal: Evaluation | None = None
    if message.format == "hl7v2":
        refusal = (
            _several(stored, message) or _header(stored) or _fragment(source, stored, message) or _damaged(message)
        )
    if message.received_codec == MIXED:
        refusal = refusal or _garbled(stored, message)
    return refusal or _processing(source, message) or _attachments(source, stored)


def site_of(source: Source, message: Message) -> tuple[str, Evaluation | None]:
    """
    Tell the site of a message: its source's, or the one that it names itself (`site_from`).

    Returns:
        The site's name, or empty with the decision that ends the walk: it names none that is known.
    """
    if source.site_from is None:
        return source.site, None
    table = source.site_from.table
    for path in source.site_from.paths:
        for value in path.read(message):
            site = table.get(value)
            if site is not None:
                return site, None
    paths = ", ".join(path.text for path in source.site_from.paths)
    return "", Evaluation(
        MessageState.DEAD, code=SITE_UNKNOWN, field=source.site_from.paths[0].text,
        reason=f"none of {paths} names a site of {source.site_from.table_name}",
    )  # fmt: skip


def _several(stored: StoredMessage, message: Message) -> Evaluation | None:
    """Stop a block with several messages: its routes would read the first patient, and send all under it."""
    raw, headers = stored.raw, message.headers
    if _LOST_END.search(raw) is not None or _signatures(raw, message) > headers:
        reason = "a message begins inside this one: the end of the one before was lost; have both sent again"
        return Evaluation(MessageState.DEAD, code=SEVERAL, field="MSH", reason=reason)
    if headers < 2:
        return None
    batch = split_batch(raw)
    if batch.headers < headers:
        reason = (
            f"{headers} lines of it read as the header of a message, and {headers - batch.headers} can't begin one "
            "(a blank, a byte order mark or a line feed before MSH, small letters, nothing behind it): nothing is sent "
            "under the first one's patient; have the sender mended, and all of them sent again"
        )
        return Evaluation(MessageState.DEAD, code=SEVERAL, field="MSH", reason=reason)
    reason = f"{batch.headers} messages came in one block: write batch: split at the source, then send the block again"
    return Evaluation(MessageState.DEAD, code=SEVERAL, field="MSH", reason=reason)


def _signatures(raw: bytes, message: Message) -> int:
    """Count the beginnings of a header, wherever they stand: unescaped, those bytes are in no field (§ 2.7)."""
    marks = message.delimiters
    if len(marks.declared) < _SURE_MARKS:
        return 0
    tail = marks.field + marks.declared
    return raw.count(b"MSH" + tail) + raw.count(b"msh" + tail)


def _header(stored: StoredMessage) -> Evaluation | None:
    """Stop a message whose header no system can have meant: its receiver couldn't tell which one it answers."""
    line = header_line(stored.raw)
    if len(line) <= HEADER_BYTES_MAX:
        return None
    fields = line.split(line[3:4])
    longest = max(range(len(fields)), key=lambda rank: len(fields[rank]))
    field = f"MSH-{longest + 1}" if longest else "MSH"
    reason = (
        f"it has {len(fields[longest])} bytes, and the whole header at most {HEADER_BYTES_MAX}: "
        "have the sender mended, and the message sent again"
    )
    return Evaluation(MessageState.DEAD, code=HEADER, field=field, reason=reason)


def _fragment(source: Source, stored: StoredMessage, message: Message) -> Evaluation | None:
    """
    Stop a part of a longer message: its receiver would take it for the whole (HL7 v2.5 § 2.10.2.2).

    Where the source joins them it waits for the others (flow.joining); one that goes alone was waiting already. That
    one is stopped too where its cut may concern its patient: half a number is another patient's.

    MSH-14 alone proves nothing, because many fill it with something; what speaks of nobody, or begins with anything
    else than a message of its patient does (the rest of a segment, results before the PID), continues another one.

    A DSC of which nobody can tell how the message goes on makes half a message of it all the same.
    """
    if not (message.positions(b"DSC") or message.value(b"MSH", 14)):
        return None
    fragment = fragment_of(stored.raw)
    if fragment is None:
        return None
    if not fragment.goes_on and fragment.begins and fragment.flaw is None:
        message.findings.append("continues-another")
        return None
    rule = source.fragments
    if stored.joins:
        return None
    what, field = ("continues", "MSH-14") if not fragment.goes_on and fragment.flaw is None else ("goes on in", "DSC-1")
    if stored.alone or (not rule.join and rule.then == "deliver"):
        if may_go_alone(fragment, message.names):
            return None
        reason = (
            f"it {what} another message, and is cut where the patient, the stay or the order is named, or may be: "
            "without the other parts it could be taken for somebody else's, and isn't delivered; have the whole sent "
            "again"
        )
        return Evaluation(MessageState.DEAD, code=FRAGMENT, field=field, reason=reason)
    if fragment.flaw is not None and not (rule.join and (fragment.goes_on or fragment.continues)):
        field, why = fragment.flaw
        reason = (
            f"it has a DSC, so that it is a part of a longer message, and {why}: it isn't delivered as a whole one; "
            "have the sender mended, and the whole sent again"
        )
        return Evaluation(MessageState.DEAD, code=FRAGMENT, field=field, reason=reason)
    if rule.join:
        reason = f"it {what} another message: it waits for the other parts of the whole"
        waiting = Evaluation(MessageState.WAITING, code=FRAGMENT_WAITING, field=field, reason=reason)
        waiting.fragment = fragment
        return waiting
    reason = (
        f"it {what} another message, which isn't in its block: have the whole sent again in one message or one "
        "batch, or let it wait for the others: fragments: { join: 10m } at the source"
    )
    return Evaluation(MessageState.DEAD, code=FRAGMENT, field=field, reason=reason)


def _damaged(message: Message) -> Evaluation | None:
    """Stop a message with a patient's or order's line that reads as text: what follows it would be another's."""
    if message.damaged is None:
        return None
    name, position = message.damaged
    if name == "DSC":
        reason = (
            f"segment {position + 1} reads as DSC, but its name is damaged: it may be half a message, and isn't "
            "delivered as a whole one; have the sender mended, and the whole sent again"
        )
        return Evaluation(MessageState.DEAD, code=FRAGMENT, field=name, reason=reason)
    reason = (
        f"segment {position + 1} reads as {name}, but its name is damaged (small letters, or a byte order mark or "
        "another sign before it): what follows it could go out under another patient or order; have the sender "
        "mended, and the message sent again"
    )
    return Evaluation(MessageState.DEAD, code=DAMAGED, field=name, reason=reason)


def _garbled(stored: StoredMessage, message: Message) -> Evaluation | None:
    """
    Stop a message whose patient's line has bytes that are no text in its character set: a name would be another.

    Elsewhere a broken character, of a comment that was cut, is nobody's name.
    """
    names = _PATIENTS.get(message.format)
    for line in stored.raw.splitlines():
        name = name_of(line, message.delimiters.field) if names is not None else b""
        if (names is None or name in names) and is_broken(line):
            field = name.decode()
            reason = (
                f"a character of {field or 'the letter'} is damaged: it is UTF-8 with bytes between that are none, as "
                "a value has that was cut inside a character; a name could become another: have the sender mended, "
                "and the message sent again"
            )
            return Evaluation(MessageState.DEAD, code=CHARSET, field=field, reason=reason)
    return None


def _processing(source: Source, message: Message) -> Evaluation | None:
    """Stop a message for tests or training (table 0103) where the source doesn't take them."""
    path = _MSH_PROCESSING if message.format == "hl7v2" else _H_PROCESSING
    value = path.first(message) or "P"
    if value in source.processing:
        return None
    reason = "a message for tests or training (MSH-11): the source doesn't take it to the routes"
    return Evaluation(MessageState.FILTERED, code=PROCESSING, field=path.text, reason=reason)


def _attachments(source: Source, stored: StoredMessage) -> Evaluation | None:
    """Stop a message whose files didn't come, where the source wants it."""
    rule = source.attachments
    if rule is None or rule.on_missing != "dead_letter":
        return None
    if not any(one.data is None for one in stored.attachments):
        return None
    reason = "a file that it names was not there when its wait was over: ask for both again"
    return Evaluation(MessageState.DEAD, code=ATTACHMENT, field=rule.path.text, reason=reason)


_PATIENTS: Final = {"hl7v2": (b"PID", b"MRG"), "hprim-sante": (b"P",)}
"""Lines that name patients; of a letter, any may."""
_SURE_MARKS: Final = 3
"""Bytes of MSH-2 from which on `MSH` and all of them together are no text."""
_LOST_END: Final = re.compile(rb"[\x0b\x1c][\x00-\x20]{0,8}(?:\xef\xbb\xbf)?[Mm][Ss][Hh][^\w\s]")
"""The framing of MLLP inside a block, then a header: the bytes between two messages were cut or changed."""
_MSH_PROCESSING: Final = Path.parse("MSH-11.1")
_H_PROCESSING: Final = Path.parse("H-11")
