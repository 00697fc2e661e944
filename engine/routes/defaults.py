"""`defaults:`: what sites, sources, destinations and routes say unless they say otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from engine.routes import schema
from engine.routes.suggestions import suggest
from engine.routes.templates import completed
from engine.transforms.nodes import Entries, Node, Scalar
from engine.transforms.shapes import Record

if TYPE_CHECKING:
    from engine.routes.reading import Reading

_BY_TYPE: Mapping[str, Mapping[str, Record]] = {"sources": schema.SOURCES, "destinations": schema.DESTINATIONS}


class Defaults:
    """The defaults of one configuration, by section."""

    def __init__(self) -> None:
        self._sections: dict[str, Entries] = {}

    def read(self, entries: Iterable[tuple[Scalar, Node]], reading: Reading) -> None:
        """Keep what stands under `defaults:`; each value is checked here, whether or not it is used."""
        for key, node in entries:
            record = schema.DEFAULTS.get(key.text)
            if record is None:
                sentence = f"{key.text} has no defaults"
                reading.error(key, "E104", sentence, suggest(key.text, schema.DEFAULTS))
            elif reading.read(record, node) is not None and isinstance(node, Entries):
                known = [(name, value) for name, value in node.entries if name.text in record.keys]
                self._sections[key.text] = Entries(node.mark, known)

    def applied(self, section: str, entries: Iterable[tuple[Scalar, Node]]) -> list[tuple[Scalar, Node]]:
        """
        Return the entries of a section, completed.

        A default that a declaration doesn't take (`ack_timeout` of a directory) is left out there. What a
        declaration says itself stands whole: mappings aren't mixed.
        """
        given = self._sections.get(section)
        if given is None:
            return list(entries)
        return [(key, self._complete(section, node, given)) for key, node in entries]

    def _complete(self, section: str, node: Node, given: Entries) -> Node:
        if not isinstance(node, Entries):
            return node
        taken = schema.DEFAULTS[section].keys
        if section in _BY_TYPE:
            kind = node.get("type")
            record = _BY_TYPE[section].get(kind.text) if isinstance(kind, Scalar) else None
            if record is None:
                return node
            taken = record.keys
        return completed(node, [(key, value) for key, value in given.entries if key.text in taken])
