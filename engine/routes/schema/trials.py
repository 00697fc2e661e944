"""The JSON Schema of tests: those under a route, and those of a file `*_test.yaml`."""

from __future__ import annotations

from typing import Any, Final

from engine.routes.casereading import CASE, GIVEN
from engine.routes.cases import OUTCOMES
from engine.routes.expectations import COPY, ENDED, QUEUE
from engine.transforms.shapes import ListOf, Record, TextShape, described, scalar

FILE_NAME: Final = "routes_test.schema.json"
_PATHS: Final = "^[A-Z]"
_OUTCOMES: Final = {
    "filtered": "It is taken, and no route delivers it: yes, a reason, or { code, reason }.",
    "unrouted": "No route wants it.",
    "rejected": "The sender is answered AE or AR.",
    "dead_letter": "It, or a delivery of it, is dead: a code, or { code, field, reason }.",
    "waiting": "It waits until its patient is known: yes, or a code.",
}


def tests_schema() -> dict[str, Any]:
    """Return the schema of `tests:`."""
    case = CASE.schema()
    one = {"anyOf": [scalar(), GIVEN.schema()]}
    given = {"anyOf": [scalar(), GIVEN.schema(), {"type": "array", "minItems": 1, "items": one}]}
    expected = _expected()
    messages = {"type": "object", "additionalProperties": _expected()}
    expected["properties"]["messages"] = described(messages, "The same of the other messages, by their names.")
    for name, schema in (("given", given), ("expect", expected)):
        case["properties"][name] = described(schema, CASE.keys[name].about)
    return {"type": "array", "minItems": 1, "items": case}


def file_schema() -> dict[str, Any]:
    """Return the schema of a file of tests."""
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "tests of routes.yaml of Passerelle",
        "type": "object",
        "additionalProperties": False,
        "required": ["tests"],
        "properties": {"tests": tests_schema()},
    }


def _expected() -> dict[str, Any]:
    """Return the schema of what is expected of one message; names that aren't words are those of destinations."""
    properties = {
        "site": described(scalar(), "The site that the message gets."),
        "findings": described(
            ListOf(TextShape(), single=True).schema(), "Findings and tags (tag:urgent) that must be there."
        ),
    }
    properties |= {name: described(ENDED.schema(), _OUTCOMES.get(name, "")) for name in OUTCOMES}
    delivery = Record({**QUEUE, **COPY}).schema()
    delivery["patternProperties"] = {_PATHS: {"anyOf": [scalar(), {"type": "array", "items": scalar()}]}}
    several = {"type": "array", "items": delivery}
    return {
        "type": "object",
        "properties": properties,
        "additionalProperties": {"anyOf": [{"enum": ["nothing", "delivered"]}, delivery, several]},
    }
