"""The patients that a message is about."""

from __future__ import annotations

import pytest

from engine.identity.patients import patient_fields, patient_references
from engine.parsers import open_message
from engine.parsers.hl7v2.message import Message
from tests.unit.identity.test_authorities import KNOWN

HEAD = "MSH|^~\\&|A|B|C|D|20260301||ADT^A40|1|P|2.5\r"


def references(segments: str, site: str = "cha", untyped: str = "ipp") -> list[tuple[str, str]]:
    message = Message.parse((HEAD + segments).encode(), as_utf8=True)
    return patient_references(message, KNOWN.of(site, untyped))


@pytest.mark.parametrize(
    ("pid_3", "wanted"),
    [
        ("1^^^X&1.2.3.1&ISO^PI", [("1.2.3.1|PI", "1")]),
        ("1", [("1.2.3.1|PI", "1")]),
        ("1^^^X&1.2.3.1&ISO^PI~9^^^X&1.2.3.9&ISO^PN", [("1.2.3.1|PI", "1"), ("1.2.3.9|PN", "9")]),
        ("1^^^X&1.2.3.1&ISO^PI~A^^^ARCH^MR~B^^^Doctolib", [("1.2.3.1|PI", "1")]),
        ("2^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.8&ISO^NH~1^^^X&1.2.3.1&ISO^PI", [("1.2.3.1|PI", "1")]),
        ("2^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.10&ISO^PI", []),
        ("7^^^OLD^PI", [("OLD|PI", "7")]),
        ("7^^^OLD^RI", [("OLD|PI", "7")]),
        ("7^^^Doctolib", [("Doctolib|PI", "7")]),
        ("1^^^X&1.2.3.2&ISO^AN", []),
        ('""', []),
        ('""^^^X&1.2.3.1&ISO^PI', []),
        ("^^^X&1.2.3.1&ISO^PI", []),
        ("0001^^^X&1.2.3.1&ISO^PI", [("1.2.3.1|PI", "0001")]),
    ],
)
def test_pid_3(pid_3, wanted):
    """Local identifiers count, opaque; the INS, archives and third parties beside one don't."""
    assert references(f"PID|1||{pid_3}\r") == wanted


def test_merge_names_both():
    """MRG-1 counts, in every segment."""
    assert references("PID|1||1\rMRG|2^^^X&1.2.3.1&ISO^PI\rPID|2||3\rMRG|4\r") == [
        ("1.2.3.1|PI", "1"), ("1.2.3.1|PI", "3"), ("1.2.3.1|PI", "2"), ("1.2.3.1|PI", "4"),
    ]  # fmt: skip


def test_what_a_merge_names_without_type_counts():
    """A third party beside a known number is left aside; the only number of MRG-1 never is."""
    assert references("PID|1||1~B^^^Doctolib\rMRG|2^^^OTHER\r") == [("1.2.3.1|PI", "1"), ("OTHER|PI", "2")]


def test_newborn_waits_for_its_mother():
    """PID-21 counts, the mother's stay in it doesn't."""
    pid = "PID|1||5" + "|" * 18 + "6^^^X&1.2.3.1&ISO^PI~N^^^X&1.2.3.2&L^AN"
    assert references(pid + "\r") == [("1.2.3.1|PI", "5"), ("1.2.3.1|PI", "6")]


def test_a_bare_or_merely_named_identifier_waits_with_the_site_s_own():
    """For order only, what may be the site's own number counts as it: to wait once too often hurts nobody."""
    own = [("1.2.3.1|PI", "1")]
    assert references("PID|1||1\r", untyped="") == own
    assert references("PID|1||1^^^CHA^PI\r", untyped="") == own
    assert references("PID|1||1^^^OTHER^PI\r", untyped="") == [("OTHER|PI", "1")]
    assert references("PID|1||1\r", site="", untyped="") == [("site:|PI", "1")]
    assert references("PV1|1\r") == []


def test_hprim():
    """P-2 is the site's IPP; its second component is the other side of a fusion."""
    raw = b"H|~^\\&|F1||S||ORU|||R||P|H2.1~C|20260301\r\nP|1|111~222~FU|333|444\r\n"
    message = open_message(raw, "hprim-sante")
    assert patient_references(message, KNOWN.of("cha")) == [("1.2.3.1|PI", "111"), ("1.2.3.1|PI", "222")]
    assert patient_fields(message) == [b"111~222~FU"]
    raw = raw.replace(b"|111~222~FU|", b'|111^ ""^333~222~FU^""|')
    found = patient_references(open_message(raw, "hprim-sante"), KNOWN.of("cha"))
    assert [value for _, value in found] == ["111", "333", "222"]


def test_fields_tell_whether_references_can_differ():
    """Equal bytes, equal references."""
    message = Message.parse((HEAD + "PID|1||1\rMRG|2\r").encode(), as_utf8=True)
    copy = message.copy()
    assert patient_fields(copy) == patient_fields(message)
    copy.segments("MRG")[0].set_field(1, b"3")
    assert patient_fields(copy) != patient_fields(message)
