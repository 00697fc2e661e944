"""What a condition may name, in a configuration."""

from __future__ import annotations

import pytest

from engine.core.lifecycle import MessageState
from engine.errors import ConfigurationRefused
from engine.routes.evaluation import evaluate

ROUTES = "routes: { r: { from: [gam, lis], when: 'WHEN', on_no_match: filter, to: [dpi] } }"
HEAD = "MSH|^~\\&|GAM|CHA^000780064|C|D|20260301||ADT^A40^ADT_A39|1|P|2.5\r"
TWO = f"{HEAD}PID|1||111^^^CHA-IPP&1.2.250.1.999.10.1&ISO^PI~AR1^^^ARCHIVES^MR\rMRG|222^^^&1.2.250.1.999.10.1&ISO^PI\r"


@pytest.mark.parametrize(
    ("raw", "source", "when", "wanted"),
    [
        (TWO, "gam", "patient == 222", True),  # the one that goes is meant too
        (TWO, "gam", "patient == AR1", False),  # an archive number is nobody's
        (TWO, "gam", "all patient in [111, 222]", True),
        (TWO, "gam", "patient in [333]", False),
        (f"{HEAD}PID|1||333\r", "gam", "patient == 333", True),  # untyped: the site's own
        (f"{HEAD}EVN||20260301\r", "gam", "patient is empty", True),
        (TWO, "lis", "patient exists and site == cha", True),
    ],
)
def test_patients(small, stored, references, raw, source, when, wanted):
    """The numbers by which `order_by: patient` orders a message."""
    configuration = small(ROUTES.replace("WHEN", when))
    decision = evaluate(configuration, stored(raw.encode(), source), references)
    assert decision.state is (MessageState.ROUTED if wanted else MessageState.FILTERED)


def test_no_key_may_have_its_name(small):
    """It would mean something else in `when:` than in `order_by:`."""
    with pytest.raises(ConfigurationRefused, match="patient is a name that Passerelle has"):
        small(ROUTES.replace("WHEN", "type == ADT"), base=BASE)


BASE = """
version: 1
sites: { cha: { authorities: { ipp: { oid: 1.2.250.1.999.10.1, hd1: CHA-IPP, type: PI } } } }
keys: { patient: { path: PID-3.1 } }
sources:
  gam: { type: mllp, site: cha, listen: "127.0.0.1:6101" }
  lis: { type: mllp, site: cha, listen: "127.0.0.1:6102" }
destinations: { dpi: { type: mllp, connect: "127.0.0.1:5500" } }
"""
