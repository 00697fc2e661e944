"""
Files of a folder that wait, and the younger ones about the same patients, which wait behind them.

Nobody else waits: a folder serves many patients. Runs in the source's own thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from engine.transports.directory.folder import Found

READ_BYTES_MAX: Final = 32_000_000
"""What is read at once, attachments included; one message may be larger."""


@dataclass(slots=True)
class Known:
    """A file that was looked at; what waits needs no more to be known again."""

    size: int
    mtime_ns: int
    since: float
    """When it was first found like this: seconds that never go back."""


File = TypeVar("File", bound=Known)


class KeptBack(Generic[File]):
    """What waits in one folder."""

    __slots__ = ("count", "files", "keys")

    def __init__(self) -> None:
        self.files: dict[str, File] = {}
        """By name: what was looked at and is still there."""
        self.keys: set[bytes] = set()
        """Of patients, in this look: what names one of them waits too."""
        self.count = 0
        """Files that wait in this look, behind others too."""

    def begin(self, present: Sequence[Found]) -> None:
        """Begin a look at the folder: forget what is no longer there."""
        names = {found.name for found in present}
        self.files = {name: one for name, one in self.files.items() if name in names}
        self.keys.clear()
        self.count = 0

    def unchanged(self, found: Found) -> File | None:
        """Return what is known of a file that is as it was; None: it is new, or somebody wrote into it."""
        known = self.files.get(found.name)
        return known if known and (known.size, known.mtime_ns) == (found.size, found.mtime_ns) else None

    def hold(self, keys: AbstractSet[bytes]) -> None:
        """Let a file wait, and whatever comes behind it about the same patients."""
        self.keys |= keys
        self.count += 1
