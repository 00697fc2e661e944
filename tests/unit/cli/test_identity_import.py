"""`passerelle identity import`: the file, its report, its bookmark."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from engine.cli import identity_import
from tests.support.officers import HEADER, ROUTES, ROWS

NO_IDENTITY = """
version: 1
sites: { cha: { finess_eg: "000780064", authorities: { ipp: { type: PI, oid: 1.2.250.1.999.10.1 } } } }
sources: { gam_cha: { type: mllp, site: cha, listen: 127.0.0.1:6101 } }
destinations: { dpi: { type: mllp, connect: 127.0.0.1:6103 } }
routes: { adt: { from: [gam_cha], to: [dpi] } }
"""


@pytest.fixture
def folder(data: Path) -> Path:
    """A folder with routes.yaml beside an empty data directory."""
    (data / "lock").touch()
    (data.parent / "routes.yaml").write_text(ROUTES, encoding="utf-8")
    return data.parent


@pytest.fixture
def take(passerelle, folder: Path):
    """Import a file of these lines."""

    def run(*more: str, lines: list[str] | None = None, header: str = ",".join(HEADER)):
        file = folder / "mpi.csv"
        if lines is not None:
            file.write_text("\n".join([header, *lines, ""]), encoding="utf-8")
        count = max(0, len(file.read_bytes().splitlines()) - 1)
        words = ("identity", "import", str(file), "--yes", "--expect", str(count), "--reason", "take-over")
        return passerelle(*words, *more)

    return run


def test_what_is_refused_stands_in_the_report(take, folder):
    """With its line, and why; no value of the file."""
    bad = "G00000000295,cha/ipp,900101,VALI,ZUBROWKA,LEA,19700102,F,38185"
    done = take(lines=[*ROWS, bad, "x"])
    assert done.exit_code == 1
    assert done.stdout.splitlines() == [
        "6 rows of mpi.csv are taken into the cross-reference",
        "4 added, 0 known already, 2 refused",
    ]
    report = folder / "mpi.csv.refused.csv"
    assert report.stat().st_mode & 0o777 == 0o600
    header, first, second = report.read_text("utf-8").splitlines()
    assert header == "line,reason"
    assert first.startswith("6,")
    assert second.startswith("7,1 cells in place of 9")
    assert "900101" not in first
    assert not (folder / "mpi.csv.import").exists()


def test_an_import_goes_on_where_it_was_interrupted(take, folder, monkeypatch):
    """At the last bookmark; what was taken behind it is known then; the report goes on too."""
    monkeypatch.setattr(identity_import, "BATCH_ROWS", 2)
    kept = identity_import._keep
    marks: list[identity_import.Bookmark] = []

    def interrupted(file: Path, mark: identity_import.Bookmark) -> None:
        if marks:
            raise KeyboardInterrupt
        kept(file, mark)
        marks.append(mark)

    bad = "G00000000196,cha/ipp,1,,,,,,"
    monkeypatch.setattr(identity_import, "_keep", interrupted)
    done = take(lines=[ROWS[0], bad, *ROWS[1:]])
    assert done.exit_code == 1
    assert "interrupted before line 4: the same command goes on there" in done.stderr
    monkeypatch.setattr(identity_import, "_keep", kept)
    done = take("--json")
    told = json.loads(done.stdout)
    assert (told["rows"], told["added"], told["known"], told["refused"]) == (5, 2, 2, 1)
    assert [line[:2] for line in (folder / "mpi.csv.refused.csv").read_text("utf-8").splitlines()] == ["li", "3,"]


def test_another_file_has_another_bookmark(take, folder, monkeypatch):
    """A file that changed isn't gone on with; from its start it is taken."""
    (folder / "mpi.csv.import").write_text(json.dumps({"size": 1, "digest": "x", "offset": 9}), "utf-8")
    done = take(lines=ROWS)
    assert (done.exit_code, "has changed since its import began" in done.stderr) == (1, True)
    (folder / "mpi.csv.import").write_text("{", "utf-8")
    assert "can't be read; --from-start" in take().stderr
    assert take("--from-start").exit_code == 0


def test_a_dry_run_sees_what_contradicts_itself(take, folder, monkeypatch):
    """Also over batches, of which it keeps nothing in the store."""
    monkeypatch.setattr(identity_import, "BATCH_ROWS", 1)
    lines = [*ROWS, "G00000000493,cha/ipp,900101,,,,,,", "G00000000196,cha/ipp,5,,,,,,"]
    done = take("--dry-run", lines=lines)
    assert done.exit_code == 1
    assert "would be added" in done.stdout
    report = (folder / "mpi.csv.refused.csv").read_text("utf-8").splitlines()
    assert [line.partition(",")[0] for line in report[1:]] == ["6", "7"]
    done = take("--json")
    assert json.loads(done.stdout)["added"] == 4


def test_other_separators_and_a_byte_order_mark(take, folder):
    """As a French spreadsheet writes it."""
    lines = [row.replace(",", ";") for row in ROWS]
    done = take(lines=lines, header="\ufeff" + ";".join(HEADER))
    assert (done.exit_code, done.stdout.splitlines()[-1]) == (0, "4 added, 0 known already, 0 refused")


def test_a_line_that_is_not_utf8(take, folder):
    """Is refused alone."""
    (folder / "mpi.csv").write_bytes(b"number,authority,value\nG1,cha/ipp,\xe9\nG2,cha/ipp,2\n")
    done = take()
    assert done.stdout.splitlines()[-1] == "1 added, 0 known already, 1 refused"
    assert "2,the line isn't UTF-8" in (folder / "mpi.csv.refused.csv").read_text("utf-8")


def test_an_import_before_the_first_start_makes_the_data_directory(take, passerelle, folder, data):
    """As the engine would, and says so; what was taken is there."""
    shutil.rmtree(data)
    done = take(lines=ROWS)
    assert (done.exit_code, done.stdout.splitlines()[-1]) == (0, "4 added, 0 known already, 0 refused")
    assert f"there is no data in '{data}' yet: it is made, for the account" in " ".join(done.stderr.split())
    assert data.stat().st_mode & 0o777 == 0o700
    assert "patients                         3\n" in passerelle("identity", "stats").stdout
    assert "it is made" not in take().stderr


def test_a_dry_run_before_the_first_start_makes_nothing(take, folder, data):
    """It compares with an empty cross-reference."""
    shutil.rmtree(data)
    done = take("--dry-run", lines=ROWS)
    assert done.exit_code == 0
    assert done.stdout.splitlines()[-1] == "4 would be added, 0 known already, 0 would be refused"
    assert "nothing is made by a dry run" in " ".join(done.stderr.split())
    assert not data.exists()


@pytest.mark.parametrize(
    ("routes", "code", "words"),
    [
        ("version: 1\nsauces: {}\n", 78, "passerelle lint says what is wrong"),
        (NO_IDENTITY, 1, "has no section identity"),
    ],
)
def test_nothing_is_made_for_a_configuration_that_can_not_be_used(take, folder, data, routes, code, words):
    """Before the first start there must be one."""
    shutil.rmtree(data)
    (folder / "routes.yaml").write_text(routes, encoding="utf-8")
    done = take(lines=ROWS)
    assert (done.exit_code, words in done.stderr) == (code, True), done.stderr
    assert not data.exists()


@pytest.mark.parametrize(
    ("header", "lines", "more", "code", "words"),
    [
        ("number,value", ["1,2"], (), 2, "without authority"),
        (",".join(HEADER), ROWS, ("--expect", "5"), 3, "there are 4 rows, not 5"),
        ("", [], (), 2, "without number"),
    ],
)
def test_nothing_is_taken_then(take, folder, header, lines, more, code, words):
    """And no report is left."""
    done = take(*more, lines=lines, header=header)
    assert (done.exit_code, words in done.stderr) == (code, True), done.stderr
    assert not (folder / "mpi.csv.refused.csv").exists()
