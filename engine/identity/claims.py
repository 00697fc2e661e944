"""
Read what a message says of patients (HL7 v2, HPRIM Santé): see identity.claimed for the nouns.

HL7: each PID with the segments behind it, up to the next one. PID-3, PID-5 (L, else the only untyped repetition),
PID-7, PID-8, birth place in PID-11 (XAD-7 BDL, COG in XAD-9), PID-18, PID-21, PV1-19, PV1-50, MRG-1, 3, 5, 6 (PAM
France 2.11.1). HPRIM: P-2 with its fusion, P-4, P-5 usual name, P-6 birth name, P-7, P-8, P-11, P-34.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import zip_longest
from typing import TYPE_CHECKING, Final

from engine.core.identities import IdentifierKind
from engine.identity.claimed import Claimed, ClaimedIns, Claims, Person
from engine.identity.ins import Ins, authority_of, read_ins
from engine.identity.patients import patient_references
from engine.identity.spellings import INS_ARC, NULL, text_of
from engine.identity.statuses import Attribute, IdentityStatus, identity_status, status_of
from engine.identity.traits import StrictTraits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.core.references import References
    from engine.identity.authorities import Recogniser
    from engine.parsers.hl7v2.delimiters import Delimiters
    from engine.parsers.hl7v2.message import Message
    from engine.parsers.hl7v2.segments import Segment

__all__ = ["Claimed", "ClaimedIns", "Claims", "Person", "read_claims"]

_ARC: Final = INS_ARC.encode()
_LOCAL, _FEDERATION = IdentifierKind.LOCAL, IdentifierKind.FEDERATION
_BEHIND: Final = (b"MRG", b"PV1", b"ZFD", b"PD1", b"PV2")


def read_claims(
    message: Message, recogniser: Recogniser, references: References, *, site: str, type_: str, event: str,
    lanes: tuple[int, ...] | None = None,
) -> Claims:  # fmt: skip
    """
    Read what a message says of patients.

    Args:
        message: As received, in UTF-8.
        recogniser: For the message's site.
        references: Makes the hashes; those of local numbers are the lane keys.
        site: Of the message.
        type_: MSH-9.1, or H-6.
        event: MSH-9.2.
        lanes: The hashed references of its patients (identity.patients), where the caller has them.

    Returns:
        The claims; without persons where the message names none.
    """
    reader = _Reader(message, recogniser, references)
    persons = reader.hl7() if message.format == "hl7v2" else reader.hprim()
    if lanes is None:
        known = {(one.authority, one.value): one.hash for person in persons for one in person.local}
        make = references.hash
        lanes = tuple([
            known.get(pair) or make("patient", *pair) for pair in patient_references(message, recogniser)
        ])  # fmt: skip
    return Claims(persons, references, site=site, type_=type_, event=event, lanes=lanes)


class _Reader:
    """Reads one message."""

    __slots__ = ("_hash", "_marks", "_message", "_recogniser")

    def __init__(self, message: Message, recogniser: Recogniser, references: References) -> None:
        self._message = message
        self._recogniser = recogniser
        self._hash = references.hash
        self._marks = message.delimiters

    # --- HL7 v2 ----------------------------------------------------------------------------------------------

    def hl7(self) -> list[Person]:
        """Return the patients in order."""
        message = self._message
        starts = message.positions(b"PID")
        if len(starts) == 1:
            behind = {code: message.head(code) for code in _BEHIND}
            person = self._person(message.peek(starts[0]), behind)
            if behind[b"MRG"] is not None:
                self._further(person, message.positions(b"MRG"), message.positions(b"PV1"))
            return [person]
        persons = []
        for start, end in zip_longest(starts, starts[1:]):
            inside = {
                code: [one for one in message.positions(code) if one > start and (end is None or one < end)]
                for code in _BEHIND
            }
            found = {code: message.peek(positions[0]) if positions else None for code, positions in inside.items()}
            person = self._person(message.peek(start), found)
            self._further(person, inside[b"MRG"], inside[b"PV1"])
            persons.append(person)
        return persons

    def _further(self, person: Person, merged: Sequence[int], visits: Sequence[int]) -> None:
        """Read what one PID has behind its first MRG and PV1: an A45 moves several visits (HL7 v2.5 § 3.3.45)."""
        if len(merged) < 2:
            return
        for position in merged[1:]:
            self._replaced(self._message.peek(position), person)
        for position in visits[1:]:
            visit = self._message.peek(position)
            person.visits += self._stays(visit.field(19), "VN")
            person.alternates += self._stays(visit.field(50), "VN")

    def _person(self, pid: Segment, behind: dict[bytes, Segment | None]) -> Person:
        """Read one PID with what stands behind it."""
        person = Person()
        pseudonym = self._traits(pid, person)
        field = pid.field
        if data := field(3):
            self._patients(data, person.local, person.federation, person.ins)
        if data := field(18):
            person.accounts = self._stays(data, "AN")
        if data := field(21):
            self._patients(data, person.mother, [], [])
        visit, merged = behind[b"PV1"], behind[b"MRG"]
        if visit is not None:
            if data := visit.field(19):
                person.visits = self._stays(data, "VN")
            if data := visit.field(50):
                person.alternates = self._stays(data, "VN")
        if merged is not None:
            self._replaced(merged, person)
        person.status = self._status(pid, behind, pseudonym=pseudonym, holds=any(map(_holds, person.ins)))
        return person

    def _replaced(self, merged: Segment, person: Person) -> None:
        """Read MRG."""
        person.replaces |= any(merged.field(number) for number in range(1, merged.count + 1))
        self._patients(merged.field(1), person.prior, person.prior_federation, person.prior_ins)
        person.prior_accounts += self._stays(merged.field(3), "AN")
        person.prior_visits += self._stays(merged.field(5), "VN")
        person.prior_alternates += self._stays(merged.field(6), "VN")

    def _status(
        self, pid: Segment, behind: dict[bytes, Segment | None], *, pseudonym: bool, holds: bool
    ) -> IdentityStatus:
        """Read the status; pseudonym (PID-5 S alone), PD1-12 and PV2-22 (secret birth) conceal an identity too."""
        extra, demographics, visit = behind[b"ZFD"], behind[b"PD1"], behind[b"PV2"]
        hidden = (demographics is not None and demographics.field(12).strip() == b"Y") or (
            visit is not None and visit.field(22).strip() == b"Y"
        )
        acquired, corrected = (extra.field(5), extra.field(4)) if extra is not None else (b"", b"")
        return _derive(
            self._marks, pid.field(32), pid.field(31), acquired, corrected, holds=holds, hidden=hidden,
            pseudonym=pseudonym,
        )  # fmt: skip

    def _patients(self, field: bytes, local: list[Claimed], federation: list[Claimed], ins: list[ClaimedIns]) -> None:
        """Read the identifiers of patients of one field."""
        if not field or field == NULL:
            return
        seen: set[int] = set()  # a field may hold thousands: nothing here compares each with each
        for identifier, spelling in self._recogniser.spellings(self._marks).identifiers(field):
            reference, authority = spelling.reference, spelling.authority
            if not reference or authority is None:
                continue
            value = identifier.strip()
            if not value or value == NULL:
                continue
            text, site = text_of(value), authority.site
            kind, into = (_LOCAL, local) if site else (_FEDERATION, federation)
            claimed = Claimed(self._hash("patient", reference, text), kind, reference, text, site)
            if claimed.hash not in seen:
                seen.add(claimed.hash)
                into.append(claimed)
        if field.find(_ARC) >= 0:
            self._ins(field, ins)

    def _ins(self, field: bytes, into: list[ClaimedIns]) -> None:
        for repetition in self._marks.repetitions(field):
            if repetition.find(_ARC) < 0:
                continue
            found = read_ins(repetition, self._marks)
            if found is not None and found.value:
                into.append(ClaimedIns(self._hash("ins", found.authority.oid, found.value), found))

    def _stays(self, field: bytes, expected: str) -> list[Claimed]:
        """Read numbers of stays, each with the establishment that gave it."""
        if not field or field == NULL:
            return []
        found = []
        for identifier, spelling in self._recogniser.spellings(self._marks, expected).identifiers(field):
            authority, value = spelling.authority, identifier.strip()
            if authority is not None and authority.site and not spelling.reference and value and value != NULL:
                key, text = authority.key, text_of(value)
                found.append(Claimed(self._hash("stay", key, text), IdentifierKind.STAY, key, text, authority.site))
        return found

    def _traits(self, pid: Segment, person: Person) -> bool:
        """
        Read names and strict traits (PAM France, PID-5: L is the birth name, D the usual one).

        Returns:
            Whether all names are pseudonyms (S).
        """
        marks = self._marks
        chosen: list[bytes] = []
        names: list[str] = []
        pseudonyms = 0
        repetitions = marks.repetitions(pid.field(5))
        for repetition in repetitions:
            parts = marks.components(repetition)
            type_ = parts[6].strip().upper() if len(parts) > 6 else b""
            if family := self._family(parts[0]):
                names.append(family)
            if type_ == b"S":
                pseudonyms += 1
            elif not chosen and (type_ == b"L" or (not type_ and len(repetitions) == 1)):
                chosen = parts
        count = len(chosen)
        place = pid.field(11)
        person.names = tuple(names)
        person.traits = StrictTraits(
            self._family(chosen[0]) if count else "",
            _text(chosen[1]) if count > 1 else "",
            _text(chosen[2]) if count > 2 else "",
            _text(marks.components(pid.field(7))[0]),
            _text(marks.components(pid.field(8))[0]),
            self._birth_place(place) if place.find(b"BDL") >= 0 else "",
        )
        return pseudonyms == len(repetitions)

    def _family(self, data: bytes) -> str:
        """Read FN-1: the family name without its parts."""
        mark = self._marks.subcomponent
        return _text(data.split(mark, 1)[0] if mark else data)

    def _birth_place(self, field: bytes) -> str:
        for repetition in self._marks.repetitions(field):
            parts = self._marks.components(repetition)
            if len(parts) > 8 and parts[6].strip().upper() == b"BDL":
                return _text(parts[8])
        return ""

    # --- HPRIM Santé -----------------------------------------------------------------------------------------

    def hprim(self) -> list[Person]:
        """Return the patients in order; none of an HPRIM Médecin letter, whose numbers have no authority."""
        if self._message.format != "hprim-sante":
            return []
        return [self._hprim_person(self._message.peek(position)) for position in self._message.positions(b"P")]

    def _hprim_person(self, own: Segment) -> Person:
        marks = self._marks
        usual, birth = (self._parts(own, number) for number in (5, 6))
        name = birth if any(birth) else ["", "", ""]
        place = self._parts(own, 34)[1]
        traits = StrictTraits(
            name[0] or usual[0], name[1] or usual[1], name[2], _text(own.field(7)), _text(own.field(8)), place,
        )  # fmt: skip
        person = Person(traits, status_of(self._message, own))
        person.names = tuple(filter(None, (usual[0], name[0])))
        numbers = [text_of(part.strip()) for part in marks.components(marks.repetitions(own.field(2))[0])[:3]]
        authority = self._recogniser.own_patients.get("PI")
        if authority is not None:
            key, site = authority.key, authority.site
            made = [
                Claimed(self._hash("patient", key, value), IdentifierKind.LOCAL, key, value, site)
                if value and value != '""' else None
                for value in (*numbers, "", "")[:2]
            ]  # fmt: skip
            person.local = [made[0]] if made[0] else []
            if numbers[2:] and numbers[2].upper() == "FU" and made[1]:
                person.prior, person.replaces, person.fusion = [made[1]], True, True
        stay = marks.components(marks.repetitions(own.field(4))[0])[0].strip()
        if stay and stay != NULL:
            given = self._recogniser.recognise([stay], marks, 0, "AN")
            if given is not None and given.site:
                text = text_of(stay)
                person.accounts = [
                    Claimed(self._hash("stay", given.key, text), IdentifierKind.STAY, given.key, text, given.site)
                ]
        if own.field(11).find(_ARC) >= 0:
            self._ins(own.field(11), person.ins)
        return person

    def _parts(self, segment: Segment, number: int) -> list[str]:
        repetition = self._marks.repetitions(segment.field(number))[0]
        return [_text(part) for part in (*self._marks.components(repetition), b"", b"", b"")[:3]]


def _text(data: bytes) -> str:
    text = text_of(data).strip()
    return "" if text == '""' else text


def _holds(claimed: ClaimedIns) -> bool:
    return not claimed.ins.deleted and not claimed.ins.authority.obsolete


@lru_cache(maxsize=1024)
def _derive(
    marks: Delimiters, codes: bytes, nameless: bytes, acquired: bytes, corrected: bytes, *, holds: bool, hidden: bool,
    pseudonym: bool,
) -> IdentityStatus:  # fmt: skip
    """Derive the status from codes, which are few: no value of a patient is among them."""
    words = [text_of(marks.components(one)[0]) for one in marks.repetitions(codes)]
    status = identity_status(
        words, (_ANY_INS,) if holds else (), acquired=text_of(marks.components(acquired)[0]),
        birth_date_corrected=_yes(corrected), nameless=_yes(nameless),
    )  # fmt: skip
    added = {Attribute.HIDDEN} if hidden else set()
    if pseudonym:
        added.add(Attribute.ANONYMOUS)
    return status._replace(attributes=status.attributes | added) if added else status


def _yes(data: bytes) -> bool:
    return data.strip().upper() == b"Y"


_ANY_INS: Final = Ins("x", authority_of(f"{INS_ARC}8"), "INS")
