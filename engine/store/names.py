"""
Interned names: a column holds a small number instead of a text that comes back in each row.

Names that a sender can invent (types, addresses) are interned up to a bound; beyond it the column holds the
text itself, so that a sender can't fill our memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

NAMES_MAX: Final = 20_000
NAME_CHARACTERS_MAX: Final = 120


class UnknownName(Exception):
    """A number that isn't known here yet: the writer gave it a moment ago, and the disk has its name."""


class Names:
    """The names of one store. The writer adds; any thread may look a number up."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._texts: dict[int, str] = {}
        self._next = 1
        self.unsaved: dict[int, str] = {}
        """Numbers not yet on disk; the writer adds them to its transaction."""

    def load(self, rows: Iterable[tuple[int, str]]) -> None:
        """Take what the disk holds; it wins over what was never saved."""
        self._numbers.clear()
        self.unsaved.clear()
        for number, text in rows:
            self._numbers[text] = number
            self._texts[number] = text
            self._next = max(self._next, number + 1)

    def learn(self, names: Mapping[int, str]) -> None:
        """Take names that another writer gave, and that are on disk."""
        for number, text in names.items():
            self._numbers[text] = number
            self._texts[number] = text

    def own(self, text: str) -> int | str:
        """Return the number of a name that our configuration gives: always interned. Empty stays empty."""
        if not text:
            return ""
        number = self._numbers.get(text)
        return self._add(text) if number is None else number

    def any(self, text: str) -> int | str:
        """Return the number of a text that a sender gives, or the text itself. Empty stays empty."""
        if not text:
            return ""
        number = self._numbers.get(text)
        if number is not None:
            return number
        if len(self._numbers) >= NAMES_MAX or len(text) > NAME_CHARACTERS_MAX:
            return text
        return self._add(text)

    def find(self, text: str) -> int | None:
        """Return the number of a name, None if it has none."""
        return self._numbers.get(text)

    def show(self, value: int | str) -> str:
        """
        Return the text of a column.

        Raises:
            UnknownName: A writer elsewhere gave this number; `learn` what the disk holds, and ask again.
        """
        if isinstance(value, str):
            return value
        text = self._texts.get(value)
        if text is None:
            raise UnknownName(value)
        return text

    def _add(self, text: str) -> int:
        number = self._next
        self._next += 1
        # Encoding first: a text that can't be stored must not stay among the names.
        text.encode()
        self._texts[number] = text
        self._numbers[text] = number
        self.unsaved[number] = text
        return number
