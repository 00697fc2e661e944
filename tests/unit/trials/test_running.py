"""The messages of a test through the routes."""

from __future__ import annotations

from engine.trials.running import only, run_case
from tests.unit.trials.conftest import ADT


def test_under_a_route_only_that_route_runs(loaded):
    """In a file without `route:` the whole configuration does."""
    case = "{ name: t, source: gam, given: adt.hl7, expect: { dpi: delivered } }"
    made = loaded(f"      - {case}", {"a_test.yaml": f"tests:\n  - {case}\n"})
    assert made.configuration is not None, made.findings
    routes = [
        {delivery.route for one in run_case(made.configuration, case).passed for delivery in one.evaluation.deliveries}
        for case in made.configuration.cases
    ]
    assert routes == [{"r"}, {"r", "other"}]


def test_only_leaves_the_rest(loaded):
    """Sources and destinations stay known."""
    configuration = loaded("").configuration
    alone = only(configuration, "other")
    assert [route.name for route in alone.routes] == ["other"]
    assert set(alone.routes_of) == set(configuration.routes_of)
    assert alone.destinations == configuration.destinations


def test_a_block_that_is_cut(loaded):
    """Several messages in one block: the last has the name alone, those before it a number."""
    lines = "".join(f"            {line}\n" for line in (ADT + ADT.replace("A01|9", "A02|10")).splitlines())
    made = loaded(
        "      - name: t\n        source: gam\n        expect: { dpi: delivered }\n"
        f"        given:\n          name: two\n          message: |\n{lines}"
    )
    assert made.configuration is not None, [one.render() for one in made.findings]
    session = run_case(made.configuration, made.configuration.cases[0])
    assert session.trouble == ""
    assert [(one.name, one.stored.type) for one in session.passed] == [("two#1", "ADT^A01"), ("two", "ADT^A02")]


def test_places_and_times_follow_one_another(loaded):
    """As the router would see them."""
    made = loaded("      - { name: t, source: gam, given: [adt.hl7, a40.hl7], expect: { dpi: delivered } }")
    session = run_case(made.configuration, made.configuration.cases[0])
    first, second = (one.stored for one in session.passed)
    assert (first.place, second.place) == (1, 2)
    assert second.received_ms > first.received_ms
    assert session.name_of(session.deliveries("dpi")[1]) == "a40"
