"""
HPRIM Santé to HL7: one message a patient; a fusion in P-2 gives its A40 ahead (docs/routes/hprim_to_hl7.md).

What has no place becomes a note (conversion.notes) or a finding `not-converted P-9`; nothing goes in silence.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Final, NamedTuple

from engine.conversion import hl7_patient, notes
from engine.conversion.authorities import System
from engine.conversion.dates import is_date, normal_date
from engine.conversion.forms import UNSUITABLE, Form, choose
from engine.conversion.hl7_results import NUMBER, Results
from engine.conversion.notes import Note
from engine.conversion.respelling import to_standard
from engine.conversion.segments import COMPONENT, REPETITION, Fields, get, leaf, part, segment, text_of
from engine.conversion.tree import Tree, gather_hprim
from engine.errors import StepFailed
from engine.parsers.hl7v2.message import Message

HANDLED_IN_HEADER: Final = frozenset({0, 1, 2, 4, 6, 9, 10, 11, 12, 13})
_PARTS: Final = {4: 2, 6: 1, 9: 2, 11: 1}
"""Components of H-n that MSH has room for."""
_MEASURES: Final = {16: (b"8302-2", "Taille", b"cm"), 17: (b"29463-7", "Poids", b"kg")}
"""P-16 and P-17 as observations (LOINC), in admissions."""


class Converted(NamedTuple):
    """One message that was made."""

    data: bytes
    """UTF-8, one CR after each segment."""
    type: str
    """`ORU^R01`."""
    control_id: str
    subject: int
    """Rank of the patient or letter in the file, from 1."""


class Conversion(NamedTuple):
    """All that one file gave."""

    messages: list[Converted]
    """In the order in which they must arrive."""
    findings: list[str]


class Envelope(NamedTuple):
    """What MSH says of sender, receiver and time."""

    sender: System
    receiver: System
    date: bytes
    """MSH-7."""
    processing: bytes
    control_id: bytes
    """MSH-10 of the only message; several get a rank."""

    def header(self, form: Form, rank: int, count: int) -> tuple[bytes, str]:
        """Return MSH and the control id of one of `count` messages."""
        own = self.control_id
        if count > 1:  # before the extension: H-2 is a file's name
            stem, point, extension = own.rpartition(b".")
            own = b"%s-%d%s%s" % (stem or extension, rank, point if stem else b"", extension if stem else b"")
        kind = b"^".join([form.type.encode(), form.event.encode()])
        if form.since(2, 3, 1):
            kind += b"^" + form.structure.encode()
        fields = [
            b"MSH", b"^~\\&", self.sender.application, self.sender.facility, self.receiver.application,
            self.receiver.facility, self.date, b"", kind, own, self.processing or b"P", form.version.encode(),
            b"", b"", b"", b"", b"FRA", b"UNICODE UTF-8", b"FR",
        ]  # fmt: skip
        return b"|".join(fields), text_of(own)


class Made(NamedTuple):
    """One message before its header."""

    envelope: Envelope
    form: Form
    lines: list[bytes]
    subject: int


def hprim_to_hl7(
    message: Message,
    *,
    wanted: str = "",
    version: str = "2.5",
    attachments: Mapping[str, bytes] | None = None,
    on_missing: str = "dead_letter",
) -> Conversion:
    """
    Make HL7 messages of an HPRIM Santé file.

    Args:
        message: As opened, in UTF-8.
        wanted: One of forms.MESSAGES; empty: what the context (H-6) asks for.
        version: MSH-12, one of forms.VERSIONS, with country and edition where needed (`2.5^FRA^2.11`).
        attachments: Contents of the files that OBX FIC name, by path (documents.file_of).
        on_missing: `dead_letter`: a file that isn't there stops; `pointer`: the OBX points at it (RP).

    Returns:
        A message a patient, each behind the A40 of its fusion.

    Raises:
        StepFailed: E-CONVERT: the context has no form in HL7, or there is no patient; E-ATTACHMENT.
    """
    tree = gather_hprim(message)
    name = choose(text_of(part(get(tree.header, 6), 1)), wanted)
    if not tree.subjects:
        raise StepFailed(UNSUITABLE, "the file has no P segment: it speaks of nobody", field="P")
    findings = tree.findings
    envelope = _envelope(tree, message, findings)
    performer = envelope.sender if name == "ORU_R01" else envelope.receiver
    made: list[Made] = []
    for rank, subject in enumerate(tree.subjects, 1):
        form = _form(name, subject.fields, version)
        patient = hl7_patient.to_hl7(subject.fields, performer, form)
        findings += patient.findings
        if patient.merged:
            made.append(Made(envelope, Form("ADT", "A40", version), _merge(patient, envelope), rank))
        results = Results(form, attachments or {}, on_missing)
        for request in subject.requests:
            results.add(request)
        findings += results.findings
        comments = [*_header_notes(tree, envelope), *tree.notes, *subject.notes, *patient.notes]
        made.append(Made(envelope, form, _body(form, envelope, patient, comments, results), rank))
    return Conversion(finish(made), findings)


def is_fusion(message: Message, position: int) -> bool:
    """Tell whether the P segment at a position tells a fusion, whose A40 goes ahead."""
    own = to_standard(message.delimiters).field(message.peek(position).field(2))
    return bool(hl7_patient.merged_number(own))


def finish(made: list[Made]) -> list[Converted]:
    """Put the header before each message's segments."""
    messages = []
    for rank, (envelope, form, lines, subject) in enumerate(made, 1):
        header, control_id = envelope.header(form, rank, len(made))
        data = b"\r".join([header, *lines, b""])
        messages.append(Converted(data, f"{form.type}^{form.event}", control_id, subject))
    return messages


def control_id_of(given: bytes, message: Message) -> bytes:
    """Return MSH-10: what the file calls itself, or a digest where it doesn't."""
    return given.strip() or b"HP" + blake2b(message.base, digest_size=8).hexdigest().upper().encode()


def _envelope(tree: Tree, message: Message, findings: list[str]) -> Envelope:
    header = tree.header
    date = normal_date(part(get(header, 13), 1))
    if date is None:
        findings.append("odd-date H-13")
    findings += [
        f"not-converted H-{n}"
        for n, data in enumerate(header)
        if data and (n not in HANDLED_IN_HEADER or _has_more(data, _PARTS.get(n)))
    ]
    return Envelope(
        System.of_hprim(get(header, 4)), System.of_hprim(get(header, 9)), date or b"",
        part(get(header, 11), 1), control_id_of(get(header, 2), message),
    )  # fmt: skip


def _has_more(data: bytes, count: int | None) -> bool:
    """Tell whether a field of H has repetitions, or more components than MSH has room for."""
    return count is not None and (REPETITION in data or len(data.split(COMPONENT)) > count)


def _header_notes(tree: Tree, envelope: Envelope) -> list[Note]:
    """Return what of H has no place in MSH: the comment, and a date that nobody understands."""
    header = tree.header
    wanted = {10: get(header, 10), 13: b"" if envelope.date else get(header, 13)}
    return [notes.of_field("H", number, data) for number, data in wanted.items() if data]


def _form(name: str, p: Fields, version: str) -> Form:
    type_, _, event = name.partition("_")
    return Form(type_, event or _admission(p), version)


def _admission(p: Fields) -> str:
    """Return the event of an admission file, which HPRIM doesn't name: P-24 and P-23 tell what happened."""
    status = get(p, 24)
    entry, leaving = [is_date(one) for one in [*get(p, 23).split(REPETITION), b""][:2]]
    if leaving:
        return "A03"
    if status in (b"OP", b"ER"):
        return "A04"
    if status == b"PA":
        return "A05"
    return "A01" if entry or status == b"IP" else "A31"


def _body(
    form: Form, envelope: Envelope, patient: hl7_patient.Patient, comments: Iterable[Note], results: Results
) -> list[bytes]:
    """Return the segments of one message behind MSH."""
    if form.type != "ADT":
        noted = [notes.write(note, rank, form) for rank, note in enumerate(comments, 1)]
        visit = [segment(b"PV1", patient.pv1)] if patient.pv1 else []
        return [*patient.segments(), *noted, *visit, *results.lines]
    stay = segment(b"PV1", patient.pv1 or {1: b"1", 2: hl7_patient.NOT_APPLICABLE})
    occurred = patient.pv1.get(45 if form.event == "A03" else 44, b"")
    event = segment(b"EVN", {1: form.event.encode(), 2: envelope.date, 6: occurred if is_date(occurred) else b""})
    observed = [_observation(note, rank) for rank, note in enumerate(comments, 1)]
    extra = [segment(b"ZFD", patient.zfd)] if patient.zfd else []
    return [event, *patient.segments(), stay, *extra, *observed, *results.lines]


def _merge(patient: hl7_patient.Patient, envelope: Envelope) -> list[bytes]:
    """Return the segments of ADT^A40 behind MSH: this patient lives on, MRG-1 is gone (HL7 v2.5 § 3.3.40)."""
    event = segment(b"EVN", {1: b"A40", 2: envelope.date})
    return [event, *patient.segments(), segment(b"MRG", {1: patient.merged + b"^^^^PI"})]


def _observation(note: Note, rank: int) -> bytes:
    """Return a note in an admission, which has no NTE: an OBX; height and weight are measures."""
    measure = _MEASURES.get(note.number) if note.segment == "P" else None
    number = note.text.replace(b",", b".")
    if measure is not None and NUMBER.fullmatch(number):
        code, label, unit = measure
        value = {2: b"NM", 3: b"^".join([code, leaf(label), b"LN"]), 5: number, 6: unit}
    else:
        value = {2: b"TX", 3: _code_of(note), 5: notes.shown(note)}
    return segment(b"OBX", {1: b"%d" % rank, **value, 11: b"F"})


def _code_of(note: Note) -> bytes:
    return notes.code(note) if note.segment else b"C-3^commentaire^HPRIM"
