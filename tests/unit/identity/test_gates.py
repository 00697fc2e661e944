"""What may leave to a destination."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import StepFailed
from engine.identity.gates import Gate, Withheld
from engine.parsers import open_message
from engine.parsers.hl7v2.message import Message

NIR = "260058815400233"
PRODUCTION = f"{NIR}^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.8&ISO^INS"
TEST = f"{NIR}^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.10&ISO^INS"
DELETED = '""^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.8&ISO^INS'
IPP = "111^^^CHA&1.2.3.1&ISO^PI"
HEAD = "MSH|^~\\&|A|B|C|D|20260301||ADT^A31|1|P|2.5\r"
CLOSED = Gate("lis")
OPEN = Gate("dpi", may_have=["ins"], production=True, trusted=["ris"])
PAYER = Gate("billing", may_have=["insurance"])


def pid(pid_3: str, status: str = "VALI", **fields: str) -> str:
    line = [""] * 33
    line[0], line[3], line[32] = "PID", pid_3, status
    for name, value in fields.items():
        line[int(name.removeprefix("pid_"))] = value
    return "|".join(line) + "\r"


def let_out(gate: Gate, text: str, source: str = "gam") -> tuple[str, list[str]]:
    message = Message.parse((HEAD + text).encode(), as_utf8=True)
    findings: list[str] = []
    before = message.to_bytes()
    concerned = gate.concerns(message, before)
    changed = gate.let_out(message, before, source, findings)
    after = message.to_bytes()
    assert changed == (after != before)
    assert concerned or not findings, "the quick look says at least as much"
    return after.decode().removeprefix(HEAD), findings


@pytest.mark.parametrize(
    ("gate", "source", "pid_3", "status", "left", "findings"),
    [
        (OPEN, "gam", f"{IPP}~{PRODUCTION}", "VALI", f"{IPP}~{PRODUCTION}", []),
        (OPEN, "gam", f"{IPP}~{PRODUCTION}", "PROV", IPP, ["ins-unqualified PID-3 for dpi"]),
        (OPEN, "gam", f"{IPP}~{PRODUCTION}", "", IPP, ["ins-unqualified PID-3 for dpi"]),
        (OPEN, "gam", f"{IPP}~{PRODUCTION}", "VIDE", IPP, ["ins-unqualified PID-3 for dpi"]),
        (OPEN, "gam", f"{IPP}~{PRODUCTION}", "VALI~FICT", IPP, ["ins-unqualified PID-3 for dpi"]),
        (OPEN, "ris", f"{IPP}~{PRODUCTION}", "", f"{IPP}~{PRODUCTION}", []),
        (OPEN, "ris", f"{IPP}~{PRODUCTION}", "PROV", IPP, ["ins-unqualified PID-3 for dpi"]),
        (OPEN, "gam", f"{IPP}~{DELETED}", "PROV", f"{IPP}~{DELETED}", []),
        (CLOSED, "gam", f"{IPP}~{DELETED}", "PROV", IPP, ["ins-withheld PID-3 for lis"]),
        (CLOSED, "gam", f"{IPP}~{PRODUCTION}", "VALI", IPP, ["ins-withheld PID-3 for lis"]),
        (CLOSED, "gam", f"{TEST}~{IPP}", "VALI", IPP, ["ins-withheld PID-3 for lis"]),
        (CLOSED, "gam", f"{IPP}~{NIR}^^^ASIP-SANTE-INS-NIR^INS", "VALI", IPP, ["ins-withheld PID-3 for lis"]),
        (OPEN, "gam", f"{IPP}~{NIR}^^^ASIP-SANTE-INS-NIR^INS", "VALI", IPP, ["ins-unqualified PID-3 for dpi"]),
        (CLOSED, "gam", f"{IPP}~{NIR}^^^CPAM^NH", "VALI", IPP, ["insurance-withheld PID-3 for lis"]),
        (PAYER, "gam", f"{IPP}~{NIR}^^^CPAM^NH", "VALI", f"{IPP}~{NIR}^^^CPAM^NH", []),
        (PAYER, "gam", f"{IPP}~{PRODUCTION}", "VALI", IPP, ["ins-withheld PID-3 for billing"]),
        (OPEN, "gam", f"{IPP}~9^^^INS-C&1.2.250.1.213.1.4.2&ISO^INS-C", "VALI", IPP, ["ins-obsolete PID-3 for dpi"]),
        (OPEN, "ris", f"{IPP}~9^^^X&1.2.250.1.213.1.4.99&ISO^INS", "", IPP, ["ins-obsolete PID-3 for dpi"]),
        (OPEN, "gam", f"{IPP}~{PRODUCTION.replace('^INS', '^NH')}", "VALI", None, ["ins-type"]),
        (OPEN, "gam", f"{IPP}~{PRODUCTION.replace(NIR, '260058815400244')}", "VALI", None, ["ins-key"]),
        (CLOSED, "gam", f"{IPP}~2^^^INSTITUT^MR", "VALI", None, []),
        (CLOSED, "gam", f"{IPP}~{NIR}^^^^ins", "VALI", IPP, ["ins-withheld PID-3 for lis"]),
        (CLOSED, "gam", f"{IPP}~{NIR}^^^CPAM^nh", "VALI", IPP, ["insurance-withheld PID-3 for lis"]),
        (CLOSED, "gam", f"{IPP}~{NIR[:13]}^^^^NIR", "VALI", IPP, ["ins-withheld PID-3 for lis"]),
        (CLOSED, "gam", f"{IPP}~{NIR}^^^ASIP-SANTE-INS-NIR", "VALI", IPP, ["ins-withheld PID-3 for lis"]),
        (CLOSED, "gam", f"{IPP}~{NIR[:13]}^^^ASIP-SANTE-INS-NIR^PI", "VALI", IPP, ["ins-withheld PID-3 for lis"]),
        (CLOSED, "gam", f"{IPP}~{NIR}", "VALI", IPP, ["ins-withheld PID-3 for lis"]),
        (CLOSED, "gam", f"{IPP}~2 60 05 88 154 002 33^^^X^PI", "VALI", IPP, ["ins-withheld PID-3 for lis"]),
        (OPEN, "gam", f"{IPP}~{NIR}^^^^PI", "VALI", IPP, ["ins-unqualified PID-3 for dpi"]),
        (
            OPEN,
            "gam",
            f"{IPP}~{PRODUCTION}~{NIR}^^^^PI",
            "VALI",
            f"{IPP}~{PRODUCTION}",
            ["ins-unqualified PID-3 for dpi"],
        ),
        (CLOSED, "gam", f"{NIR}^^^CHA&1.2.3.1&ISO^PI", "VALI", None, []),
        (CLOSED, "gam", f"{IPP}~260058815400244^^^^PI", "VALI", None, []),
        (CLOSED, "gam", f"{IPP}~{NIR}7^^^^PI", "VALI", None, []),
    ],
)
def test_pid_3(gate, source, pid_3, status, left, findings):
    """By OID and status, or the source's word; each removal is told, a wrong key only remarked."""
    after, told = let_out(gate, pid(pid_3, status), source)
    assert after == pid(pid_3 if left is None else left, status)
    assert told == findings


def test_a_test_identity_never_reaches_production():
    """It stops the delivery, with field and sentence, without its number, whatever the destination may have."""
    for gate in (OPEN, Gate("dpi", production=True)):
        with pytest.raises(StepFailed) as caught:
            let_out(gate, pid(f"{IPP}~{TEST}"))
        assert (caught.value.code, caught.value.field) == ("E-INS-TEST", "PID-3")
        assert NIR not in caught.value.reason
    after, _ = let_out(Gate("demo", may_have=["ins"]), pid(f"{IPP}~{TEST}"))
    assert TEST in after


def test_a_message_that_would_name_no_patient_is_refused():
    """An INS alone in PID-3, where it may not leave."""
    with pytest.raises(StepFailed) as caught:
        let_out(CLOSED, pid(PRODUCTION))
    assert (caught.value.code, caught.value.field) == ("E-INS-ONLY", "PID-3")


def test_corrections_of_an_ins():
    """A47: MRG-1 goes with the INS; where none may go, the event says nothing."""
    merge = f"MRG|{PRODUCTION}\r"
    for text in (pid(f"{IPP}~{PRODUCTION}"), pid(f"{IPP}~{DELETED}", "PROV")):
        assert let_out(OPEN, text + merge) == (text + merge, [])
        with pytest.raises(Withheld):
            let_out(CLOSED, text + merge)


def test_a_merge_keeps_its_local_identifiers():
    """A40 with an INS beside the IPP of MRG-1."""
    after, findings = let_out(CLOSED, pid(IPP) + f"MRG|222^^^CHA&1.2.3.1&ISO^PI~{PRODUCTION}\r")
    assert after.endswith("MRG|222^^^CHA&1.2.3.1&ISO^PI\r")
    assert findings == ["ins-withheld MRG-1 for lis"]


def test_each_patient_by_its_own_status():
    """A24 joins two: the PID-32 of the one says nothing of the other."""
    text = pid(f"1~{PRODUCTION}", "VALI") + "ZFD||||N|INSI\r" + pid(f"2~{PRODUCTION}", "VALI") + "ZFD||||Y|INSI\r"
    after, findings = let_out(OPEN, text)
    assert findings == ["ins-unqualified PID-3 for dpi"]
    assert after.count(NIR) == 1
    assert f"|||1~{PRODUCTION}|" in after


def test_the_ins_of_somebody_else():
    """A mother's, a relative's: nothing says that it is qualified."""
    text = pid(IPP, pid_21=f"6^^^CHA&1.2.3.1&ISO^PI~{PRODUCTION}") + "NK1|1" + "|" * 32 + PRODUCTION + "\r"
    after, findings = let_out(OPEN, text)
    assert findings == ["ins-withheld PID-21 for dpi", "ins-withheld NK1-33 for dpi"]
    assert NIR not in after
    assert "6^^^CHA" in after


def test_insurance():
    """By field, whatever it holds; by form elsewhere in the segments of payers."""
    text = (
        pid(IPP, pid_19="260058815400233")
        + f"IN1|1|0000||CPAM{'|' * 32}{NIR}{'|' * 13}{PRODUCTION}\r"
        + "IN2||whatever\rGT1|1||||||||||2600588154002\r"
    )
    after, findings = let_out(CLOSED, text)
    assert findings == [
        "ins-withheld PID-19 for lis", "insurance-withheld IN1-49 for lis", "insurance-withheld IN1-36 for lis",
        "insurance-withheld IN2-2 for lis", "insurance-withheld GT1-11 for lis",
    ]  # fmt: skip
    assert "2600588154002" not in after
    assert "CPAM" in after
    kept, findings = let_out(PAYER, text)
    assert (kept, findings) == (text.replace("260058815400233", "", 1), ["ins-withheld PID-19 for billing"])


@pytest.mark.parametrize(
    ("gate", "status", "why"),
    [
        (OPEN, "VALI", ""), (OPEN, "PROV", "ins-unqualified"), (CLOSED, "VALI", "ins-withheld"),
        (Gate("both", may_have=["ins", "insurance"]), "PROV", "ins-unqualified"),
        (Gate("payer", may_have=["insurance"]), "VALI", "ins-withheld"),
    ],
)  # fmt: skip
def test_the_number_of_pid_19_leaves_as_an_ins(gate, status, why):
    """It says who the patient is, by whatever name: with a qualified identity, where an INS may go."""
    numbers = f"{IPP}~{PRODUCTION}" if status == "VALI" and gate.ins else IPP
    text = pid(numbers, status, pid_19="260058815400233")
    after, findings = let_out(gate, text)
    assert (after == text) is (why == "")
    assert findings == ([f"{why} PID-19 for {gate.destination}"] if why else [])
    assert let_out(gate, pid(IPP, status, pid_19='""'))[1] == []


@pytest.mark.parametrize(
    "value", ["2600588154002334", "260058815400244", "2601388154002", "36252187900034", "A2600588154002"]
)
def test_what_is_no_insurance_number(value):
    """Other numbers of payers stay: other lengths, keys that don't fit, months that don't exist."""
    text = pid(IPP) + f"IN1|1|{value}\r"
    assert let_out(CLOSED, text) == (text, [])


@pytest.mark.parametrize("kind", ["INS", "nh", "", PRODUCTION.partition("^^^")[2]])
@pytest.mark.parametrize("field", ["PID-2", "PID-4", "MRG-2", "MRG-4"])
def test_where_numbers_stood_in_former_versions(field, kind):
    """PID-2 and PID-4 hold identifiers of the patient too, MRG-2 and MRG-4 those that end."""
    number = f"{NIR}^^^{kind}" if "&" in kind else f"{NIR}^^^^{kind}"
    place = int(field[-1])
    ended = [f"{IPP}", "", "", ""]
    if field.startswith("MRG"):
        ended[place - 1] = number
    more = {f"pid_{place}": number} if field.startswith("PID") else {}
    text = pid(IPP, **more) + f"MRG|{'|'.join(ended)}\r"
    after, findings = let_out(CLOSED, text)
    assert findings == [f"{'insurance' if kind == 'nh' else 'ins'}-withheld {field} for lis"]
    assert after == text.replace(number, "")


@pytest.mark.parametrize("written", ["2 60 05 88 154 002 33", "2.60.05.88.154.002", "2600588154002-33"])
@pytest.mark.parametrize("field", ["IN1-36", "IN3-2", "GT1-10"])
def test_insurance_written_in_groups(field, written):
    """As cards show it."""
    code, _, number = field.partition("-")
    text = pid(IPP) + f"{code}{'|' * int(number)}{written}|X\r"
    assert let_out(CLOSED, text) == (text.replace(written, ""), [f"insurance-withheld {field} for lis"])
    assert let_out(PAYER, text) == (text, [])


def test_documents_are_told_not_touched():
    """OBX and NTE stay byte for byte."""
    text = pid(IPP) + f"OBX|1|TX|||{PRODUCTION}\r"
    assert let_out(CLOSED, text) == (text, ["ins-in-document OBX"])


def test_z_segments():
    """Wherever a step put it with its OID."""
    after, findings = let_out(CLOSED, pid(IPP) + f"ZXX|{PRODUCTION}\r")
    assert (after, findings) == (pid(IPP) + "ZXX|\r", ["ins-withheld ZXX-1 for lis"])


def test_nothing_to_do():
    """Most messages cost a look."""
    message = Message.parse((HEAD + pid(IPP)).encode(), as_utf8=True)
    assert not CLOSED.concerns(message, message.to_bytes())


def test_hprim_sante():
    """P-11 by its place; AP by form."""
    fields = [""] * 39
    fields[0:3], fields[11], fields[38] = ["P", "1", "111"], f"{NIR}~INS-NIR~20240101~~~1.2.250.1.213.1.4.8", "VALI"
    raw = ("H|~^\\&|f.hpr||LAB~L||ORU|||CHA~C||P|H2.5~C|202603011200\r\n" + "|".join(fields)
           + f"\r\nAP|1|{NIR}\r\nL|1||1|4\r\n").encode()  # fmt: skip
    findings: list[str] = []
    message = open_message(raw, "hprim-sante")
    assert CLOSED.concerns(message, raw)
    assert CLOSED.let_out(message, raw, "labo", findings)
    assert findings == ["ins-withheld P-11 for lis", "insurance-withheld AP-2 for lis"]
    assert NIR.encode() not in message.to_bytes()
    allowed = open_message(raw, "hprim-sante")
    assert not Gate("x", may_have=["ins", "insurance"]).let_out(allowed, raw, "labo", findings)


def test_hprim_medecin():
    """Line 8 of a letter."""
    lines = (
        "REF DUPONT ANNE RUE - 01000_X 01/02/1980 2600588154002_33 - 01/03/2026 L M T ****FIN**** ****FINFICHIER****"
    )
    raw = lines.replace(" ", "\r\n").replace("-", "").replace("_", " ").encode() + b"\r\n"
    findings: list[str] = []
    message = open_message(raw, "hprim-medecin")
    assert CLOSED.concerns(message, raw)
    assert CLOSED.let_out(message, raw, "labo", findings)
    assert findings == ["insurance-withheld ENT-8 for lis"]
    assert message.to_bytes() == raw.replace(b"2600588154002 33", b"")


def test_numbers_to_look_for():
    """What may leave under another name isn't looked for."""
    message = Message.parse((HEAD + pid(f"{IPP}~{PRODUCTION}") + f"IN1|1{'|' * 48}{NIR}\r").encode(), as_utf8=True)
    assert CLOSED.kept_back(message.copy(), message.to_bytes(), "gam") == {NIR.encode()}
    assert PAYER.kept_back(message.copy(), message.to_bytes(), "gam") == set()


PARTS = st.sampled_from(
    [
        "",
        IPP,
        PRODUCTION,
        TEST,
        DELETED,
        f"{NIR}^^^X^NH",
        f"{NIR}^^^X^SS",
        "2^^^Doctolib",
        NIR[:13],
        NIR,
        f"{NIR}^^^^ins",
    ]
)
CX = st.lists(PARTS, max_size=4).map("~".join)
STATUS = st.sampled_from(["", "VALI", "PROV", "VIDE", "VALI~DOUT", "ANOM"])
NUMBER = st.sampled_from(["", NIR, NIR[:13], PRODUCTION])


@given(CX, STATUS, CX, NUMBER, NUMBER, CX, st.sets(st.sampled_from(["ins", "insurance"])), st.booleans())
def test_neither_leaves_where_it_may_not(pid_3, status, mrg, pid_19, number, other, may_have, production):
    """Whatever stands where: no number of an INS, none of insurance, no test identity."""
    text = (
        pid(f"{IPP}~{pid_3}", status, pid_19=pid_19, pid_21=other)
        + f"MRG|{IPP}~{mrg}\rIN1|1||||||{number}{'|' * 42}{other}\rGT1|1{'|' * 11}{number}\rZXX|{other}\r"
    )
    gate = Gate("d", may_have=may_have, production=production)
    try:
        after, _ = let_out(gate, text)
    except StepFailed:
        assert production
        assert "1.2.250.1.213.1.4.10" in text
        return
    if production:
        assert "1.2.250.1.213.1.4.10" not in after
    patient, *others = after.split("\r")
    if "ins" not in may_have:
        assert not re.search(r"1\.2\.250\.1\.213\.1\.4\.", patient + others[0] + others[3])
    elif status != "VALI":
        assert "^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.8&ISO^INS" not in patient.replace(DELETED, "")
    if "insurance" not in may_have:
        assert NIR[:13] not in others[1] + others[2]
        assert f"{NIR}^^^X^" not in patient.split("|")[3]
    again, findings = let_out(gate, after.rstrip("\r") + "\r")
    assert again == after
    assert not [one for one in findings if " for " in one]


OBSOLETE = f"{NIR}^^^X&1.2.250.1.213.1.4.2&ISO"
EVERYDAY = [
    pid(f"{first}~{second}", status, **more) + tail
    for first in (IPP, "1^^^^NH", "1^^^^ss", NIR, "")
    for second in (PRODUCTION, TEST, DELETED, f"1{PRODUCTION}", f"{PRODUCTION}~{PRODUCTION}", OBSOLETE)
    for status in ("VALI", "QUAL", "VALI~DOUT", "PROV", "")
    for more in ({}, {"pid_19": NIR}, {"pid_31": "Y"}, {"pid_31": "N"}, {"pid_2": f"{NIR}^^^^INS"})
    for tail in ("", "ZFD|1|||Y\r", f"NK1|1{'|' * 36}{NIR}\r", "NK1|1|X\r", f"IN1|1|{NIR}\r", pid("2", "PROV"))
]  # fmt: skip


@pytest.mark.parametrize(
    "gate", [OPEN, Gate("test", may_have=["ins", "insurance"]), CLOSED], ids=lambda gate: gate.destination
)
def test_the_everyday_message_is_judged_as_all_others(gate, monkeypatch):
    """What may leave without a walk is what a walk lets out: same bytes, same findings, same refusals."""

    def judged() -> list[object]:
        outcomes: list[object] = []
        for text in EVERYDAY:
            try:
                outcomes.append(let_out(gate, text))
            except (StepFailed, Withheld) as refusal:
                outcomes.append(str(refusal))
        return outcomes

    quick = judged()
    monkeypatch.setattr("engine.identity.gates._only_ins_of_a_validated_patient", lambda message, data: None)
    assert quick == judged()
