"""
Our findings beside hl7apy's verdict: each of its errors is one of ours at the same place, or of a kind that is named.

hl7apy is asked with `find_groups=False`; with groups it drops segments that its structure doesn't know, and says
*valid* (decision 0012).
"""

from __future__ import annotations

import contextlib
import os
import re
from collections import Counter
from pathlib import Path

import pytest
from hl7apy.exceptions import HL7apyException, ValidationError
from hl7apy.parser import parse_message
from hl7apy.validation import Validator as Hl7apyValidator

from engine.errors import ParseError
from engine.parsers.hl7v2.batch import split_batch
from engine.parsers.hl7v2.message import Message
from engine.validation.findings import Finding
from engine.validation.shipped import shipped
from engine.validation.validator import Validator

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures" / "messages"
CORPUS = os.environ.get("PASSERELLE_CORPUS", "")
OURS = Validator(shipped("hl7-2.x"))  # type: ignore[arg-type]
CORPUS_BYTES_MAX = 20_000
"""hl7apy takes a second for 10 KB, and much more than ten for 100 KB."""

# Each kind of hl7apy's errors: how it is told, the rules of ours that tell the same of the same segment and field,
# or, without rules, why ours says nothing.
KINDS = [
    ("a required field", r"Missing required child (\w{3})\.\1_(\d+)$", {"required"}),
    ("a required component", r"Missing required child (\w{3})_(\d+)\.\w+_\d+$", {"required-component", "withdrawn"}),
    ("a required subcomponent", r"Missing required child \w+_\d+\.\w+_\d+$", {"required-component"}),
    ("a required segment", r"Missing required child \w{3}(?:_\w+)?\.(\w{3})$", {"missing-segment"}),
    ("a field that repeats, or was withdrawn", r"Child limit exceeded (\w{3})\.\1_(\d+)$", {"repeated", "withdrawn"}),
    ("a component that was withdrawn", r"Child limit exceeded (\w{3})_(\d+)\.\w+_\d+$", {"withdrawn"}),
    ("a subcomponent that was withdrawn", r"Child limit exceeded \w+_\d+\.\w+_\d+$", {"withdrawn"}),
    ("a segment that repeats", r"Child limit exceeded \w{3}(?:_\w+)?\.(\w{3})$",
     {"segment-repeated", "unexpected-segment"}),
    ("components in a simple field, or one withdrawn", r"Datatype \w+ is not correct for (\w{3})\.\1_(\d+) ",
     {"extra-component", "unescaped", "withdrawn", "beyond-last"}),
    ("subcomponents in a simple component", r"Datatype \w+ is not correct for (\w{3})_(\d+)\.",
     {"extra-component", "unescaped", "withdrawn"}),
    ("fields beyond the last, or withdrawn", r"Invalid children detected for <Segment (\w{3})>",
     {"beyond-last", "withdrawn"}),
    ("components beyond the last", r"Invalid children detected for <(?:Field|Component) (\w{3})_(\d+)",
     {"extra-component", "unescaped", "withdrawn"}),
    ("components beyond the last, inside", r"Invalid children detected for <Component ",
     {"extra-component", "unescaped", "withdrawn"}),
    # --- without groups every structure that has some is invalid to hl7apy; ours compares groups, order, repetitions
    ("a group, not looked for", r"Missing required child \w{3}(?:_\w+)?\.\w+_\w+$", None),
    ("what stands in groups, not looked for", r"Invalid children detected for <Message ", None),
    # --- MSH-9.3 is empty or wrong: hl7apy looks no further, ours takes the structure of the event
    ("no structure in MSH-9.3", r"Unknown element found: None\.<Message ", None),
    # --- local segments are nobody's business but a site's profile's
    ("inside a Z segment", r"(?:Unknown element found|Invalid children detected).*(?:Field|Segment) Z", None),
]  # fmt: skip

APART = {
    # what the table can't say: (start of hl7apy's error, why ours says nothing)
    "Missing required child PID.PID_5": "hl7apy takes a blank for nothing, ours for a value",
    "Child limit exceeded QPD.QPD_3": "the parameters of a query repeat (HL7 v2.5 § 5.5.4); hl7apy's data say once",
    "Child limit exceeded ADT_A17.PID": "two places for PID, which hl7apy counts as one",
    "Child limit exceeded ADT_A24.PID": "two places for PID, which hl7apy counts as one",
    "Child limit exceeded ADT_A37.PID": "two places for PID, which hl7apy counts as one",
    "Child limit exceeded OUL_R22.NTE": "two places for NTE, which hl7apy counts as one",
    "Child limit exceeded OUL_R23.NTE": "two places for NTE, which hl7apy counts as one",
    "Child limit exceeded OUL_R24.NTE": "two places for NTE, which hl7apy counts as one",
}


def hl7apy_errors(text: str, report: Path, *, groups: bool = False) -> list[str]:
    """All errors that hl7apy tells of a message."""
    message = parse_message(text, find_groups=groups)
    with contextlib.suppress(ValidationError):
        Hl7apyValidator.validate(message, report_file=str(report))
    lines = report.read_text(encoding="utf-8").splitlines()
    return [line.removeprefix("Error: ").strip() for line in lines if line.startswith("Error: ")]


def explained(error: str, ours: list[Finding], message: Message) -> str:
    """Name the kind of an error that ours tells too, or that differs for a known reason; empty: neither."""
    for kind, pattern, rules in KINDS:
        found = re.match(pattern, error)
        if found is None:
            continue
        if rules is None or any(one.rule in rules and _same_place(one, *found.groups()) for one in ours):
            return kind
    simple = re.match(r"Datatype None is not correct for (\w{3})\.\1_(\d+) ", error)
    if simple is not None:
        values = message.fields(((simple[1].encode(), int(simple[2])),))
        if any(value.endswith(b"^") and b"^" not in value.rstrip(b"^") for value in values):
            return "a separator behind the last component, which ours takes for nothing"
    return next((start for start in APART if error.startswith(start)), "")


def _same_place(one: Finding, segment: str = "", field: str = "") -> bool:
    place = re.match(r"(\w{3})?(?:\[\d+\])?(?:-(\d+))?", one.path)
    assert place is not None
    return (not segment or place[1] == segment) and (not field or place[2] == field)


def compare(raw: bytes, report: Path, counts: Counter[str]) -> list[str]:
    """Compare both about one message; returns what is explained by nothing."""
    message = Message.parse(raw, as_utf8=True)
    message.normalise_delimiters()
    ours = OURS.check(message)
    try:
        errors = hl7apy_errors(message.to_bytes().decode(), report)
    except (HL7apyException, TypeError, AttributeError, IndexError, KeyError, ValueError) as failed:
        counts[f"hl7apy can't read it ({type(failed).__name__})"] += 1
        return []
    unexplained = []
    for error in errors:
        kind = explained(error, ours, message)
        counts[kind or "unexplained"] += 1
        if not kind:
            unexplained.append(error)
    return unexplained


# --- messages -----------------------------------------------------------------------------------------------

A01 = (
    "MSH|^~\\&|A|B|C|D|20260301||ADT^A01^ADT_A01|1|P|2.5\rEVN|A01|20260301\r"
    "PID|1||7^^^A^PI||DOE^JANE||19840312|F\rPV1|1|I|1010^1^2\r"
)
DEFECTS = {
    "required field": ("PID|1||7^^^A^PI||", "PID|1||||"),
    "required segment": ("PV1|1|I|1010^1^2\r", ""),
    "repeated field": ("|F\r", "|F~M\r"),
    "component in a simple field": ("|F\r", "|F^x\r"),
    "subcomponent in a simple component": ("DOE^JANE", "DOE^JA&NE"),
    "component beyond the last": ("1010^1^2", "1010^1^2" + "^" * 20 + "x"),
    "field beyond the last": ("EVN|A01|20260301", "EVN|A01|20260301" + "|" * 12 + "x"),
    "segment of another structure": ("PV1|", "TXA|1|CN\rPV1|"),
    "segment twice": ("PV1|", "PD1|\rPD1|\rPV1|"),
    "no structure": ("ADT^A01^ADT_A01", "ADT^A01"),
    "null": ("|F\r", '|""\r'),
    "nothing": ("|F\r", "|F\r"),
}


@pytest.mark.parametrize("version", ["2.2", "2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.6", "2.7", "2.8.2"])
def test_each_kind_of_defect_is_seen_by_both(version, tmp_path):
    """In every version; hl7apy says nothing that ours doesn't know."""
    counts: Counter[str] = Counter()
    for name, (old, new) in DEFECTS.items():
        assert old in A01, name
        raw = A01.replace(old, new, 1).replace("|2.5\r", f"|{version}\r").encode()
        assert compare(raw, tmp_path / "report", counts) == [], name
    assert counts.total() > 8


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("*.hl7")), ids=lambda path: path.name)
def test_synthetic_messages(path, tmp_path):
    """Those of the tests."""
    assert compare(path.read_bytes(), tmp_path / "report", Counter()) == []


@pytest.mark.slow
def test_real_messages(tmp_path):
    """All of them that hl7apy reads in reasonable time (with PASSERELLE_CORPUS); a minute or two."""
    counts: Counter[str] = Counter()
    unexplained: list[tuple[str, str]] = []
    for path in sorted(Path(CORPUS).glob("*/*.hl7")) if CORPUS else ():
        raw = path.read_bytes()
        if len(raw) > CORPUS_BYTES_MAX:
            continue
        with contextlib.suppress(ParseError):
            for one in split_batch(raw).messages or [raw]:
                unexplained += [(path.name, error) for error in compare(one, tmp_path / "report", counts)]
    assert not unexplained, f"{unexplained[:10]}\n{counts}"
    assert not CORPUS or counts.total() > 1_000


# --- what ours sees and hl7apy doesn't ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("|F\r", "|Q\r", "user-table"),  # a warning that it logs and doesn't raise, for some tables
        ("EVN|A01|20260301\rPID|1||7^^^A^PI||DOE^JANE||19840312|F\r",
         "PID|1||7^^^A^PI||DOE^JANE||19840312|F\rEVN|A01|20260301\r", "segment-order"),
        ("19840312", "19840231", "type"),
        ("PV1|1|I|1010^1^2\r", "PV1|1|I|1010^1^2\rOBX|1|NM|A||twelve||||||F\r", "type"),
        ("PV1|1|I|1010^1^2\r", "PV1|1|I|1010^1^2\rOBX|1|QQ|A||12||||||F\r", "value-type"),
        ("DOE^JANE", "D" * 300 + "^JANE", "length"),
    ],
)  # fmt: skip
def test_what_only_ours_sees(old, new, rule, tmp_path):
    """Tables, order, dates of the calendar, the type that OBX-2 says, lengths."""
    text = A01.replace(old, new, 1)
    assert rule in {one.rule for one in OURS.check(Message.parse(text.encode()))}
    with contextlib.suppress(HL7apyException, ValueError):
        assert hl7apy_errors(text, tmp_path / "report") == []


def test_with_groups_segments_disappear(tmp_path):
    """Why hl7apy isn't asked with groups: ZBE is gone, and the message valid."""
    text = A01 + "ZBE|1|20260301||INSERT|N||||HMS\r"
    assert "ZBE" not in parse_message(text, find_groups=True).to_er7()
    assert "ZBE" in parse_message(text, find_groups=False).to_er7()
