"""`parse` goes on with the message that a field carries."""

from __future__ import annotations

import base64

import pytest

from engine.core.messages import PayloadKind
from engine.errors import StepFailed
from engine.parsers.hl7v2.message import DETACHED
from engine.routes import load
from engine.routes.evaluation import evaluate
from engine.trials.messages import taken
from engine.trials.running import REFERENCES
from tests.unit.routes.conftest import SMALL

INNER = "MSH$%~\\&$LAB\rPID$1$$9$$D%E\r"


def carried(value: str) -> str:
    return f"MSH|^~\\&|A\rPID|1||42\rOBX|1|ED|X||{value}\r"


@pytest.mark.parametrize(
    ("encoding", "value"),
    [
        ("base64", base64.b64encode(INNER.encode()).decode()),
        ("hex", INNER.encode().hex()),
        ("text", INNER.replace("\\", "\\E\\").replace("&", "\\T\\").replace("~", "\\R\\").replace("\r", "\\.br\\")),
    ],
)
def test_opened(run, encoding, value):
    """With usual delimiters; what `set` writes is read from the carrier."""
    done = run(
        f"  - parse: {{ field: OBX-5, encoding: {encoding}, set: {{ PID-3: '{{PID-3}}{{event}}' }} }}\n"
        "  - set: { PID-8: F }",
        message=carried(value),
    )
    assert done.lines[:2] == ["MSH|^~\\&|LAB", "PID|1||42A01||D^E|||F"]
    assert done.context.message.base_flag == DETACHED


@pytest.mark.parametrize(
    ("encoding", "value", "words"),
    [
        ("base64", "", "carries nothing"),
        ("base64", '""', "carries nothing"),
        ("base64", "%%%", "isn't written in base64"),
        ("hex", "0g", "isn't written in hex"),
        ("text", "hello", "carries no message"),
    ],
)
def test_what_is_no_message(run, encoding, value, words):
    """A dead letter that names the field; `on_error` lets the carrier go on."""
    step = f"parse: {{ field: OBX-5, encoding: {encoding} }}"
    with pytest.raises(StepFailed, match=words) as caught:
        run(f"  - {step}", message=carried(value))
    assert (caught.value.code, caught.value.field) == ("E-PARSE-FIELD", "OBX-5")
    assert run(f"  - {{ {step}, on_error: keep }}", message=carried(value)).lines[1] == "PID|1||42"


def test_it_is_stored_whole(tmp_path):
    """It isn't a difference to what was received; what leaves is what was carried, encoded as the destination wants."""
    (tmp_path / "routes.yaml").write_text(
        f"{SMALL}routes:\n  r:\n    from: [gam]\n    steps:\n      - parse: {{ field: OBX-5, encoding: hex }}\n"
        "    to: [dpi, raw]\n"
    )
    configuration = load(tmp_path / "routes.yaml", environment={})
    raw = carried(INNER.encode().hex()).replace("|A\r", "|A||||||ORU|7|P|2.5\r").encode()
    stored = taken(raw, configuration.sources["gam"], 1)
    dpi, archive = evaluate(configuration, stored, REFERENCES).deliveries
    for delivery in (dpi, archive):
        assert (delivery.payload_kind, delivery.payload) == (PayloadKind.FULL, delivery.rendered)
    assert (dpi.rendered or b"").startswith(b"MSH|^~\\&|LAB|||||||1-0|")
    assert archive.rendered == b"MSH|^~\\&|LAB\rPID|1||9||D^E\r"


def test_refused(compiled):
    """The encoding must be said; one field is carried."""
    assert compiled("  - parse: { field: OBX-5 }").codes == ["E105"]
    assert compiled("  - parse: { field: 'OBX[*]-5', encoding: hex }").codes == ["E112"]
