"""References, authorities, runs of steps."""

from __future__ import annotations

import pytest

from engine.routes import ConfigurationRefused
from tests.unit.routes.conftest import SMALL


def refused(small, routes: str, base: str = SMALL) -> list[str]:
    with pytest.raises(ConfigurationRefused) as caught:
        small(routes, base=base)
    return [one.code for one in caught.value.findings if one.level == "error"]


def route(steps: str, source: str = "gam") -> str:
    return f"routes:\n  r:\n    from: [{source}]\n    steps:\n      - {steps}\n    to: [dpi]\n"


def test_site_values_are_those_of_each_site(small):
    """Steps are compiled for each site that a source brings, with its own values."""
    configuration = small(route('set: { MSH-3: "${site.name} ${site.finess_ej}" }', "lis"))
    steps = configuration.routes[0].steps
    assert sorted(steps) == ["cha", "chb"]


def test_missing_site_value(small):
    """A value that one of the sites lacks is told once."""
    assert refused(small, route('set: { MSH-3: "${site.finess_eg}" }', "lis")) == ["E141"]
    assert refused(small, route('set: { MSH-3: "${site.town}" }')) == ["E141"]
    assert refused(small, route('set: { MSH-3: "${nothing}" }')) == ["E115"]


def test_braces_of_a_site_value_stay_text(small):
    """What is put in when the configuration loads is never read as a path."""
    base = SMALL.replace('finess_ej: "000000026"\n', 'finess_ej: "000000026"\n    label: "{PID-5}"\n')
    small(route('set: { MSH-3: "${site.label}" }'), base=base)


def test_authorities_are_checked_for_every_site(small):
    """`@nda` is declared by one site only: a source that brings both can't use it."""
    assert refused(small, route('delete: "PID-18[@nda]"', "lis")) == ["E133"]
    small(route('delete: "PID-18[@nda]"'))
    small(route('delete: "PID-3[@ins]"'))


def test_condition_of_a_route_knows_the_site_of_the_message(small, references, stored):
    """`PID-3[@ipp]` in a route's own `when:` is the authority of the message's site."""
    from engine.core.lifecycle import MessageState
    from engine.routes.evaluation import evaluate

    configuration = small('routes:\n  r:\n    from: [lis]\n    when: "PID-3[@ipp].1 == 111"\n    to: [raw]\n')

    def state(finess: str, oid: str) -> MessageState:
        raw = f"MSH|^~\\&|L|{finess}|C|D|2026||ORU^R01|1|P|2.5\rPID|1||111^^^&{oid}&ISO^PI\r".encode()
        return evaluate(configuration, stored(raw, "lis"), references).state

    assert state("000000026", "1.2.250.1.999.10.1") is MessageState.ROUTED
    assert state("990000028", "1.2.250.1.999.20.1") is MessageState.ROUTED
    assert state("990000028", "1.2.250.1.999.10.1") is MessageState.UNROUTED


def test_runs(small):
    """A declared run is used by name; one that uses itself, or isn't there, is refused."""
    runs = "steps:\n  a:\n    - tag: x\n    - use: b\n  b:\n    - tag: y\n"
    assert [step.verb for step in small(runs + route("use: a")).routes[0].steps["cha/ipp"]] == ["tag", "tag"]
    configuration = small(runs + route("use: a\n        when: event == A01"))
    assert [step.verb for step in configuration.routes[0].steps["cha/ipp"]] == ["use"]
    assert refused(small, runs.replace("tag: y", "use: a") + route("use: a")) == ["E129"]
    assert refused(small, route("use: c")) == ["E127"]


def test_labels(small):
    """A label goes with its step."""
    configuration = small(route("tag: x\n        label: why"))
    assert [(step.verb, step.label) for step in configuration.routes[0].steps["cha/ipp"]] == [("tag", "why")]


@pytest.mark.parametrize(
    ("steps", "code"),
    [("{ }", "E147"), ("label: x", "E147"), ("tag", "E106"), ("tag: x\n        wehn: y", "E122")],
)
def test_steps_have_one_verb(small, steps, code):
    """No verb, no mapping, an unknown key beside it."""
    assert refused(small, route(steps)) == [code]
