"""What `passerelle doctor` says to do, by what it found."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from engine.cli.doctor import _then
from engine.errors import StoreUnavailable
from engine.store.sqlite.connections import FILE_NAME
from tests.support.sqlite import opened


@pytest.mark.parametrize(
    ("failed", "words"),
    [({"disk"}, "make room"), ({"integrity", "disk"}, "docs/operators/backup.md"), ({"database"}, "stop the engine"),
     ({"counters"}, "the engine may go on")],
)  # fmt: skip
def test_what_to_do(failed: set[str], words: str) -> None:
    """Room for a full disk, a backup for a damaged database, a report for the rest."""
    assert words in _then(failed)
    assert ("may go on" in _then(failed)) is (failed == {"counters"})


async def _open(directory: Path) -> None:
    await (await opened(directory)).close()


def test_a_damaged_database_names_the_page(tmp_path: Path) -> None:
    """An engine, and a command that asks a stopped one, can only be helped by a copy."""
    asyncio.run(_open(tmp_path))
    (tmp_path / FILE_NAME).write_bytes(b"no database, whatever its length " * 1_000)
    with pytest.raises(StoreUnavailable, match=r"not a database; docs/operators/backup\.md"):
        asyncio.run(_open(tmp_path))
