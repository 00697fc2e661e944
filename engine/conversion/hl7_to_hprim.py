"""
HL7 to HPRIM Santé: ORU becomes ORU, ORM and OML become ORM; documents become files beside the message.

What was a note of an HPRIM field goes back to its field; what has no place becomes a finding.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from engine.conversion.authorities import System
from engine.conversion.forms import UNSUITABLE
from engine.conversion.hprim_patient import About, not_handled, restore, to_hprim
from engine.conversion.hprim_results import Attachment, Results
from engine.conversion.notes import Note
from engine.conversion.respelling import NORM, Respelling
from engine.conversion.segments import Fields, get, part, segment, text_of
from engine.conversion.tree import LONE_ORDER, Subject, gather_hl7
from engine.errors import StepFailed
from engine.parsers.hl7v2.delimiters import STANDARD
from engine.parsers.hl7v2.message import Message
from engine.parsers.hprim.addenda import fold

CONTEXTS: Final = {b"ORU": b"ORU", b"ORM": b"ORM", b"OML": b"ORM"}
"""MSH-9.1 to H-6."""
VERSIONS: Final = ("2.1", "2.2", "2.3", "2.4", "2.5")
LINKS: Final = ("C", "L", "R")
"""H-12.2: with a hospital, between laboratories, with a radiology."""

_HANDLED: Final = frozenset({0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 15, 16, 17, 18, 19, 21})
_FILE_NAME: Final = re.compile(rb"[A-Za-z0-9_-]+\.[A-Za-z0-9]{2,5}")
_UNSAFE: Final = re.compile(rb"[^A-Za-z0-9_-]")
_LAST_FIELD: Final = {"2.1": 33, "2.2": 33, "2.3": 33, "2.4": 33, "2.5": 41}
"""The last field of P by version."""


class HprimFile(NamedTuple):
    """The file that was made."""

    data: bytes
    """UTF-8, CRLF, lines of at most 220 characters."""
    type: str
    """The context, H-6."""
    name: str
    """H-2."""
    attachments: list[Attachment]
    """Files that go beside it, before it."""
    findings: list[str]


def hl7_to_hprim(message: Message, *, version: str = "2.5", link: str = "C") -> HprimFile:
    """
    Make an HPRIM Santé file of an HL7 message.

    Args:
        message: As opened, in UTF-8.
        version: One of VERSIONS.
        link: One of LINKS.

    Raises:
        StepFailed: E-CONVERT: the message's type has no context in HPRIM, there is no PID, or it can't be said
            which analyses are ordered and which are cancelled.
    """
    tree = gather_hl7(message)
    header = tree.header
    context = CONTEXTS.get(part(get(header, 9), 1))
    if context is None:
        raise StepFailed(UNSUITABLE, "only results (ORU) and orders (ORM, OML) have a form in HPRIM", field="MSH-9")
    if not tree.subjects:
        raise StepFailed(UNSUITABLE, "the message has no PID segment: it speaks of nobody", field="PID")
    sender, receiver = System.of_hl7(get(header, 3), get(header, 4)), System.of_hl7(get(header, 5), get(header, 6))
    performer = sender if context == b"ORU" else receiver
    name = _file_name(get(header, 10))
    orders = context == b"ORM"
    if orders and LONE_ORDER in tree.findings:
        raise StepFailed(UNSUITABLE, "an order has no OBR: HPRIM can't say what it asks for or cancels", field="ORC")
    results = Results(name.rpartition(b".")[0].decode(), orders=orders)
    findings = tree.findings + not_handled("MSH", header, _HANDLED)
    fields = {
        1: b"", 2: name, 4: sender.field, 6: context, 9: receiver.field,
        11: part(get(header, 11), 1) or b"P", 12: f"H{version}^{link}".encode(), 13: get(header, 7),
    }  # fmt: skip
    for rank, subject in enumerate(tree.subjects, 1):
        before = tree.notes if rank == 1 else []
        fields |= _subject(subject, before, rank, performer, version, results, findings)
    closing = segment(b"L", {1: b"1", 3: b"%d" % len(tree.subjects), 4: b"%d" % (len(results.lines) + 2)})
    data = _write(segment(b"H", fields), [*results.lines, closing])
    return HprimFile(data, context.decode(), text_of(name), results.attachments, findings + results.findings)


def _subject(
    subject: Subject, before: list[Note], rank: int, performer: System, version: str, results: Results,
    findings: list[str],
) -> dict[int, bytes]:  # fmt: skip
    """Write one patient; returns the fields of H that notes hold."""
    about = About(subject.fields, *(subject.more.get(name, []) for name in (b"PD1", b"PV1", b"ZFD")))
    written = to_hprim(about, performer, rank=rank, birth_given=version >= "2.5")
    of_header: dict[int, bytes] = {}
    comments = before.copy()
    for note in subject.notes:
        if note.segment == "P":
            restore(written, note, performer)
        elif note.segment == "H":
            of_header[note.number] = note.text
        else:
            comments.append(note)
    findings += written.findings
    for number in sorted(written.p):
        if number > _LAST_FIELD[version] and written.p[number]:
            findings.append(f"not-converted P-{number}")  # the version doesn't have it
            del written.p[number]
    if version < "2.3" and written.p.pop(11, b""):
        findings.append("not-converted P-11")
    results.lines.append(segment(b"P", written.p))
    results.comment(comments)
    results.add(subject.requests)
    return of_header


def _file_name(control_id: bytes) -> bytes:
    """Return H-2: MSH-10 where it is a file's name, else one made of it."""
    plain = text_of(control_id).encode("ascii", "replace")
    return plain if _FILE_NAME.fullmatch(plain) else _UNSAFE.sub(b"_", plain) + b".HPR"


def _write(header: bytes, lines: list[bytes]) -> bytes:
    """Return the file in the norm's delimiters."""
    respelling = Respelling(STANDARD, NORM)
    first = respelling.fields(header)
    first[1] = NORM.declared
    segments: list[Fields] = [first, *(respelling.fields(line) for line in lines)]
    written = [fold(b"|".join(fields), b"|", b"\r\n", "utf-8") for fields in segments]
    return b"\r\n".join([*written, b""])
