"""Values of declarations."""

from __future__ import annotations

import re

import pytest

from engine.routes import schema
from engine.routes.document import read_document
from engine.routes.findings import Findings
from engine.routes.names import Names
from engine.routes.reading import Reading
from engine.routes.schema import words
from engine.transforms.shapes import Duration


def read(shape, text):
    findings = Findings()
    document = read_document("r.yaml", f"x: {text}", findings)
    assert document is not None
    node = document.get("x")
    assert node is not None
    value = Reading(findings, Names(environment={}, secrets=lambda name: None)).read(shape, node)
    codes = [one.code for one in findings.all()]
    return codes[0] if codes else value


CASES = [
    (Duration(), "30s", 30.0),
    (Duration(), "500ms", 0.5),
    (Duration(), "1.5h", 5400.0),
    (Duration(), '"0"', 0.0),
    (Duration(), '"30"', "E111"),
    (Duration(), "thirty", "E111"),
    (words.Size(), "20MB", 20_000_000),
    (words.Size(), "4KiB", 4096),
    (words.Size(), '"20"', "E111"),
    (words.AddressShape(), "127.0.0.1:6101", ("127.0.0.1", 6101)),
    (words.AddressShape(), '"[::1]:6101"', ("::1", 6101)),
    (words.AddressShape(), "dpi", "E138"),
    (words.BrokerShape(), "mqtts://broker.ght.example:8883", "mqtts://broker.ght.example:8883"),
    (words.BrokerShape(), "mqtt://user:word@broker", "E138"),
    (words.BrokerShape(), "http://broker", "E138"),
    (words.Network(), "10.1.4.7", "10.1.4.7/32"),
    (words.Network(), "10.1.4.0/24", "10.1.4.0/24"),
    (words.Network(), "everybody", "E138"),
    (words.Finess(), '"000000026"', "000000026"),
    (words.Finess(), "2A0000012", "2A0000012"),
    (words.Finess(), '"10000024"', "E139"),
    (words.Oid(), "1.2.250.1", "1.2.250.1"),
    (words.Oid(), "one.two.three", "E139"),
    (words.HdText(), '"CHA"', "CHA"),
    (words.HdText(), '"A&B"', "E111"),
]


@pytest.mark.parametrize(("shape", "text", "wanted"), CASES)
def test_read(shape, text, wanted):
    """Each gives its value or its code."""
    assert read(shape, text) == wanted


@pytest.mark.parametrize(("shape", "text", "wanted"), CASES)
def test_an_editor_sees_the_same(shape, text, wanted):
    """The pattern that an editor checks accepts what the loader takes, and refuses what it refuses."""
    made = shape.schema()
    pattern = made.get("pattern") or made["anyOf"][1]["pattern"]
    refused = isinstance(wanted, str) and re.fullmatch(r"E\d+", wanted) is not None
    assert (re.search(pattern, text.strip('"')) is None) is refused
    assert re.search(pattern, "${param}")


def test_a_port_has_its_limits():
    """Beyond a pattern's reach."""
    assert read(words.AddressShape(), "dpi:70000") == "E138"
    assert read(words.BrokerShape(), "mqtt://broker:70000") == "E138"


def test_charsets_and_zones_are_known_ones():
    """By name, as Python and the IANA data base know them."""
    assert read(words.Charset(), "ISO-8859-15") == "iso8859-15"
    assert read(words.Charset(), "klingon") == "E110"
    assert read(words.Timezone(), "Indian/Reunion") == "Indian/Reunion"
    assert read(words.Timezone(), "Mars/Phobos") == "E110"
    assert read(words.Timezone(), "../etc/passwd") == "E110"


def test_outgoing_charsets_match_their_declaration():
    """MSH-18 says the charset that is written (table 0211)."""
    for codec, _ in schema.OUTGOING.values():
        assert "A".encode(codec) == b"A"
    assert schema.OUTGOING["UTF-8"] == ("utf-8", "UNICODE UTF-8")
