"""
A message as what belongs to what: patients, their requests, the results of each, and comments at every level.

Both standards say it by the order of segments: P or PID, then OBR, then OBX; C or NTE belongs to what it follows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from engine.conversion.forms import UNSUITABLE
from engine.conversion.notes import Note, read
from engine.conversion.respelling import to_standard
from engine.conversion.segments import Fields, get
from engine.errors import StepFailed
from engine.parsers.hl7v2.delimiters import STANDARD
from engine.parsers.hl7v2.escapes import escape_all
from engine.parsers.hl7v2.message import Message


@dataclass(slots=True)
class Result:
    """An OBX with its comments."""

    obx: Fields
    notes: list[Note] = field(default_factory=list)


@dataclass(slots=True)
class Request:
    """An OBR with its results; `more`: ORC and SPM of HL7, by name."""

    obr: Fields
    notes: list[Note] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)
    more: dict[bytes, Fields] = field(default_factory=dict)


@dataclass(slots=True)
class Subject:
    """A P or PID with its requests; `more`: PD1, PV1, ZFD of HL7, by name."""

    fields: Fields
    notes: list[Note] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    more: dict[bytes, Fields] = field(default_factory=dict)


@dataclass(slots=True)
class Tree:
    """All of one message."""

    header: Fields
    subjects: list[Subject] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    """Before the first patient."""
    findings: list[str] = field(default_factory=list)
    """`not-converted NAME` for each segment that has no place, `result-without-request`."""


LONE_ORDER: Final = "not-converted ORC"
"""Finding: an ORC without OBR."""
_COUNTED: Final = frozenset({b"L"})
"""What the parser has compared already."""


def gather_hprim(message: Message) -> Tree:
    """Read an HPRIM Santé message; a line that belongs to nothing becomes a comment on what it follows."""
    tree = Tree(_header(message, b"H"))
    level: Tree | Subject | Request | Result = tree
    subject: Subject | None = None
    request: Request | None = None
    for name, fields in _segments(message, b"H"):
        if name == b"OBX" and subject is not None:
            if request is None:
                request = _implied(subject, tree)
            level = Result(fields)
            request.results.append(level)
        elif name == b"C":
            level.notes.append(Note(get(fields, 2), get(fields, 3)))
            if any(fields[4:]):
                tree.findings.append("not-converted C-4")
        elif name == b"OBR" and subject is not None:
            level = request = Request(fields)
            subject.requests.append(request)
        elif name == b"P":
            level = subject = Subject(fields)
            request = None
            tree.subjects.append(subject)
        elif name in (b"H", b"PID") or (not name and _is_damaged_patient(fields[0])):
            raise StepFailed(
                UNSUITABLE, "a second header, or a damaged P: whose the results after it are can't be known", field="P"
            )
        elif not name:
            level.notes.append(Note(b"", fields[0]))
        elif name not in _COUNTED:
            tree.findings.append(f"not-converted {name.decode()}")
    return tree


def gather_hl7(message: Message) -> Tree:
    """Read an HL7 message of results or orders."""
    tree = Tree(_header(message, b"MSH"))
    level: Tree | Subject | Request | Result = tree
    subject: Subject | None = None
    request: Request | None = None
    orc: Fields = []
    for name, fields in _segments(message, b"MSH"):
        if name == b"OBX" and subject is not None:
            if request is None:
                request = _implied(subject, tree)
            level = Result(fields)
            request.results.append(level)
        elif name == b"NTE":
            level.notes.append(read(fields))
        elif name == b"OBR" and subject is not None:
            level = request = Request(fields, more={b"ORC": orc} if orc else {})
            orc = []
            subject.requests.append(request)
        elif name == b"PID":
            level = subject = Subject(fields)
            request, orc = None, _without_request(orc, tree)
            tree.subjects.append(subject)
        elif name == b"ORC":
            _without_request(orc, tree)
            orc = fields
        elif name in (b"PD1", b"PV1", b"ZFD") and subject is not None and name not in subject.more:
            subject.more[name] = fields
        elif name == b"SPM" and request is not None and name not in request.more:
            request.more[name] = fields
        elif not name:
            level.notes.append(Note(b"", fields[0]))
        else:
            tree.findings.append(f"not-converted {name.decode()}")
    _without_request(orc, tree)
    return tree


def _without_request(orc: Fields, tree: Tree) -> Fields:
    """Tell of an ORC that no OBR followed: it is nobody else's. Returns none."""
    if orc:
        tree.findings.append(LONE_ORDER)
    return []


def _header(message: Message, name: bytes) -> Fields:
    """Return the header's fields, so that `fields[n]` is MSH-n or H-n."""
    segment = message.head(name)
    assert segment is not None, "a message that was read has its header"
    respelling = to_standard(message.delimiters)
    return [name, *(respelling.field(segment.field(number)) for number in range(1, segment.count + 1))]


def _segments(message: Message, name: bytes) -> Iterator[tuple[bytes, Fields]]:
    """Yield name and fields, in HL7's delimiters, of all segments but the header; a line without name is one leaf."""
    respelling = to_standard(message.delimiters)
    header = message.positions(name)[0]
    for position in range(len(message.names)):
        if position == header:
            continue
        segment = message.peek(position)
        line, code = segment.line(), segment.code
        if line == code or not code.isupper():
            code = b""  # a word of a text that was cut, not a segment: it may be anything
        yield code, respelling.fields(line) if code else [escape_all(line, STANDARD)]


def _is_damaged_patient(line: bytes) -> bool:
    """Tell whether a line without a readable name is a P all the same: in lower case, bare, behind a BOM."""
    plain = line.lstrip(b"\xef\xbb\xbf \t").upper()
    return plain == b"P" or plain.startswith((b"P|", b"P\\F\\"))


def _implied(subject: Subject, tree: Tree) -> Request:
    """Make the request to which results belong that came without one."""
    tree.findings.append("result-without-request")
    request = Request([b"OBR", b"1"])
    subject.requests.append(request)
    return request
