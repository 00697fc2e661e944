"""The status of an identity."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.identity.ins import read_ins
from engine.identity.statuses import Attribute, IdentityStatus, Reason, Status, identity_status, status_of
from engine.parsers import open_message
from engine.parsers.hl7v2.delimiters import STANDARD
from engine.parsers.hl7v2.message import Message

INS = "260058815400233^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.8&ISO^INS"
CODES = ["VIDE",
         "PROV", "VALI", "QUAL", "RECUP", "DOUB", "DESA", "DPOT", "DOUA", "COLP", "COLV", "FILI", "CACH", "ANOM",
         "IDVER", "RECD", "IDRA", "USUR", "HOMD", "HOMA", "HOMO", "INVA", "FICT", "DOUT", "", "?"]  # fmt: skip


def message(pid_3: str = "1", pid_32: str = "", zfd: str = "", pid_31: str = "") -> Message:
    fields = [""] * 33
    fields[0], fields[3], fields[31], fields[32] = "PID", pid_3, pid_31, pid_32
    text = "MSH|^~\\&|A|B|C|D|20260301||ADT^A31|1|P|2.5\r" + "|".join(fields) + "\r" + (f"{zfd}\r" if zfd else "")
    return Message.parse(text.encode(), as_utf8=True)


@pytest.mark.parametrize(
    ("pid_3", "pid_32", "zfd", "status", "reasons"),
    [
        ("1", "PROV", "", Status.PROVISIONAL, (Reason.PID_32,)),
        ("1", "VALI", "ZFD||||N|SM|||", Status.VALIDATED, (Reason.PID_32,)),
        ("1", "PROV", "ZFD||||N|INSI|20260101", Status.RETRIEVED, (Reason.PID_32, Reason.INSI)),
        (f"1~{INS}", "VALI", "ZFD||||N|INSI|20260101", Status.QUALIFIED, (Reason.PID_32, Reason.INSI, Reason.INS)),
        (f"1~{INS}", "VALI", "", Status.QUALIFIED, (Reason.PID_32, Reason.INS)),
        (f"1~{INS}", "QUAL", "", Status.QUALIFIED, (Reason.PID_32, Reason.INS)),
        (f"1~{INS}", "PROV", "", Status.PROVISIONAL, (Reason.PID_32, Reason.INS_UNCHECKED)),
        (f"1~{INS}", "RECUP", "", Status.RETRIEVED, (Reason.PID_32, Reason.INS_UNCHECKED)),
        ("1", "QUAL", "", Status.VALIDATED, (Reason.PID_32, Reason.INS_MISSING)),
        (f"1~{INS}", "", "", Status.UNSAID, (Reason.NOT_SAID,)),
        (f"1~{INS}", "VIDE", "", Status.UNSAID, (Reason.NOT_SAID,)),
        (f"1~{INS}", "VALI", "ZFD||||Y|INSI", Status.VALIDATED,
         (Reason.PID_32, Reason.INSI, Reason.INS, Reason.BIRTH_DATE_CORRECTED)),
        ("1", "PROV", "ZFD||||Y|INSI", Status.PROVISIONAL, (Reason.PID_32, Reason.INSI, Reason.BIRTH_DATE_CORRECTED)),
        ('1~""^^^X&1.2.250.1.213.1.4.8&ISO^INS', "VALI", "", Status.VALIDATED, (Reason.PID_32,)),
        ("1~123^^^X&1.2.250.1.213.1.4.2&ISO^INS-C", "VALI", "", Status.VALIDATED, (Reason.PID_32,)),
        ("1~123^^^ASIP-SANTE-INS-NIR^INS", "VALI", "", Status.VALIDATED, (Reason.PID_32,)),
    ],
)  # fmt: skip
def test_table(pid_3, pid_32, zfd, status, reasons):
    """The table of PAM France, with what contradicts it; a deleted or obsolete INS is none."""
    found = status_of(message(pid_3, pid_32, zfd))
    assert (found.status, found.reasons) == (status, reasons)
    assert found.qualified == (status is Status.QUALIFIED)


@pytest.mark.parametrize(
    ("pid_32", "attributes", "status", "comparable"),
    [
        ("VALI~HOMA", {Attribute.HOMONYM}, Status.VALIDATED, True),
        ("PROV~DOUT~HOMD", {Attribute.DOUBTFUL, Attribute.HOMONYM}, Status.PROVISIONAL, False),
        ("PROV~FICT", {Attribute.FICTIVE}, Status.PROVISIONAL, False),
        ("ANOM", {Attribute.ANONYMOUS}, Status.PROVISIONAL, False),
        ("VALI~CACH", {Attribute.HIDDEN}, Status.VALIDATED, False),
        ("VALI~DOUB", {Attribute.DUPLICATE}, Status.VALIDATED, False),
        ("HOMO~vali", {Attribute.HOMONYM}, Status.VALIDATED, True),
    ],
)
def test_attributes(pid_32, attributes, status, comparable):
    """Codes in any repetition; a homonym may be compared, nobody else of these."""
    found = status_of(message("1", pid_32))
    assert (found.attributes, found.status, found.comparable) == (attributes, status, comparable)


def test_contradictions():
    """A doubtful identity is never more than provisional, and none is doubtful and fictive."""
    found = status_of(message(f"1~{INS}", "VALI~DOUT~FICT"))
    assert found.status is Status.PROVISIONAL
    assert found.reasons[-2:] == (Reason.ONLY_PROVISIONAL, Reason.DOUBTFUL_AND_FICTIVE)


def test_nameless():
    """PID-31: nobody knows who it is."""
    found = status_of(message(f"1~{INS}", "VALI", pid_31="Y"))
    assert (found.status, found.comparable) == (Status.PROVISIONAL, False)


def test_hprim():
    """HPRIM Santé 2.5 says the same in P-35, P-38 and P-39; older versions say nothing."""
    fields = [""] * 42
    fields[0:3] = ["P", "1", "111"]
    fields[11] = "260058815400233~INS-NIR~20240101~~~1.2.250.1.213.1.4.8"
    for last, status in (("", Status.UNSAID), ("VALI", Status.QUALIFIED), ("PROV", Status.PROVISIONAL)):
        fields[38] = last
        raw = (
            "H|~^\\&|f.hpr||LAB~L||ORU|||CHA~C||P|H2.5~C|202603011200\r\n" + "|".join(fields) + "\r\nL|1||1|3\r\n"
        ).encode()
        assert status_of(open_message(raw, "hprim-sante")).status is status


def test_a_message_without_patient():
    """Says nothing."""
    found = status_of(Message.parse(b"MSH|^~\\&|A|B|C|D|20260301||ACK|1|P|2.5\r", as_utf8=True))
    assert found == IdentityStatus(Status.UNSAID, frozenset(), (Reason.NOT_SAID,))


@given(
    st.lists(st.sampled_from(CODES), max_size=4), st.sampled_from(["", "INSI", "CV"]), st.booleans(), st.booleans(),
    st.booleans(),
)  # fmt: skip
def test_rules_of_rniv(codes, acquired, corrected, nameless, held):
    """Whatever comes: qualified only with VALI and an INS; doubtful and fictive only provisional."""
    ins = [read_ins(INS.encode(), STANDARD)] if held else []
    found = identity_status(codes, [one for one in ins if one], acquired=acquired, birth_date_corrected=corrected,
                            nameless=nameless)  # fmt: skip
    if found.qualified:
        assert held
        assert {"VALI", "QUAL"} & set(codes)
        assert not corrected
        assert not nameless
    if found.attributes & {Attribute.DOUBTFUL, Attribute.FICTIVE}:
        assert found.status is Status.PROVISIONAL
    assert found.reasons
