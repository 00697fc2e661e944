"""What depends on the event or on other fields."""

from __future__ import annotations

import pytest

from engine.parsers.hl7v2.message import Message
from engine.parsers.paths import Path
from engine.validation.profile import Condition, Rule
from engine.validation.rules import asked_of, compile_rule

HEAD = b"MSH|^~\\&|A|B|C|D|20260301||ADT^A01|1|P|2.5\r"


def broken(body: bytes, **rule: object) -> list[tuple[str, str]]:
    asked = compile_rule(Rule(name="x", severity="error", **rule))  # type: ignore[arg-type]
    return [(one.path.text if one.path else "", one.sentence) for one in asked(Message.parse(HEAD + body))]


def where(text: str, *values: str) -> Condition:
    return Condition(path=Path.parse(text), values=frozenset(values) if values else None)


@pytest.mark.parametrize("path", ["ZBE", "PID-18", "PID-18.1", "PID-3[5=INS]", "PID-3[5=INS].1", "PID-3[5 in INS,PN]"])
def test_what_must_be_there(path):
    """Segments, fields, components, chosen repetitions."""
    required = (Path.parse(path),)
    assert broken(b"PID|1||7^^^A^PI\r", require=required) == [(path, f"{path} is required here")]
    whole = b"PID|1||7^^^A^PI~8^^^B^INS" + b"|" * 15 + b"N1\rZBE|1\r"
    assert broken(whole, require=required) == []
    assert broken(whole, forbid=required) == [(path, f"{path} is forbidden here")]


def test_a_chosen_repetition_may_be_empty():
    """The type is there, the number isn't."""
    assert broken(b"PID|1||^^^A^INS\r", require=(Path.parse("PID-3[5=INS].1"),)) != []
    assert broken(b"PID|1||^^^A^INS\r", require=(Path.parse("PID-3[5=INS]"),)) == []


def test_conditions():
    """All of them hold, or the rule says nothing."""
    rule = {"where": (where("PV1-2", "I", "O"), where("PID-3[5=PI].1")), "require": (Path.parse("PV1-19"),)}
    assert broken(b"PID|1||7^^^A^PI\rPV1|1|I\r", **rule) != []
    assert broken(b"PID|1||7^^^A^PI\rPV1|1|E\r", **rule) == []
    assert broken(b"PID|1||7^^^A^VN\rPV1|1|I\r", **rule) == []
    assert broken(b"", **rule) == []


def test_values_that_are_expected():
    """Where the field isn't empty; the sentence names what is allowed."""
    rule = {"expect": (where("PID-32", "VALI", "PROV"),)}
    assert broken(b"PID|1" + b"|" * 31 + b"DOUB\r", **rule) == [("PID-32", "PID-32 must be one of PROV, VALI here")]
    assert broken(b"PID|1" + b"|" * 31 + b"VALI~HOMA\r", **rule) == []
    assert broken(b"PID|1\r", **rule) == []


def test_a_rule_may_only_speak():
    """Of an event that a profile doesn't want."""
    assert broken(b"", sentence="no such event") == [("", "no such event")]
    assert broken(b"PV1|1|I\r", sentence="so", where=(where("PV1-2", "I"),)) == [("PV1-2", "so")]


def test_rules_are_chosen_by_type_and_event():
    """Once, when a kind of message comes along."""
    rules = [
        Rule(name="a", severity="error", types=frozenset({"ADT"}), events=frozenset({"A01"}), sentence="x"),
        Rule(name="b", severity="error", types=frozenset({"ADT"}), sentence="x"),
        Rule(name="c", severity="error", sentence="x"),
    ]
    assert [len(asked_of(rules, *one)) for one in (("ADT", "A01"), ("ADT", "A02"), ("ORU", "R01"))] == [3, 2, 1]
