"""The closed list of keys."""

from __future__ import annotations

import json

from engine.routes import schema


def test_schema_is_json():
    """Every record gives a JSON Schema that refuses unknown keys."""
    for record in (schema.SITE, schema.ROUTE, *schema.SOURCES.values(), *schema.DESTINATIONS.values()):
        made = json.loads(json.dumps(record.schema()))
        assert made["additionalProperties"] is False
    assert schema.SOURCES["mllp"].schema()["required"] == ["type", "listen"]


def test_outgoing_charsets_match_their_declaration():
    """MSH-18 says the charset that is written (table 0211)."""
    for codec, _ in schema.OUTGOING.values():
        assert "A".encode(codec) == b"A"
    assert schema.OUTGOING["UTF-8"] == ("utf-8", "UNICODE UTF-8")
