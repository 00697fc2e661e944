"""Templates: what a use makes, and what is wrong at which end."""

from __future__ import annotations

import pytest

from engine.routes import ConfigurationRefused
from engine.routes.findings import render
from tests.unit.routes.conftest import SMALL

TEMPLATES = """
templates:
  hospital:
    params:
      site: { type: site }
      port: { type: port }
      networks: { type: list, default: [10.0.0.0/8] }
      host: { default: 127.0.0.1 }
    source: { type: mllp, site: "${site}", listen: "${host}:${port}", allow: "${networks}", untyped: ipp }
  stamp:
    params: { word: { type: choice, values: [A, B] }, path: { default: MSH-3 } }
    steps:
      - set: { "${path}": "${word} {event}" }
  copy:
    params: { source: { type: source }, to: { type: destination } }
    route:
      from: "${source}"
      steps:
        - use: stamp
          with: { word: A, path: MSH-6 }
      to: "${to}"
"""
ROUTE = "routes:\n  r: { from: [gam, lis], to: [dpi, raw, bus] }\n"


def test_a_use_makes_what_its_template_says(small):
    """Values in texts, a list in the place of a text, defaults, own keys that win."""
    made = small(
        TEMPLATES.replace("\ntemplates", "templates")
        + "routes:\n  c: { use: copy, with: { source: gam_two, to: raw }, owner: me }\n"
        + "  r: { from: [gam, lis], to: [dpi, bus] }\n",
        base=SMALL.replace(
            "sources:\n",
            "sources:\n  gam_two: { use: hospital, with: { site: chb, port: 6102 }, allow: 10.9.0.0/16 }\n"
            "  gam_three: { use: hospital, with: { site: cha, port: 6103, networks: [10.3.0.0/16, 10.4.0.0/16] } }\n",
        ),
    )
    two, three = made.sources["gam_two"], made.sources["gam_three"]
    assert (two.site, two.host, two.port, two.allow, two.untyped) == ("chb", "127.0.0.1", 6102, ("10.9.0.0/16",), "ipp")
    assert three.allow == ("10.3.0.0/16", "10.4.0.0/16")
    route = made.routes[0]
    assert (route.name, route.sources, route.owner, [one.destination for one in route.to]) == (
        "c", ("gam_two",), "me", ["raw"],
    )  # fmt: skip
    assert [step.verb for step in route.steps["chb/ipp"]] == ["set"]


def test_a_value_is_a_text_and_no_code(small, stored):
    """Braces in a value stand for themselves: what is replaced at load is never read as a path."""
    from engine.core.references import References
    from engine.routes.evaluation import evaluate

    made = small(
        'templates:\n  stamp:\n    params: { word: { } }\n    steps: [ { set: { MSH-5: "${word}" } } ]\n'
        'routes:\n  r:\n    from: gam\n    steps:\n      - use: stamp\n        with: { word: "{PID-5}" }\n    to: dpi\n'
    )  # fmt: skip
    sent = evaluate(made, stored("cha_a01.hl7", "gam"), References(b"k" * 32)).deliveries[0].rendered
    assert sent is not None
    assert sent.split(b"|")[4] == b"{PID-5}"


@pytest.mark.parametrize(
    ("uses", "codes", "ends"),
    [
        ("x: { use: hospital, with: { site: chz, port: 1 } }", ["E116"], ["its type is site"]),
        ("x: { use: hospital, with: { site: cha, port: port } }", ["E111"], ["its type is port"]),
        ("x: { use: hospital, with: { site: cha } }", ["E125"], ["is declared here"]),
        ("x: { use: hospital, with: { site: cha, port: 1, more: 2 } }", ["E126"], ["the template stands here"]),
        ("x: { use: hospital, with: [cha] }", ["E106"], []),
        ("x: { use: [hospital] }", ["E106"], []),
        ("x: { use: stamp, with: { word: A } }", ["E127"], ["it stands here"]),
        ("x: { use: hopital }", ["E127"], []),
        ("x: { use: hospital, with: { site: cha, port: 6109 }, host: here }", ["E104"], []),
        ("x: { use: hospital, with: { site: cha, port: 7, host: 'no host' } }", ["E138"], ["used here"]),
    ],
)  # fmt: skip
def test_mistakes_cite_both_ends(small, uses, codes, ends):
    """What is wrong at the use names the template, and the other way round."""
    with pytest.raises(ConfigurationRefused) as caught:
        small(TEMPLATES + ROUTE, base=SMALL.replace("sources:\n", f"sources:\n  {uses}\n", 1))
    errors = [one for one in caught.value.findings if one.level == "error"]
    assert [one.code for one in errors] == codes
    assert [end.words for one in errors for end in one.related if not any(end_ in end.words for end_ in ends)] == []
    assert len([end for one in errors for end in one.related]) == len(ends)


def test_steps_with_a_wrong_value(small):
    """A template of steps is checked at each use, in each route."""
    with pytest.raises(ConfigurationRefused) as caught:
        small(
            TEMPLATES
            + "routes:\n  r:\n    from: [gam, lis]\n    steps:\n      - use: stamp\n"
            + '        with: { word: C, path: "PID_3" }\n    to: [dpi, raw, bus]\n'
        )
    text = render(one for one in caught.value.findings if one.level == "error")
    assert "error E110: C isn't possible here" in text


def test_the_body_is_read_where_it_is_used(small):
    """A wrong path that comes from a value is told at the template and at the use."""
    with pytest.raises(ConfigurationRefused) as caught:
        small(
            TEMPLATES
            + "routes:\n  r:\n    from: [gam, lis]\n    steps:\n      - use: stamp\n"
            + '        with: { word: A, path: "PID_3" }\n    to: [dpi, raw, bus]\n'
        )
    (finding,) = [one for one in caught.value.findings if one.level == "error"]
    assert finding.code == "E112"
    assert [end.words for end in finding.related] == ["used here"]
    assert finding.line.strip().startswith("- set:")
    assert finding.related[0].line.strip() == "- use: stamp"


@pytest.mark.parametrize(
    ("template", "code"),
    [
        ("a: { params: { x: { type: port } } }", "E105"),
        ("a: { source: { }, route: { } }", "E105"),
        ("a: { params: { x: { type: choice } }, steps: [ { tag: x } ] }", "E105"),
        ("a: { params: { x: { type: sitte } }, steps: [ { tag: x } ] }", "E110"),
        ("a: { parms: { x: { type: port } }, steps: [ { tag: x } ] }", "E104"),
        ("run: { steps: [ { tag: x } ] }", "E118"),
        ("A: { steps: [ { tag: x } ] }", "E117"),
    ],
)  # fmt: skip
def test_wrong_templates(small, template, code):
    """A template makes one thing; its parameters have known types."""
    with pytest.raises(ConfigurationRefused) as caught:
        small(f"steps:\n  run: [ {{ tag: x }} ]\ntemplates:\n  {template}\n{ROUTE}")
    assert [one.code for one in caught.value.findings if one.level == "error"] == [code]


def test_a_default_is_checked_where_it_is_taken(small):
    """A default of the wrong type isn't better than a value of the wrong type."""
    with pytest.raises(ConfigurationRefused) as caught:
        small(
            'templates:\n  s: { params: { n: { type: port, default: many } }, steps: [ { tag: "${n}" } ] }\n'
            "routes:\n  r: { from: [gam, lis], steps: [ { use: s } ], to: [dpi, raw, bus] }\n"
        )  # fmt: skip
    assert [one.code for one in caught.value.findings if one.level == "error"] == ["E111"]
