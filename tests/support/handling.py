"""
Everything that the engine may be asked to do with the bytes of one message; each raises its own error or keeps
its promise. The corpus and the fuzzing campaign go through the same functions.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final

from engine.conversion import Conversion, HprimFile, hl7_to_hprim, to_hl7
from engine.conversion.as_json import as_json
from engine.core import splices
from engine.errors import ParseError, StepFailed
from engine.operations.trees import tree_of
from engine.parsers import base_of, header_of, open_message, sniff
from engine.parsers.hl7v2.batch import is_batch, split_batch
from engine.parsers.hl7v2.message import Message
from engine.parsers.paths import Path
from engine.validation.findings import FINDINGS_MAX, RULES, Finding
from engine.validation.shipped import fitting
from engine.validation.validator import Validator

MARKER: Final = "ZQXJK"
"""A value that stands in no message: where it appears, an edit put it there."""
LINE_CHARACTERS_MAX: Final = 220
"""HPRIM Santé's own limit."""

_LOCATION: Final = re.compile(r"|(?:MSH|MSA|FHS|BHS|H)(?:-\d+)?")
_VALIDATORS: Final[dict[str, Validator]] = {}


def read(raw: bytes, format_: str = "auto") -> Message | None:
    """Open a message as routes do; None where it is refused, with a sentence and a place."""
    try:
        header_of(raw, format_)
        return open_message(raw, format_)
    except ParseError as refused:
        told(refused)
        return None


def told(refused: ParseError | StepFailed) -> None:
    """A refusal says why, in a sentence, and where there is a place, as a path; a step's has its code too."""
    assert refused.reason.strip()
    if isinstance(refused, ParseError):
        assert _LOCATION.fullmatch(refused.location), refused.location
        assert 100 <= refused.error_code <= 207
    else:
        assert re.fullmatch(r"E-[A-Z-]+", refused.code)


def messages_in(raw: bytes) -> list[bytes]:
    """Cut a block as intake does; a block that is refused, or is no batch, is its own message."""
    if sniff(raw) != "hl7v2" or not is_batch(raw):
        return [raw]
    try:
        return split_batch(raw).messages or [raw]
    except ParseError as refused:
        told(refused)
        return [raw]


def comes_back(raw: bytes, format_: str = "auto") -> None:
    """Untouched, a message is the bytes that came; its base depends on them and its flag alone."""
    received = open_message(raw, format_, as_utf8=False)
    assert received.to_bytes() == raw
    assert received.splices() == []
    message = open_message(raw, format_)
    assert message.to_bytes() == message.base == base_of(raw, message.base_flag)
    message.base.decode("utf-8")
    names = message.names
    assert len(names) == len(message.segments())
    message.normalise_delimiters()
    assert message.names == names
    same_as_stored(raw, message)


def same_as_stored(raw: bytes, message: Message) -> bytes:
    """What is stored of an edited message, the difference to the received bytes, gives the very bytes that leave."""
    rendered, difference = message.render()
    assert splices.apply(raw, splices.pack(difference, message.base_flag), base_of) == rendered
    return rendered


def shown(raw: bytes, format_: str = "auto") -> None:
    """A message is a tree, with its faults marked, and plain values."""
    tree = tree_of(raw, format_, check=validated)
    json.dumps(tree.as_json(), ensure_ascii=False).encode("utf-8")
    json.dumps(as_json(open_message(raw, format_)), ensure_ascii=False).encode("utf-8")


def validated(message: Message) -> list[Finding]:
    """Compare with the profile that fits; every finding has its rule, path, severity and sentence."""
    profile = fitting(message)
    validator = _VALIDATORS.get(profile.name) or _VALIDATORS.setdefault(profile.name, Validator(profile))
    found = validator.check(message)
    assert len(found) <= FINDINGS_MAX
    count = len(message.names)
    for one in found:
        assert one.rule in RULES or one.rule
        assert one.path
        assert one.sentence
        assert one.severity in ("error", "warning")
        assert one.place.segment < count
    return found


def converted(message: Message, findings: list[str] | None = None) -> Iterator[bytes]:
    """Convert to the other standard, and what was made back again; gives every message and file that was made."""
    if message.format == "hl7v2":
        made = to_hprim(message)
        if made is not None:
            yield made.data
            again = to_hl7_messages(open_message(made.data, "hprim-sante", default_charset="utf-8"))
            yield from (one.data for one in again.messages) if again else ()
        return
    conversion = to_hl7_messages(message)
    for one in conversion.messages if conversion else ():
        yield one.data
        back = to_hprim(open_message(one.data, "hl7v2"))
        if back is not None:
            yield back.data


def to_hprim(message: Message) -> HprimFile | None:
    """Make an HPRIM file; None where the message has no form there. It is read without a finding."""
    try:
        made = hl7_to_hprim(message)
    except StepFailed as failed:
        told(failed)
        return None
    again = open_message(made.data, "hprim-sante", default_charset="utf-8")
    assert not {"patient-count", "segment-count", "charset-mismatch"} & set(again.findings)
    assert all(len(line) <= LINE_CHARACTERS_MAX for line in made.data.decode().split("\r\n"))
    assert all(attachment.path for attachment in made.attachments)
    return made


def to_hl7_messages(message: Message) -> Conversion | None:
    """Make HL7 messages; None where there is no form for the file. Each is read, in UTF-8, with its own control id."""
    try:
        made = to_hl7(message, on_missing="pointer")
    except StepFailed as failed:
        told(failed)
        return None
    assert made.messages
    for one in made.messages:
        again = open_message(one.data, "hl7v2")
        assert again.header.type == one.type
        assert again.header.control_id
        assert "" not in again.names
        # a switch of the character set is carried over as it stands, and resolved by who reads the message in UTF-8
        assert open_message(one.data, "hl7v2", as_utf8=False).to_bytes() == one.data
    return made


def changes_one_value(raw: bytes, path: str = "PID-5.1") -> bool:
    """
    Change one value of a message as received: no other byte changes.

    Returns:
        False where the message has no such segment, or no separator for such a part.
    """
    message = open_message(raw, "hl7v2", as_utf8=False)
    wanted = Path.parse(path)
    segment = message.first(wanted.segment)
    marks = message.delimiters
    if segment is None or not marks.component or MARKER.encode() in raw:
        return False
    if wanted.field < 3 and wanted.segment == "MSH":
        return False
    before = _old(segment.field(wanted.field), marks.repetition, marks.component if wanted.component else b"")
    assert wanted.write(message, MARKER) == 1
    # a value that was cut by ADD is whole in the edit: what lay between its pieces goes with it
    cut = re.compile(rb"[\r\n][\r\n\t \x00\x0b\x0c]*ADD(?:%b|(?=[\r\n]|\Z))" % re.escape(marks.field))
    written, whole = (cut.sub(b"", text) if b"ADD" in raw else text for text in (message.to_bytes(), raw))
    head, found, tail = written.partition(MARKER.encode())
    assert found
    assert whole.endswith(tail)
    kept = whole[: len(whole) - len(tail)]
    if kept.startswith(head):
        assert kept[len(head) :] == before
    else:  # the segment was shorter: separators were put in, and nothing else
        while not kept.startswith(head) and head.endswith(marks.field):
            head = head[: -len(marks.field)]
        assert head == kept
        assert before == b""
    return True


def _old(field: bytes, repetition: bytes, component: bytes) -> bytes:
    """Return the first repetition, or its first component; a null goes as a whole."""
    first = field.split(repetition)[0] if repetition else field
    return first.split(component)[0] if component and first != b'""' else first
