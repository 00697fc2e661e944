"""Where the files of a configuration are read: on disk, or among those that were kept when it ran."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from engine.routes.configuration import Configuration


class Files(Protocol):
    """What the loader asks of them."""

    def read(self, path: Path) -> bytes:
        """
        Return the bytes of a file.

        Raises:
            OSError: There is none, or it can't be read.
        """

    def matching(self, folder: Path, pattern: str) -> list[Path]:
        """Return the files of a folder whose path below it matches a pattern (`routes/*.yaml`), sorted."""


class DiskFiles:
    """The file system."""

    def read(self, path: Path) -> bytes:
        """Return the bytes of a file."""
        return path.read_bytes()

    def matching(self, folder: Path, pattern: str) -> list[Path]:
        """Return what matches, sorted."""
        return sorted(folder.glob(pattern))


class KeptFiles:
    """The files of a configuration that ran, as they were then (Configuration.contents)."""

    def __init__(self, path: Path, contents: Mapping[str, bytes]) -> None:
        """
        Serve what was kept.

        Args:
            path: Of routes.yaml, as it was then.
            contents: Bytes by the names under which the loader shows files: below routes.yaml, relative to it.
        """
        self._contents = {path.parent / name: data for name, data in contents.items()}

    def read(self, path: Path) -> bytes:
        """Return the bytes of a file."""
        data = self._contents.get(path)
        if data is None:
            raise FileNotFoundError(2, "it was not among the files that were kept", str(path))
        return data

    def matching(self, folder: Path, pattern: str) -> list[Path]:
        """Return what matches, sorted."""
        below = [path for path in self._contents if path.is_relative_to(folder)]
        depth = len(Path(pattern).parts)
        found = [path.relative_to(folder) for path in below]
        return sorted(folder / one for one in found if len(one.parts) == depth and one.match(pattern))


def changed_on_disk(path: Path, configuration: Configuration) -> list[str]:
    """
    Compare a configuration with its files as they are now.

    Args:
        path: Of routes.yaml, absolute.
        configuration: As it was read.

    Returns:
        Names of the files that say something else, are gone, or have come under a pattern of `include:`.
    """
    disk = DiskFiles()
    changed = [name for name, data in configuration.contents.items() if _differs(disk, path.parent / name, data)]
    for (folder, pattern), found in configuration.included.items():
        come = [file for file in disk.matching(folder, pattern) if file not in found]
        changed += [str(file.relative_to(path.parent)) for file in come]
    return changed


def _differs(disk: DiskFiles, path: Path, data: bytes) -> bool:
    try:
        return disk.read(path) != data
    except OSError:
        return True
