"""What a field must look like: the dictionary's field with all below it, and what a profile says on top."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Final

REQUIRED: Final = "R"
FORBIDDEN: Final = "X"
WITHDRAWN: Final = "W"


@dataclass(slots=True)
class Shape:
    """A field, a component or a subcomponent."""

    type: str = ""
    """Its data type."""
    words: str = ""
    usage: str = "O"
    """As dictionary.entries.Part."""
    most: int = 1
    """Repetitions of a field; 0: any number."""
    least: int = 0
    """Repetitions that a field must have where it isn't empty."""
    length: int = 0
    """Characters at most; 0: any number."""
    codes: Collection[str] | None = None
    """What a value may be; None: anything."""
    table: str = ""
    """Where the codes stand."""
    rule: str = "table"
    """Rule under which another value is told: `table`, or `user-table` where sites may have codes of their own."""
    matches: Callable[[str], bool] | None = None
    """Says whether a value is as a site's profile wants it."""
    severity: str = ""
    """Of everything told of this place, where the profile says so."""
    parts: tuple[Shape, ...] = ()
    """Components of a field, subcomponents of a component; none for a simple type."""
    known: bool = field(default=True)
    """Whether anything is known of the data type; else nothing is checked inside."""
    coding_system: int = 0
    """Of a code in a coded type: the component that names its coding system (CE.3 beside CE.1); 0: none."""
