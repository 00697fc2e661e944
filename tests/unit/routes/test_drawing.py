"""The configuration as a picture."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from engine.routes.drawing import as_json, dot, drawing_of, mermaid
from tests.unit.routes.conftest import SMALL

ROUTES = """
routes:
  adt-in:
    from: [gam, lis]
    when: type == ADT and PID-5.1 == "a|b" and PID-5.1 != "<x>"
    to:
      - dpi
      - { destination: raw, when: event == A01 }
  rest: { from: [lis], to: [bus] }
"""


@pytest.fixture
def made(small):
    return small(ROUTES, base=SMALL.replace("  cha:\n", '  cha:\n    label: CH "d\'Arvigny"\n'))


MERMAID = """\
flowchart LR
  subgraph site_cha["CH #34;d'Arvigny#34;"]
    source_gam(["gam<br/>mllp 127.0.0.1:6101"])
  end
  source_lis(["lis<br/>mllp 127.0.0.1:6110"])
  route_adt_2d_in{{"adt-in"}}
  route_rest{{"rest"}}
  destination_dpi[("dpi<br/>mllp 127.0.0.1:5500")]
  destination_raw[("raw<br/>directory out")]
  destination_bus[("bus<br/>mqtt")]
  source_gam -->|"type == ADT and PID-5.1 == #34;a|b#34; and PID-5.1 != #34;#60;x#62;#34;"| route_adt_2d_in
  source_lis -->|"type == ADT and PID-5.1 == #34;a|b#34; and PID-5.1 != #34;#60;x#62;#34;"| route_adt_2d_in
  route_adt_2d_in --> destination_dpi
  route_adt_2d_in -->|"event == A01"| destination_raw
  source_lis --> route_rest
  route_rest --> destination_bus
"""


def test_mermaid(made):
    """Texts can't end their quotes."""
    assert mermaid(drawing_of(made)) == MERMAID


def test_some_routes(made):
    """Only what they touch."""
    drawing = drawing_of(made, ["rest"])
    assert [(one.kind, one.name) for one in drawing.spots] == [
        ("source", "lis"), ("route", "rest"), ("destination", "bus"),
    ]  # fmt: skip
    assert as_json(drawing)["ways"] == [
        {"from": "lis", "to": "rest", "when": ""}, {"from": "rest", "to": "bus", "when": ""},
    ]  # fmt: skip


def test_dot(made):
    """Quotes and backslashes are escaped; Graphviz reads it, where it is installed."""
    text = dot(drawing_of(made))
    assert 'label="CH \\"d\'Arvigny\\"";' in text
    assert 'route_adt_2d_in -> destination_raw [label="event == A01"];' in text
    assert text.count("{") == text.count("}")
    if shutil.which("dot") is not None:
        subprocess.run(["dot", "-Tsvg"], input=text.encode(), check=True, capture_output=True, timeout=60)


def test_ids_differ_where_names_do():
    """`a-b`, `a_b` and `a__b` are three things."""
    from engine.routes.drawing import _word

    names = ["a-b", "a_b", "a__b", "a_2d_b", "a-_b", "a_-b"]
    assert len({_word(name) for name in names}) == len(names)


def test_long_conditions_are_cut(small):
    """A picture isn't the place for them."""
    made = small(f"routes:\n  r: {{ from: [gam, lis], when: 'event in [{', '.join(['A01'] * 40)}]', to: dpi }}\n")
    assert all(len(line) < 130 for line in mermaid(drawing_of(made)).splitlines())
