"""`render` makes the body to send."""

from __future__ import annotations

import json
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.routes import check
from engine.transforms.render import clean_xml
from tests.unit.routes.conftest import SMALL


def test_fields(run):
    """Texts, keys in the order of the file; the message itself doesn't change."""
    done = run('  - render: { format: json, fields: { z: "{event}", a: "é \\"{PV1-3.1}\\"", n: "{PID-30}" } }')
    assert done.context.body == '{"z":"A01","a":"é \\"1010\\"","n":""}'.encode()
    assert "PV1|1|I|1010^2" in done.text


@pytest.fixture
def rendered(tmp_path):
    """Render a message through a template; gives the body, or the findings."""

    def go(form: str, template: str | bytes | None, message: bytes = b"") -> tuple[bytes | None, list[str]]:
        from engine.routes.evaluation import evaluate
        from engine.trials.messages import taken
        from engine.trials.running import REFERENCES

        if template is not None:
            data = template if isinstance(template, bytes) else template.encode()
            (tmp_path / "t.txt").write_bytes(data)
        step = f"render: {{ format: {form}, template: t.txt }}"
        (tmp_path / "routes.yaml").write_text(
            f"{SMALL}routes:\n  r:\n    from: [gam]\n    steps:\n      - {step}\n    to: [raw]\n"
        )
        configuration, findings = check(tmp_path / "routes.yaml", environment={})
        if configuration is None:
            return None, [f"{one.code} {one.mark.file}:{one.mark.line}:{one.mark.column}" for one in findings]
        raw = b"MSH|^~\\&|A|B|C|D|2026||ADT^A01|9|P|2.5|||||FRA|UNICODE UTF-8\r" + message
        stored = taken(raw, configuration.sources["gam"], 1)
        return evaluate(configuration, stored, REFERENCES).deliveries[0].rendered, []

    return go


def test_json_template(rendered):
    """Literals without quotes stay what they are; one item a segment; values can't become structure."""
    template = '{"n": 1.5, "t": true, "x": null, "q": "1", "l": ["a", {"foreach": "OBX", "do": ["{.5}", "{rank}"]}]}'
    body, _ = rendered("json", template, b'OBX|1|ST|||"}]\rOBX|2|ST|||\\E\\\r')
    assert json.loads(body or b"") == {
        "n": 1.5, "t": True, "x": None, "q": "1", "l": ["a", ['"}]', "1"], ["\\", "2"]],
    }  # fmt: skip


def test_xml_template(rendered):
    """Values are characters, in content and attributes."""
    body, _ = rendered("xml", '<a b="{PID-5.1}">{{{PID-5.2}}}<c/></a>', b"PID|1||||\\T\\\"'<^]]>&\r")
    root = ET.fromstring(body or b"")
    assert (root.get("b"), root.text) == ("&\"'<", "{]]>&}")


@settings(deadline=None)
@given(st.text())
def test_any_value_in_xml(value):
    """Whatever it is, the document stays one."""
    root = ET.fromstring(f'<a b="{clean_xml(value)}">{clean_xml(value)}</a>'.encode("utf-8", "replace"))
    assert len(root) == 0


def test_text_template(rendered):
    """Lines and braces as written."""
    body, _ = rendered("text", "A;{PID-5.1};{{x}}\r\n", b"PID|1||||DOE\r")
    assert body == b"A;DOE;{x}\r\n"


@pytest.mark.parametrize(
    ("form", "template", "finding"),
    [
        ("json", None, "E124 routes.yaml:"),
        ("json", b"\xe9", "E124 routes.yaml:"),
        ("json", '{"a": ', "E101 t.txt:"),
        ("json", '{\n "a": "{PID-99}"}', "E137 t.txt:2:9"),
        ("json", '{\n "a": "{PID-5"}', "E114 t.txt:2:8"),
        ("json", '{"l": [{"foreach": "OBX"}]}', "E105 t.txt:1:"),
        ("json", '{"l": ["{.5}"]}', "E136 t.txt:1:"),
        ("xml", "<a>\n<b></a>", "E151 t.txt:2:"),
        ("xml", "<!DOCTYPE a []><a/>", "E151 t.txt:1:"),
        ("xml", "<a>\n {PID-5.1</a>", "E114 t.txt:2:2"),
        ("text", "a\nb {nobody}", "E114 t.txt:2:4"),
    ],
)
def test_what_is_wrong_in_a_template(rendered, form, template, finding):
    """A finding with the template's own line."""
    body, findings = rendered(form, template)
    assert body is None
    assert findings[0].startswith(finding)


def test_refused(compiled):
    """Fields or a template, not both; only JSON has fields."""
    assert compiled("  - render: { format: json }").codes == ["E105"]
    assert compiled("  - render: { format: xml, fields: { a: b } }").codes == ["E118"]
