"""
The JSON Schema (draft 7) of routes.yaml: an editor completes, explains and checks with it, offline.

It comes from the tables that parse. What needs the whole file (names, paths, conditions, sites) only `lint` can say.
"""

from __future__ import annotations

from typing import Any, Final

from engine.routes.schema.doors import DESTINATIONS, SOURCES, any_of
from engine.routes.schema.routes import ROUTE
from engine.routes.schema.sites import GROUP, IDENTITY, KEY, SITE, TABLE
from engine.routes.schema.templates import DEFAULTS, TEMPLATE, USE, using
from engine.routes.schema.trials import tests_schema
from engine.transforms.beside import BESIDE
from engine.transforms.shapes import ListOf, NameShape, Record, TextShape, described, scalar
from engine.transforms.verbs import VERBS

FILE_NAME: Final = "routes.schema.json"
MODELINE: Final = f"# yaml-language-server: $schema={FILE_NAME}"
"""The first line of a routes.yaml whose schema lies beside it."""

_BESIDE: Final = {
    "label": "What the step is for: people read it in trials and reports.",
    "when": "Only for messages for which this holds.",
    "on_error": "Where the step fails: dead_letter (usual) stops the route, keep goes on without it.",
    "do": "The steps that run on each: .5 is a field of the segment at hand, ../OBR-3 one of the nearest OBR before.",
}
_NAMES: Final = {"pattern": NameShape().schema()["pattern"]}


def json_schema(sections: dict[str, str]) -> dict[str, Any]:
    """
    Return the schema as plain values.

    Args:
        sections: The sections, with what each is for.
    """
    shapes = _sections()
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "routes.yaml of Passerelle",
        "type": "object",
        "additionalProperties": False,
        "properties": {name: described(shapes[name], about) for name, about in sections.items()},
        "definitions": {"steps": {"type": "array", "minItems": 1, "items": _step()}},
    }


def _sections() -> dict[str, dict[str, Any]]:
    source, destination, route = any_of(SOURCES), any_of(DESTINATIONS), ROUTE.schema()
    route["properties"]["tests"] = described(tests_schema(), ROUTE.keys["tests"].about)
    parts = {"source": _parts(*SOURCES.values()), "destination": _parts(*DESTINATIONS.values()), "route": _parts(ROUTE)}
    template = TEMPLATE.schema()
    for name, properties in parts.items():
        about = template["properties"][name]["description"]
        partial = {"type": "object", "additionalProperties": False, "properties": properties}
        template["properties"][name] = described(partial, about)
    return {
        "version": {"enum": [1, "1"]},
        "include": ListOf(TextShape(), single=True).schema(),
        "group": GROUP.schema(),
        "identity": IDENTITY.schema(),
        "sites": _named(SITE.schema()),
        "lists": _named({"type": "array", "items": scalar()}, names=False),
        "tables": _named(TABLE.schema()),
        "keys": _named(KEY.schema()),
        "defaults": _defaults(),
        "templates": _named(template),
        "sources": _named(_or_using(source, parts["source"])),
        "destinations": _named(_or_using(destination, parts["destination"])),
        "steps": _named({"$ref": "#/definitions/steps"}, names=False),
        "routes": _named(_or_using(route, parts["route"])),
    }


def _named(entry: dict[str, Any], *, names: bool = True) -> dict[str, Any]:
    """Return the schema of a section; it may be empty, when all in it are comments."""
    made: dict[str, Any] = {"type": ["object", "null"], "additionalProperties": entry}
    return made | ({"propertyNames": _NAMES} if names else {})


def _parts(*records: Record) -> dict[str, Any]:
    """Return the properties of all records, none of them required."""
    properties: dict[str, Any] = {}
    for record in records:
        properties |= record.schema()["properties"]
    return properties


def _or_using(entry: dict[str, Any], properties: dict[str, Any]) -> dict[str, Any]:
    several = entry.get("anyOf", [entry])
    return {"anyOf": [*several, using(properties)]}


def _defaults() -> dict[str, Any]:
    sections = {name: record.schema() for name, record in DEFAULTS.items()}
    return {"type": "object", "additionalProperties": False, "properties": sections}


def _step() -> dict[str, Any]:
    properties = {name: described(shape.schema(), _BESIDE[name]) for name, shape in BESIDE.items()}
    together: dict[str, list[str]] = {}
    for verb in VERBS.values():
        properties[verb.name] = described(verb.shape.schema(), f"{verb.summary[0].upper()}{verb.summary[1:]}.")
        for name, shape in verb.beside.items():
            properties[name] = described(shape.schema(), _BESIDE[name])
            together[verb.name], together[name] = [name], [verb.name]
    properties |= {
        "use": {**scalar(), "description": "A run of steps declared under steps:, or a template that makes steps."},
        "with": Record(USE).schema()["properties"]["with"],
    }
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
        "oneOf": [{"required": [name]} for name in (*VERBS, "use")],
        "dependencies": together | {"with": ["use"]},
    }
