"""
Compare messages with a profile.

Checks are compiled once for each version, structure and event of a profile, and kept; comparing the segments with
the structure is done once for each sequence of names that comes along. What a message then costs is one match a
field that has a value.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final, NamedTuple

from engine.dictionary.dictionary import Dictionary, dictionary_of
from engine.dictionary.versions import DEFAULT, version_of
from engine.parsers.hl7v2.delimiters import STANDARD, Delimiters
from engine.parsers.hl7v2.message import Message
from engine.parsers.hl7v2.segments import HEADERS
from engine.validation.findings import Finding
from engine.validation.grammar import Item, parse_structure
from engine.validation.keys import check_keys
from engine.validation.matching import Match, match_structure
from engine.validation.profile import Profile
from engine.validation.report import Report
from engine.validation.resolving import Resolver
from engine.validation.rules import Asked, asked_of
from engine.validation.segments import SegmentChecks

SEQUENCES_MAX: Final = 512
"""Sequences of segment names whose comparison is remembered, a structure."""
SEQUENCE_LENGTH_MAX: Final = 200
"""Longer ones are compared each time."""
KINDS_MAX: Final = 256
"""Types, events and versions of messages whose checks are kept."""


_USUAL: Final = (
    "MSH", "EVN", "PID", "PD1", "NK1", "PV1", "PV2", "ZBE", "ZFV", "ZFM", "ZFD", "MRG", "ORC", "OBR", "OBX", "NTE",
)  # fmt: skip

_Sequence = tuple[Match, tuple[SegmentChecks | None, ...]]
"""What was found about a sequence of names: how it fits the structure, and the checks of each segment."""


class _Kind(NamedTuple):
    """What is compiled for the messages of one MSH-9 and MSH-12."""

    checks: _Checks
    rules: tuple[Asked, ...]
    remarks: tuple[tuple[str, str, int], ...]
    """Rule, sentence and field of MSH: about the message's own name."""


class Validator:
    """Compares messages with one profile."""

    def __init__(self, profile: Profile) -> None:
        """
        Compile nothing yet.

        Args:
            profile: What they are compared with.
        """
        self.profile = profile
        self._kinds: dict[tuple[bytes, bytes], _Kind] = {}
        self._checks: dict[tuple[str, str], _Checks] = {}
        self._segments: dict[str, dict[tuple[str, str], SegmentChecks]] = {}

    def prepare(self) -> None:
        """Compile what nearly every message needs, so that the first one doesn't wait for it."""
        dictionary = dictionary_of(self.profile.version or DEFAULT, self.profile.extension)
        resolver = Resolver(self.profile, dictionary)
        known = self._segments.setdefault(dictionary.version, {})
        for name in _USUAL:
            checks = known[name, ""] = SegmentChecks(name, resolver)
            checks.prepare()

    def check(self, message: Message) -> list[Finding]:
        """
        Compare one message.

        Args:
            message: HL7 v2, in any charset and with any delimiters.

        Returns:
            What was found, in the order of the message; at most FINDINGS_MAX.
        """
        header = message.head(b"MSH")
        type_, version = (header.field(9), header.field(12)) if header is not None else (b"", b"")
        kind = self._kinds.get((type_, version)) or self._kind(type_, version, message)
        names = tuple(message.names)
        report = Report(message, names, self.profile)
        for name, sentence, field in kind.remarks:
            report.in_header(name, sentence, field)
        match, checks = kind.checks.of(names)
        for misfit in match.misfits:
            report.misfit(misfit)
        self._check_segments(kind.checks.version, checks, message, report)
        for rule in kind.rules:
            for one in rule(message):
                report.broken(one)
        if self.profile.keys:
            check_keys(self.profile.keys, message, report)
        return report.findings()

    @staticmethod
    def _check_segments(version: str, checks: Sequence[SegmentChecks | None], message: Message, report: Report) -> None:
        usual, mark, judge = is_usual(message.delimiters), message.delimiters.field, report.judge
        for position, known in enumerate(checks):
            if known is None:
                name = report.names[position]
                if name and not name.startswith("Z"):
                    report.segment("unknown-segment", position, f"{name} is no segment of HL7 {version}")
                continue
            segment = message.peek(position)
            fields = segment.line().split(mark)
            if segment.code in HEADERS:
                fields.insert(1, mark)
            for number in known.check(position, fields, judge, usual=usual):
                report.beyond(position, number, known.last)
            if report.full:
                break

    # --- compiling ---------------------------------------------------------------------------------------

    def _kind(self, type_: bytes, version: bytes, message: Message) -> _Kind:
        marks = message.delimiters
        words = [part.decode("latin-1").strip() for part in marks.components(marks.repetitions(type_)[0])]
        message_type, event, structure = (*words, "", "", "")[:3]
        if message_type == "ADT" and not event:
            event = _event_of(message)
        kind = self._compile(message_type, event, structure, marks.components(version)[0].decode("latin-1"))
        if len(self._kinds) < KINDS_MAX:
            self._kinds[type_, version] = kind
        return kind

    def _compile(self, type_: str, event: str, structure: str, version: str) -> _Kind:
        profile = self.profile
        remarks: list[tuple[str, str, int]] = []
        meant = version_of(version)
        if not meant.exact:
            known = profile.version or meant.version
            remarks.append(("version", f"no version that is known here: compared with HL7 {known}", 12))
        elif profile.version and profile.version != meant.version:
            remarks.append(("version", f"another version than that of the profile, HL7 {profile.version}", 12))
        dictionary = dictionary_of(profile.version or version, profile.extension)
        chosen = self._choose(dictionary, type_, event, structure, remarks)
        key = (dictionary.version, chosen)
        checks = self._checks.get(key)
        if checks is None:
            segments = self._segments.setdefault(dictionary.version, {})
            content = profile.structures.get(chosen) or dictionary.structure(chosen) or ""
            item = parse_structure(chosen, content) if content else None
            resolver = Resolver(profile, dictionary)
            checks = self._checks[key] = _Checks(
                item, resolver, dictionary.version, segments, by_group=bool(profile.within)
            )
        return _Kind(checks, asked_of(profile.rules, type_, event), tuple(remarks))

    def _choose(
        self, dictionary: Dictionary, type_: str, event: str, said: str, remarks: list[tuple[str, str, int]]
    ) -> str:
        """
        Choose the structure: that of the event, because MSH-9.3 is wrong in many systems.

        Of an event that nobody knows, MSH-9.3 is all there is.
        """
        own = self.profile.event_of.get((type_, event))
        known = dictionary.event(type_, event) or (dictionary.event("ACK", "") if type_ == "ACK" else None)
        structure = own or (known.structure if known is not None else "")
        if not structure:
            name = f"{type_}^{event}" if _is_code(type_) and _is_code(event) else "this"
            remarks.append(("event", f"{name} is no event of HL7 {dictionary.version}: a receiver may ignore it", 9))
            return said if self._has(dictionary, said) else ""
        if said and said != structure:
            if not self._has(dictionary, said):
                sentence = f"MSH-9.3 names no structure of HL7 {dictionary.version}; {structure} belongs to the event"
                remarks.append(("structure", sentence, 9))
            elif (type_, event) != ("ADT", "Z99"):  # its structure is that of the event it corrects
                remarks.append(("structure", f"MSH-9.3 isn't {structure}, which belongs to the event", 9))
            else:
                return said
        return structure

    def _has(self, dictionary: Dictionary, structure: str) -> bool:
        return bool(structure) and bool(
            structure in self.profile.structures or dictionary.structure(structure) is not None
        )


class _Checks:
    """The checks of one structure."""

    def __init__(
        self, item: Item | None, resolver: Resolver, version: str, segments: dict[tuple[str, str], SegmentChecks],
        *, by_group: bool,
    ) -> None:  # fmt: skip
        self.version = version
        self._by_group = by_group
        self._item = item
        self._resolver = resolver
        self._segments = segments
        self._sequences: OrderedDict[tuple[str, ...], _Sequence] = OrderedDict()

    def of(self, names: tuple[str, ...]) -> _Sequence:
        """Compare the names of a message's segments with the structure, and find the checks of each."""
        known = self._sequences.get(names)
        if known is not None:
            return known
        match = match_structure(self._item, names) if self._item is not None else Match((), ("",) * len(names))
        groups = match.groups if self._by_group else ("",) * len(names)
        found = (match, tuple(self._segment(name, group) for name, group in zip(names, groups, strict=True)))
        if len(names) <= SEQUENCE_LENGTH_MAX:
            if len(self._sequences) >= SEQUENCES_MAX:
                self._sequences.popitem(last=False)
            self._sequences[names] = found
        return found

    def _segment(self, name: str, group: str) -> SegmentChecks | None:
        """Return the checks of a segment; None: nobody describes it."""
        known = self._segments.get((name, group))
        if known is None:
            known = SegmentChecks(name, self._resolver, group)
            if len(self._segments) < KINDS_MAX * 4:
                self._segments[name, group] = known
        return known if known.known else None


def is_usual(marks: Delimiters) -> bool:
    """Tell whether the delimiters are those that patterns are made for; a truncation character doesn't matter."""
    return marks is STANDARD or (
        marks.field == b"|" and marks.escape == b"\\"
        and (marks.component, marks.repetition, marks.subcomponent) == (b"^", b"~", b"&")
    )  # fmt: skip


def _is_code(text: str) -> bool:
    """Tell whether a text can be shown: where fields have slipped, a patient's may stand in MSH-9."""
    return len(text) == 3 and text.isascii() and text.isalnum() and text.isupper()


def _event_of(message: Message) -> str:
    """HL7 2.1 and 2.2 leave the event to EVN-1."""
    segment = message.head(b"EVN")
    return segment.field(1).decode("latin-1").strip()[:3] if segment is not None else ""
