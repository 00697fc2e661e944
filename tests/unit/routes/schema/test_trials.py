"""What an editor knows about tests."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest

from engine.routes.cases import OUTCOMES
from engine.routes.schema.trials import file_schema
from tests.unit.routes.schema.conftest import as_an_editor

ROOT = Path(__file__).parents[4]
VALIDATOR = jsonschema.Draft7Validator(file_schema())
META = jsonschema.Draft7Validator(jsonschema.Draft7Validator.META_SCHEMA)


def test_it_is_a_schema():
    """Of draft 7."""
    assert not list(META.iter_errors(file_schema()))


def test_every_ending_is_explained():
    """Those that a test may expect, as the reader of tests knows them."""
    [case] = [file_schema()["properties"]["tests"]["items"]]
    expected = case["properties"]["expect"]["properties"]
    assert all(expected[name]["description"] for name in OUTCOMES)


@pytest.mark.parametrize("file", sorted((ROOT / "tests" / "routes").glob("*.yaml")), ids=lambda file: file.stem)
def test_the_delivered_tests_are_accepted(file):
    """What `passerelle test` runs, an editor doesn't underline."""
    assert not list(VALIDATOR.iter_errors(as_an_editor(file.read_text(encoding="utf-8"))))


@pytest.mark.parametrize(
    ("given", "expect", "fine"),
    [
        ("a.hl7", "{ dpi: delivered }", True),
        ("a.hl7", "{ dpi: deliverd }", False),
        ("{ file: a.hl7, with: { PID-8: 1 } }", '{ dpi: { PID-8: "", OBX-5: [1, a], unchanged: PID } }', True),
        ("{ fil: a.hl7 }", "{ dpi: nothing }", False),
        ("[a.hl7, { file: b.hl7 }]", "{ messages: { a: { filtered: yes } }, dpi: { order: [a, b] } }", True),
        ("a.hl7", "{ dpi: { unchangd: [PID] } }", False),
        ("a.hl7", "{ dead_letter: { cod: E-MAP-MISS } }", False),
        ("a.hl7", "{ dpi: [ { PID-8: F }, { dead_letter: E-DATE } ] }", True),
    ],
)
def test_small_tests(given, expect, fine):
    """As an analyst begins one."""
    text = f"tests: [ {{ name: one, given: {given}, expect: {expect} }} ]"
    assert VALIDATOR.is_valid(as_an_editor(text)) is fine
