"""
HPRIM Médecin to HL7: one message a letter, results (ORU^R01) or a document (MDM^T02).

The patient of a letter is known by name and birth date only: line 1 is the laboratory's own number. Where a
laboratory writes the hospital's numbers into lines 1 or 9, the route says so (`Lines`). A birth date with two digits of
the year stays a note: nobody guesses a century.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final, NamedTuple

from engine.conversion import notes
from engine.conversion.authorities import System
from engine.conversion.dates import normal_date
from engine.conversion.forms import Form, choose
from engine.conversion.hprim_to_hl7 import Conversion, Envelope, Made, control_id_of, finish
from engine.conversion.notes import Note
from engine.conversion.segments import join, leaf, segment
from engine.parsers.hl7v2.message import Message

BIOLOGY: Final = b"11502-2^CR d'examens biologiques^LN"
LETTER: Final = b"ENT^courrier^HPRIM"
"""OBR-4 and TXA-2 of a letter with and without coded results."""
TEXT: Final = b"TXT^texte de la lettre^HPRIM"
TYPES: Final = {"N": b"NM", "A": b"ST", "C": b"CE"}
"""RES-3 to OBX-2."""
RES_LAST: Final = 13

_ENTITY: Final = re.compile(r"&(?:[A-Za-z]{2,8}|#\d{2,5});")
_INSURED: Final = re.compile(r"[\dAB]{13}(\d\d)?")
_NUMBER: Final = re.compile(r"[+-]?\d+(?:[.,]\d+)?")
_TOWN: Final = re.compile(r"(\d{5})\s+(.*)")
_BREAK: Final = b"\\.br\\"


class Lines(NamedTuple):
    """Header lines (from 1) that hold the hospital's numbers; 0: none does."""

    ipp: int = 0
    nda: int = 0


NO_LINES: Final = Lines()


@dataclass(slots=True)
class Letter:
    """One letter, its lines as text."""

    header: list[str] = field(default_factory=lambda: [""] * 13)
    """By the norm's numbers, from 1."""
    text: list[str] = field(default_factory=list)
    results: list[list[str]] = field(default_factory=list)
    """The fields of each RES, its name first."""
    remarks: dict[int, list[str]] = field(default_factory=dict)
    """TEX lines by the number of results before them."""


def letter_to_hl7(message: Message, *, wanted: str = "", version: str = "2.5", lines: Lines = NO_LINES) -> Conversion:
    """
    Make HL7 messages of an HPRIM Médecin file.

    Args:
        message: As opened, in UTF-8.
        wanted: `ORU_R01`, `MDM_T02`; empty: results where the letter has a coded block, else a document.
        version: MSH-12.
        lines: Where the hospital's numbers stand.

    Raises:
        StepFailed: E-CONVERT, when a letter can't become what is wanted.
    """
    letters, findings = _gather(message)
    control_id = control_id_of(b"", message)
    made: list[Made] = []
    for rank, letter in enumerate(letters, 1):
        name = choose("letter", wanted) if wanted or letter.results else "MDM_T02"
        writing = _Writing(letter, Form(name[:3], name[4:], version), lines, findings)
        sender, receiver = _system(letter.header[11]), _system(letter.header[12])
        envelope = Envelope(sender, receiver, writing.date(10), b"P", control_id)
        made.append(Made(envelope, writing.form, writing.message(), rank))
    return Conversion(finish(made), findings)


def _gather(message: Message) -> tuple[list[Letter], list[str]]:
    """Return the letters, and a finding for each line that belongs to none or holds what a web page left."""
    letters: list[Letter] = []
    findings: list[str] = []
    for position in range(len(message.names)):
        one = message.peek(position)
        fields = [_plain(one.field(number), findings) for number in range(1, one.count + 1)]
        if one.code == b"ENT":
            letters.append(Letter(["", *(line.strip() for line in fields)]))
        elif not one.code or not letters:
            findings.append("not-converted line")
        elif one.code == b"RES":
            letters[-1].results.append(["RES", *(value.strip() for value in fields)])
        elif one.code == b"TEX":
            letters[-1].remarks.setdefault(len(letters[-1].results), []).append(fields[0])
        else:
            letters[-1].text.append(fields[0])
    return letters, findings


def _plain(data: bytes, findings: list[str]) -> str:
    """Return a line as text; `&eacute;` is what a web page left."""
    text = data.decode("utf-8", "replace")
    if "&" in text and _ENTITY.search(text):
        findings.append("html-entities")
        return html.unescape(text)
    return text


class _Writing:
    """One letter on its way to a message."""

    def __init__(self, letter: Letter, form: Form, lines: Lines, findings: list[str]) -> None:
        self.letter = letter
        self.form = form
        self.lines = lines
        self.findings = findings
        self.notes: list[Note] = []
        self.number = b"HP" + blake2b(repr(letter).encode(), digest_size=8).hexdigest().upper().encode()
        """Of the request or document: unique to this letter, so that no later one overwrites it."""

    def message(self) -> list[bytes]:
        """Return the segments behind MSH."""
        letter, form = self.letter, self.form
        patient = segment(b"PID", self._patient())
        noted = [notes.write(note, rank, form) for rank, note in enumerate(self.notes, 1)]
        observed = self._results()
        text = _text(letter.text)
        if text:
            rank = b"%d" % (sum(line.startswith(b"OBX|") for line in observed) + 1)
            observed.append(segment(b"OBX", {1: rank, 2: b"FT", 3: TEXT, 5: _leaf_lines(text), 11: b"F"}))
        kind = BIOLOGY if letter.results else LETTER
        if form.type == "MDM":
            event = segment(b"EVN", {1: b"T02", 2: self.date(10)})
            document = segment(b"TXA", {1: b"1", 2: kind, 3: b"FT", 4: self.date(10), 12: self.number, 17: b"DO"})
            return [event, patient, b"PV1|1|N", document, *_notes_behind(observed), *noted]
        request = segment(b"OBR", {1: b"1", 3: self.number, 4: kind, 7: self.date(10)})
        return [patient, *noted, request, *observed]

    def date(self, line: int) -> bytes:
        """Return a date of the header; one that isn't certain is left out, and kept as a note."""
        given = self.letter.header[line]
        normal = normal_date(given.encode())
        if normal is None:
            if not any((note.segment, note.number) == ("ENT", line) for note in self.notes):
                self.findings.append(f"odd-date ENT-{line}")
                self._keep(line)
            return b""
        return normal

    def _keep(self, line: int) -> None:
        if self.letter.header[line]:
            self.notes.append(notes.of_field("ENT", line, leaf(self.letter.header[line])))

    def _patient(self) -> dict[int, bytes]:
        header, lines = self.letter.header, self.lines
        identifiers = []
        if lines.ipp and header[lines.ipp]:
            identifiers.append(join(leaf(header[lines.ipp]), b"", b"", b"", b"PI"))
        if header[1] and 1 not in lines:
            identifiers.append(join(leaf(header[1]), b"", b"", _system(header[11]).assigner, b"PI"))
        insured = header[8].replace(" ", "")
        if _INSURED.fullmatch(insured):
            # the insured may be a parent: without the OID of the INS nobody takes it for the patient's own
            identifiers.append(join(insured.encode(), b"", b"", b"", b"NH"))
        else:
            self._keep(8)
        if 9 not in lines:
            self._keep(9)
        return {
            1: b"1", 3: b"~".join(identifiers), 5: join(leaf(header[2]), leaf(header[3]), b"", b"", b"", b"", b"D"),
            7: self.date(7), 11: self._address(),
            18: join(leaf(header[lines.nda]), b"", b"", b"", b"AN") if lines.nda and header[lines.nda] else b"",
        }  # fmt: skip

    def _address(self) -> bytes:
        header = self.letter.header
        if not any(header[4:7]):
            return b""
        town = _TOWN.fullmatch(header[6])
        code, name = (town[1], town[2]) if town else ("", header[6])
        return join(leaf(header[4]), leaf(header[5]), leaf(name), b"", leaf(code), b"", b"H")

    def _results(self) -> list[bytes]:
        """Return OBX and NTE: texts belong to the result before them."""
        made: list[bytes] = []
        rank = 0
        for index in range(len(self.letter.results) + 1):
            if index:
                result = self.letter.results[index - 1]
                seconds = _measure(result, 10) if any(result[10:14]) else None
                for place, (value, unit, low, high) in enumerate(filter(None, (_measure(result, 4), seconds)), 1):
                    rank += 1
                    made.append(self._result(result, rank, place if seconds else 0, value, unit, low, high))
                made += [
                    notes.write(notes.of_field("RES", number, leaf(data)), 1, self.form)
                    for number, data in enumerate(result)
                    if number > RES_LAST and data
                ]
            remark = _text(self.letter.remarks.get(index, []))
            if remark:
                made.append(segment(b"NTE", {1: b"1", 3: _leaf_lines(remark)}))
        return made

    def _result(self, result: list[str], rank: int, place: int, value: str, unit: str, low: str, high: str) -> bytes:
        _, label, code, type_, *_ = [*result, "", "", ""]
        kind = TYPES.get(type_, b"ST")
        data = leaf(value)
        if kind == b"NM":
            if _NUMBER.fullmatch(value):
                data = data.replace(b",", b".")
            elif value:
                kind = b"ST"
                self.findings.append("not-numeric RES-4")
        limits = f"{low} - {high}" if low and high else f"> {low}" if low else f"< {high}" if high else ""
        flag, status = ([*result, *[""] * 10])[8:10]
        fields = {
            1: b"%d" % rank, 2: kind, 3: join(leaf(code), leaf(label), b"L"), 4: b"%d" % place if place else b"",
            5: data, 6: leaf(unit), 7: leaf(limits), 8: leaf(flag), 11: leaf(status),
        }  # fmt: skip
        return segment(b"OBX", fields)


def _notes_behind(observed: list[bytes]) -> list[bytes]:
    """Put the text before the first result behind it: a document has no NTE before its OBX."""
    first = next((rank for rank, line in enumerate(observed) if line.startswith(b"OBX|")), 0)
    return [*observed[first : first + 1], *observed[:first], *observed[first + 1 :]]


def _system(line: str) -> System:
    """Read line 11 or 12: an identifier of ten characters, then a name."""
    code, _, name = line.partition(" ")
    return System(leaf(code), leaf(name.strip())) if name.strip() else System(b"", leaf(code))


def _leaf_lines(lines: list[str]) -> bytes:
    """Return lines as one value of type FT."""
    return _BREAK.join([leaf(line) for line in lines])


def _measure(result: list[str], number: int) -> list[str]:
    """Return value, unit, low and high from a field on; the last ones may not be there."""
    return [*result[number : number + 4], *[""] * 4][:4]


def _text(lines: list[str]) -> list[str]:
    """Return lines without blank ones at both ends."""
    first = next((rank for rank, line in enumerate(lines) if line.strip()), len(lines))
    last = next((rank for rank in range(len(lines), first, -1) if lines[rank - 1].strip()), first)
    return [line.rstrip() for line in lines[first:last]]
