"""What both sides of a folder need: safe names, free names, durable renames, errors in words."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

NAME_BYTES_MAX: Final = 255
"""NAME_MAX of the usual file systems."""

_UNSAFE: Final = {ord(character): "_" for character in '/\\:*?"<>|'} | dict.fromkeys((*range(32), 127), "_")
"""Separators, what Windows shares forbid, and control characters."""

_WORDS: Final = {
    errno.ENOENT: "the folder is missing",
    errno.ENOTDIR: "the path is no folder",
    errno.EACCES: "the service account has no right to it",
    errno.EPERM: "the service account has no right to it",
    errno.EROFS: "the file system is read-only",
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EXDEV: "the folder to move to is on another file system",
    errno.ESTALE: "the network share went away",
    errno.EHOSTDOWN: "the server of the network share does not answer",
    errno.ENAMETOOLONG: "the file name is too long for this file system",
}

_NO_LINK: Final = frozenset({errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK, errno.EINVAL, errno.EACCES})
_NO_FOLDER_SYNC: Final = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EBADF, errno.EACCES, errno.ENOSYS})
"""Some network file systems can't flush a folder; the rename is then as durable as they make it."""


def in_words(error: OSError) -> str:
    """
    Return an error as a clause for operators.

    Never `str(error)`: that holds the file's name, which may hold a patient's.
    """
    number = error.errno or 0
    return _WORDS.get(number) or f"{(error.strerror or type(error).__name__).lower()} (error {number})"


def safe_name(text: str) -> str:
    """
    Return one path component that can't leave its folder, hide itself, or be refused by a Windows share.

    Empty when nothing is left of it.
    """
    name = text.translate(_UNSAFE).strip(" .")
    return fit(*_cut(name))


def fit(stem: str, tail: str) -> str:
    """Return `stem + tail` with the stem cut so that the whole fits a file name (in bytes, never inside one)."""
    room = NAME_BYTES_MAX - len(os.fsencode(tail))
    raw = os.fsencode(stem)
    if len(raw) > room:
        stem = raw[: max(room, 0)].decode("utf-8", "ignore")
    return stem + tail


def numbered(name: str, number: int) -> str:
    """Return the name with a number before its extension (`a-2.hl7`); 0 leaves it as it is."""
    if number == 0:
        return name
    stem, extension = _cut(name)
    return fit(stem, f"-{number}{extension}")


def first_free(name: str, taken: Callable[[str], bool]) -> int:
    """
    Return a number with which `numbered(name, …)` is free, 0 when the name itself is.

    Galloping, then bisection: a sender that uses one name all month costs a dozen looks, not thousands.
    """
    if not taken(name):
        return 0
    high = 1
    while taken(numbered(name, high)):
        high *= 2
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        if taken(numbered(name, middle)):
            low = middle
        else:
            high = middle
    return high


def free_path(folder: Path, name: str) -> Path:
    """Return a path in `folder` that nothing uses yet: the name, or the name with a number."""
    return folder / numbered(name, first_free(name, lambda text: os.path.lexists(folder / text)))


def shown_name(name: str) -> str:
    """Return a file name as text that can be stored: a name that is no UTF-8 is read as latin-1."""
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return os.fsencode(name).decode("latin-1")
    return name


def write_durably(path: Path, data: bytes) -> None:
    """Write a new file and flush it; what had this name is gone."""
    # A run that died may have left this name, as a second name of the very file it delivered: never write into it.
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o660), "wb", 0) as file:
        view = memoryview(data)
        while view:
            view = view[file.write(view) :]
        os.fsync(file.fileno())


def rename_to_free(here: Path, there: Path) -> None:
    """
    Rename without ever overwriting.

    Raises:
        FileExistsError: The name is taken.
    """
    try:
        os.link(here, there, follow_symlinks=False)
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno not in _NO_LINK:
            raise
        # No hard links on this file system (most shares): look, then rename. This door is alone in naming there.
        if os.path.lexists(there):
            raise FileExistsError(errno.EEXIST, "taken") from None
        here.rename(there)


def write_new(folder: Path, name: str, data: bytes) -> None:
    """
    Write a file whole or not at all, never over another one: a name that is taken gets a number.

    Raises:
        OSError: It can't be written.
    """
    temporary = folder / fit(f".passerelle-{name}", ".tmp")
    try:
        write_durably(temporary, data)
        while True:
            with suppress(FileExistsError):  # somebody took the name just now: look again
                rename_to_free(temporary, free_path(folder, name))
                break
    finally:
        with suppress(OSError):
            temporary.unlink()
    with suppress(OSError):  # it is written: said to have failed, it would be written again under another name
        sync_folder(folder)


def sync_folder(folder: Path) -> None:
    """
    Make renames in a folder durable.

    Raises:
        OSError: The file system failed (not: it knows no such flush).
    """
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in _NO_FOLDER_SYNC:
            raise
    finally:
        os.close(handle)


def make_folder(root: Path, relative: str) -> Path:
    """
    Make a folder below `root`, which must exist, and return it; each new name is made durable.

    The root itself is never made: where a network share is not mounted, files would land under the mount point.
    """
    folder = root
    for part in Path(relative).parts:
        parent, folder = folder, folder / part
        with suppress(FileExistsError):
            folder.mkdir()
            sync_folder(parent)
    return folder


def _cut(name: str) -> tuple[str, str]:
    """Split before the last dot; an extension of more than 16 characters is none."""
    stem, dot, extension = name.rpartition(".")
    if not (dot and stem) or len(extension) > 16:
        return name, ""
    return stem, dot + extension
