"""The effect of another configuration on messages that were received."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.core.references import References
from engine.routes.loader import load
from engine.trials.effects import Comparison, Effect, Effects
from engine.trials.messages import taken

ROUTES = """
version: 1
sites:
  cha: { authorities: { ipp: { oid: 1.2.250.1.999.10.1, hd1: CHA-IPP, hd3: ISO, type: PI } } }
tables: { units: units.csv }
sources:
  gam: { type: mllp, site: cha, listen: 127.0.0.1:6101 }
destinations:
  dpi: { type: mllp, connect: 127.0.0.1:5500 }
  archive: { type: mllp, connect: 127.0.0.1:5501 }
routes:
  adt:
    from: [gam]
    when: type == ADT
    on_no_match: filter
    steps:
      - map: { field: PV1-3.1, table: units, take: to, on_missing: dead_letter }
    to: [dpi]
"""


def adt(number: int, unit: str, type_: str = "ADT^A01^ADT_A01") -> bytes:
    return (
        f"MSH|^~\\&|GAM|CHA|PASSERELLE|GHT|20260102030405||{type_}|C{number}|P|2.5\r"
        f"PID|1||{number}^^^CHA-IPP&1.2.250.1.999.10.1&ISO^PI||TEST^HELENE||19850712|F\rPV1|1|I|{unit}\r"
    ).encode()


MESSAGES = [adt(1, "100"), adt(2, "100"), adt(3, "999"), adt(4, "100", "ORU^R01^ORU_R01")]


def effects(directory: Path, *replacements: tuple[str, str], units: str = "from,to\n100,4000\n") -> Effects:
    """Compare with the configuration after replacements."""
    path = directory / "routes.yaml"
    (directory / "units.csv").write_text("from,to\n100,4000\n")
    path.write_text(ROUTES)
    before = load(path, environment={})
    text = ROUTES
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new)
    (directory / "units.csv").write_text(units)
    path.write_text(text)
    comparison = Comparison(before, load(path, environment={}), References(bytes(32)))
    for place, raw in enumerate(MESSAGES, 1):
        comparison.add(taken(raw, before.sources["gam"], place))
    return comparison.effects


def counted(found: Effects) -> dict[Effect, int]:
    return {effect: count for effect, count in found.counts.items() if count}


def test_nothing_differs(tmp_path: Path) -> None:
    """Comments have no effect."""
    found = effects(tmp_path, ("version: 1", "# a comment\nversion: 1"))
    assert (counted(found), found.differs) == ({Effect.IDENTICAL: 4}, False)


def test_a_changed_value_is_told_by_path(tmp_path: Path) -> None:
    """With how many messages, and an example."""
    found = effects(tmp_path, units="from,to\n100,5000\n")
    assert counted(found) == {Effect.CHANGED: 2, Effect.IDENTICAL: 2}
    assert found.paths == {("dpi", "PV1-3"): 2}
    example = found.examples[Effect.CHANGED][0]
    assert [(one.path, one.old, one.new) for one in example.changes] == [("PV1-3", "4000", "5000")]


def test_a_code_more_lets_the_dead_pass(tmp_path: Path) -> None:
    """And a code less kills."""
    found = effects(tmp_path, units="from,to\n100,4000\n999,4999\n")
    assert counted(found) == {Effect.NOW_PASSES: 1, Effect.IDENTICAL: 3}
    assert found.reasons == {(Effect.NOW_PASSES, "E-MAP-MISS PV1-3.1"): 1}
    found = effects(tmp_path, units="from,to\n999,4999\n")
    assert counted(found) == {Effect.NOW_PASSES: 1, Effect.NEWLY_DEAD: 2, Effect.IDENTICAL: 1}


@pytest.mark.parametrize(
    ("replacement", "expected"),
    [
        (("when: type == ADT", "when: type == ORU"), {Effect.NEWLY_FILTERED: 3, Effect.NEWLY_TAKEN: 1}),
        (("to: [dpi]", "to: [dpi, archive]"), {Effect.CHANGED: 3, Effect.IDENTICAL: 1}),
        (("5500 }", "5500, order_by: none }"), {Effect.CHANGED: 3, Effect.IDENTICAL: 1}),
    ],
)
def test_each_ending_has_its_name(tmp_path: Path, replacement: tuple[str, str], expected: dict[Effect, int]) -> None:
    """Filtered, taken, one copy more, another order."""
    found = effects(tmp_path, replacement)
    assert counted(found) == expected, found
