"""A bulk import is killed in the middle, for real, and goes on where it ended."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from engine.identity.numbers import NumberFormat
from tests.support.engine import free_port
from tests.support.officers import HEADER, ROUTES
from tests.support.officers import ROWS as SOME
from tests.support.process import EngineProcess
from tests.support.until import wait_until

ROWS = 8_000
BAD_EVERY = 500
"""One row in so many repeats a number under another patient."""
PATIENCE = 60.0


def write(file: Path) -> int:
    """Write the file; return how many rows are to be refused."""
    form, bad = NumberFormat(prefix="G"), 0
    with file.open("w", encoding="utf-8", newline="") as out:
        rows = csv.writer(out, lineterminator="\n")
        rows.writerow(["number", "authority", "value", "status", "birth_name", "first_name", "birth_date", "sex"])
        for rank in range(ROWS):
            value = f"9{rank:07}"
            if rank and rank % BAD_EVERY == 0:
                value, bad = "90000000", bad + 1
            rows.writerow([form.write(rank + 1), "cha/ipp", value, "VALI", f"MARTIN{rank}", "LEA", "19700102", "F"])
    return bad


class Typed:
    """`passerelle identity …` as processes of their own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._command = [sys.executable, "-m", "engine", "--data", str(folder / "data"), "--routes",
                         str(folder / "routes.yaml"), "--json", "identity"]  # fmt: skip

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Begin one."""
        return subprocess.Popen(
            [*self._command, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            stdin=subprocess.DEVNULL, env=os.environ | {"PASSERELLE_MIN_FREE_BYTES": "0"},
        )  # fmt: skip

    def ask(self, *words: str, code: int = 0) -> dict[str, Any]:
        """Run one to its end; its answer."""
        process = self.start(*words)
        out, err = process.communicate(timeout=PATIENCE)
        assert process.returncode == code, err
        answer: dict[str, Any] = json.loads(out)
        return answer


def bookmark(file: Path) -> int:
    """The next line that an import notes; 0: none yet."""
    try:
        return int(json.loads(file.with_name(f"{file.name}.import").read_text("utf-8"))["line"])
    except FileNotFoundError:
        return 0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A configuration and an empty data directory."""
    (tmp_path / "routes.yaml").write_text(ROUTES, encoding="utf-8")
    (tmp_path / "data").mkdir(mode=0o700)
    (tmp_path / "data" / "lock").touch()
    return tmp_path


def test_a_killed_import_goes_on(folder: Path) -> None:
    """Every row is taken once or refused once, whatever was under way; the report has each refused line once."""
    file = folder / "mpi.csv"
    bad = write(file)
    typed = Typed(folder)
    words = ("import", str(file), "--yes", "--expect", str(ROWS), "--reason", "take-over")
    process = typed.start(*words)
    wait_until(lambda: bookmark(file) >= ROWS // 3 or process.poll() is not None, PATIENCE)
    assert process.poll() is None, process.communicate()
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert 0 < bookmark(file) < ROWS, "it was killed in the middle"

    told = typed.ask(*words, code=1)
    assert told["rows"] == ROWS
    assert told["refused"] == bad
    assert told["added"] + told["known"] == ROWS - bad
    assert told["known"] <= 500, "at most the batch that was under way is met again"
    counts = typed.ask("stats")
    assert counts["identifiers"] == {"federation": ROWS - bad, "local": ROWS - bad}
    report = (folder / "mpi.csv.refused.csv").read_text("utf-8").splitlines()
    assert [line.partition(",")[0] for line in report[1:]] == [str(n * BAD_EVERY + 2) for n in range(1, bad + 1)]
    assert not (folder / "mpi.csv.import").exists()


def test_what_was_imported_before_the_first_start_is_known_to_the_engine(tmp_path: Path) -> None:
    """It opens the directory that the import made, and gives the next number behind those."""
    routes = tmp_path / "routes.yaml"
    routes.write_text(re.sub(r"127\.0\.0\.1:61\d\d", lambda _: f"127.0.0.1:{free_port()}", ROUTES), encoding="utf-8")
    file = tmp_path / "mpi.csv"
    file.write_text("\n".join([",".join(HEADER), *SOME, ""]), encoding="utf-8")
    answer = Typed(tmp_path).ask("import", str(file), "--yes", "--expect", str(len(SOME)), "--reason", "take-over")
    assert answer["added"] == len(SOME)
    engine = EngineProcess(routes, tmp_path / "data")
    engine.start()
    try:
        (stats,) = engine.ask("identity", "stats")
        assert (stats["patients"], stats["next_patient"]) == (3, 4)
    finally:
        assert engine.stop() == 0
