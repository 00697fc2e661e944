"""Check digits in a message."""

from __future__ import annotations

from engine.parsers.hl7v2.message import Message
from engine.validation.shipped import shipped
from engine.validation.validator import Validator

NIR, NIA, TEST = "1.2.250.1.213.1.4.8", "1.2.250.1.213.1.4.9", "1.2.250.1.213.1.4.10"
VALIDATOR = Validator(shipped("pam-fr-2.11"))  # type: ignore[arg-type]


def told(identifiers: str, segment: str = "PID|1||") -> list[tuple[str, str]]:
    head = "MSH|^~\\&|A|B|C|D|20260301||ADT^A28^ADT_A05|1|P|2.5^FRA^2.11\r"
    found = VALIDATOR.check(Message.parse(f"{head}{segment}{identifiers}\r".encode()))
    return [(one.rule, one.path) for one in found if one.rule.startswith(("ins-key", "ins-test", "finess"))]


def ins(value: str, oid: str = NIR, type_: str = "INS") -> str:
    return f"{value}^^^ASIP-SANTE-INS-NIR&{oid}&ISO^{type_}"


def test_the_key_of_an_ins():
    """A wrong one is worth a look; of a removed INS there is none; the number for billing isn't one."""
    assert told(ins("279035121518989")) == []
    assert told(ins("260058815400244")) == [("ins-key", "PID-3.1")]
    assert told("7^^^A^PI~" + ins("260058815400244", NIA)) == [("ins-key", "PID-3[2].1")]
    assert told(ins('""')) == []
    assert told(ins("260058815400244", NIR, "NH")) == []


def test_test_identities_must_not_reach_production():
    """Told by their OID."""
    assert told(ins("279035121518989", TEST)) == [("ins-test", "PID-3.4")]


def test_the_key_of_a_finess():
    """Where HD-3 says that the authority is one: M legal, N geographic."""
    assert told("7^^^CH&000000026&M^PI") == []
    assert told("7^^^CH&000897406&N^PI~8^^^A^MR") == [("finess-key", "PID-3[1].4.2")]
    assert told("7^^^CH&000897406&L^PI") == []
    assert told("7^^^CH&000897406&N^PI", "MRG|") == [("finess-key", "MRG-1.4.2")]
