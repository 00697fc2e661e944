"""
The configuration as pages for the hospital's own documentation: one a route, and an index.

All comes from routes.yaml: what a route takes, does and sends. Secrets stand there by their names only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import yaml

from engine.routes.configuration import Configuration, Destination, Exit, Route, Site, Source
from engine.routes.drawing import drawing_of, mermaid
from engine.routes.formatting import formatted
from engine.transforms.verbs import VERBS

Declared = Mapping[str, Mapping[str, Any]]
INDEX: Final = "README.md"
_MARK: Final = "Made by `passerelle docs` from "
_LINK: Final = f"[All interfaces]({INDEX})"
_NO_MATCH: Final = {
    "unrouted": "A message that no route wants is counted as unrouted, and seen in the status.",
    "filter": "A message that doesn't meet the condition, and that no other route wants, is counted as filtered.",
    "dead_letter": "A message that doesn't meet the condition, and that no other route wants, is a dead letter.",
}
_LANES: Final = {
    "pass": "a dead letter stays behind, what follows goes on",
    "park": "what follows a dead letter of the same lane waits for an operator",
    "block": "a dead letter stops the destination",
}
_ORDERS: Final = {"patient": "in order by patient", "all": "one after the other", "none": "in any order"}


def pages(configuration: Configuration, declared: Declared) -> dict[str, str]:
    """
    Write the pages.

    Args:
        configuration: As loaded, with its tests.
        declared: What its declarations say (loader.declared).

    Returns:
        Markdown by file name.
    """
    made = {INDEX: _index(configuration)}
    for route in configuration.routes:
        made[f"{route.name}.md"] = _Page(configuration, declared, route).text()
    return made


def is_made(text: str) -> bool:
    """Whether a page was made here; before they all had the mark, those of routes had the link to the index alone."""
    lines = text.splitlines()
    return any(line.startswith(_MARK) for line in lines) or (_LINK in lines and "## Takes" in lines)


def _made_from(configuration: Configuration) -> str:
    return f"{_MARK}{', '.join(configuration.files)}."


def _index(configuration: Configuration) -> str:
    parts = [
        "# Interfaces",
        _made_from(configuration),
        f"```mermaid\n{mermaid(drawing_of(configuration))}```",
        "## Routes",
        _table(
            ("route", "from", "to", "owner"),
            (
                (f"[{one.name}]({one.name}.md)", ", ".join(one.sources),
                 ", ".join(dict.fromkeys(exit_.destination for exit_ in one.to)), one.owner)
                for one in configuration.routes
            ),
        ),
        "## Establishments",
        _table(
            ("site", "name", "FINESS EJ", "FINESS EG", "authorities"),
            map(_site, configuration.sites.values()),
        ),
        "## Sources",
        _table(("source", "how", "establishment", "contact"), (_source(one) for one in configuration.sources.values())),
        "## Destinations",
        _table(
            ("destination", "how", "order", "dead letters", "contact"),
            (_destination(one) for one in configuration.destinations.values()),
        ),
    ]  # fmt: skip
    return "\n\n".join(parts) + "\n"


class _Page:
    """One route."""

    def __init__(self, configuration: Configuration, declared: Declared, route: Route) -> None:
        self._configuration = configuration
        self._route = route
        self._said: Mapping[str, Any] = declared["routes"][route.name]

    def text(self) -> str:
        """Write the page."""
        owner = f"Owner: {self._route.owner}\n\n" if self._route.owner else ""
        made = _made_from(self._configuration)
        parts = [f"# {self._route.name}", f"{owner}{made}\n\n{_LINK}", *self._takes(), *self._does()]
        parts += [*self._sends(), *self._tests()]
        return "\n\n".join(parts) + "\n"

    def _takes(self) -> list[str]:
        sources = [self._configuration.sources[name] for name in self._route.sources]
        parts = ["## Takes", _table(("source", "how", "establishment", "contact"), map(_source, sources))]
        if self._route.when_text:
            parts.append(f"Of their messages, those for which this holds:\n\n{_fenced(self._route.when_text, '')}")
            parts.append(_NO_MATCH[self._route.on_no_match])
        else:
            parts.append("All their messages.")
        return parts

    def _does(self) -> list[str]:
        steps = self._said.get("steps")
        if not steps:
            return ["## Does", "Nothing: messages leave as they came, but for what a destination wants of their form."]
        return ["## Does", *_steps(steps)]

    def _sends(self) -> list[str]:
        parts = ["## Sends"]
        said = self._said["to"]
        entries = {_name_in(one): one for one in (said if isinstance(said, list) else [said])}
        for exit_ in self._route.to:
            one = next(one for name, one in entries.items() if name.replace("{site}", exit_.site) == exit_.destination)
            parts += self._exit(exit_, one if isinstance(one, dict) else {})
        return parts

    def _exit(self, exit_: Exit, said: Mapping[str, Any]) -> list[str]:
        destination = self._configuration.destinations[exit_.destination]
        lane = (exit_.dead_letter or destination.dead_letter).lane
        order = exit_.order or destination.order
        how = ", ".join([_door(destination), _order(order.by, order.keys), _LANES[lane]])
        parts = [f"### {destination.name}", f"{_capital(how)}. {_encoding(destination)}"]
        if exit_.site:
            parts.append(f"Only messages of the establishment {exit_.site}.")
        if exit_.when_text:
            parts.append(f"Only messages for which this holds:\n\n{_fenced(exit_.when_text, '')}")
        if said.get("steps"):
            parts += ["For this destination alone:", *_steps(said["steps"])]
        return parts

    def _tests(self) -> list[str]:
        names = [case.name for case in self._configuration.cases if case.route == self._route.name]
        return ["## Tests", "\n".join(f"- {name}" for name in names)] if names else []


def _name_in(entry: Any) -> str:
    """Return the name that an entry of `to:` says."""
    return str(entry["destination"] if isinstance(entry, dict) else entry)


def _steps(steps: Sequence[Any], number: str = "") -> list[str]:
    """Write steps as a numbered list; the steps of a named run below it."""
    parts: list[str] = []
    for rank, step in enumerate(steps, 1):
        own = f"{number}{rank}"
        used = step.get("use")
        if isinstance(used, list):
            name, inner = used
            condition = f", when `{step['when']}`" if step.get("when") else ""
            parts.append(f"{own}. {_capital(step.get('label') or str(name))}{condition}:")
            parts += _steps(inner or [], f"{own}.")
            continue
        verb = next(name for name in step if name in VERBS)
        words = step.get("label") or VERBS[verb].summary
        shown = {key: value for key, value in step.items() if key != "label"}
        parts.append(f"{own}. {_capital(words)}\n\n{_fenced(_yaml(shown), 'yaml')}")
    return parts


def _yaml(value: Any) -> str:
    text: str = yaml.safe_dump(value, allow_unicode=True, sort_keys=False, default_flow_style=None, width=110)
    return formatted(text).rstrip("\n")


# --- rows ----------------------------------------------------------------------------------------------------


def _source(source: Source) -> tuple[str, ...]:
    if source.type == "mllp":
        how = f"MLLP, listens at {source.host}:{source.port}"
    else:
        how = f"files {source.pattern} of {source.path}"
    if source.format != "hl7v2":
        how += f", {source.format}"
    site = source.site
    if source.site_from is not None:
        paths = ", ".join(path.text for path in source.site_from.paths)
        site = f"as the message says ({paths}, by {source.site_from.table_name})"
    return source.name, how, site, _contact(source.contact)


def _destination(destination: Destination) -> tuple[str, ...]:
    order = _order(destination.order.by, destination.order.keys)
    lanes = _LANES[destination.dead_letter.lane]
    return destination.name, _door(destination), order, lanes, _contact(destination.contact)


def _door(destination: Destination) -> str:
    if destination.type == "mllp":
        connections = f", {destination.connections} connections" if destination.connections > 1 else ""
        return f"MLLP, to {destination.host}:{destination.port}{connections}"
    if destination.type == "directory":
        return f"files {destination.file_name} in {destination.path}"
    return f"MQTT, topic {destination.topic}"


def _order(by: str, keys: Sequence[str]) -> str:
    return _ORDERS.get(by, f"in order by {', '.join(keys)}")


def _encoding(destination: Destination) -> str:
    wanted = destination.encode
    if wanted.as_received:
        return "Bytes as they were received, but for what steps changed."
    if destination.type == "mqtt":
        return "Ids and codes, unless a step renders something else."
    own = "the delivery's id" if wanted.control_id == "own" else "that of the sender"
    return f"Charset {wanted.msh18}; MSH-10 is {own}."


def _site(site: Site) -> tuple[str, ...]:
    authorities = "; ".join(f"{one.name} {one.hd2} ({one.type})" for one in site.authorities.values())
    return site.name, site.label, site.finess_ej, site.finess_eg, authorities


def _contact(contact: Mapping[str, str]) -> str:
    return ", ".join(contact.values())


# --- markdown ------------------------------------------------------------------------------------------------


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(_cell(one) for one in line)} |" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _fenced(text: str, kind: str) -> str:
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}{kind}\n{text.strip()}\n{fence}"


def _capital(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"
