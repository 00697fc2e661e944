"""
A small configuration with tests under its route, and what came of running them.
"""

from __future__ import annotations

import pathlib
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from engine.routes import check
from engine.trials.judging import judge
from engine.trials.running import run_case
from tests.unit.routes.conftest import SMALL

ADT = """MSH|^~\\&|A|000000026|C|D|20260301||ADT^A01|9|P|2.5|||||FRA|UNICODE UTF-8
PID|1||111^^^CHA-IPP&1.2.250.1.999.10.1&ISO^PI~AR9^^^ARCHIVES^MR||DOE^JANE||1984|F
PV1|1|I|1010
"""
A40 = ADT.replace("A01|9", "A40|11").replace("PV1|1|I|1010", "MRG|222^^^CHA-IPP&1.2.250.1.999.10.1&ISO^PI")
ROUTE = """routes:
  r:
    from: [gam, lis]
    when: event != Z99
    steps:
      - set: { PV1-4: R }
        when: PV1-3 exists
      - drop: enough
        when: event == A08
      - map: { field: PV1-10, table: codes, take: to, on_missing: dead_letter }
      - { tag: seen }
    to:
      - dpi
      - { destination: bus, when: event == A01, steps: [ { render: { format: json, fields: { unit: "{PV1-3.1}" } } } ] }
  other:
    from: [gam]
    to: [raw]
"""


@pytest.fixture
def loaded(tmp_path: pathlib.Path) -> Callable[..., Any]:
    """Load the configuration with tests (YAML, indented by six) under the route r; gives it and its findings."""
    for name, text in (("adt", ADT), ("a40", A40), ("other", ADT.replace("|111^", "|333^"))):
        (tmp_path / f"{name}.hl7").write_bytes(text.replace("\n", "\r").encode())
    (tmp_path / "codes.csv").write_text("code,to\nK,C\n")

    def load(tests: str, files: dict[str, str] | None = None) -> Any:
        under = f"    tests:\n{tests}\n" if tests else ""
        text = SMALL + "tables: { codes: codes.csv }\n" + ROUTE.replace("  other:\n", f"{under}  other:\n")
        (tmp_path / "routes.yaml").write_text(text)
        for name, words in (files or {}).items():
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text(words)
        configuration, findings = check(
            tmp_path / "routes.yaml", environment={}, tests=[tmp_path / name for name in files or {}]
        )
        return SimpleNamespace(configuration=configuration, findings=findings, codes=[one.code for one in findings])

    return load


@pytest.fixture
def failures(loaded) -> Callable[..., list[str]]:
    """Run one test given as `given` and `expect`; gives the sentences of its failures."""

    def go(given: str, expect: str) -> list[str]:
        made = loaded(f"      - name: t\n        source: gam\n        given: {given}\n        expect: {expect}")
        assert made.configuration is not None, [one.render() for one in made.findings]
        [case] = made.configuration.cases
        return [one.sentence for one in judge(case, run_case(made.configuration, case))]

    return go
