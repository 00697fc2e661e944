"""Routes know what they name, and what their exits inherit."""

from __future__ import annotations

import pytest

from engine.routes import ConfigurationRefused


def test_route(small):
    """Order and dead letters of a route hold for its exits unless they say otherwise."""
    configuration = small(
        "routes:\n  r:\n    from: [gam, lis]\n    owner: me\n    order_by: none\n    dead_letter: { lane: block }\n"
        "    to:\n      - dpi\n      - destination: raw\n        order_by: all\n        dead_letter: { lane: pass }\n"
        "        when: event == A01\n"
    )
    [route] = configuration.routes
    first, second = route.to
    assert (route.sources, route.owner) == (("gam", "lis"), "me")
    assert first.order is not None
    assert second.order is not None
    assert (first.order.by, second.order.by) == ("none", "all")
    assert first.dead_letter is not None
    assert second.dead_letter is not None
    assert (first.dead_letter.lane, second.dead_letter.lane) == ("block", "pass")
    assert (second.when_text, first.when) == ("event == A01", None)
    assert configuration.routes_of["gam"] == configuration.routes_of["lis"] == (route,)


@pytest.mark.parametrize(
    ("block", "codes"),
    [
        ("    from: [gam, gam]\n    to: [dpi]\n", ["E134"]),
        ("    from: [gan]\n    to: [dpj, raw]\n", ["E116", "E116"]),
        ("    from: [gam]\n    to: []\n", ["E107"]),
        ("    from: [gam]\n", ["E105"]),
        ("    from: [gam]\n    too: [dpi, raw]\n", ["E104"]),
        ("    from: [gam]\n    too: [dpi, { destination: raw, when: event == A01, order_by: all }]\n", ["E104"]),
        ("    from: [gam]\n    to: [ { destination: dpi, wen: type == ADT } ]\n", ["E104"]),
        (
            "    from: [gam]\n    when: evnt == A\n    to:\n      - { destination: dpi, when: evet == A }\n",
            ["E130", "E130"],
        ),
    ],
)
def test_refused(small, block, codes):
    """All findings of a route come at once."""
    with pytest.raises(ConfigurationRefused) as caught:
        small(f"routes:\n  r:\n{block}")
    assert [one.code for one in caught.value.findings if one.level == "error"] == codes


def test_a_refused_source_isnt_told_twice(small):
    """A route that names a source whose declaration is wrong gets no finding of its own."""
    from tests.unit.routes.conftest import SMALL

    with pytest.raises(ConfigurationRefused) as caught:
        small("routes:\n  r:\n    from: [gam]\n    to: [dpi]\n", base=SMALL.replace("127.0.0.1:6101", "nowhere"))
    assert [one.code for one in caught.value.findings if one.level == "error"] == ["E138"]
