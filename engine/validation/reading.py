"""
Read a profile of YAML, on top of another one.

    extends: pam-fr-2.11                       # or hl7-2.5, hl7-2.x (the version that MSH-12 says)
    label: what the DPI wants
    severity: { table: error, length: ignore }
    fields:
      PV1-3.1: { usage: R, length: 4, pattern: "^[0-9]{4}$" }
      PID-8: { values: [F, M] }
    segments:
      ZXX: { name: bed, fields: { 1: { name: ward, type: ST, usage: R, length: 20 } } }
    tables:
      "0004": { codes: { I: inpatient, E: emergency } }
    structures:
      ADT_A01: "MSH EVN PID PV1 [ZXX]"
    rules:
      - { name: bed, events: [A01, A02], where: { PV1-2: [I] }, require: [PV1-3.3], severity: warning }
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Final, TypeVar

from engine.core.expressions import ExpressionRefused, compile_expression
from engine.dictionary.dictionary import PAM_FR
from engine.dictionary.entries import Part, Table
from engine.errors import PathError
from engine.parsers.paths import Path
from engine.validation.documents import Entries, Faults, Items, Text, Value, read_yaml
from engine.validation.findings import ERROR, RULES, SEVERITIES
from engine.validation.grammar import StructureError, parse_structure
from engine.validation.profile import Condition, Override, Position, Profile, Rule

Named = Callable[[str], Profile | None]
"""Gives a profile by its name, or None."""
Answer = TypeVar("Answer")

USAGES: Final = ("R", "RE", "C", "O", "B", "X")
_KEYS: Final = (
    "extends", "label", "extension", "severity", "keys", "fields", "segments", "tables", "structures", "rules",
)  # fmt: skip
_FIELD_KEYS: Final = ("usage", "repeat", "length", "type", "table", "values", "pattern", "name", "severity")
_RULE_KEYS: Final = (
    "name", "types", "events", "where", "require", "forbid", "expect", "severity", "sentence",
)  # fmt: skip
_CHECK_DIGITS: Final = ("ins", "finess")
_NUMBER_MAX: Final = 1_000_000


def read_profile(name: str, text: str, named: Named, *, file: str = "") -> Profile:
    """
    Read a profile.

    Args:
        name: Its name.
        text: YAML.
        named: Gives the profile that it extends.
        file: Its name for what is wrong with it.

    Raises:
        ProfileRefused: With every fault, its line, and what to write.
    """
    faults = Faults(file or name)
    reader = _Reader(faults)
    profile = reader.profile(name, read_yaml(text, faults), named)
    faults.refuse()
    return profile


class _Reader:
    """One file being read."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    def profile(self, name: str, top: Entries, named: Named) -> Profile:
        self._known(top, _KEYS, "a profile")
        below = self._below(top, named)
        words = {key: self._text(value) for key in ("label", "extension") if (value := top.entries.get(key))}
        if words.get("extension", PAM_FR) != PAM_FR:
            self._faults.add(top.lines["extension"], f"there is one extension: {PAM_FR}")
        fields, overrides = dict(below.fields), dict(below.overrides)
        segments = {**below.segments, **self._segments(top.entries.get("segments"), fields)}
        overrides.update(self._overrides(top.entries.get("fields"), overrides))
        rules = self._rules(top.entries.get("rules"), below.rules)
        severities = self._severities(top.entries.get("severity"), {*RULES, *(rule.name for rule in rules)})
        return replace(
            below,
            name=name,
            label=words.get("label", "") or below.label,
            extension=words.get("extension", below.extension),
            severities={**below.severities, **severities},
            keys=below.keys | self._check_digits(top.entries.get("keys")),
            segments=segments,
            fields=fields,
            overrides=overrides,
            tables={**below.tables, **self._tables(top.entries.get("tables"))},
            structures={**below.structures, **self._structures(top.entries.get("structures"))},
            rules=rules,
        )

    def _below(self, top: Entries, named: Named) -> Profile:
        value = top.entries.get("extends")
        if not isinstance(value, Text) or not value.text:
            self._faults.add(top.line, "extends: is missing: write hl7-2.5, hl7-2.x or pam-fr-2.11")
            return Profile(name="")
        found = named(value.text)
        if found is None:
            self._faults.add(value.line, f"there is no profile {value.text}: write hl7-2.5, hl7-2.x or pam-fr-2.11")
        return found or Profile(name="")

    # --- sections ----------------------------------------------------------------------------------------

    def _severities(self, value: Value | None, rules: Collection[str]) -> dict[str, str]:
        found: dict[str, str] = {}
        for rule, one, line in self._mapping(value, "severity"):
            if rule not in rules:
                self._faults.add(line, f"there is no rule {rule}: {_meant(rule, sorted(rules))}")
            found[rule] = self._choice(one, SEVERITIES) or ERROR
        return found

    def _check_digits(self, value: Value | None) -> frozenset[str]:
        words = self._words(value)
        for word in words:
            if word not in _CHECK_DIGITS:
                line = value.line if value is not None else 1
                self._faults.add(line, f"there is no check digit {word}: there are {', '.join(_CHECK_DIGITS)}")
        return frozenset(words)

    def _overrides(self, value: Value | None, below: dict[Position, Override]) -> dict[Position, Override]:
        found: dict[Position, Override] = {}
        for key, one, line in self._mapping(value, "fields"):
            at = self._position(key, line)
            if at is not None:
                said = self._override(one)
                known = below.get(at)
                found[at] = _on_top(known, said) if known is not None else said
        return found

    def _segments(self, value: Value | None, fields: dict[str, Mapping[int, Part]]) -> dict[str, str]:
        found: dict[str, str] = {}
        for name, one, line in self._mapping(value, "segments"):
            if not (len(name) == 3 and name.isascii() and name.isalnum() and name.isupper()):
                self._faults.add(line, f"{name} is no segment's name: three capitals or digits")
            inner = self._mapping_of(one, ("name", "fields"), f"the segment {name}")
            found[name] = self._text(inner.entries.get("name")) if "name" in inner.entries else ""
            parts: dict[int, Part] = {}
            for number, described, at in self._mapping(inner.entries.get("fields"), "fields"):
                if not number.isdecimal() or not 0 < int(number) < 1000:
                    self._faults.add(at, f"{number} is no number of a field")
                    continue
                said = self._override(described)
                parts[int(number)] = Part(
                    int(number), said.type or "ST", said.usage or "O", 1 if said.most is None else said.most,
                    said.length or 0, said.table or "", said.words or "",
                )  # fmt: skip
            fields[name] = parts
        return found

    def _tables(self, value: Value | None) -> dict[str, Table]:
        found: dict[str, Table] = {}
        for number, one, _ in self._mapping(value, "tables"):
            inner = self._mapping_of(one, ("name", "codes", "open"), f"the table {number}")
            codes = self._codes(inner.entries.get("codes"), inner.line)
            is_open = self._choice(inner.entries["open"], ("yes", "no")) == "yes" if "open" in inner.entries else False
            words = self._text(inner.entries["name"]) if "name" in inner.entries else ""
            found[number] = Table(number, words, is_open, codes)
        return found

    def _structures(self, value: Value | None) -> dict[str, str]:
        found: dict[str, str] = {}
        for name, one, line in self._mapping(value, "structures"):
            content = self._text(one)
            try:
                parse_structure(name, content)
            except StructureError as error:
                self._faults.add(line, f"{name}: {error}")
            found[name] = content
        return found

    # --- rules -------------------------------------------------------------------------------------------

    def _rules(self, value: Value | None, below: tuple[Rule, ...]) -> tuple[Rule, ...]:
        if value is None:
            return below
        if not isinstance(value, Items):
            self._faults.add(value.line, "rules is a list: one `- name: …` a rule")
            return below
        rules = {rule.name: rule for rule in below}
        for item in value.items:
            inner = self._mapping_of(item, _RULE_KEYS, "a rule")
            rule = self._rule(inner)
            if not rule.name or rule.name in RULES:
                self._faults.add(inner.line, "a rule has a name of its own: name: bed-of-inpatients")
            rules[rule.name] = rule  # one of the same name replaces that of the profile below
        return tuple(rules.values())

    def _rule(self, inner: Entries) -> Rule:
        entries = inner.entries
        rule = Rule(
            name=self._text(entries["name"]) if "name" in entries else "",
            severity=(self._choice(entries["severity"], SEVERITIES) if "severity" in entries else "") or ERROR,
            sentence=self._text(entries["sentence"]) if "sentence" in entries else "",
            types=frozenset(self._words(entries.get("types"))),
            events=frozenset(self._words(entries.get("events"))),
            where=self._conditions(entries.get("where")),
            require=self._paths(entries.get("require")),
            forbid=self._paths(entries.get("forbid")),
            expect=self._conditions(entries.get("expect")),
        )
        if not (rule.require or rule.forbid or rule.expect or rule.sentence):
            self._faults.add(inner.line, "a rule says require, forbid or expect, or has a sentence")
        return rule

    def _conditions(self, value: Value | None) -> tuple[Condition, ...]:
        found: list[Condition] = []
        for key, one, line in self._mapping(value, "conditions"):
            path = self._path(key, line)
            if path is not None:
                words = self._words(one)
                found.append(Condition(path=path, values=None if words == ["any"] else frozenset(words)))
        return tuple(found)

    def _paths(self, value: Value | None) -> tuple[Path, ...]:
        line = value.line if value is not None else 1
        return tuple(path for word in self._words(value) if (path := self._path(word, line)) is not None)

    def _path(self, text: str, line: int) -> Path | None:
        try:
            path = Path.parse(text)
        except PathError as error:
            self._faults.add(line, f"{text}: {error.reason}; {error.hint}" if error.hint else f"{text}: {error.reason}")
            return None
        if path.relative or path.authorities:
            self._faults.add(line, f"{text}: a profile knows neither foreach nor sites; write [5=PI] instead of [@ipp]")
            return None
        return path

    # --- one place ---------------------------------------------------------------------------------------

    def _position(self, text: str, line: int) -> Position | None:
        segment, dash, numbers = text.partition("-")
        parts = numbers.split(".")
        fits = len(segment) == 3 and dash and len(parts) < 4
        if not fits or not all(part.isdecimal() and 0 < int(part[:6]) < 1000 for part in parts):
            self._faults.add(line, f"{text} is no field: write PV1-3, PV1-3.1 or PV1-3.4.2")
            return None
        field, component, subcomponent = ([int(part) for part in parts] + [0, 0])[:3]
        return segment, field, component, subcomponent

    def _override(self, value: Value) -> Override:
        inner = self._mapping_of(value, _FIELD_KEYS, "a field")
        entries = inner.entries
        values = entries.get("values")
        return Override(
            usage=self._choice(entries["usage"], USAGES) if "usage" in entries else None,
            most=self._repeat(entries["repeat"]) if "repeat" in entries else None,
            length=self._number(entries["length"]) if "length" in entries else None,
            type=self._text(entries["type"]) if "type" in entries else None,
            table=self._text(entries["table"]) if "table" in entries else None,
            codes=self._codes(values, inner.line) if values is not None else None,
            matches=self._pattern(entries["pattern"]) if "pattern" in entries else None,
            words=self._text(entries["name"]) if "name" in entries else None,
            severity=self._choice(entries["severity"], SEVERITIES) if "severity" in entries else None,
        )

    def _repeat(self, value: Value) -> int | None:
        return 0 if isinstance(value, Text) and value.text == "*" else self._number(value)

    def _pattern(self, value: Value) -> Callable[[str], bool] | None:
        text = self._text(value)
        try:
            return compile_expression(text)
        except ExpressionRefused as refused:
            self._faults.add(value.line, f"{refused.reason}; {refused.hint}")
            return None

    def _codes(self, value: Value | None, line: int) -> dict[str, str]:
        """Read codes: a list, or a mapping of each to its meaning."""
        codes = (
            {key: self._text(one) for key, one, _ in value}
            if isinstance(value, Entries)
            else dict.fromkeys(self._words(value), "")
        )
        if not codes:
            self._faults.add(line, "codes are missing: write [A, B] or { A: its meaning }")
        return codes

    # --- kinds of values ---------------------------------------------------------------------------------

    def _text(self, value: Value | None) -> str:
        if isinstance(value, Text):
            return value.text
        self._faults.add(value.line if value is not None else 1, "a text is wanted here")
        return ""

    def _number(self, value: Value) -> int | None:
        text = self._text(value)
        if text.isascii() and text.isdecimal() and int(text[:9]) <= _NUMBER_MAX:
            return int(text)
        self._faults.add(value.line, f"{text or 'this'} is no number that is possible here")
        return None

    def _choice(self, value: Value, words: tuple[str, ...]) -> str | None:
        text = self._text(value)
        if text in words:
            return text
        self._faults.add(value.line, f"{text or 'this'} isn't possible here: write {', '.join(words)}")
        return None

    def _words(self, value: Value | None) -> list[str]:
        """Read one word, or a list of words."""
        if value is None:
            return []
        if isinstance(value, Items):
            return [self._text(item) for item in value.items]
        return [self._text(value)]

    def _mapping(self, value: Value | None, what: str) -> Entries | list[tuple[str, Value, int]]:
        if value is None or isinstance(value, Entries):
            return value or []
        self._faults.add(value.line, f"{what}: a mapping is wanted here, `key: value`")
        return []

    def _mapping_of(self, value: Value, keys: tuple[str, ...], what: str) -> Entries:
        if not isinstance(value, Entries):
            self._faults.add(value.line, f"{what} is a mapping: {', '.join(keys)}")
            return Entries(value.line, {}, {})
        self._known(value, keys, what)
        return value

    def _known(self, mapping: Entries, keys: tuple[str, ...], what: str) -> None:
        for key, _, line in mapping:
            if key not in keys:
                self._faults.add(line, f"{key} is no key of {what}: {_meant(key, keys)}")


def _meant(word: str, known: Sequence[str]) -> str:
    """Ask for the word that was meant, or list what there is."""
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.75)
    return f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"


def _on_top(below: Override, said: Override) -> Override:
    """Return an override with what a profile says on top of what the profile below said of the same place."""
    given = {name: value for name in Override.__dataclass_fields__ if (value := getattr(said, name)) is not None}
    return replace(below, **given)
