"""What is remembered of messages that said the same before changes nothing: each is evaluated as without a memory."""

from __future__ import annotations

import pathlib
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.core.messages import StoredMessage
from engine.core.references import References
from engine.routes.configuration import Configuration
from engine.routes.evaluation import evaluate
from engine.routes.identifying import Knowledge, knows_nobody
from engine.routes.loader import load
from tests.support.group import DOORS, INS, SITES, hl7, of_cha, of_chb

_ROUTES = """
keys:
  ipp: { path: "PID-3[@ipp].1" }
  visit: { path: PV1-19.1 }
routes:
  adt:
    from: [gam_cha, gam_chb, lis_cha]
    steps:
      - normalise_identity: { on_unknown: mint, on_conflict: dead_letter }
    to: [dpi, lab]
  again:
    from: [gam_cha, gam_chb]
    when: event != A40
    steps:
      - set: { PV1-19: "7" }
      - normalise_identity: { on_unknown: mint, on_conflict: dead_letter }
      - set: { PID-18: "" }
    to:
      - dpi
      - { destination: doubts, steps: [{ normalise_identity: { on_unknown: pass, on_conflict: dead_letter } }] }
"""
_NIR = f"260051305500182{INS}"
_STAY = "^^^X&1.2.250.1.999.12.1&ISO^AN"
WORDS: dict[str, tuple[str, ...]] = {
    "event": ("A31", "A01", "A40"),
    "type_": ("ADT", "ORU"),
    "name": ("MARTIN^LEA^LEA", "MARTIN^LEO^LEO", "DURAND^EVE^EVE"),
    "status": ("VALI", "PROV", ""),
    "patient": (
        of_cha(1), of_cha(2), of_chb(1), f"{of_cha(1)}~{_NIR}", f"{of_chb(1)}~{_NIR}", f"{of_cha(1)}~{of_cha(2)}",
        f"{of_cha(1)}~77^^^Z^MR", f"{_NIR}~{of_cha(2)}", "1", "G000000001^^^GHT-IPP&1.2.250.1.999.1.1&ISO^PN", "",
    ),
}  # fmt: skip
"""What a message may say; the first is the usual."""
BEHIND = (
    "PV1||I", f"PV1||I{'|' * 17}7{_STAY}", f"PV1||I{'|' * 17}8{_STAY}", f"PV1||I{'|' * 48}7{_STAY}",
    f"PV1||I{'|' * 17}7{_STAY}{'|' * 31}8{_STAY}", f"PV2{'|' * 22}8{_STAY}", f"PV2{'|' * 22}Y", f"PD1{'|' * 12}Y",
    "ZFD|||||VI", "ZFD||||Y", "ZBE|4", "ZBE|5^^1.2.250.1.999.13.1", f"MRG|{of_cha(2)}", f"MRG|{of_cha(1)}||7",
    f"PID|2||{of_cha(2)}||MARTIN^LEO^^^^^L",
)  # fmt: skip
"""Segments behind the first PID."""


@st.composite
def alike(draw: st.DrawFn) -> list[tuple[str, bytes]]:
    """Write a message, and some that differ from it in one thing."""
    words = {name: draw(st.sampled_from((*values[:1] * 3, *values))) for name, values in WORDS.items()}
    rest = draw(st.lists(st.sampled_from(BEHIND), max_size=2))
    source = draw(st.sampled_from(("gam_cha", "gam_cha", "gam_chb", "lis_cha")))
    made = [(source, written(words, rest))]
    for what in draw(st.lists(st.sampled_from((*WORDS, "rest", "rest", "rest", "source")), min_size=1, max_size=3)):
        if what == "rest":
            other = [one for one in rest if draw(st.booleans())] + [draw(st.sampled_from(BEHIND))]
            made.append((source, written(words, other)))
        elif what == "source":
            made.append((draw(st.sampled_from(("gam_cha", "gam_chb", "lis_cha"))), made[0][1]))
        else:
            made.append((source, written(words | {what: draw(st.sampled_from(WORDS[what]))}, rest)))
    return made


def written(words: dict[str, str], rest: list[str]) -> bytes:
    """Write one message."""
    said = dict(words)
    return hl7("1", said.pop("event"), said.pop("patient"), *rest, **said)


@pytest.fixture(scope="module")
def configuration(tmp_path_factory: pytest.TempPathFactory) -> Configuration:
    file: pathlib.Path = tmp_path_factory.mktemp("usual") / "routes.yaml"
    file.write_text(SITES + DOORS + _ROUTES, encoding="utf-8")
    return load(file, environment={})


class Hospital:
    """Evaluates one message after the other."""

    def __init__(self, configuration: Configuration, *, remembers: bool) -> None:
        self.configuration = configuration
        self.remembers = remembers
        self.base = knows_nobody()
        self.place = 0

    def hear(self, source: str, raw: bytes) -> tuple[Any, ...]:
        self.place += 1
        base = self.base
        knowledge = Knowledge(base.view, base.next_patient, usual=base.usual if self.remembers else {})
        type_, _, event = raw.split(b"|")[8].decode().partition("^")
        stored = StoredMessage(
            source, "main", raw, 1_772_000_000_000 + self.place, control_id="1", type=f"{type_}^{event}",
            place=self.place, site=self.configuration.sources[source].site,
        )  # fmt: skip
        found = evaluate(self.configuration, stored, References(b"k" * 32), knowledge=knowledge)
        return (
            {name: repr(getattr(found, name)) for name in found.__slots__},
            dict(base.view._identifiers),
            dict(base.view._patients),
        )


@settings(deadline=None, suppress_health_check=list(HealthCheck))
@given(kinds=alike(), order=st.lists(st.integers(0, 3), min_size=2, max_size=6))
def test_a_memory_of_the_usual_changes_nothing(
    configuration: Configuration, kinds: list[tuple[str, bytes]], order: list[int]
) -> None:
    """One message often, others now and then: decisions, deliveries, lanes, keys, rows."""
    with_memory, without = (Hospital(configuration, remembers=each) for each in (True, False))
    for rank in (0, 0, *order):
        for source, raw in (kinds[0], kinds[rank % len(kinds)]):
            assert with_memory.hear(source, raw) == without.hear(source, raw)


@pytest.mark.parametrize("rest", [(), *((one,) for one in BEHIND)], ids=range(len(BEHIND) + 1))
def test_each_segment_behind_a_patient_is_looked_at(configuration: Configuration, rest: tuple[str, ...]) -> None:
    """The usual message, then with one other segment, and so on for each."""
    with_memory, without = (Hospital(configuration, remembers=each) for each in (True, False))
    usual = {name: values[0] for name, values in WORDS.items()}
    for other in ((), *((one,) for one in BEHIND), *((*rest, one) for one in BEHIND)):
        for each in (rest, rest, other):
            raw = written(usual, list(each))
            assert with_memory.hear("gam_cha", raw) == without.hear("gam_cha", raw)


def test_the_memory_is_asked(configuration: Configuration) -> None:
    """Otherwise the test above would say nothing."""
    it = Hospital(configuration, remembers=True)
    for _ in range(3):
        it.hear("gam_cha", hl7("1", "A31", of_cha(1)))
    assert it.base.usual
