"""`render` makes the body to send."""

from __future__ import annotations

import json


def test_json(run):
    """Keys in the order of the file, texts of the message, UTF-8."""
    done = run('  - render: { format: json, fields: { event: "{event}", unit: "UF {PV1-3.1}", é: "{nda}" } }')
    assert done.context.body == '{"event":"A01","unit":"UF 1010","é":"N1"}'.encode()
    assert list(json.loads(done.context.body)) == ["event", "unit", "é"]


def test_refused(compiled):
    """Only known formats and known names."""
    assert compiled("  - render: { format: xml, fields: { a: b } }").codes == ["E110"]
    assert compiled('  - render: { format: json, fields: { a: "{evnt}" } }').codes == ["E114"]
