"""Former names: what was received under one follows the declaration that took its place (`renamed_from:`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

_Declared = TypeVar("_Declared")


class Renamed(dict[str, _Declared]):
    """
    Declarations by name, in the order of the file. One that is asked for by its former name is found too.

    Only lookups know former names: they are in no list, and `in` doesn't tell them.
    """

    def __init__(self, declared: Mapping[str, _Declared], former: Mapping[str, str]) -> None:
        """
        Take what is declared.

        Args:
            declared: By name.
            former: Former name -> name. A name that is declared itself means nothing else.
        """
        super().__init__(declared)
        self._former = {old: declared[name] for old, name in former.items() if old not in declared and name in declared}

    def __missing__(self, name: str) -> _Declared:
        """Look a former name up."""
        return self._former[name]

    def get(self, name: str, default: _Declared | None = None) -> _Declared | None:  # type: ignore[override]
        """Look a name up, former ones too."""
        found = super().get(name)
        return found if found is not None else self._former.get(name, default)
