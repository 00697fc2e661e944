"""Whose numbers a field has, where no site declares them: no value, and no name that nobody knows."""

from __future__ import annotations

import pytest

from engine.identity.authorities import Authorities, Authority, SiteAuthorities
from engine.identity.undeclared import undeclared
from engine.parsers.hl7v2.delimiters import STANDARD

_IPP = Authority(name="ipp", site="cha", type="PI", oid="1.2.3.4.5", hd1="CHA-IPP", hd2="1.2.3.4.5")
KNOWN = Authorities(
    [
        SiteAuthorities(name="cha", authorities={"ipp": _IPP}, aliases={"CPAGE/PI": "ipp"}),
        SiteAuthorities(name="chb"),
    ]
)


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("900077^^^CPAGE^PI", ["CPAGE/PI"]),
        ("900077^^^cpage", ["cpage without type (CX-5)"]),
        ("1^^^CPAGE^PI~2^^^CPAGE^PI~3^^^CHA-IPP^PN", ["CPAGE/PI", "CHA-IPP/PN"]),
        ("1^^^X&1.2.250.1.999.60.1&ISO^PI", ["1.2.250.1.999.60.1/PI"]),
        ("1^^^&010000024&M^PI", ["FINESS 010000024/PI"]),
        ("1^^^X&1.2.3.4.5&ISO^PI", []),
        ("1", ["an empty CX-4: write untyped: at the source if they are the sender's own"]),
        ("1^^^PETIT^PI", ["a name in CX-4 that no site declares/PI"]),
        ("1^^^PETIT&1.2.1955&ISO^PI", ["a name in CX-4 that no site declares/PI"]),
        ("1^^^&900077123&M^PI", ["a name in CX-4 that no site declares/PI"]),
        ("1^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.8&ISO^INS", []),
        ("1^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.8&ISO^PI", []),
        ("1^^^PAPER^MR", []),
        ('""', []),
        ("", []),
        ("^^^CPAGE^PI", []),
    ],
)
def test_of_site_chb(field: str, expected: list[str]) -> None:
    """An OID, a FINESS whose digit fits, a name that another site has; numbers of patients alone."""
    assert undeclared(field.encode(), KNOWN.of("chb"), STANDARD) == expected
