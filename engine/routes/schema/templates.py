"""What `templates:`, `defaults:` and their uses take."""

from __future__ import annotations

from typing import Any, Final

from engine.routes.schema.doors import DESTINATIONS, SOURCES
from engine.routes.schema.routes import ROUTE
from engine.routes.schema.sites import SITE
from engine.routes.schema.words import AddressShape, Charset, Finess, Oid, Size
from engine.transforms.shapes import (
    Choice,
    Duration,
    Key,
    ListOf,
    NameShape,
    Number,
    Pairs,
    Raw,
    Record,
    Reserved,
    Shape,
    StepsShape,
    TextShape,
)

VALUES: Final[dict[str, Shape]] = {
    "text": TextShape(),
    "name": NameShape(),
    "number": Number(),
    "port": Number(1, 65_535),
    "duration": Duration(),
    "size": Size(),
    "address": AddressShape(),
    "finess": Finess(),
    "oid": Oid(),
    "charset": Charset(),
    "list": ListOf(TextShape()),
}
"""Types of parameters whose values say by themselves whether they are right."""
DECLARED: Final = ("site", "source", "destination", "table")
"""Types of parameters whose values name what the configuration declares."""

PARAM: Final = Record(
    {
        "type": Key(Choice(*VALUES, *DECLARED, "choice"), default="text", about="What its values must be."),
        "values": Key(ListOf(TextShape()), about="With type: choice, the values that are possible."),
        "default": Key(Raw(), about="Its value where a use gives none; without it, each use must give one."),
        "label": Key(TextShape(), default="", about="What it is for."),
    }
)
KINDS: Final = ("source", "destination", "route", "steps")
"""What a template makes."""
TEMPLATE: Final = Record(
    {
        "params": Key(Pairs(NameShape(), PARAM), about="Its parameters: ${name} stands for their values."),
        "source": Key(Raw(), about="A source, with ${…} where uses differ."),
        "destination": Key(Raw(), about="A destination, with ${…} where uses differ."),
        "route": Key(Raw(), about="A route, with ${…} where uses differ."),
        "steps": Key(Raw(StepsShape()), about="Steps, with ${…} where uses differ: - use: name, with: { … }"),
    }
)
USE: Final[dict[str, Key]] = {
    "use": Key(TextShape(), required=True, about="Name of a template."),
    "with": Key(Pairs(NameShape(), Raw()), about="Values of its parameters."),
}


_OF_ONE: Final = ("label", "site", "site_from", "renamed_from")
"""Keys that say which one it is: a default would be no default."""


def _optional(*records: Record) -> Record:
    """Return the keys that may have a default: no key that each declaration must write, or that names one."""
    keys: dict[str, Key] = {}
    for record in records:
        keys |= {
            name: key
            for name, key in record.keys.items()
            if not key.required and name not in _OF_ONE and not isinstance(key.shape, Reserved)
        }
    return Record(keys)


DEFAULTS: Final[dict[str, Record]] = {
    "sites": _optional(SITE),
    "sources": _optional(*SOURCES.values()),
    "destinations": _optional(*DESTINATIONS.values()),
    "routes": _optional(ROUTE),
}
"""By section, the keys that `defaults:` may give: each where a declaration of that kind takes it."""


def using(properties: dict[str, Any]) -> dict[str, Any]:
    """Return the JSON Schema of a declaration that uses a template; its own keys win over the template's."""
    own = properties | Record(USE).schema()["properties"]
    return {"type": "object", "additionalProperties": False, "required": ["use"], "properties": own}
