"""
The gate at the exit of a destination: what of INS and insurance may leave, whatever a route did.

Compiled at load from what the destination declares, asked for every delivery. Rules (PAM France 2.11.1, INS;
*Référentiel INS*: an INS is sent only with a qualified identity):

- An INS (known by its OID; where it has none by CX-5, by the name of its authority, or by its form and key where
  nothing else says whose number it is) leaves only where the destination may have it, and only with
  a qualified identity: PID-32 of its own PID, or a source that the destination trusts where PID-32 says nothing.
  An order to delete an INS (`""`) leaves wherever an INS may. INS-C, and OIDs of the arc that nobody explains,
  never leave; nor does the INS of somebody else (PID-21, NK1).
- PID-19 holds such a number without saying which: it leaves as an INS, whatever else the destination may have.
- The insurance number leaves only where the destination may have it: IN1-49, IN2-2, GT1-12, NK1-37, what is typed
  NH, SS or NNFRA without the INS's OID, HPRIM Médecin's line 8, and in IN1, IN2, IN3, GT1 and HPRIM's AP and AC
  whatever has the form of a NIR.
- An INS of the spaces for tests stops the whole delivery to a destination in production: without it, a person who
  doesn't exist would look like one who does.

OBX and NTE are never rewritten: documents are the route's affair; an INS seen there is told.

Theory of operation. A look at the bytes and at a few fields says that most messages hold nothing of all this. In
most others the only INS is that of PID-3: then only PID, MRG and the payers are walked. Else all segments are. Types
are looked for in capitals: senders write `nh` too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from engine.errors import StepFailed
from engine.identity.ins import matricule_fault, read_ins
from engine.identity.spellings import INS_ARC, NULL
from engine.identity.statuses import Status, status_of

if TYPE_CHECKING:
    from engine.identity.ins import Ins
    from engine.parsers.hl7v2.message import Message
    from engine.parsers.hl7v2.segments import Segment

MAY_HAVE: Final = ("ins", "insurance")
"""What a destination may say that it may have."""
TEST_IDENTITY: Final = "E-INS-TEST"
NOTHING_LEFT: Final = "E-INS-ONLY"

_ARC: Final = INS_ARC.encode()
_TYPED: Final = re.compile(rb"INS|NH|SS|NNFRA|NI[RA]")
_LONG: Final = re.compile(rb"[0-9AB -]{15}")
"""What may be a number with its key; of an OID it never is, as long as a number in it isn't."""
_INS_TYPES: Final = frozenset({b"INS", b"INS-NIR", b"INS-NIA", b"INS-C", b"NIR", b"NIA"})
_INS_NAME: Final = b"ASIP-SANTE-INS"
"""How the names of the INS's authorities begin (CX-4)."""
_INSURANCE_TYPES: Final = frozenset({b"NH", b"SS", b"NNFRA"})
_INSURANCE_FIELDS: Final = frozenset({(b"IN1", 49), (b"IN2", 2), (b"GT1", 12), (b"NK1", 37)})
_PAYING: Final = (b"IN1", b"IN2", b"IN3", b"GT1", b"AP", b"AC")
"""Segments in which a number is known by its form."""
_SOCIAL: Final = ((b"PID", 19), (b"NK1", 37), (b"P", 11))
"""Looked at whatever they hold."""
_OF_PATIENT: Final = {b"PID": (3, 2, 4), b"MRG": (1, 2, 4), b"P": (11,)}
"""Where a patient's INS stands, or stood in former versions: looked at whether or not it has its OID."""
_NUMBERS: Final = tuple((code, number) for code in (b"PID", b"MRG") for number in _OF_PATIENT[code])
"""Looked at for types: INS, NH…; PID-3 first."""
_SHORT: Final = (b"PID", b"MRG", b"NK1", *_PAYING)
"""The segments to walk when the only INS is that of PID-3."""
_TELLING: Final = (b"ZFD", b"MRG", *_PAYING)
"""Segments that may say more of an identity, or of a payer."""
_KIN: Final = ((b"NK1", 37),)
_PAYERS: Final = frozenset({b"IN1", b"IN2", b"IN3", b"GT1"})
_DOCUMENTS: Final = frozenset({"OBX", "NTE"})
_NIR: Final = re.compile(
    rb"(?<![0-9A-Za-z])[1-8]S[0-9]{2}S(?:0[1-9]|1[0-2]|20|3[0-9]|4[0-2]|[5-9][0-9])S(?:[0-9]{2}|2[AB])S[0-9]{3}S[0-9]{3}"
    rb"(?:S[0-9]{2})?(?![0-9A-Za-z])".replace(b"S", b"[ .-]?")
)
"""
A number with the form of a NIR, with or without its key, in one or in groups; months 20 and above: births whose month
isn't known.
"""
_GAPS: Final = re.compile(rb"[ .-]")


class Withheld(Exception):
    """What is left of the message says nothing to this destination: it isn't delivered there."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Gate:
    """The gate of one destination."""

    __slots__ = ("destination", "ins", "insurance", "production", "trusted")

    def __init__(
        self, destination: str, *, production: bool = False, may_have: Iterable[str] = (), trusted: Iterable[str] = ()
    ) -> None:
        """
        Compile what a destination declares.

        Args:
            destination: Its name, for findings and sentences.
            production: Whether real patients are looked after with what it gets.
            may_have: Of MAY_HAVE.
            trusted: Sources whose INS counts as qualified where their messages say no status.
        """
        self.destination = destination
        self.production = production
        self.ins = "ins" in may_have
        self.insurance = "insurance" in may_have
        self.trusted = frozenset(trusted)

    def concerns(self, message: Message, data: bytes) -> bool:
        """
        Say whether a message holds anything that this gate looks at.

        Args:
            message: To look up fields; may be shared.
            data: The bytes that are about to leave.
        """
        if data.find(_ARC) >= 0:
            return True
        if any(message.fields(_SOCIAL)) or any(map(_looked_at, message.fields(_NUMBERS))):
            return True
        if self.insurance:
            return False
        return message.format == "hprim-medecin" or any(map(message.positions, _PAYING))

    def let_out(self, message: Message, data: bytes, source: str, findings: list[str]) -> bool:
        """
        Take out of a message what may not leave.

        Args:
            message: Belongs to the delivery alone: it is edited.
            data: Its bytes as they stand.
            source: The name of the source from which it came.
            findings: Takes `ins-withheld PID-3 for dpi` for each removal (`ins-unqualified`, `ins-obsolete`,
                `insurance-withheld`), `ins-in-document OBX`, what is odd with an INS that leaves (`ins-key`…).

        Returns:
            Whether anything was taken out.

        Raises:
            StepFailed: E-INS-TEST, a test identity on its way to production; E-INS-ONLY, without the INS the
                message would name no patient.
            Withheld: A change of identifiers that is about nothing but an INS.
        """
        if self.ins and (usual := _only_ins_of_a_validated_patient(message, data)) is not None:
            if not (self.production and usual.authority.test):
                findings += usual.remarks()
                return False
        walk = _Walk(self, message, source)
        walk.run(data)
        findings += walk.findings
        walk.check_left()
        return bool(walk.withheld)

    def kept_back(self, message: Message, data: bytes, source: str) -> set[bytes]:
        """
        Return the numbers that may not leave, to look for them in what a route made of the message.

        Args: as `let_out`.

        Raises:
            StepFailed: As `let_out`.
        """
        walk = _Walk(self, message, source)
        walk.run(data)
        return walk.withheld - walk.kept


def _only_ins_of_a_validated_patient(message: Message, data: bytes) -> Ins | None:
    """
    Return the INS of the everyday message, which may leave wherever an INS may; None: the message must be walked.

    One patient whose PID-32 says VALI and nothing else, one INS of today, in PID-3, and nothing else that a gate
    looks at. Most messages are so, and a walk costs more than all the rest of their way.
    """
    patients = message.positions(b"PID")
    if len(patients) != 1 or data.count(_ARC) != 1 or message.format != "hl7v2":
        return None
    if any(map(message.positions, _TELLING)) or any(message.fields(_KIN)):
        return None
    patient = message.peek(patients[0])
    if patient.field(32) != b"VALI" or patient.field(31) not in (b"", b"N") or patient.field(19):
        return None
    if any(_looked_at(patient.field(number)) for number in _OF_PATIENT[b"PID"][1:]):
        return None
    found: Ins | None = None
    for repetition in message.delimiters.repetitions(patient.field(3)):
        if repetition.find(_ARC) >= 0:
            found = read_ins(repetition, message.delimiters)
        elif _looked_at(repetition):
            return None
    if found is None or not found.value or found.deleted or found.authority.obsolete:
        return None
    return found


class _Walk:
    """One message through one gate."""

    def __init__(self, gate: Gate, message: Message, source: str) -> None:
        self._gate = gate
        self._message = message
        self._marks = message.delimiters
        self._trusted = source in gate.trusted
        self._qualifies: bool | None = None
        """Whether the identity at hand is qualified, once it was asked, leaving its INS aside."""
        self._patient: int | None = None
        """Position of the PID (P) at hand."""
        self._said = False
        self._deletes = False
        """Whether PID-3 at hand asks to delete an INS."""
        self._emptied: list[str] = []
        self.findings: list[str] = []
        self.withheld: set[bytes] = set()
        self.kept: set[bytes] = set()

    def run(self, data: bytes) -> None:
        """Walk the segments that may hold anything; those of documents are only told."""
        message = self._message
        if message.format == "hprim-medecin":
            self._letters()
            return
        patients = message.fields(_NUMBERS[:1])
        if len(patients) == 1 and patients[0].count(_ARC) == data.count(_ARC):
            for code in _SHORT:
                for position in message.positions(code):
                    self._segment(position, code, others=False)
            return
        for position, name in enumerate(message.names):
            if name in _DOCUMENTS:
                if message.peek(position).line().find(_ARC) >= 0:
                    self.findings.append(f"ins-in-document {name}")
            else:
                self._segment(position, name.encode("latin-1"), others=True)

    def check_left(self) -> None:
        """Refuse what would leave without saying whom it is about."""
        if "MRG-1" in self._emptied:
            raise Withheld(f"the event changes nothing but an INS, which {self._gate.destination} may not have")
        for field in self._emptied:
            raise StepFailed(
                NOTHING_LEFT,
                f"{field} holds nothing but an INS, which may not go to {self._gate.destination}: the message would "
                "name no patient; add a local identifier, or write may_have: [ins] if the identity is qualified",
                field=field,
            )

    # --- one segment ---------------------------------------------------------------------------------------

    def _begin(self, position: int, segment: Segment) -> None:
        self._patient, self._qualifies = position, None
        field = segment.field(3)
        self._deletes = field.find(NULL) >= 0 and any(
            ins.deleted for part in self._marks.repetitions(field) if (ins := read_ins(part, self._marks)) is not None
        )

    def _segment(self, position: int, code: bytes, *, others: bool) -> None:
        """Look at one segment; `others`: at all its fields."""
        segment = self._message.peek(position)
        if code in (b"PID", b"P"):
            self._begin(position, segment)
        own = _OF_PATIENT.get(code, ())
        if others and segment.line().find(_ARC) >= 0:
            for number in range(1, segment.count + 1):
                if number not in own and segment.field(number).find(_ARC) >= 0:
                    self._identifiers(position, code, number)
        for number in own:
            if code == b"P" or _looked_at(segment.field(number)) or segment.field(number).find(_ARC) >= 0:
                self._identifiers(position, code, number)
        if code == b"PID" and segment.field(19):
            self._social_number(position)
        elif code == b"NK1" and segment.field(37):
            self._payer(position, code, (37,))
        elif code in _PAYING:
            self._payer(position, code, range(1, segment.count + 1))

    def _identifiers(self, position: int, code: bytes, number: int) -> None:
        """Decide on each repetition of one field."""
        marks = self._marks
        repetitions = marks.repetitions(self._message.peek(position).field(number))
        left = []
        for repetition in repetitions:
            if code != b"P" and repetition.find(_ARC) < 0 and not _looked_at(repetition):
                left.append(repetition)
                continue
            value = marks.components(repetition)[0].strip()
            why = self._against(repetition, value, code, number)
            if why:
                self._told(why, f"{code.decode()}-{number}", value)
            else:
                left.append(repetition)
        if len(left) < len(repetitions):
            self._message.own(position).set_field(number, marks.repetition.join(left))
            if code in (b"PID", b"MRG") and number == _OF_PATIENT[code][0] and not any(left):
                self._emptied.append(f"{code.decode()}-{number}")

    def _against(self, repetition: bytes, value: bytes, code: bytes, number: int) -> str:
        """Say why an identifier may not leave; nothing: it may."""
        ins = read_ins(repetition, self._marks)
        if ins is None:
            kind = self._type(repetition)
            insured = kind in _INSURANCE_TYPES
            if code == b"P" or kind in _INS_TYPES or (not insured and self._is_unsaid_ins(repetition, value)):
                return self._against_ins(b"") if value else ""
            if not insured or not value:
                return ""
            return self._pass(value) if self._gate.insurance else "insurance-withheld"
        if ins.authority.test and self._gate.production:
            field = f"{code.decode()}-{number}"
            raise StepFailed(
                TEST_IDENTITY,
                f"{field} holds an INS of the space for tests ({ins.authority.oid}), and {self._gate.destination} is "
                "in production: correct the identity in the system that sends it, then retry",
                field=field,
            )
        return self._against_known(ins, value, code, number)

    def _against_known(self, ins: Ins, value: bytes, code: bytes, number: int) -> str:
        if code in _PAYERS:
            return self._pass(value) if self._gate.insurance else "insurance-withheld"
        if ins.authority.obsolete:
            return "ins-obsolete"
        if code == b"NK1" or (code, number) == (b"PID", 21):
            return "ins-withheld"
        if self._gate.ins and (ins.deleted or (code == b"MRG" and self._deletes)):
            return self._pass(value)
        why = self._against_ins(value)
        if not why:
            self.findings += ins.remarks()
        return why

    def _against_ins(self, value: bytes) -> str:
        if not self._gate.ins:
            return "ins-withheld"
        return self._pass(value) if self._qualified(held=bool(value)) else "ins-unqualified"

    def _pass(self, value: bytes) -> str:
        self.kept.add(value)
        return ""

    def _qualified(self, *, held: bool) -> bool:
        """Whether the identity at hand is qualified, or comes from a trusted source that says nothing of it."""
        if self._patient is None:
            return False
        if self._qualifies is None:
            segment, extra = self._message.peek(self._patient), self._extra()
            status = status_of(self._message, segment, extra)
            self._said = status.status is not Status.UNSAID
            self._qualifies = status.qualified
        if not self._said:
            return self._trusted
        return held and self._qualifies

    def _extra(self) -> Segment | None:
        """Return the ZFD of the patient at hand: before the next PID."""
        assert self._patient is not None
        extras = self._message.positions(b"ZFD")
        following = [one for one in self._message.positions(b"PID") if one > self._patient] if extras else []
        for position in extras:
            if position > self._patient and (not following or position < following[0]):
                return self._message.peek(position)
        return None

    def _type(self, repetition: bytes) -> bytes:
        components = self._marks.components(repetition)
        return components[4].strip().upper() if len(components) > 4 else b""

    def _is_unsaid_ins(self, repetition: bytes, value: bytes) -> bool:
        """
        Whether an identifier without the INS's OID and types is one nevertheless.

        By the name of its authority; or it has the form of a NIR and its key, and nothing but a name says who gave it.
        """
        components = self._marks.components(repetition)
        name, *rest = self._marks.subcomponents(components[3] if len(components) > 3 else b"")
        if name.strip().upper().startswith(_INS_NAME):
            return True
        return not any(rest) and _NIR.fullmatch(value) is not None and not _fault(value)

    # --- insurance -----------------------------------------------------------------------------------------

    def _social_number(self, position: int) -> None:
        """PID-19: a NIR without authority says who the patient is, as an INS does, and leaves as one."""
        data = self._message.peek(position).field(19)
        if data == NULL or data.find(_ARC) >= 0:
            return
        why = self._against_ins(data.strip())
        if why:
            self._told(why, "PID-19", data.strip())
            self._message.own(position).set_field(19, b"")

    def _payer(self, position: int, code: bytes, numbers: Iterable[int]) -> None:
        """Fields of insurance segments: those that the standard gives the number, and what looks like one."""
        segment = self._message.peek(position)
        for number in numbers:
            data = segment.field(number)
            if not data or data == NULL:
                continue
            if (code, number) in _INSURANCE_FIELDS:
                found, left = [self._marks.components(data)[0].strip()], b""
            else:
                found = [match for match in _NIR.findall(data) if _is_nir(match)]
                left = _NIR.sub(lambda match: b"" if _is_nir(match[0]) else match[0], data)
            if self._gate.insurance:
                self.kept.update(found)
            elif found:
                for value in found:
                    self._told("insurance-withheld", f"{code.decode()}-{number}", value)
                self._message.own(position).set_field(number, left)

    def _letters(self) -> None:
        """Line 8 of an HPRIM Médecin letter is the insurance number."""
        for position in self._message.positions(b"ENT"):
            data = self._message.peek(position).field(8).strip()
            if not data:
                continue
            if self._gate.insurance:
                self.kept.add(data)
                continue
            self._told("insurance-withheld", "ENT-8", data)
            self._message.own(position).set_field(8, b"")

    def _told(self, why: str, field: str, value: bytes) -> None:
        self.withheld.add(value)
        self.findings.append(f"{why} {field} for {self._gate.destination}")


def _is_nir(data: bytes) -> bool:
    """Whether what has the form of a NIR may be one: with a key, it fits."""
    return len(_GAPS.sub(b"", data)) == 13 or not _fault(data)


def _fault(data: bytes) -> str:
    return matricule_fault(_GAPS.sub(b"", data).decode())


def _looked_at(field: bytes) -> bool:
    """Whether identifiers may hold an INS or an insurance number that has no OID."""
    if not field:
        return False
    capitals = field.upper()
    return _TYPED.search(capitals) is not None or _LONG.search(capitals) is not None
