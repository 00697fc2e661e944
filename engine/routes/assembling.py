"""Routes, compiled for each variant (site, `untyped:`) that their sources can bring."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from engine.routes import schema
from engine.routes.configuration import DeadLetter, Destination, Exit, Key, Order, Route, Source, split_variant
from engine.routes.declarations import Named, read_dead_letter, read_names, read_order, variants_of
from engine.routes.findings import Findings
from engine.routes.formats import check_formats
from engine.routes.names import Names
from engine.routes.reading import Reading
from engine.routes.suggestions import suggest
from engine.routes.when import Clause
from engine.transforms.identifying import sent_elsewhere
from engine.transforms.nodes import Entries, Items, Node, Scalar, Word
from engine.transforms.python import files_called
from engine.transforms.shapes import Unreadable
from engine.transforms.step import Step

_SITE: Final = "{site}"

Steps = Mapping[str, tuple[Step, ...]]


class Assembler:
    """Make the routes of one configuration."""

    def __init__(
        self,
        findings: Findings,
        names: Names,
        sources: Mapping[str, Source],
        destinations: Mapping[str, Destination],
        keys: dict[str, Key],
        *,
        refused_sources: set[str],
        refused_destinations: set[str],
    ) -> None:
        """Keep what routes may name; names whose own declaration was refused aren't reported again."""
        self._findings = findings
        self._names = names
        self._sources = sources
        self._destinations = destinations
        self._keys = keys
        self._refused_sources = refused_sources
        self._refused_destinations = refused_destinations
        self._reading = Reading(findings, names)
        self._sources_refused = False
        self._early = ""
        """A source of the route at hand that answers before its routes run."""
        self.tests: list[tuple[str, Node]] = []
        """Routes and what stands under their `tests:`."""

    def routes(self, entries: Named) -> list[Route]:
        """Read `routes:`, in the order of the file."""
        made: list[Route] = []
        for name, _, node in read_names(entries, self._reading):
            values = self._reading.read(schema.ROUTE, node)
            if values is None or not isinstance(node, Entries):
                continue
            route = self._route(name, values, node)
            if route is not None:
                made.append(route)
        return made

    def _route(self, name: str, values: dict[str, Any], node: Entries) -> Route | None:
        before = self._reading.errors
        sources = self._known(values["from"], self._sources, self._refused_sources, "source")
        self._sources_refused = not sources and bool(values["from"])
        self._early = next((one for one in sources if self._sources[one].ack != "after_route"), "")
        variants = sorted({one for source in sources for one in variants_of(self._sources[source])})
        condition = self._when(values["when"], variants)
        order = read_order(values["order_by"], node, self._reading, self._keys)
        dead_letter = read_dead_letter(values["dead_letter"])
        steps = self._steps(values["steps"], variants)
        to_node = node.get("to")
        # a misspelt `to:` is read, and told, under another name than it is written
        items = to_node.items if isinstance(to_node, Items) else [to_node or node] * len(values["to"])
        sites = sorted({site for site, _ in map(split_variant, variants) if site})
        pairs = list(zip(values["to"], items, strict=True))
        if self._sources_refused:  # nobody knows which sites they would bring
            pairs = [(value, item) for value, item in pairs if _SITE not in _destination_of(value)]
        entries = [entry for pair in pairs for entry in _for_each_site(*pair, sites)]
        exits = [
            replace(one, site=site)
            for value, item, site in entries
            if item is not None and (one := self._exit(value, item, variants, order, dead_letter, site)) is not None
        ]
        self._check_once([value for value, _, _ in entries])
        self._check_multiplying(steps, exits, [value for value, _, _ in entries])
        if self._reading.errors == before:  # else a step may be missing that was refused
            self._check_formats(sources, steps, exits, [value for value, _, _ in entries])
        if values["tests"] is not None:
            self.tests.append((name, values["tests"]))
        return Route(
            name=name, sources=tuple(sources), **_asked(condition, values["when"]), on_no_match=values["on_no_match"],
            steps=steps, to=tuple(exits), by_site=any(one.site for one in exits), calls=_calls(steps, exits),
            elsewhere=_elsewhere(steps, exits),
            owner=str(values["owner"]), renamed_from=str(values["renamed_from"]),
        )  # fmt: skip

    def _exit(
        self, value: Any, node: Node, variants: list[str], order: Order | None, dead_letter: DeadLetter | None,
        site: str,
    ) -> Exit | None:  # fmt: skip
        plain = isinstance(value, Word)
        word = _destination_of(value)
        if not self._known([word], self._destinations, self._refused_destinations, "destination", site):
            return None
        if plain or not isinstance(node, Entries):
            return Exit(destination=str(word), order=order, dead_letter=dead_letter)
        condition = self._when(value["when"], variants)
        return Exit(
            destination=str(word), **_asked(condition, value["when"]), steps=self._steps(value["steps"], variants),
            order=read_order(value["order_by"], node, self._reading, self._keys) or order,
            dead_letter=read_dead_letter(value["dead_letter"]) or dead_letter,
        )  # fmt: skip

    def _check_multiplying(self, steps: Steps, exits: list[Exit], values: list[Any]) -> None:
        """Refuse to make several messages of one in a route and again under `to:`: a part has one rank."""
        if not any(step.multiplies for run in steps.values() for step in run):
            return
        for exit_ in exits:
            if any(step.multiplies for run in exit_.steps.values() for step in run):
                word = next(one["destination"] for one in values
                            if isinstance(one, dict) and one["destination"] == exit_.destination)  # fmt: skip
                self._reading.error(
                    word.node, "E152", "the steps of the route make several messages of one already",
                    "make two routes: one for each way to split",
                )  # fmt: skip

    def _check_formats(self, sources: list[str], steps: Steps, exits: list[Exit], values: list[Any]) -> None:
        places = {str(word): word.node for word in map(_destination_of, values)}
        check_formats(
            [self._sources[one] for one in sources], [step for run in steps.values() for step in run],
            [(one, places[one.destination]) for one in exits], self._destinations, self._reading,
        )  # fmt: skip

    def _check_once(self, values: list[Any]) -> None:
        """
        Refuse a destination that stands twice under one `to:`.

        A delivery is known by route and destination: a retry could not tell which of two entries made it.
        """
        seen: set[str] = set()
        for value in values:
            word = _destination_of(value)
            if word in seen:
                self._reading.error(
                    word.node, "E134", f"{word} stands under this to: already",
                    "keep one, or make two routes: each with its own when and steps",
                )  # fmt: skip
            seen.add(word)

    def _known(
        self, words: list[Word], declared: Mapping[str, Any], refused: set[str], kind: str, site: str = ""
    ) -> list[str]:
        known: list[str] = []
        for word in words:
            if word in declared:
                if word in known:
                    self._reading.error(word.node, "E134", f"{word} stands here twice", "keep one")
                else:
                    known.append(str(word))
            elif word not in refused:
                of_site = f", for messages of {site}" if site else ""
                self._reading.error(word.node, "E116", f"there is no {kind} {word}{of_site}", suggest(word, declared))
        return known

    def _when(self, node: Node | None, variants: list[str]) -> Clause | None:
        if node is None:
            return None
        reading = Reading(self._findings, self._names, variants=variants or [""], sources_refused=self._sources_refused)
        try:
            return reading.clause(node)
        except Unreadable:
            return None

    def _steps(self, node: Node | None, variants: list[str]) -> Steps:
        """Compile once for each variant; a finding that comes with each is kept once."""
        if node is None:
            return {}
        made: dict[str, tuple[Step, ...]] = {}
        for variant in variants or [""]:
            try:
                made[variant] = self._steps_reading(variant).steps(node)
            except Unreadable:
                continue
        return made

    def _steps_reading(self, variant: str) -> Reading:
        return Reading(
            self._findings, self._names, variant=variant, answered_early=self._early,
            sources_refused=self._sources_refused,
        )  # fmt: skip


def _destination_of(value: Any) -> Word:
    """Return the name that an entry of `to:` says."""
    word: Word = value if isinstance(value, Word) else value["destination"]
    return word


def _for_each_site(value: Any, node: Node | None, sites: list[str]) -> list[tuple[Any, Node | None, str]]:
    """
    Return what one entry of `to:` stands for.

    Args:
        value: As it was read: a name, or the keys of an entry.
        node: Where it stands.
        sites: Those that the sources of the route bring.

    Returns:
        Itself, for any site; or, where its name holds `{site}`, one entry for each site, with that site's name in it.
    """
    word = _destination_of(value)
    if _SITE not in word or not sites:
        return [(value, node, "")]
    made: list[tuple[Any, Node | None, str]] = []
    for site in sites:
        name = Word.of(word.replace(_SITE, site), word.node)
        made.append((name if isinstance(value, Word) else value | {"destination": name}, node, site))
    return made


def _asked(condition: Clause | None, node: Node | None) -> dict[str, Any]:
    """Return the fields of a route or an exit about its condition."""
    if condition is None:
        return {}
    return {"when": condition.holds, "when_text": node.text if isinstance(node, Scalar) else "", "condition": condition}


def _calls(steps: Steps, exits: list[Exit]) -> frozenset[str]:
    """Return the files of the hospital's own that a route's steps call."""
    return files_called(_all_steps(steps, exits))


def _elsewhere(steps: Steps, exits: list[Exit]) -> frozenset[str]:
    """Return the destinations to which a route's verbs of identity send what nobody knows."""
    return sent_elsewhere(_all_steps(steps, exits))


def _all_steps(steps: Steps, exits: list[Exit]) -> list[Step]:
    runs = [*steps.values(), *(run for exit_ in exits for run in exit_.steps.values())]
    return [step for run in runs for step in run]
