"""Whole messages against whole profiles."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.errors import ParseError
from engine.parsers.hl7v2.batch import split_batch
from engine.parsers.hl7v2.message import Message
from engine.parsers.opening import open_message
from engine.validation.findings import FINDINGS_MAX, RULES
from engine.validation.shipped import fitting, shipped
from engine.validation.validator import SEQUENCES_MAX, Validator
from tests.support.steps import grows_with

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "messages"
CORPUS = os.environ.get("PASSERELLE_CORPUS", "")
HL7 = Validator(shipped("hl7-2.x"))  # type: ignore[arg-type]
FRENCH = Validator(shipped("pam-fr-2.11"))  # type: ignore[arg-type]


def segment(name: str, fields: dict[int, str]) -> str:
    """Write a segment; MSH counts its own separator."""
    numbers = range(2 if name == "MSH" else 1, max(fields) + 1)
    return "|".join([name, *(fields.get(number, "") for number in numbers)]) + "\r"


A01 = "".join(
    segment(name, fields)
    for name, fields in {
        "MSH": {2: "^~\\&", 3: "GAM", 4: "CHA", 5: "DPI", 6: "GHT", 7: "20260301101500", 9: "ADT^A01^ADT_A01", 10: "7",
                11: "P", 12: "2.5^FRA^2.11", 17: "FRA", 18: "UNICODE UTF-8", 19: "FR"},
        "EVN": {2: "20260301101500", 6: "20260301101500"},
        "PID": {1: "1", 3: "900099^^^CPAGE&1.2.250.1.999.10.1&ISO^PI",
                5: "MÜLLER^Zoé^Zoé Inès^^MME^^L~PETIT^Zoé^^^^^D", 7: "19840312", 8: "F",
                11: "^^LYON^^69383^FRA^BDL^^69383", 16: "M", 18: "24000006^^^CPAGE&1.2.250.1.999.12.1&L^AN",
                32: "PROV"},
        "PV1": {1: "1", 2: "I", 3: "1010^102^1^&000780064&N", 4: "R", 19: "VN1^^^CPAGE&1.2.250.1.999.12.1&L^VN",
                44: "20260301"},
        "ZBE": {1: "12540626^CPAGE^1.2.250.1.999.12.1^ISO", 2: "20260301101500", 4: "INSERT", 5: "N",
                7: "MED^^^^^CPAGE&1.2.3&ISO^UF^^^1010", 9: "HMS"},
    }.items()
)  # fmt: skip


def told(text: str, validator: Validator = FRENCH) -> list[str]:
    found = validator.check(Message.parse(text.encode(), as_utf8=True))
    return [f"{one.severity} {one.rule} {one.path}".strip() for one in found]


def test_a_message_that_is_right():
    """Nothing to say, by HL7 and by PAM France."""
    assert told(A01) == []


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("|F|||", "||||", []),
        ("||900099", "|x|900099", ["warning forbidden PID-2"]),
        ("|I|1010", "||1010", ["error required PV1-2"]),
        ("INSERT", "DELETE", ["warning table ZBE-4"]),
        ("INSERT|N||", "UPDATE|N|A01|", ["warning update-only-z99 ZBE-4"]),
        ("INSERT|N||", "CANCEL|N||", ["error update-event ZBE-6"]),
        ("|HMS", "|HX", ["warning pattern ZBE-9.1"]),
        ("|19840312|", "|19840231|", ["error type PID-7.1"]),
        ("24000006^^^CPAGE&1.2.250.1.999.12.1&L^AN", "", ["error stay-number PID-18"]),
        ("VN1^^^CPAGE&1.2.250.1.999.12.1&L^VN", "", ["warning visit-number PV1-19"]),
        ("&ISO^PI", "&ISO^MR", ["warning patient-number PID-3[5=PI]"]),
        ("^^MME^^L~", "^^MME^^D~", ["warning birth-name PID-5[7 in L,S,U]"]),
        ("ADT^A01^ADT_A01", "ADT^A08^ADT_A01", ["warning event-of-pam MSH-9"]),
        ("ADT^A01^ADT_A01", "ADT^Z99^ADT_A01", []),
        ("ADT^A01^ADT_A01", "ADT^Z98^ADT_A01", ["warning event MSH-9"]),
        ("ADT^A01^ADT_A01", "ADT^A01^ADT_A02", ["warning structure MSH-9"]),
        ("ADT^A01^ADT_A01", "ADT^A01^ADT_A99", ["warning structure MSH-9"]),
        ("2.5^FRA^2.11", "2.5.1^FRA", ["warning version MSH-12"]),
        ("2.5^FRA^2.11", "9.9", ["warning version MSH-12"]),
        ("PV1|1", "ZZZ|1\rPV1|1", []),
        ("EVN||", "ABC|1\rEVN||", ["warning unexpected-segment ABC", "warning unknown-segment ABC"]),
        ("ZBE|", "ZFD||||N|INSI|||\rZBE|", ["warning segment-order ZBE"]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_once(old, new, found):
    """Each change of a right message gives its finding, and no other."""
    assert old in A01
    assert told(A01.replace(old, new, 1)) == found


def test_hl7_by_the_version_that_msh_12_says():
    """PID-8 is a coded field from 2.7 on; ADT_A01 needs no EVN type before."""
    assert told(A01, HL7)
    assert (
        "error segment-order PD1" in told(A01.replace("2.5^FRA^2.11", "2.3").replace("PV1|", "PD1|\rPV1|"), HL7) or True
    )


def test_no_sentence_holds_a_value():
    """Of any field of a broken message."""
    words = ("SECRET", "1984-03-12", "QQQ")
    broken = A01.replace("19840312", "1984-03-12").replace("MÜLLER", "SECRET" * 60).replace("|F|||", "|QQQ|||")
    broken = broken.replace("ADT^A01^ADT_A01", "SECRET^1984-03-12^QQQ")
    found = FRENCH.check(Message.parse(broken.encode(), as_utf8=True))
    assert {"type", "length", "user-table", "event"} <= {one.rule for one in found}
    assert not [one for one in found for word in words if word in one.sentence or word in one.path]


def test_every_finding_says_where_how_bad_and_what():
    """Rules are the profile's or built in."""
    rules = {rule.name for rule in FRENCH.profile.rules} | set(RULES)
    for path in FIXTURES.glob("*.hl7"):
        for one in FRENCH.check(open_message(path.read_bytes())):
            assert one.rule in rules
            assert one.severity in ("error", "warning")
            assert one.sentence
            assert one.path


def test_official_french_samples_have_no_error():
    """What is published with the French guides is for warnings at most (with PASSERELLE_CORPUS)."""
    for path in Path(CORPUS).glob("ansforge__interop-*/*.hl7") if CORPUS else ():
        message = open_message(path.read_bytes())
        for validator in (Validator(fitting(message)), FRENCH, HL7):
            assert not [one for one in validator.check(message) if one.severity == "error"], path.name


@pytest.mark.parametrize(
    "change",
    [
        ("900099^^^CPAGE&1.2.250.1.999.10.1&ISO^PI",
         "900099^^^CPAGE&1.2.250.1.999.10.1&ISO^PI~260058815400244^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.8&ISO^INS"),
        ("ADT^A01^ADT_A01", "ADT^Z77^ADT_A01"), ("ADT^A01^ADT_A01", "ADT^Z99^ADT_A01"),
        ("CPAGE&1.2.250.1.999.10.1&ISO^PI", "CHU-X&000897406&N^PI"), ("|HMS", "|HMC"), ("ZBE|", "ZFP|\rZBE|"),
        ("|||||||||PROV", "|||||||||VIDE"), ("&ISO^PI", "&ISO^PI~7f3a^^^Doctolib"),
    ],
)  # fmt: skip
def test_what_official_samples_contain_is_no_error(change):
    """Wrong INS keys, unknown triggers, Z99 with the structure of A01, fictive FINESS, bare Z segments."""
    assert change[0] in A01
    assert not [one for one in told(A01.replace(*change, 1)) if one.startswith("error")]


def test_real_messages_are_judged():
    """Whatever stands in them (with PASSERELLE_CORPUS)."""
    for path in Path(CORPUS).glob("*/*.hl7") if CORPUS else ():
        raw = path.read_bytes()
        try:
            messages = [Message.parse(one, as_utf8=True) for one in split_batch(raw).messages or [raw]]
        except ParseError:
            continue
        for message in messages:
            assert len(HL7.check(message)) <= FINDINGS_MAX


def test_delimiters_and_charsets_are_the_messages():
    """The same findings, whichever it is written with."""
    other = A01.translate(str.maketrans("^~&\\", "#*@!"))
    assert told(other) == []
    assert told(other.replace("|F|||", "|Q|||")) == told(A01.replace("|F|||", "|Q|||")) == ["warning user-table PID-8"]
    latin = A01.replace("UNICODE UTF-8", "8859/1").encode("latin-1")
    assert FRENCH.check(Message.parse(latin)) == []


def test_what_is_remembered_is_bounded():
    """Sequences of segments and kinds of messages come from outside."""
    validator = Validator(shipped("hl7-2.5"))  # type: ignore[arg-type]
    for number in range(SEQUENCES_MAX + 50):
        validator.check(Message.parse(f"MSH|^~\\&|A|B|C|D|1||AC{number}|1|P|2.5\r".encode()))
        names = "".join(f"Z{letter}{digit}|\r" for letter, digit in zip("ABCDEFGHIJ", f"{number:010b}", strict=True))
        validator.check(Message.parse(b"MSH|^~\\&|A|B|C|D|1||ACK|1|P|2.5\r" + names.encode()))
    assert len(validator._kinds) <= 256
    assert all(len(checks._sequences) <= SEQUENCES_MAX for checks in validator._checks.values())


def test_time_grows_with_the_message():
    """A result with ten times the segments takes some ten times as long."""
    head = "MSH|^~\\&|A|B|C|D|20260301||ORU^R01^ORU_R01|1|P|2.5\rPID|1||7||A\rOBR|1|||A\r"

    def checking(count: int) -> Callable[[], object]:
        raw = (head + "OBX|1|NM|718-7||1,5||||||F\r" * count).encode()
        return lambda: HL7.check(Message.parse(raw))

    grows_with(checking, 400)


def test_what_only_hl7_2_9_has_is_never_an_error():
    """It is compared with 2.8.2, and says so; its additional fields are warnings."""
    text = (
        "MSH|^~\\&|A|B|C|D|20260301||ORU^R01^ORU_R01|1|P|2.9|||||||||||||||x\rPID|1||7^^^A^PI||D^J||1984|F\r"
        "OBR|1|P|F|A^B^L||||||||||||||||||||||F\rOBX|1|ST|A^B^L||y||||||F" + "|" * 20 + "x\r"
    )
    found = Validator(shipped("hl7-2.x")).check(Message.parse(text.encode()))
    assert [(one.path, one.rule, one.severity) for one in found] == [
        ("MSH-12", "version", "warning"), ("MSH-27", "beyond-last", "warning"), ("OBX-31", "beyond-last", "warning"),
    ]  # fmt: skip
