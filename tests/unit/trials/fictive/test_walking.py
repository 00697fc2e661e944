"""What is replaced, what stays."""

from __future__ import annotations

import datetime as dt

import pytest

from engine.core.references import References
from engine.errors import ParseError

HEAD = (
    "MSH|^~\\&|GAM|CHA^000000026^N|DPI|GHT|20260301101500||ADT^A01^ADT_A01|C900099|P|2.5^FRA^2.11|||||FRA"
    "|UNICODE UTF-8\n"
)
PID = (
    "PID|1||900099044638^^^CPAGE&1.2.250.1.999.10.1&ISO^PI~279035121518989^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.8&ISO^INS"
    "||MARTINEAU^Zoé^Zoé Inès^^MME^^L||19840312|F|||3 RUE HAUTE^^TROYES^^10000^FRA^H~^^^^^FRA^BDL^^10387"
    "||0325000000^PRN^PH^zoe@example.com|||M||900000153^^^CPAGE&1.2.250.1.999.12.1&L^AN|279035121518989\n"
)  # fmt: skip


def fields(text: str, segment: str) -> list[str]:
    line = next(line for line in text.splitlines() if line.startswith(segment))
    return ["", *line.split("|")[1:]]


def test_a_patient(fictive):
    """Nothing of her is left; authorities, types, sex and shape are."""
    (made,) = fictive(HEAD + PID)
    pid = fields(made, "PID")
    ipp, ins = pid[3].split("~")
    assert ipp.startswith("999")
    assert ipp.endswith("^^^CPAGE&1.2.250.1.999.10.1&ISO^PI")
    assert len(ipp.split("^")[0]) == 12
    assert ins.endswith("^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.10&ISO^INS")
    number = ins.split("^")[0]
    assert (len(number), number[0], int(number[:13]) % 97 + int(number[13:])) == (15, "5", 97)
    family, given, names, _, civility, _, kind = pid[5].split("^")
    assert (family.isupper(), given.istitle(), len(names.split()), civility, kind) == (True, True, 2, "MME", "L")
    assert names.startswith(given)
    assert (pid[8], pid[16], len(pid[18].split("^")[0]), pid[19][0]) == ("F", "M", 9, "5")
    assert pid[11].split("~")[1].startswith("^^^^^FRA^BDL^^01")
    assert pid[13].startswith("01999")
    assert pid[13].endswith("^PRN^PH^nobody@example.org")
    secrets = "900099044638 279035121518989 MARTINEAU Zoé Inès HAUTE TROYES 10387 19840312 0325000000 900000153 zoe@"
    assert [secret for secret in secrets.split() if secret in made] == []


def test_dates_go_back_together(fictive):
    """By whole weeks, to the precision that they have: ages and intervals stay."""
    made = fictive(HEAD + PID + "EVN||202603011015|||X^DUPONT^Anne\n")[0]
    born, sent = (dt.date.fromisoformat(fields(made, name)[number][:8]) for name, number in (("PID", 7), ("MSH", 6)))
    moved = dt.date(1984, 3, 12) - born
    assert moved.days % 7 == 0
    assert moved.days >= 364
    assert dt.date(2026, 3, 1) - sent == moved
    assert fields(made, "MSH")[6].endswith("101500")
    assert fields(made, "EVN")[2].endswith("1015")


def test_the_same_patient_in_messages_that_go_together(fictive):
    """A merge still speaks of the two of the admissions."""
    other = PID.replace("900099044638", "900099044639")
    merge = HEAD.replace("A01^ADT_A01", "A40^ADT_A39") + PID + "MRG|900099044639^^^CPAGE&1.2.250.1.999.10.1&ISO^PI\n"
    one, two, both = fictive(HEAD + PID, HEAD + other, merge)
    assert fields(both, "PID")[3] == fields(one, "PID")[3]
    assert fields(both, "MRG")[1] == fields(two, "PID")[3].split("~")[0]
    assert fields(one, "PID")[3] != fields(two, "PID")[3]
    again = fictive(HEAD + PID, references=References(b"q" * 32))[0]
    assert fields(again, "PID")[3] != fields(one, "PID")[3], "another data directory, another key"


@pytest.mark.parametrize(
    ("line", "made"),
    [
        ("PV1|1|I|1010^102^1||||99900000001^PETIT^Anne^^^DR", "PV1|1|I|1010^102^1||||999"),
        (
            "OBX|1|NM|718-7^Hémoglobine^LN||13.2|g/dL|12-16|N|||F",
            "OBX|1|NM|718-7^Hémoglobine^LN||13.2|g/dL|12-16|N|||F",
        ),
        ("OBX|1|ST|X||Vu Mme Y\\.br\\le 3", "OBX|1|ST|X||Xx Xxx X\\.br\\xx 9"),
        ("OBX|1|ST|X||< 0,5", "OBX|1|ST|X||< 0,5"),
        ("OBX|1|ED|X||^TEXT^XML^Base64^TWFydGluZWF1", "OBX|1|ED|X||^TEXT^XML^Base64^VGhl"),
        ("OBX|1|CWE|X||POS^présent chez elle^L", "OBX|1|CWE|X||POS^xxxxxxx xxxx xxxx^L"),
        ("NTE|1||appeler le fils", "NTE|1||xxxxxxx xx xxxx"),
        ("ZQQ|1|code 12", "ZQQ|9|xxxx 99"),
        ("PV2|||^DOULEUR", "PV2|||^XXXXXXX"),
        ("NK1|1|MARTINEAU^Paul|FTH", "NK1|1|"),
        ("DG1|1||I10^Hypertension^CIM10", "DG1|1||I10^Xxxxxxxxxxxx^CIM10"),
        ('PID|1||""^^^A^PI||""', 'PID|1||""^^^A^PI||""'),
    ],
)
def test_by_type_and_place(fictive, line, made):
    """Codes and quantities stay; what somebody wrote, and what nobody knows, doesn't."""
    text = fictive(HEAD + PID + line + "\n")[0].splitlines()[2]
    assert text.startswith(made)
    assert "PETIT" not in text
    assert "MARTINEAU" not in text


def test_a_name_where_it_doesnt_belong(fictive):
    """In a code, a label, a control id: whatever would be kept is compared with what was replaced."""
    line = "OBX|1|CWE|718-7^Hb de Martineau^LN||MARTINEAU\nOBR|1|||NFS^pour MARTINÉAU\nPV1|1|I|UF900099044638\n"
    made = fictive(HEAD.replace("C900099", "ADT-900099044638-1") + PID + line)[0]
    assert "900099044638" not in made
    assert "MARTIN" not in made.upper().replace("É", "E")
    assert "OBX|1|CWE|718-7^Xx xx Xxxxxxxxx^LN||XXXXXXXXX" in made


def test_hprim(fictive):
    """HPRIM Santé by its own fields; codes of analyses stay."""
    made = fictive(
        "H|~^\\&|LAB1.HPR||LABO1~LABO||ORU|||CHA~CH||P|H2.1~C|20260301120000\n"
        "P|1|900099044638|LV123|900000153|MARTINEAU~Zoé||19840312|F||3 RUE HAUTE~~TROYES~~10000\n"
        "OBR|1|D9~E9|S9~E9|NFS~Numération\nOBX|1|NM|HB~Hémoglobine~L||13.2|g/dL\nC|1|L|vu par MARTINEAU\nL|1||1|6\n"
    )[0]
    assert "MARTINEAU" not in made
    assert "900099044638" not in made
    assert "OBX|1|NM|HB~Hémoglobine~L||13.2|g/dL" in made
    assert "C|1|L|xx xxx XXXXXXXXX" in made
    assert fields(made, "P")[2].startswith("999")


def test_a_letter(fictive):
    """HPRIM Médecin: the header lines by their place, the text masked."""
    lines = ["900099044638", "MARTINEAU", "Zoé", "3 RUE HAUTE", "", "10000 TROYES", "12/03/1984", "279035121518989", "",
             "01/03/2026", "LABO", "DR", "Bonjour Zoé Martineau", "****FIN****", "****FINFICHIER****"]  # fmt: skip
    made = fictive("\n".join(lines) + "\n")[0].splitlines()
    assert made[0].startswith("999")
    assert made[6][2:3] == "/"
    assert made[6] != "12/03/1984"
    assert made[12] == "Xxxxxxx Xxx Xxxxxxxxx"
    assert "MARTINEAU" not in "".join(made)


@pytest.mark.parametrize("codec", ["latin-1", "utf-8"])
def test_charsets(fictive, codec):
    """Accents where there were some, in the message's own charset."""
    head = HEAD.replace("UNICODE UTF-8", "8859/1" if codec == "latin-1" else "UNICODE UTF-8")
    made = fictive(head + PID, codec=codec)[0]
    assert not fields(made, "PID")[5].split("^")[2].isascii() or "?" not in made


def test_what_cant_be_read(fictive):
    """Nobody could say what in it is harmless."""
    with pytest.raises(ParseError):
        fictive("MSH|^~\\&|" + "\n" + "A" * 400_000)
