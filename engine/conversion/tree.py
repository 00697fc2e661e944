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
from engine.conversion.segments import Fields, get, given
from engine.errors import StepFailed
from engine.parsers.hl7v2.delimiters import STANDARD
from engine.parsers.hl7v2.escapes import escape_all
from engine.parsers.hl7v2.layout import reads_as
from engine.parsers.hl7v2.message import Message
from engine.parsers.hl7v2.segments import HEAD_MAX


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
_EARLY: Final = frozenset({"not-converted OBR", "not-converted OBX"})
"""Findings of what has a place behind every patient: it stood before the first."""
_WITHOUT_CODE: Final = (b"2.1", b"2.2", b"2.3")
"""How versions (MSH-12) begin in which NTE has no field for a code."""
_IMPLIED: Final = "result-without-request"
_IMPLIED_OBR: Final[Fields] = [b"OBR", b"1"]
_COUNTED: Final = frozenset({b"L"})
"""What the parser has compared already."""
_HPRIM_HEADS: Final = (b"H", b"P", b"PID", b"OBR")
_HL7_HEADS: Final = (b"MSH", b"PID", b"ORC", b"OBR")
"""What says of whom, or of which request, the results after it are: a line that reads so must not become text."""
_ALONE: Final = frozenset({b"P", b"PID"})
"""Of these a bare name is enough; what is asked may be a word of a text."""


def gather_hprim(message: Message) -> Tree:
    """Read an HPRIM Santé message; a line that belongs to nothing becomes a comment on what it follows."""
    tree = Tree(_header(message, b"H"))
    level: Tree | Subject | Request | Result = tree
    subject: Subject | None = None
    request: Request | None = None
    for name, fields in _segments(message, b"H", _HPRIM_HEADS):
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
            _refuse_before(tree, "P")
            level = subject = Subject(fields)
            request = None
            tree.subjects.append(subject)
        elif name in (b"H", b"PID"):
            raise _nobodys("P")
        elif not name:
            level.notes.append(Note(b"", fields[0]))
        elif name not in _COUNTED:
            tree.findings.append(f"not-converted {name.decode()}")
    return tree


def gather_hl7(message: Message) -> Tree:
    """Read an HL7 message of results or orders."""
    tree = Tree(_header(message, b"MSH"))
    coded = not get(tree.header, 12).startswith(_WITHOUT_CODE)
    level: Tree | Subject | Request | Result = tree
    subject: Subject | None = None
    orders = _Orders(tree)
    for name, fields in _segments(message, b"MSH", _HL7_HEADS):
        if name == b"OBX" and subject is not None:
            level = Result(fields)
            orders.current(subject).results.append(level)
        elif name == b"NTE":
            level.notes.append(read(fields, coded=coded))
        elif name == b"OBR" and subject is not None:
            level = orders.begin(subject, fields)
        elif name == b"PID":
            _refuse_before(tree, "PID")
            level = subject = Subject(fields)
            orders.end()
            tree.subjects.append(subject)
        elif name == b"ORC":
            level = orders.expect(fields)
        elif name == b"MSH":
            raise _nobodys("PID")
        elif name in (b"PD1", b"PV1", b"ZFD") and subject is not None and name not in subject.more:
            subject.more[name] = fields
        elif name == b"SPM" and subject is not None and orders.take_specimen(fields):
            continue
        elif not name:
            level.notes.append(Note(b"", fields[0]))
        else:
            tree.findings.append(f"not-converted {name.decode()}")
    orders.end()
    return tree


class _Orders:
    """
    Which order what comes next belongs to, within one patient.

    An ORC begins the order that its OBR goes on with. A specimen belongs to the order before it, or, where it stands
    before the first one (OML^O33, OUL^R22), each to the orders behind it.
    """

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._expected: Request | None = None
        """Begun by an ORC; its OBR isn't there yet."""
        self._request: Request | None = None
        self._specimen: Fields = []
        """Of the orders behind it."""

    def expect(self, orc: Fields) -> Request:
        """Begin an order whose OBR follows; what stands between the two is said of it."""
        self._tell_expected()
        self._expected = Request([], more={b"ORC": orc})
        return self._expected

    def begin(self, subject: Subject, obr: Fields) -> Request:
        """Go on with an OBR."""
        request = self._expected or Request(obr)
        request.obr = obr
        if self._specimen:
            request.more.setdefault(b"SPM", self._specimen)
        self._expected, self._request = None, request
        subject.requests.append(request)
        return request

    def current(self, subject: Subject) -> Request:
        """Return the request to which a result belongs, made where it came without one."""
        if self._request is None or self._expected is not None:
            self._tree.findings.append(_IMPLIED)
            return self.begin(subject, [*_IMPLIED_OBR])
        return self._request

    def take_specimen(self, spm: Fields) -> bool:
        """Give a specimen to its orders; tells whether there was room for it."""
        order = self._expected or self._request
        if order is None or self._specimen:
            self._specimen, self._request = spm, None
            return True
        return order.more.setdefault(b"SPM", spm) is spm

    def end(self) -> None:
        """End the patient: what comes is another's."""
        self._tell_expected()
        self._expected, self._request, self._specimen = None, None, []

    def _tell_expected(self) -> None:
        """Tell of an ORC that no OBR followed: it is nobody else's."""
        if self._expected is not None:
            self._tree.findings.append(LONE_ORDER)
            self._tree.findings += ["not-converted NTE"] * len(self._expected.notes)


def _header(message: Message, name: bytes) -> Fields:
    """Return the header's fields, so that `fields[n]` is MSH-n or H-n; there is nothing that a null could delete."""
    segment = message.head(name)
    assert segment is not None, "a message that was read has its header"
    respelling = to_standard(message.delimiters)
    return [name, *(given(respelling.field(segment.field(number))) for number in range(1, segment.count + 1))]


def _segments(message: Message, name: bytes, heads: tuple[bytes, ...]) -> Iterator[tuple[bytes, Fields]]:
    """
    Yield name and fields, in HL7's delimiters, of all segments but the header; a line without name is one leaf.

    Raises:
        StepFailed: A line reads as one of `heads`, and has no readable name.
    """
    respelling = to_standard(message.delimiters)
    header = message.positions(name)[0]
    for position in range(len(message.names)):
        if position == header:
            continue
        segment = message.peek(position)
        line, code = segment.line(), segment.code
        if line == code or not code.isupper():
            code = b""  # a word of a text that was cut, not a segment: it may be anything
            _refuse_damaged(line[:HEAD_MAX], message.delimiters.field, heads)
        yield code, respelling.fields(line) if code else [escape_all(line, STANDARD)]


def _refuse_damaged(head: bytes, mark: bytes, heads: tuple[bytes, ...]) -> None:
    """Refuse a line without a readable name that is a head all the same: in lower case, bare, behind a BOM."""
    for name in heads:
        if reads_as(head, name, mark) and (name in _ALONE or mark in head):
            raise _nobodys(name.decode())


def _refuse_before(tree: Tree, name: str) -> None:
    """
    Refuse an order or results that stand before the first patient.

    Raises:
        StepFailed: Some do: a patient's line that is missing or out of its place, or they are the first patient's.
    """
    if not tree.subjects and not _EARLY.isdisjoint(tree.findings):
        reason = f"results stand before the first {name}: whose they are can't be known"
        raise StepFailed(UNSUITABLE, reason, field=name)


def _nobodys(name: str) -> StepFailed:
    reason = f"a second header, or a damaged {name}: whose the results after it are can't be known"
    return StepFailed(UNSUITABLE, reason, field=name)


def _implied(subject: Subject, tree: Tree) -> Request:
    """Make the request to which results belong that came without one."""
    tree.findings.append(_IMPLIED)
    request = Request([*_IMPLIED_OBR])
    subject.requests.append(request)
    return request
