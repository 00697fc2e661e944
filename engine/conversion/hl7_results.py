"""
Requests, results and comments: OBR, OBX and C of HPRIM Santé to ORC, OBR, OBX, NTE and SPM of HL7.

The fields of OBR and OBX count alike in both from OBR-4 and OBX-3 on, with these differences: OBR-2 and OBR-3 hold
the sample's number and the request's (component 2, which HL7 has first), OBR-4 may repeat, OBR-7 may hold its end.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from engine.conversion import notes
from engine.conversion.dates import normal_date
from engine.conversion.documents import FILE, AttachmentMissing, document, one_each
from engine.conversion.forms import Form
from engine.conversion.notes import Note
from engine.conversion.segments import (
    COMPONENT,
    NULL,
    REPETITION,
    Fields,
    get,
    given,
    join,
    part,
    parts,
    repetitions,
    segment,
)
from engine.conversion.tree import Request, Result

OBR_LAST, OBX_LAST = 36, 16
"""The last fields of HPRIM Santé 2.5 that HL7 has at the same place."""

NO_SPECIMEN: Final = b"NAV^Not available^HL70353"
"""SPM-4, which HL7 requires, where HPRIM says nothing of the specimen: a status of CWE (HL7 v2.5 § 2.A.13)."""

STATUSES: Final = {b"D": b"X", b"M": b"P"}
"""OBR-25 that table 0123 doesn't have, and what comes nearest."""

TYPES: Final = {b"GC": b"TX", b"GB": b"TX", b"GN": b"TX", b"CNA": b"XCN", FILE: b"ST", b"": b"ST"}
"""OBX-2 that table 0125 doesn't have, and what the value is then: of FIC where it names no file."""
NUMBER: Final = re.compile(rb"[+-]?\d+(?:\.\d*)?|[+-]?\.\d+")
"""NM (HL7 v2.5 § 2.A.47)."""
_WITH_COMMA: Final = re.compile(rb"([+-]?\d+),(\d+)")
_DATES: Final = (6, 7, 8, 14, 22, 36)


class Results:
    """
    Write the requests of one patient.

    Attributes:
        lines: The segments, without ends.
        findings: What is odd, or found no place.
    """

    def __init__(self, form: Form, attachments: Mapping[str, bytes], on_missing: str) -> None:
        """
        Prepare.

        Args:
            form: The message to make.
            attachments: The content of files, by `folder/name` as `documents.file_of` gives it.
            on_missing: What a file that isn't there does: `dead_letter`, or `pointer` (OBX-2 RP).
        """
        self.lines: list[bytes] = []
        self.findings: list[str] = []
        self._form = form
        self._attachments = attachments
        self._on_missing = on_missing
        self._rank = 0

    def add(self, request: Request) -> None:
        """Write one request: an OBR for each of its analyses, each with its results."""
        obr = request.obr
        analyses = repetitions(get(obr, 4))
        if not analyses:  # HL7 wants one
            analyses = [get(request.results[0].obx, 3) if request.results else b""]
        shares = _shares(analyses, one_each(request.results, FILE))
        group = b"%d" % (self._rank + 1) if len(analyses) > 1 else b""
        for index, (analysis, results) in enumerate(zip(analyses, shares, strict=True)):
            self._request(obr, analysis, group, request.notes if index == 0 else [], first=index == 0)
            for rank, result in enumerate(results, 1):
                self._result(result, rank)
            self._specimen(obr)

    def _request(self, obr: Fields, analysis: bytes, group: bytes, comments: list[Note], *, first: bool) -> None:
        self._rank += 1
        own: list[Note] = []
        fields = dict(enumerate(obr[: OBR_LAST + 1]))
        fields[1] = b"%d" % self._rank
        fields[2], fields[3] = _number(get(obr, 2)), _number(get(obr, 3))
        fields[4] = analysis
        begin, _, end = get(obr, 7).partition(REPETITION)
        if end and not get(obr, 8) and REPETITION not in end:
            fields[7], fields[8] = begin, end
        for number in _DATES:
            fields[number] = self._date("OBR", number, fields.get(number, b""))
        status = get(obr, 25)
        if status in STATUSES:
            fields[25] = STATUSES[status]
            own.append(notes.of_field("OBR", 25, status))
        own += [notes.of_field("OBR", number, data) for number, data in enumerate(obr) if number > OBR_LAST and data]
        own += _numbers(obr, samples=not self._form.since(2, 5) or self._form.type != "ORU")
        order = self._order(obr, fields, group)
        if order:
            self.lines.append(order)
        del fields[0]
        self.lines.append(segment(b"OBR", fields))
        self._write_notes(comments + (own if first else []))

    def _order(self, obr: Fields, fields: dict[int, bytes], group: bytes) -> bytes:
        """Return ORC: of each order, and of results that were asked for together (ORC-4)."""
        if self._form.type == "ORM":
            control = {b"X": b"CA", b"D": b"CA", b"C": b"XO"}.get(get(obr, 25), b"NW")
        elif group:
            control = b"RE"
        else:
            return b""
        return segment(b"ORC", {1: control, 2: fields[2], 3: fields[3], 4: group})

    def _specimen(self, obr: Fields) -> None:
        """
        Write SPM for the sample's numbers (HL7 v2.5 § 7.4.3); before 2.5 and in orders they are notes.

        SPM-4 is required, so a specimen of which HPRIM says nothing is `not available` (table 0353).
        """
        placer, filler = _sample(get(obr, 2)), _sample(get(obr, 3))
        if self._form.type == "ORU" and self._form.since(2, 5) and (placer or filler):
            kind = given(part(get(obr, 15), 1)) or NO_SPECIMEN
            self.lines.append(segment(b"SPM", {1: b"1", 2: join(placer, filler), 4: kind}))

    def _result(self, result: Result, rank: int) -> None:
        obx = result.obx
        kind, value = get(obx, 2), get(obx, 5)
        own: list[Note] = []
        if kind == FILE and given(value):
            kind, value = self._file(value)
            own.append(notes.of_field("OBX", 5, get(obx, 5)))
        elif kind == b"NM":
            kind, value = self._numeric(value)
        elif kind in TYPES:
            if kind:
                own.append(notes.of_field("OBX", 2, kind))
            kind = TYPES[kind] if value else b""
        date = get(obx, 14)
        if not (date.isdigit() or not date):
            date = self._date("OBX", 14, date)
        fields = [b"OBX", b"%d" % rank, kind, get(obx, 3), get(obx, 4), value, *obx[6:14], *([date] if date else [])]
        if len(obx) > 15:
            fields += [b""] * (15 - len(fields)) + obx[15 : OBX_LAST + 1]
            own += [notes.of_field("OBX", n, data) for n, data in enumerate(obx) if n > OBX_LAST and data]
        self.lines.append(b"|".join(fields).rstrip(b"|"))
        if own or result.notes:
            self._write_notes(result.notes + own)

    def _numeric(self, value: bytes) -> tuple[bytes, bytes]:
        """Return type and value: NM has digits and a point (HL7 v2.5 § 2.A.47); what isn't one is text, unchanged."""
        if NUMBER.fullmatch(value) or not given(value):
            return b"NM", value
        comma = _WITH_COMMA.fullmatch(value)
        if comma:
            self.findings.append("decimal-comma OBX-5")
            return b"NM", comma[1] + b"." + comma[2]
        self.findings.append("not-numeric OBX-5")
        return b"ST", value

    def _file(self, value: bytes) -> tuple[bytes, bytes]:
        try:
            return document(value, self._attachments)
        except AttachmentMissing as missing:
            if self._on_missing != "pointer":
                raise missing.failure() from None
            self.findings.append("attachment-missing OBX-5")
            return missing.pointer()

    def _write_notes(self, all_notes: list[Note]) -> None:
        self.lines += [notes.write(note, rank, self._form) for rank, note in enumerate(all_notes, 1)]

    def _date(self, name: str, number: int, data: bytes) -> bytes:
        if not data or data.isdigit():
            return data
        normal = normal_date(data)
        if normal is None:
            self.findings.append(f"odd-date {name}-{number}")
            return data
        return normal


def _number(data: bytes) -> bytes:
    """Return the request's number of OBR-2 or OBR-3; where there is only the sample's, that one."""
    sample, request, *more = parts(data.partition(REPETITION)[0], 2)
    return join(given(request) or given(sample), *more)


def _sample(data: bytes) -> bytes:
    return given(part(data, 1))


def _numbers(obr: Fields, *, samples: bool) -> list[Note]:
    """
    Return as notes what OBR-2 and OBR-3 hold and no segment has room for.

    Args:
        obr: The request.
        samples: A sample's number has none either; else what isn't one number: with a null, which others would have
            too, or with repetitions.
    """
    fields = {number: get(obr, number) for number in (2, 3)}
    return [
        notes.of_field("OBR", number, data)
        for number, data in fields.items()
        if (samples and _sample(data)) or REPETITION in data or NULL in data.split(COMPONENT)
    ]


def _shares(analyses: list[bytes], results: list[Result]) -> list[list[Result]]:
    """
    Say which results belong to which of several analyses.

    A result belongs to the analysis that has its code; one of another code to that of the result before it.
    """
    if len(analyses) == 1:
        return [results]
    by_code = {part(analysis, 1): rank for rank, analysis in reversed(list(enumerate(analyses)))}
    shares: list[list[Result]] = [[] for _ in analyses]
    rank = 0
    for result in results:
        rank = by_code.get(part(get(result.obx, 3), 1), rank)
        shares[rank].append(result)
    return shares
