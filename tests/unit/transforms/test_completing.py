"""ZBE-1 completed: what follows the number of a movement, learnt once, says who gave it."""

from __future__ import annotations

import pytest

from engine.identity.authorities import Authorities, Authority, SiteAuthorities
from engine.parsers.hl7v2.message import Message
from engine.transforms.completing import Completion

_OID = "1.2.250.1.999"
_ONES = {
    name: Authority(name=name, site="cha", oid=f"{_OID}.{oid}", hd1=hd1, hd2=f"{_OID}.{oid}", hd3="ISO", type=type_)
    for name, oid, hd1, type_ in (
        ("movement", "13.1", "CHA-MVT", "MV"), ("nda", "12.1", "CHA-SEJOUR", "AN"),
        ("one", "14.1", "ONE", "VN"), ("other", "14.1", "OTHER", "AN"),
    )
}  # fmt: skip
_KNOWN = Authorities([SiteAuthorities(name="cha", authorities=_ONES), SiteAuthorities(name="chb")])
_WRITTEN = f"CHA-MVT^{_OID}.13.1^ISO"


@pytest.mark.parametrize(
    ("received", "sent"),
    [
        ("4", f"4^{_WRITTEN}"),
        ("4^", f"4^{_WRITTEN}"),
        ("4^CHA-MVT", f"4^{_WRITTEN}"),
        ("4^^^^behind", f"4^{_WRITTEN}^behind"),
        (f"4^^{_OID}.13.1", f"4^{_WRITTEN}"),
        (f"4^X^{_OID}.12.1^L^more^still", f"4^CHA-SEJOUR^{_OID}.12.1^ISO^more^still"),
        ("4~5^CHA-MVT~6^X", f"4^{_WRITTEN}~5^{_WRITTEN}~6^X"),
        *((kept, kept) for kept in ("4^SOMEBODY", f"4^^{_OID}.14.1", "4^^9.9", '""', f"^^{_OID}.13.1", '""^CHA-MVT')),
    ],
)
def test_movements(received: str, sent: str) -> None:
    """By the OID any authority that is spelt in one way; without it the site's own."""
    completion = Completion(_KNOWN.of("cha"))
    for _ in range(2):
        message = Message.parse(f"MSH|^~\\&|A\rZBE|{received}|x\rZBE|{received}\r".encode(), as_utf8=True)
        completion.complete_movements(message)
        assert [one.field(1).decode() for one in message.segments("ZBE")] == [sent, sent]


def test_a_site_without_movements_of_its_own() -> None:
    """What says no OID stays as it came."""
    message = Message.parse(b"MSH|^~\\&|A\rZBE|4\r", as_utf8=True)
    Completion(_KNOWN.of("chb")).complete_movements(message)
    assert message.splices() == []
