"""What a condition may name: keys, lists, tables, sites (when.Scope)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import tzinfo
from zoneinfo import ZoneInfo

from engine.identity.patients import patient_references
from engine.routes.configuration import Site, split_variant
from engine.routes.names import Names
from engine.routes.schema.doors import FORMATS
from engine.routes.suggestions import suggest
from engine.routes.when import Operand, WhenError
from engine.routes.when.compiling import Values
from engine.transforms.step import Context


class ConditionScope:
    """The names that one condition may use; how its paths are read is for the loader to say."""

    def __init__(
        self, names: Names, operand: Callable[[str, int], Operand], doubt: Callable[[int, int, str, str, str], None]
    ) -> None:
        """Keep what is declared, compiles a path (text, column), and warns (column, width, code, sentence, hint)."""
        self._names = names
        self.operand = operand
        self.doubt = doubt

    def zones(self) -> Mapping[str, tzinfo]:
        """Return the time zones of the sites."""
        zones: dict[str, tzinfo] = {site.name: ZoneInfo(site.timezone) for site in self._names.sites.values()}
        return {"": ZoneInfo(Site(name="").timezone)} | zones

    def possible(self, key: str) -> Collection[str] | None:
        """Return all values of a built-in key, where they are declared."""
        known = {"site": self._names.sites, "source": self._names.sources, "format": FORMATS}
        return known.get(key)

    def has_key(self, name: str) -> bool:
        """Whether a key is declared."""
        return name in self._names.key_names

    def keys(self) -> Collection[str]:
        """All declared keys."""
        return sorted(self._names.key_names)

    def patients(self) -> Values:
        """Return what reads the numbers of a message's patients: those by which it is ordered (identity.patients)."""
        names = self._names

        def read(context: Context) -> list[str]:
            recogniser = names.authorities.of(*split_variant(context.variant))
            return [value for _, value in patient_references(context.message, recogniser)]

        return read

    def list_of(self, name: str, column: int) -> frozenset[str]:
        """Return a list."""
        found = self._names.lists.get(name)
        if found is None:
            hint = suggest(name, self._names.lists)
            raise WhenError("E131", f"there is no list {name}", column, hint, width=len(name))
        return found

    def codes_of(self, name: str, column: int) -> frozenset[str]:
        """Return the codes of a table's first key column."""
        table = self._names.tables.get(name)
        if table is None and name in self._names.refused_tables:
            return frozenset()
        if table is None:
            hint = suggest(name, self._names.tables)
            raise WhenError("E132", f"there is no table {name}", column, hint, width=len(name))
        self._names.used_tables.add(name)
        if len(table.keys) > 1:
            sentence = f"in table asks by {table.keys[0]} alone, and {name} tells its rows apart by more than that"
            hint = "write the codes into a list, and in list here"
            self.doubt(column, len(name), "W210", sentence, hint)
        return table.codes(table.keys[0])

    def suggest(self, text: str, allowed: Collection[str]) -> str:
        """Return `did you mean x?` or what is allowed."""
        return suggest(text, allowed)
