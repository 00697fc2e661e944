"""The walk's statement writes rows of all tables at once; large values cost no copies that stay."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from engine.store.sqlite.connections import migrate, open_writer
from engine.store.sqlite.walk import COPIED_BYTES, LARGE_BODY, LARGE_BYTES, NAME, RECEIVED, WalkRows

MEMORY = """
import sys
from pathlib import Path
from engine.store.sqlite.connections import migrate, open_writer
from tests.unit.store.sqlite.test_walk import rows_with_body
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096
connection = open_writer(Path(sys.argv[1]))
migrate(connection)
body = b"x" * 20_000_000
rows_with_body(1, b"small", 1).write(connection)
before = resident()
for place in range(2, 8):
    rows_with_body(place, body, place).write(connection)
print(resident() - before)
"""


def rows_with_body(place: int, body: bytes, names: int) -> WalkRows:
    """Return the rows of one reception, and of some names: each count of rows has a statement of its own."""
    rows = WalkRows()
    rows.add(RECEIVED, place, rows.value(body, LARGE_BODY, place), 0, 0, 0, 0, "", 0, "", 0, 0, 0, len(body), 0)
    for number in range(names):
        rows.add(NAME, place * 100 + number, f"name {place} {number}")
    return rows


def test_values_of_every_size_are_written_whole(tmp_path: Path) -> None:
    """Small, medium and large ones; only large ones need more than the one statement."""
    connection = open_writer(tmp_path / "test.db")
    migrate(connection)
    sizes = [0, 1, COPIED_BYTES, LARGE_BYTES - 1, LARGE_BYTES, LARGE_BYTES + 1]
    for place, size in enumerate(sizes, 1):
        rows = rows_with_body(place, b"x" * size, 1)
        assert rows.fits_one_statement() == (size < LARGE_BYTES)
        rows.write(connection)
        assert not rows
    found = connection.execute("SELECT message, length(raw), typeof(raw) FROM bodies ORDER BY message").fetchall()
    assert found == [(place, size, "blob") for place, size in enumerate(sizes, 1)]
    assert connection.execute("SELECT count(*) FROM bodies WHERE raw <> zeroblob(0) AND hex(substr(raw, -1)) <> '78'"
                              ).fetchone() == (0,)  # fmt: skip
    connection.close()


def test_dropped_rows_leave_nothing(tmp_path: Path) -> None:
    """Neither the rows nor their large values."""
    connection = open_writer(tmp_path / "test.db")
    migrate(connection)
    rows = rows_with_body(1, b"x" * LARGE_BYTES, 1)
    rows.drop()
    assert not rows
    assert rows.fits_one_statement()
    rows.write(connection)
    assert connection.execute("SELECT count(*) FROM bodies").fetchone() == (0,)
    connection.close()


def test_prepared_statements_keep_no_large_value(tmp_path: Path) -> None:
    """Six commits of 20 MB, each with another count of rows, leave nothing like their bytes in memory."""
    run = [sys.executable, "-c", MEMORY, str(tmp_path / "test.db")]
    grown = int(subprocess.run(run, capture_output=True, text=True, check=True).stdout)
    assert grown < 15_000_000, f"{grown} bytes stay"
