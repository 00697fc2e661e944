"""What an editor knows about routes.yaml."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest

from engine.routes import schema
from engine.routes.casereading import CASE
from engine.routes.schema.editor import json_schema
from engine.transforms.beside import BESIDE
from engine.transforms.shapes import Record, Reserved
from engine.transforms.verbs import VERBS
from tests.unit.routes.schema.conftest import as_an_editor

ROOT = Path(__file__).parents[4]
GOLDEN = ROOT / "tests" / "unit" / "routes" / "golden"
VALIDATOR = jsonschema.Draft7Validator(json_schema(schema.SECTIONS))
META = jsonschema.Draft7Validator(jsonschema.Draft7Validator.META_SCHEMA)
UNSEEN = re.compile(r"E10[12378]|E105_production|E11[3-8]|E119|E12[13-9]|E13[0-7]|E139_finess|E14|E15|W")
"""Findings that need more than one value: YAML itself, names, sites, conditions, files; zeros before a number."""


def golden(*, seen: bool) -> list[str]:
    cases = sorted(path.stem for path in GOLDEN.glob("*.yaml") if path.stem != "several")
    return [case for case in cases if (UNSEEN.match(case) is None) is seen]


def test_the_schema_is_one():
    """It is JSON, and a schema of draft 7."""
    made = json.loads(json.dumps(json_schema(schema.SECTIONS)))
    assert not list(META.iter_errors(made))


@pytest.mark.parametrize("file", ["routes.yaml", "bench/routes.yaml"])
def test_delivered_files_are_accepted(file):
    """What lint accepts, an editor doesn't underline."""
    assert not list(VALIDATOR.iter_errors(as_an_editor((ROOT / file).read_text(encoding="utf-8"))))


@pytest.mark.parametrize("case", golden(seen=True))
def test_what_a_schema_can_see_is_refused(case):
    """Unknown, missing and misplaced keys, words and numbers: while one types."""
    assert not VALIDATOR.is_valid(as_an_editor((GOLDEN / f"{case}.yaml").read_text(encoding="utf-8")))


@pytest.mark.parametrize("case", [case for case in golden(seen=False) if case[0] == "W"])
def test_warnings_are_accepted(case):
    """What runs is no error of the schema."""
    assert not list(VALIDATOR.iter_errors(as_an_editor((GOLDEN / f"{case}.yaml").read_text(encoding="utf-8"))))


@pytest.mark.parametrize("name", ["E116_param", "E125_param", "E127_kind"])
def test_templates_and_their_uses_are_known(name):
    """Their mistakes are about names: the schema knows their keys."""
    assert not list(VALIDATOR.iter_errors(as_an_editor((GOLDEN / f"{name}.yaml").read_text(encoding="utf-8"))))


def records(shape: object, seen: set[int]) -> list[Record]:
    """Return a record and those inside it."""
    if id(shape) in seen:
        return []
    seen.add(id(shape))
    inside = list(shape.keys.values()) if isinstance(shape, Record) else []
    parts = [key.shape for key in inside]
    parts += [getattr(shape, name) for name in ("of", "key", "value", "scalar", "other") if hasattr(shape, name)]
    return [*([shape] if isinstance(shape, Record) else []), *(one for part in parts for one in records(part, seen))]


def test_every_key_says_what_it_is_for():
    """An editor shows it beside the completion."""
    tops = [
        schema.GROUP, schema.IDENTITY, schema.SITE, schema.KEY, schema.TABLE, schema.ROUTE, schema.TEMPLATE,
        *schema.SOURCES.values(), *schema.DESTINATIONS.values(), CASE, *(verb.shape for verb in VERBS.values()),
        *BESIDE.values(),
    ]  # fmt: skip
    seen: set[int] = set()
    silent = {
        name
        for top in tops
        for record in records(top, seen)
        for name, key in record.keys.items()
        if not key.about and not isinstance(key.shape, Reserved)
    }
    assert not silent
    assert all(verb.summary for verb in VERBS.values())


@pytest.mark.parametrize(("verb", "key"), [("map", "on_missing"), ("convert", "date"), ("split", "by")])
def test_the_keys_inside_a_verb_are_explained(verb, key):
    """Where one writes them, from the tables that parse."""
    step = json_schema(schema.SECTIONS)["definitions"]["steps"]["items"]["properties"]
    assert step[verb]["properties"][key]["description"] == VERBS[verb].shape.keys[key].about
    assert step["do"]["description"]


def test_reserved_keys_are_not_offered():
    """What does nothing isn't completed, and is refused."""
    text = json.dumps(json_schema(schema.SECTIONS))
    assert "quirks" not in text


@pytest.mark.parametrize(
    ("text", "fine"),
    [
        ("sites: { cha: { finess_ej: 000000026 } }", True),
        ('sites: { cha: { finess_ej: "01000002" } }', False),
        ("sources:", True),
        ('destinations: { d: { type: mqtt, connect: mqtt://x, topic: t, qos: "${env:QOS}" } }', True),
        ("destinations: { d: { type: mqtt, connect: mqtt://x, topic: t, qos: 3 } }", False),
        ("destinations: { d: { type: mqtt, connect: mqtt://x, topic: t, path: here } }", False),
        ("steps: { a: [ { set: { MSH-3: x }, label: y } ] }", True),
        ("steps: { a: [ { set: { MSH-3: x }, tag: y } ] }", False),
        ("steps: { a: [ { foreach: OBX } ] }", False),
        ("steps: { a: [ { foreach: OBX, do: [ { tag: x } ] } ] }", True),
        ("steps: { a: [ { tag: x, with: { y: z } } ] }", False),
        ("defaults: { sources: { processing: P } }", True),
        ("defaults: { sources: { listen: 127.0.0.1:1 } }", False),
        ("version: 2", False),
    ],
)
def test_small_documents(text, fine):
    """As an analyst begins one."""
    assert VALIDATOR.is_valid(as_an_editor(text)) is fine


def test_keys_that_only_inform_say_so():
    """An analyst who writes them must not count on more."""
    text = json.dumps(json_schema(schema.SECTIONS))
    for key in ("contact", "owner", "phi"):
        described = re.findall(rf'"{key}": {{"description": "([^"]*)', text)
        assert described, key
        assert all(one.startswith("Informative") for one in described), key
