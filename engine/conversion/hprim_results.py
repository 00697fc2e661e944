"""The requests and results the other way: OBR, OBX and C of HPRIM Santé from ORC, OBR, OBX, NTE and SPM of HL7."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from engine.conversion.documents import FILE, file_of, one_each, read_document
from engine.conversion.forms import UNSUITABLE
from engine.conversion.hl7_results import NO_SPECIMEN, OBR_LAST, OBX_LAST
from engine.conversion.hprim_patient import not_handled
from engine.conversion.notes import Note
from engine.conversion.segments import COMPONENT, REPETITION, Fields, get, given, join, leaf, part, segment
from engine.conversion.tree import Request, Result
from engine.errors import StepFailed

TYPES: Final = {
    b"XCN": b"CNA", b"CN": b"CNA", b"XPN": b"PN", b"XTN": b"TN", b"XAD": b"AD", b"CX": b"CK",
    b"CWE": b"CE", b"CNE": b"CE", b"CF": b"CE", b"FT": b"TX", b"IS": b"ST", b"ID": b"ST", b"": b"ST", b"ED": b"ST",
}  # fmt: skip
"""OBX-2 of HL7 and the type of HPRIM that holds the same components; ED where there is no document."""
KEPT: Final = frozenset({b"NM", b"CE", b"ST", b"TX", b"DT", b"PN", b"TN", b"AD", b"CK"})
_ASKED: Final = frozenset({b"", b"NW", b"RE", b"SC"})
"""ORC-1 of an order (in results: of what was ordered) as OBR says it in HPRIM without a status."""
_ASKED_TOO: Final = frozenset({b"RO", b"RL", b"XO", b"PA", b"CH"})
"""ORC-1 of what is asked for as well, and says more than HPRIM can."""
_CANCELLED: Final = frozenset({b"CA", b"OC", b"CR", b"DC", b"OD", b"DR"})
_CANCELLED_STATUS: Final = frozenset({b"CA", b"DC"})
"""ORC-5 (table 0038)."""
_SEQUENCE: Final = re.compile(rb"\\([^\\]*)\\")


class Attachment(NamedTuple):
    """A file that goes beside the message."""

    path: str
    """`folder/name`, or the name alone."""
    data: bytes


class Results:
    """
    Write the requests of one file.

    Attributes:
        lines: The segments in HL7's delimiters, without ends.
        attachments: The files that OBX FIC name.
        findings: What found no place.
    """

    def __init__(self, stem: str, *, orders: bool = False) -> None:
        """
        Prepare.

        Args:
            stem: What the names of attached files begin with.
            orders: The requests are to be carried out: what may be no order is none.
        """
        self.lines: list[bytes] = []
        self.attachments: list[Attachment] = []
        self.findings: list[str] = []
        self._stem = stem
        self._orders = orders
        self._rank = 0

    def add(self, requests: list[Request]) -> None:
        """
        Write the requests of one patient; those that ORC-4 says were asked for together become one OBR.

        Raises:
            StepFailed: E-CONVERT, of orders: whether an analysis is asked for or cancelled can't be said, or known.
        """
        self._rank = 0
        if self._orders:
            _refuse_unclear(requests)
        for together in _groups(requests):
            self._request(together)

    def _request(self, together: list[Request]) -> None:
        self._rank += 1
        request = together[0]
        obr, orc, spm = request.obr, _orc(request), request.more.get(b"SPM", [])
        fields = dict(enumerate(obr[: OBR_LAST + 1]))
        fields[1] = b"%d" % self._rank
        samples = get(spm, 2)
        for number in (2, 3):
            value = given(get(obr, number)) or given(get(orc, number))
            sample = given(part(part(samples, number - 1).replace(b"&", COMPONENT), 1))
            fields[number] = COMPONENT.join((sample, value)) if value else sample
        fields[4] = REPETITION.join(filter(None, (get(one.obr, 4) for one in together)))
        if get(obr, 8):
            fields[7], fields[8] = get(obr, 7), get(obr, 8)
        if not get(obr, 15):
            fields[15] = _specimen(get(spm, 4))
        self._status(fields, together)
        comments = self._restore("OBR", fields, [note for one in together for note in one.notes])
        self.findings += not_handled("OBR", obr, range(OBR_LAST + 1))
        for one in together:
            self.findings += not_handled("ORC", _orc(one), (0, 1, 2, 3, 4))
            self.findings += not_handled("SPM", one.more.get(b"SPM", []), (0, 1, 2, 4))
        fields.pop(0, None)
        self.lines.append(segment(b"OBR", fields))
        self.comment(comments)
        rank = 0
        for one in together:
            for result in one_each(one.results, b"ED"):
                rank += 1
                self._result(result, rank)

    def _restore(self, name: str, fields: dict[int, bytes], all_notes: list[Note]) -> list[Note]:
        """Put the fields that notes hold back to their place, unless the order's number is another by now."""
        comments = []
        for note in all_notes:
            if note.segment != name:
                comments.append(note)
                continue
            number = given(part(fields.get(note.number, b""), 2)) if name == "OBR" and note.number in (2, 3) else b""
            if number and number not in note.text.replace(REPETITION, COMPONENT).split(COMPONENT):
                self.findings.append(f"not-converted OBR-{note.number}")
            else:
                fields[note.number] = note.text
        return comments

    def _status(self, fields: dict[int, bytes], together: list[Request]) -> None:
        """Say in OBR-25 that an order is cancelled or changed; what ORC-1 says besides is a finding."""
        control = _control(together[0])
        if _is_cancelled(together[0]):
            fields[25] = b"X"
        elif control == b"XO" and given(fields.get(25, b"")) in (b"", b"C"):
            fields[25] = b"C"
        elif control not in _ASKED:
            self.findings += ["not-converted ORC-1"] * len(together)

    def _result(self, result: Result, rank: int) -> None:
        obx, all_notes = result.obx, result.notes
        kind, value = get(obx, 2), get(obx, 5)
        named = next((note.text for note in all_notes if (note.segment, note.number) == ("OBX", 5)), b"")
        if kind == b"ED" and given(value):
            kind, value = self._file(value, named)
        elif kind == b"RP" and named:
            kind, value = FILE, named
        elif kind in TYPES:
            kind = TYPES[kind] if kind or value else b""
        elif kind not in KEPT:
            kind, value = self._as_text(kind, value)
        if kind == b"TX":
            value = _lines(value)
        fields = dict(enumerate(obx[: OBX_LAST + 1]))
        fields[1], fields[2], fields[5] = b"%d" % rank, kind, value
        if named:
            all_notes = [note for note in all_notes if (note.segment, note.number) != ("OBX", 5)]
        comments = self._restore("OBX", fields, all_notes)
        self.findings += not_handled("OBX", obx, range(OBX_LAST + 1))
        fields.pop(0, None)
        self.lines.append(segment(b"OBX", fields))
        self.comment(comments)

    def _as_text(self, kind: bytes, value: bytes) -> tuple[bytes, bytes]:
        """Return a value whose type HPRIM doesn't have as text: SN `<^3` is `<3`, others keep their components."""
        if kind == b"SN":
            return b"ST", value.replace(COMPONENT, b"")
        if kind not in (b"TS", b"TM", b"DTM", b"SI", b"RP"):
            self.findings.append("not-converted OBX-2")
        return b"ST", value

    def _file(self, value: bytes, named: bytes) -> tuple[bytes, bytes]:
        """Return FIC and its value; a document that can't be decoded stays as text, which loses nothing."""
        found = read_document(value)
        if found is None:
            self.findings.append("not-decoded OBX-5")
            return b"ST", value
        path = file_of(named).path
        if path:
            self.attachments.append(Attachment(path, found.data))
            return FILE, named
        name_of_file = f"{self._stem}_{len(self.attachments) + 1}.{found.kind}"
        self.attachments.append(Attachment(name_of_file, found.data))
        return FILE, join(b"", leaf(name_of_file), leaf(found.kind))

    def comment(self, comments: list[Note]) -> None:
        """Write comments as C."""
        self.lines += [
            b"|".join([b"C", b"%d" % rank, note.source, _lines(note.text)]) for rank, note in enumerate(comments, 1)
        ]


def _specimen(kind: bytes) -> bytes:
    """Return SPM-4 as OBR-15 has it: nothing where it says that nothing is known of the specimen."""
    unknown = all(part(kind, number) == part(NO_SPECIMEN, number) for number in (1, 3))
    return b"" if unknown else kind


def _groups(requests: list[Request]) -> list[list[Request]]:
    """Join what follows one another with the same ORC-4, and differs in nothing but the analysis."""
    groups: list[list[Request]] = []
    for request in requests:
        before = groups[-1][0] if groups else None
        if before is not None and _together(before, request):
            groups[-1].append(request)
        else:
            groups.append([request])
    return groups


def _together(one: Request, other: Request) -> bool:
    group = given(get(_orc(one), 4))
    return bool(group) and group == get(_orc(other), 4) and _apart_from_analysis(one) == _apart_from_analysis(other)


def _apart_from_analysis(request: Request) -> tuple[list[bytes], Fields, list[bytes]]:
    """Return what requests have alike that become one OBR: what is asked of whom, the sample, the rest of OBR."""
    order = [get(_orc(request), number) for number in (1, 2, 3, 5)]
    return order, request.more.get(b"SPM", [])[2:], _shared(request.obr)


def _orc(request: Request) -> Fields:
    return request.more.get(b"ORC", [])


def _control(request: Request) -> bytes:
    return given(part(get(_orc(request), 1), 1).strip())


def _is_cancelled(request: Request) -> bool:
    return _control(request) in _CANCELLED or part(get(_orc(request), 5), 1).strip() in _CANCELLED_STATUS


def _refuse_unclear(requests: list[Request]) -> None:
    """Refuse orders that HPRIM can neither ask for nor cancel: it has no word for one on hold, or replaced."""
    before: Request | None = None
    for request in requests:
        if _orc(request):
            before = request
        elif before is not None and _is_cancelled(before):
            sentence = "an OBR without ORC follows one that is cancelled: whether it is, too, can't be known"
            raise StepFailed(UNSUITABLE, sentence, field="ORC")
        if not _is_cancelled(request) and _control(request) not in _ASKED | _ASKED_TOO:
            sentence = "it neither asks for the analysis nor cancels it, and HPRIM can say nothing else"
            raise StepFailed(UNSUITABLE, sentence, field="ORC-1")


def _shared(obr: Fields) -> list[bytes]:
    """Return what all OBR of one group have alike: not their rank and analysis."""
    return [data for number, data in enumerate(obr) if number not in (1, 4)]


def _lines(text: bytes) -> bytes:
    r"""Return a text in which each hard return (`\.br\`) is a repetition, as HPRIM writes several lines."""
    if text.find(b"\\.br\\") < 0:
        return text
    return _SEQUENCE.sub(lambda found: REPETITION if found[1] == b".br" else found[0], text)
