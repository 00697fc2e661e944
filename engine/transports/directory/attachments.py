"""
Files that a message names and that lie beside it: read inside the folder only, whatever the name says.

A name is followed part by part, each opened below the one before without following links, so no name leads out: not
`..`, not an absolute path, not a link that somebody puts there meanwhile. Case doesn't count where one file alone
has the name in another case: laboratories write `CR123.PDF` and send `cr123.pdf`.
"""

from __future__ import annotations

import os
import stat
from contextlib import ExitStack
from pathlib import Path
from typing import Final, NamedTuple

from engine.transports.directory.files import in_words, shown_name

PARTS_MAX: Final = 8
"""Folders that a name may go down."""
_FILE: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_FOLDER: Final = _FILE | os.O_DIRECTORY


class Attached(NamedTuple):
    """What looking for one file gave."""

    state: str
    """`here`, `absent` (not yet there), or `refused`."""
    data: bytes = b""
    reason: str = ""
    """A sentence without the file's name, when it is refused."""
    size: int = 0
    mtime_ns: int = 0
    path: str = ""
    """Below the folder, as it is really written."""


def look_for(folder: Path, name: str, size_max: int, *, read: bool = True) -> Attached:
    """
    Look for a file below a folder.

    Args:
        folder: Where the message lies.
        name: Relative, `/` between its parts.
        size_max: Longest file to read, bytes.
        read: Bring its content; else only tell that it is here, with its size and time.
    """
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if not parts or len(parts) > PARTS_MAX or ".." in parts or name.startswith("/") or "\0" in name or ":" in parts[0]:
        return Attached("refused", reason="the message names a file outside its folder")
    try:
        with ExitStack() as opened:
            handle = _opened(opened, os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
            for rank, part in enumerate(parts):
                flags = _FILE if rank == len(parts) - 1 else _FOLDER
                below, parts[rank] = _open_below(handle, part, flags)
                handle = _opened(opened, below)
            return _taken(handle, size_max, read=read)._replace(path="/".join(parts))
    except FileNotFoundError:
        return Attached("absent")
    except OSError as error:
        return Attached("refused", reason=f"a file that the message names can't be read: {in_words(error)}")


def _opened(opened: ExitStack, handle: int) -> int:
    opened.callback(os.close, handle)
    return handle


def _open_below(handle: int, name: str, flags: int) -> tuple[int, str]:
    """Open one part of the way; returns it with the name that it really has."""
    try:
        return os.open(name, flags, dir_fd=handle), name
    except FileNotFoundError:
        alike = [other for other in os.listdir(handle) if shown_name(other).lower() == name.lower()]
        if len(alike) != 1:
            raise
        return os.open(alike[0], flags, dir_fd=handle), alike[0]


def _taken(handle: int, size_max: int, *, read: bool) -> Attached:
    status = os.fstat(handle)
    if not stat.S_ISREG(status.st_mode):
        return Attached("refused", reason="the message names something that is no file")
    if status.st_size > size_max:
        reason = f"an attached file has {status.st_size} bytes, more than the {size_max} that this source takes"
        return Attached("refused", reason=reason)
    data = b"".join(iter(lambda: os.read(handle, 1 << 20), b"")) if read else b""
    return Attached("here", data, "", status.st_size, status.st_mtime_ns)
