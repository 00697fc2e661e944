"""The configuration as a picture: sources, routes, destinations and what flows between them; mermaid and dot."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any, Final, NamedTuple

from engine.routes.configuration import Configuration, Destination, Source

_LABEL_MAX: Final = 60


class Spot(NamedTuple):
    """One part of the picture."""

    kind: str
    """`source`, `route` or `destination`."""
    name: str
    label: str
    """A second line: type and address."""
    site: str = ""
    """Of a source that belongs to one."""


class Way(NamedTuple):
    """What flows from one part to another."""

    origin: Spot
    target: Spot
    when: str = ""


class Drawing(NamedTuple):
    """The whole picture."""

    spots: list[Spot]
    ways: list[Way]
    sites: dict[str, str]
    """Sites that stand around sources: name -> label."""


def drawing_of(configuration: Configuration, routes: Collection[str] = ()) -> Drawing:
    """
    Draw a configuration.

    Args:
        configuration: As loaded.
        routes: Only these routes, with what they touch; empty: all, unused sources and destinations too.
    """
    chosen = [route for route in configuration.routes if not routes or route.name in routes]
    sources = {
        name: Spot("source", name, _address(one), one.site)
        for name, one in configuration.sources.items()
        if not routes or any(name in route.sources for route in chosen)
    }
    destinations = {
        name: Spot("destination", name, _address(one))
        for name, one in configuration.destinations.items()
        if not routes or any(name == exit_.destination for route in chosen for exit_ in route.to)
    }
    ways: list[Way] = []
    spots: list[Spot] = []
    for route in chosen:
        spot = Spot("route", route.name, "")
        spots.append(spot)
        ways += [Way(sources[name], spot, route.when_text) for name in route.sources]
        ways += [Way(spot, destinations[one.destination], one.when_text) for one in route.to]
    sites = {one.site: configuration.sites[one.site].label or one.site for one in sources.values() if one.site}
    return Drawing([*sources.values(), *spots, *destinations.values()], ways, sites)


def _address(one: Source | Destination) -> str:
    if one.type == "directory":
        return f"directory {one.path}"
    if one.type == "mllp":
        return f"mllp {one.host}:{one.port}"
    return one.type  # an URL of a broker may hold a password


def mermaid(drawing: Drawing) -> str:
    """Write the picture as a mermaid flowchart."""
    lines = ["flowchart LR"]
    for site, label in drawing.sites.items():
        lines.append(f'  subgraph site_{site}["{_quoted(label)}"]')
        lines += [f"    {_mermaid_spot(one)}" for one in drawing.spots if one.kind == "source" and one.site == site]
        lines.append("  end")
    lines += [f"  {_mermaid_spot(one)}" for one in drawing.spots if one.kind != "source" or not one.site]
    for way in drawing.ways:
        label = f'|"{_quoted(_cut(way.when))}"|' if way.when else ""
        lines.append(f"  {_id(way.origin)} -->{label} {_id(way.target)}")
    return "\n".join(lines) + "\n"


_SHAPES: Final = {"source": ('(["', '"])'), "route": ('{{"', '"}}'), "destination": ('[("', '")]')}


def _mermaid_spot(spot: Spot) -> str:
    opening, closing = _SHAPES[spot.kind]
    label = f"{spot.name}<br/>{_quoted(spot.label)}" if spot.label else spot.name
    return f"{_id(spot)}{opening}{label}{closing}"


def _quoted(text: str) -> str:
    """Write a text between quotes of mermaid, which has entities for what would end it."""
    return re.sub(r"[\"#<>&]", lambda match: f"#{ord(match[0])};", " ".join(text.split()))


def dot(drawing: Drawing) -> str:
    """Write the picture for Graphviz."""
    lines = ["digraph routes {", "  rankdir=LR;", '  node [fontname="sans-serif"];']
    for site, label in drawing.sites.items():
        lines.append(f"  subgraph cluster_{_word(site)} {{")
        lines.append(f"    label={_dot_text(label)};")
        lines += [f"    {_dot_spot(one)}" for one in drawing.spots if one.kind == "source" and one.site == site]
        lines.append("  }")
    lines += [f"  {_dot_spot(one)}" for one in drawing.spots if one.kind != "source" or not one.site]
    for way in drawing.ways:
        label = f" [label={_dot_text(_cut(way.when))}]" if way.when else ""
        lines.append(f"  {_id(way.origin)} -> {_id(way.target)}{label};")
    return "\n".join([*lines, "}"]) + "\n"


_DOT_SHAPES: Final = {"source": "ellipse", "route": "hexagon", "destination": "cylinder"}


def _dot_spot(spot: Spot) -> str:
    label = f"{spot.name}\n{spot.label}" if spot.label else spot.name
    return f"{_id(spot)} [shape={_DOT_SHAPES[spot.kind]}, label={_dot_text(label)}];"


def _dot_text(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def as_json(drawing: Drawing) -> dict[str, Any]:
    """Return the picture as plain values."""
    return {
        "spots": [one._asdict() for one in drawing.spots],
        "ways": [{"from": way.origin.name, "to": way.target.name, "when": way.when} for way in drawing.ways],
    }


def _id(spot: Spot) -> str:
    return f"{spot.kind}_{_word(spot.name)}"


def _word(name: str) -> str:
    """Make an id of a name: `-` becomes `_2d_`, which no other name gives."""
    return name.replace("_", "__").replace("-", "_2d_")


def _cut(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LABEL_MAX else f"{text[: _LABEL_MAX - 1]}…"
