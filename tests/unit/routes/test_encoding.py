"""A message as its destination wants it."""

from __future__ import annotations

import json

import pytest

from engine.core import splices
from engine.core.messages import Delivery, PayloadKind, StoredMessage, delivery_id
from engine.errors import StepFailed
from engine.parsers import base_of
from engine.parsers.hl7v2.message import Message
from engine.routes.configuration import Destination, Encode
from engine.routes.encoding import clean_name, encode
from engine.transforms.step import Context

RAW = "MSH|^~\\&|A|B|C|D|20260301||ADT^A01|9|P|2.5|||||FRA|8859/1\r\nPID|1||111||DOÉ^ŒUF\r\n".encode("cp1252")


def encoded(
    raw: bytes = RAW, *, touched: bool = False, body: bytes | None = None, type_: str = "mllp", **wanted
) -> Delivery:
    stored = StoredMessage(source="gam", group="main", raw=raw, received_ms=5, control_id="9", type="ADT^A01", place=7)
    context = Context(
        Message.parse(raw, as_utf8=True), site="cha", source="gam", type="ADT", event="A01", control_id="9", place=7,
        received_ms=5,
    )  # fmt: skip
    context.body = body
    delivery = Delivery(delivery_id(7, 2), "d", "r")
    destination = Destination(name="d", type=type_, encode=Encode(**wanted))
    encode(delivery, destination, context, stored, own_id="7-2", touched=touched, findings=[])
    return delivery


def test_utf8_with_own_control_id():
    """CR ends, own MSH-10, MSH-18 to match; stored as a small difference that gives the same bytes."""
    delivery = encoded()
    assert delivery.rendered == (
        "MSH|^~\\&|A|B|C|D|20260301||ADT^A01|7-2|P|2.5|||||FRA|UNICODE UTF-8\rPID|1||111||DOÉ^ŒUF\r".encode()
    )
    assert (delivery.control_id, delivery.payload_kind) == ("7-2", PayloadKind.SPLICES)
    assert delivery.payload is not None
    assert len(delivery.payload) < 40
    assert splices.apply(RAW, delivery.payload, base_of) == delivery.rendered


def test_control_id_as_received():
    """MSH-10 stays where the destination wants it so."""
    assert encoded(control_id="as_received").control_id == "9"


@pytest.mark.parametrize("wanted", [{"control_id": "as_received"}, {"as_received": True}], ids=str)
def test_a_control_id_with_blanks(wanted):
    """MSA-2 is read without blanks around; what it is compared with has none either."""
    delivery = encoded(RAW.replace(b"|9|P", b"| 9 |P"), touched=True, **wanted)
    assert b"| 9 |P" in (delivery.rendered or b"")
    assert delivery.control_id == "9"


def test_other_charset():
    """Transcoded and stored in full; MSH-18 says so."""
    delivery = encoded(charset="iso8859-15", msh18="8859/15")
    assert delivery.rendered is not None
    assert "DOÉ^ŒUF".encode("iso8859-15") in delivery.rendered
    assert b"|8859/15\r" in delivery.rendered
    assert (delivery.payload_kind, delivery.payload) == (PayloadKind.FULL, delivery.rendered)


def test_sequences_that_mean_other_characters_in_another_charset():
    """They leave as characters; in the charset in which they came they stay."""
    raw = RAW.replace(b"8859/1", b"UNICODE UTF-8").replace(RAW.split(b"|")[-1], b"\\XC3A9\\\\F\\\r\n")
    assert b"|\xe9\\F\\\r" in (encoded(raw, charset="latin-1", msh18="8859/1").rendered or b"")
    assert b"|\\XC3A9\\\\F\\\r" in (encoded(raw).rendered or b"")
    latin = raw.replace(b"UNICODE UTF-8", b"8859/1").replace(b"XC3A9", b"XE9")
    assert "|é\\F\\\r".encode() in (encoded(latin).rendered or b"")
    assert b"|\xe9\\F\\\r" in (encoded(latin, charset="latin-1", msh18="8859/1").rendered or b"")
    assert b"|\\XE9\\\\F\\\r" in (encoded(latin, as_received=True).rendered or b"")


def test_unencodable():
    """A character that the charset lacks is a dead letter that names the field, or a `?`."""
    with pytest.raises(StepFailed) as caught:
        encoded(charset="latin-1", msh18="8859/1")
    assert (caught.value.code, caught.value.field) == ("E-ENCODE", "PID-5")
    replaced = encoded(charset="latin-1", msh18="8859/1", unencodable="replace")
    assert "DOÉ^?UF".encode("latin-1") in (replaced.rendered or b"")


def test_as_received():
    """Nothing is stored, the very bytes leave."""
    delivery = encoded(as_received=True)
    assert (delivery.payload_kind, delivery.payload, delivery.rendered, delivery.control_id) == (
        PayloadKind.RAW, None, RAW, "9",
    )  # fmt: skip


def test_body():
    """A rendered body replaces the message; without one the bus gets ids and codes only."""
    assert encoded(body=b"{}").rendered == b"{}"
    delivery = encoded(type_="mqtt")
    assert json.loads(delivery.rendered or b"") == {
        "v": 1, "message": 7, "site": "cha", "source": "gam", "type": "ADT", "event": "A01", "control_id": "9",
        "received_ms": 5,
    }  # fmt: skip
    assert delivery.payload_kind is PayloadKind.FULL


@pytest.mark.parametrize(
    ("value", "wanted"),
    [("A01", "A01"), ("../x", ".._x"), ("..", "__"), ("a/b#+", "a_b__"), ("", ""), ("é", "_"), ("x" * 200, "x" * 80)],
)
def test_clean_name(value, wanted):
    """No path, no wildcard."""
    assert clean_name(value) == wanted


def test_target():
    """A directory without `file_name:` gets the delivery's id."""
    assert encoded(type_="directory").target == "7-2.hl7"
    assert encoded().target == ""
