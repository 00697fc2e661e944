"""Collects the findings of one message, with their paths and severities."""

from __future__ import annotations

from collections import Counter

from engine.parsers.hl7v2.message import Message
from engine.validation.checks import Judge, Where
from engine.validation.findings import FINDINGS_MAX, IGNORE, RULES, WARNING, Finding, Place, path_of
from engine.validation.matching import Misfit
from engine.validation.profile import Profile
from engine.validation.rules import Broken


class Report:
    """The findings of one message."""

    def __init__(self, message: Message, names: tuple[str, ...], profile: Profile) -> None:
        """
        Begin with nothing.

        Args:
            message: What is looked at.
            names: Of its segments.
            profile: Says how bad a rule's findings are.
        """
        self.names = names
        self._message = message
        self._profile = profile
        self._found: list[Finding] = []
        self._counts: Counter[str] | None = None

    @property
    def full(self) -> bool:
        """Whether nothing more is taken."""
        return len(self._found) >= FINDINGS_MAX

    def findings(self) -> list[Finding]:
        """Return them in the order of the message."""
        self._found.sort(key=lambda finding: finding.place)
        return self._found

    def judge(self, position: int, number: int) -> Judge:
        """Return the judge of one field, whose findings come here."""

        def tell(rule: str, severity: str, where: Where, sentence: str) -> None:
            place = Place(position, number, where.repetition, where.component, where.subcomponent)
            self.add(rule, place, sentence, severity=severity, repeated=where.repeated)

        return Judge(self._message.delimiters, self._message.codec, tell)

    def add(self, rule: str, place: Place, sentence: str, *, severity: str = "", repeated: bool = False) -> None:
        """Take a finding at a place of a segment."""
        severity = severity or self._profile.severities.get(rule) or RULES.get(rule, WARNING)
        if severity == IGNORE or self.full:
            return
        path = ""
        if place.segment >= 0:
            name = self.names[place.segment]
            if name:
                path = path_of(name, *self._rank(place.segment), place, repeated=repeated)
            else:
                path = f"segment {place.segment + 1}"
        self._found.append(Finding(rule, severity, path, sentence, place))

    def in_header(self, rule: str, sentence: str, field: int) -> None:
        """Take a finding about MSH."""
        position = self.names.index("MSH") if "MSH" in self.names else -1
        self.add(rule, Place(position, field), sentence)

    def segment(self, rule: str, position: int, sentence: str) -> None:
        """Take a finding about a segment as a whole."""
        self.add(rule, Place(position), sentence)

    def beyond(self, position: int, number: int, last: int) -> None:
        """Take a field that the segment doesn't have."""
        name = self.names[position]
        self.add("beyond-last", Place(position, number), f"{name} ends with {name}-{last}")

    def misfit(self, misfit: Misfit) -> None:
        """Take what doesn't fit the structure; what is missing is told of the message, under its own name."""
        if misfit.rule.startswith("missing"):
            severity = self._profile.severities.get(misfit.rule) or RULES[misfit.rule]
            if severity != IGNORE and not self.full:
                self._found.append(Finding(misfit.rule, severity, misfit.name, misfit.sentence, Place()))
            return
        self.segment(misfit.rule, misfit.position, misfit.sentence)

    def broken(self, one: Broken) -> None:
        """Take a broken rule of the profile."""
        path = one.path
        severity = self._profile.severities.get(one.rule.name) or one.rule.severity
        if severity == IGNORE or self.full:
            return
        if path is None:  # of the event
            place = Place(self.names.index("MSH"), 9) if "MSH" in self.names else Place()
            self._found.append(Finding(one.rule.name, severity, "MSH-9", one.sentence, place))
            return
        position = self.names.index(path.segment) if path.segment in self.names else -1
        place = Place(position, path.field if position >= 0 else 0)
        self._found.append(Finding(one.rule.name, severity, path.text, one.sentence, place))

    def _rank(self, position: int) -> tuple[int, int]:
        name = self.names[position]
        if self._counts is None:
            self._counts = Counter(self.names)
        count = self._counts[name]
        return (self.names[: position + 1].count(name) if count > 1 else 1), count
