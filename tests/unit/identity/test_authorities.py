"""Who gave an identifier: by OID, by FINESS, by alias; never by name alone."""

from __future__ import annotations

import pytest

from engine.identity.authorities import Authorities, Authority, SiteAuthorities
from engine.parsers.hl7v2.delimiters import STANDARD, read_delimiters


def authority(name: str, site: str, type_: str, oid: str = "", finess: str = "", **hd: str) -> Authority:
    return Authority(name=name, site=site, type=type_, oid=oid, hd2=oid or finess, **hd)


CHA = SiteAuthorities(
    name="cha", finess=("000000026", ""),
    authorities={
        "ipp": authority("ipp", "cha", "PI", "1.2.3.1", hd1="CHA"),
        "nda": authority("nda", "cha", "AN", "1.2.3.2", hd1="CPAGE", hd3="L"),
        "visit": authority("visit", "cha", "VN", "1.2.3.2", hd1="CPAGE", hd3="L"),
    },
    aliases={"CPAGE/PI": "ipp", "CH A&X/AN": "nda"},
)  # fmt: skip
CHB = SiteAuthorities(
    name="chb", finess=("990000028",),
    authorities={"ipp": authority("ipp", "chb", "PI", finess="990000028", hd1="CHB", hd3="M")},
    aliases={"CPAGE/PI": "ipp"},
)  # fmt: skip
KNOWN = Authorities([CHA, CHB], {"ipp": authority("ipp", "", "PN", "1.2.3.9", hd1="GHT")})


def recognise(cx: str, site: str = "cha", untyped: str = "", repetition: int = 0, expected: str = "") -> str:
    found = KNOWN.of(site, untyped).recognise(cx.encode().split(b"^"), STANDARD, repetition, expected)
    return "" if found is None else f"{found.site}.{found.name}"


@pytest.mark.parametrize(
    ("cx", "wanted"),
    [
        ("1^^^X&1.2.3.1&ISO^PI", "cha.ipp"),
        ("1^^^1.2.3.1^PI", "cha.ipp"),
        ("1^^^&1.2.3.1&L^PI", "cha.ipp"),
        ("1^^^A&B&1.2.3.1^PI", "cha.ipp"),
        ("1^^^X&urn:oid:1.2.3.1&ISO^PI", "cha.ipp"),
        ("1^^^X& 1.2.3.1 &ISO^ pi ", "cha.ipp"),
        ("1^^^X&1.2.3.1&ISO^RI", "cha.ipp"),
        ("1^^^X&1.2.3.1&ISO", "cha.ipp"),
        ("1^^^X&1.2.3.2&ISO^AN", "cha.nda"),
        ("1^^^X&1.2.3.2&ISO^VN", "cha.visit"),
        ("1^^^X&1.2.3.2&ISO", ""),
        ("1^^^X&1.2.3.1&ISO^MR", ""),
        ("1^^^X&1.2.3.9&ISO^PN", ".ipp"),
        ("1^^^&000000026&M^PI", "cha.ipp"),
        ("1^^^&000000026&N^AN", "cha.nda"),
        ("1^^^&000000026&ISO^PI", ""),
        ("1^^^&990000028&M^PI", "chb.ipp"),
        ("1^^^CPAGE^PI", "cha.ipp"),
        ("1^^^CPAGE&9.9.9&ISO^PI", "cha.ipp"),
        ("1^^^CH A&X^AN", "cha.nda"),
        ("1^^^CPAGE^XX", ""),
        ("1^^^CHA^PI", ""),
        ("1^^^Doctolib", ""),
        ('1^^^""^PI', ""),
        ("1^^^^PI", ""),
        ("1", ""),
        ("2^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.8&ISO^INS", ""),
    ],
)
def test_recognise(cx, wanted):
    """As IDENTITY says; HD-1 alone decides nothing unless it is an alias."""
    assert recognise(cx) == wanted
    assert recognise(cx) == wanted, "the second look is remembered"


def test_aliases_are_of_the_site():
    """The same name is another authority in another hospital; OIDs are known everywhere."""
    assert recognise("1^^^CPAGE^PI", "chb") == "chb.ipp"
    assert recognise("1^^^CPAGE^PI", "") == ""
    assert recognise("1^^^X&1.2.3.1&ISO^PI", "chb") == "cha.ipp"
    assert recognise("1^^^X&1.2.3.1&ISO^PI", "") == "cha.ipp"


def test_untyped():
    """Only the first repetition, only without CX-4, only with CX-5 empty or PI."""
    assert recognise("1", untyped="ipp") == "cha.ipp"
    assert recognise("1^^^^PI", untyped="ipp") == "cha.ipp"
    assert recognise("1^^^&&^RI", untyped="ipp") == "cha.ipp"
    assert recognise("1", untyped="ipp", repetition=1) == ""
    assert recognise("1^^^^MR", untyped="ipp") == ""
    assert recognise("1^^^X", untyped="ipp") == ""


def test_expected_type():
    """In PID-18 and PV1-19 a missing CX-5 is what the standard says, a missing CX-4 the site's."""
    assert recognise("1^^^X&1.2.3.2&L", expected="AN") == "cha.nda"
    assert recognise("1^^^X&1.2.3.2&L", expected="VN") == "cha.visit"
    assert recognise("1", expected="AN") == "cha.nda"
    assert recognise("1", expected="AN", repetition=1) == "cha.nda"
    assert recognise("1", "chb", expected="AN") == ""
    assert recognise("1^^^^PI", expected="AN") == ""


def test_normal_form():
    """All three parts of the HD, in the delimiters of the message."""
    normal = KNOWN.of("cha").normal(b"1^^^X&1.2.3.2&ISO^AN".split(b"^"), STANDARD)
    assert normal is not None
    assert (normal.assigner, normal.type) == (b"CPAGE&1.2.3.2&L", b"AN")
    odd = read_delimiters(b"MSH|^~\\$|")
    normal = KNOWN.of("cha").normal(b"1^^^X$1.2.3.1$ISO^PI".split(b"^"), odd)
    assert normal is not None
    assert normal.assigner == b"CHA$1.2.3.1$ISO"
    none = read_delimiters(b"MSH|^~|")
    normal = KNOWN.of("cha").normal(b"1^^^1.2.3.1^PI".split(b"^"), none)
    assert normal is not None
    assert normal.assigner == b"1.2.3.1"


def test_keys():
    """The normal form that is hashed: OID, else FINESS, and type."""
    assert CHA.authorities["ipp"].key == "1.2.3.1|PI"
    assert CHB.authorities["ipp"].key == "finess:990000028|PI"
    assert CHA.authorities["ipp"].of_patients
    assert not CHA.authorities["nda"].of_patients


def test_names():
    """`@group` is the group's ipp; a site sees its own names."""
    assert set(KNOWN.of("cha").names) == {"ipp", "nda", "visit", "group"}
    assert KNOWN.of("chb").names["ipp"].site == "chb"
