"""What depends on the event or on other fields; compiled once, because each message is asked all of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

from engine.parsers.hl7v2.message import Message
from engine.parsers.paths import Path
from engine.validation.profile import Condition, Rule


class Broken(NamedTuple):
    """A rule that a message breaks."""

    rule: Rule
    path: Path | None
    """None: the rule is about the message."""
    sentence: str


Asked = Callable[[Message], Sequence[Broken]]
"""A compiled rule: gives what of it a message breaks."""
_Test = Callable[[Message], bool]
_CHOSEN: Final = re.compile(r"[A-Z][A-Z0-9]{2}-\d+\[(\d+)(?:=| in )([A-Z0-9, ]+)\](?:\.(\d+))?")
_KEPT: Final[Sequence[Broken]] = ()


def asked_of(rules: Iterable[Rule], type_: str, event: str) -> tuple[Asked, ...]:
    """Compile the rules that are about messages of a type and event."""
    return tuple(
        compile_rule(rule)
        for rule in rules
        if (not rule.types or type_ in rule.types) and (not rule.events or event in rule.events)
    )


def compile_rule(rule: Rule) -> Asked:
    """Compile one rule."""
    where = tuple(_test(condition) for condition in rule.where)
    required = [(_is_there(path), _broken(rule, path, "is required here")) for path in rule.require]
    forbidden = [(_is_there(path), _broken(rule, path, "is forbidden here")) for path in rule.forbid]
    expected = [(_test(one), _is_there(one.path), _broken(rule, one.path, _allowed(one))) for one in rule.expect]
    always = [Broken(rule, rule.where[0].path if rule.where else None, rule.sentence)]

    def ask(message: Message) -> Sequence[Broken]:
        for holds in where:
            if not holds(message):
                return _KEPT
        if not (required or forbidden or expected):
            return always
        found = [told for there, told in required if not there(message)]
        found += [told for there, told in forbidden if there(message)]
        found += [told for holds, there, told in expected if there(message) and not holds(message)]
        return found

    return ask


def _broken(rule: Rule, path: Path, words: str) -> Broken:
    return Broken(rule, path, rule.sentence or f"{path.text} {words}")


def _allowed(condition: Condition) -> str:
    return f"must be one of {', '.join(sorted(condition.values or ()))} here"


def _is_there(path: Path) -> _Test:
    """Compile whether something stands at a path; HL7's null does."""
    code, number = path.segment.encode(), path.field
    if path.text == path.segment:
        return lambda message: bool(message.positions(code))
    if path.text == f"{path.segment}-{number}":

        def is_there(message: Message) -> bool:
            segment = message.head(code)
            return segment is not None and bool(segment.field(number))

        return is_there
    chosen = _CHOSEN.fullmatch(path.text)
    if chosen is not None:
        return _is_chosen(code, number, int(chosen[1]), chosen[2].split(","), int(chosen[3] or 0))
    return lambda message: path.presence(message) != "absent"


def _is_chosen(code: bytes, number: int, component: int, words: list[str], part: int) -> _Test:
    """Compile `PID-3[5=INS]`, `PID-5[7 in L,S].1`: most rules about identities ask such a path of every message."""
    wanted = [word.strip().encode() for word in words]

    def is_chosen(message: Message) -> bool:
        segment = message.head(code)
        data = segment.field(number) if segment is not None else b""
        if all(data.find(word) < 0 for word in wanted):
            return False
        marks = message.delimiters
        for repetition in marks.repetitions(data):
            components = marks.components(repetition)
            if len(components) >= component and components[component - 1] in wanted:
                if not part or (len(components) >= part and components[part - 1]):
                    return True
        return False

    return is_chosen


def _test(condition: Condition) -> _Test:
    """Compile whether a value that is there meets a condition."""
    path, values = condition.path, condition.values
    if values is None:
        return _is_there(path)
    if "[" in path.text:
        return lambda message: not values.isdisjoint(path.read(message))
    first = path.first
    return lambda message: first(message) in values
