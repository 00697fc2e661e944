"""Routes know what they name, and what their exits inherit."""

from __future__ import annotations

import pytest

from engine.core.lifecycle import DeliveryState
from engine.routes import ConfigurationRefused
from engine.routes.evaluation import evaluate
from tests.unit.routes.conftest import SMALL


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


PACS = """
  pacs_cha: { type: mllp, connect: "127.0.0.1:5501" }
  pacs_chb: { type: mllp, connect: "127.0.0.1:5502" }
"""
ORDER = b"MSH|^~\\&|LIS|%s|C|D|20260301||ORM^O01|1|P|2.5\rPID|1||1\rOBR|1|||X\r"


@pytest.mark.parametrize("entry", ["pacs_{site}", "{ destination: 'pacs_{site}', when: type == ORM }"])
@pytest.mark.parametrize(("finess", "site"), [(b"000000026", "cha"), (b"990000028", "chb")])
def test_each_site_has_a_destination_of_its_own(small, stored, references, entry, finess, site):
    """`pacs_{site}` is that of the message's site, also where a step stops the route: nothing goes to another's."""
    entry = f'"{entry}"' if entry.startswith("pacs") else entry
    routes = f"routes:\n  r:\n    from: [lis]\n    steps: STEPS\n    to: [ {entry}, raw ]\n"
    base = SMALL.replace("destinations:\n", f"destinations:{PACS}")
    for steps, state in (
        ("[ tag: seen ]", DeliveryState.PENDING),
        ('[ { require: { all: [ { when: ORC-1 exists, else: "no order" } ] } } ]', DeliveryState.DEAD),
    ):
        configuration = small(routes.replace("STEPS", steps), base=base)
        decision = evaluate(configuration, stored(ORDER % finess, "lis"), references)
        assert [(one.destination, one.state) for one in decision.deliveries] == [
            (f"pacs_{site}", state),
            ("raw", state),
        ]
    reached = {one.destination: one.site for one in configuration.routes[0].to}
    assert reached == {"pacs_cha": "cha", "pacs_chb": "chb", "raw": ""}


def test_a_site_without_a_destination_is_told(small):
    """Lint, not the night: the name that is missing, and whose."""
    with pytest.raises(ConfigurationRefused) as caught:
        small(
            'routes:\n  r: { from: [lis], to: ["pacs_{site}"] }\n',
            base=SMALL.replace("destinations:\n", f"destinations:{PACS}").replace("pacs_chb", "pacs_chc"),
        )
    [found] = [one for one in caught.value.findings if one.level == "error"]
    assert (found.code, found.sentence) == ("E116", "there is no destination pacs_chb, for messages of chb")


def test_what_an_entry_stands_for_stands_once(small):
    """`pacs_{site}` beside `pacs_cha` would deliver twice."""
    with pytest.raises(ConfigurationRefused, match="pacs_cha stands under this to: already"):
        small(
            'routes:\n  r: { from: [lis], to: ["pacs_{site}", pacs_cha] }\n',
            base=SMALL.replace("destinations:\n", f"destinations:{PACS}"),
        )


def test_sites_of_a_refused_source_arent_asked_for(small):
    """What is wrong with the source is told, once."""
    with pytest.raises(ConfigurationRefused) as caught:
        small(
            'routes:\n  r: { from: [gam], to: ["pacs_{site}", raw] }\n', base=SMALL.replace("127.0.0.1:6101", "nowhere")
        )
    assert [one.code for one in caught.value.findings if one.level == "error"] == ["E138"]
