"""
`passerelle identity import FILE`: an existing cross-reference, row by row, from a CSV file.

Batches of rows are taken one after the other; after each, `FILE.import` says how far it came, so that the same command
goes on there after an interruption. Rows that were taken and not yet noted are known then, and change nothing. What is
refused stands in `FILE.refused.csv` with its line and why; no value of the file is written anywhere but to the engine.
"""

from __future__ import annotations

import contextlib
import csv
import hashlib
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any, Final

import click

from engine.cli.acting import act_options, confirm, require_expected
from engine.cli.asking import Session, read_runnable, session
from engine.cli.options import common_options, options
from engine.cli.printing import note, print_json
from engine.errors import OperationRefused
from engine.operations.wording import several

BATCH_ROWS: Final = 500
_HEAD_BYTES: Final = 65_536
_REPORT_HEADER: Final = "line,reason\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bookmark:
    """How far a file was taken."""

    size: int
    """Of the file, with `digest` of its beginning: another file has another bookmark."""
    digest: str
    offset: int = 0
    """Of the next row, in bytes; 0: nothing was taken yet."""
    line: int = 2
    """Number of the next row; the header is line 1."""
    reported: int = 0
    """Bytes of the report that belong to it."""
    added: int = 0
    known: int = 0
    refused: int = 0


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--dry-run", "dry", is_flag=True, help="Only compare: say what would be refused and why.")
@click.option("--from-start", is_flag=True, help="Take the file from its beginning, also where its import had begun.")
@click.option("--report", type=click.Path(path_type=Path), metavar="PATH", help="Of what is refused: FILE.refused.csv.")
@act_options
@common_options
def import_(
    *, file: Path, dry: bool, from_start: bool, report: Path | None, reason: str, yes: bool, expect: int | None
) -> None:
    """
    Take an existing cross-reference from FILE (CSV), and report what is refused.

    Columns: number, authority and value in each row; then kind, status, attributes, birth_name, first_name,
    first_names, birth_date, sex, birth_place, ins_oid, ins, as `identity export` writes them. An import that was
    interrupted goes on where it ended. Before the first start of an engine it makes the data directory. Exits with 1
    when a row is refused.
    """
    with _opened(file) as rows:
        header, separator, first = _header(rows)
        count = _count(rows, first)
        began = _begin(file, rows, dry=dry, from_start=from_start)
        _say(file, count, began, dry=dry)
        require_expected(count, expect, yes=yes and not dry, noun="rows")
        new = _is_new()
        if new:
            _say_new(dry=dry)
        if not dry:
            reason = confirm(reason, yes=yes)
        path = report or file.with_name(f"{file.name}.refused.csv")
        with _asking(new=new, dry=dry) as asked, _report(path, began) as refusals:
            taking = Taking(file, rows, header, separator, reason, asked, refusals, dry=dry)
            ended = taking.run(replace(began, offset=began.offset or first), count)
    _tell(ended, path, dry=dry)


class Taking:
    """Takes the rows of one file."""

    def __init__(
        self, file: Path, rows: IO[bytes], header: list[str], separator: str, reason: str, asked: Session,
        refusals: IO[str], *, dry: bool,
    ) -> None:  # fmt: skip
        self._file, self._rows, self._header, self._separator = file, rows, header, separator
        self._reason, self._asked, self._refusals, self._dry = reason, asked, refusals, dry
        self._seen = Seen(header, separator) if dry else None

    def run(self, mark: Bookmark, count: int) -> Bookmark:
        """
        Take what is left.

        Args:
            mark: Where to begin.
            count: Rows of the whole file, for the progress bar.
        """
        begun = False
        self._rows.seek(mark.offset)
        hidden = options().json or not sys.stderr.isatty()
        try:
            with click.progressbar(
                length=count, label=self._file.name, file=sys.stderr, show_pos=True, hidden=hidden
            ) as bar:
                bar.update(mark.line - 2)
                while (lines := self._batch()) or not begun:  # a file without rows may have a wrong header
                    mark = self._take(mark, lines, first=not begun)
                    begun = True
                    bar.update(len(lines))
        except KeyboardInterrupt:
            note(f"interrupted before line {mark.line:,}: the same command goes on there")
            raise click.Abort from None
        if not self._dry:
            _bookmark_of(self._file).unlink(missing_ok=True)
        return mark

    def _batch(self) -> list[bytes]:
        lines: list[bytes] = []
        while len(lines) < BATCH_ROWS and (line := self._rows.readline()):
            lines.append(line)
        return lines

    def _take(self, mark: Bookmark, lines: list[bytes], *, first: bool) -> Bookmark:
        refused: list[dict[str, Any]] = []
        texts = [_text(line, mark.line + rank, refused) for rank, line in enumerate(lines)]
        if self._seen is not None:
            self._seen.look(texts, mark.line, refused)
        answer = self._asked(
            "identity_import", columns=self._header, rows=texts, line=mark.line, separator=self._separator,
            file=self._file.name if first else None, reason=self._reason, dry=self._dry,
        )  # fmt: skip
        refused += answer["refused"]
        writer = csv.writer(self._refusals, lineterminator="\n")
        writer.writerows((one["line"], one["reason"]) for one in sorted(refused, key=lambda one: int(one["line"])))
        self._refusals.flush()
        mark = replace(
            mark, offset=self._rows.tell(), line=mark.line + len(lines), reported=self._refusals.tell(),
            added=mark.added + answer["added"], known=mark.known + answer["known"],
            refused=mark.refused + len(refused),
        )  # fmt: skip
        if not self._dry:
            _keep(self._file, mark)
        return mark


class Seen:
    """In a dry run nothing is kept of one batch for the next: what contradicts itself in the file is seen here."""

    def __init__(self, header: list[str], separator: str) -> None:
        """Say how rows are written."""
        self._columns = {name: rank for rank, name in enumerate(header)}
        self._separator = separator
        self._numbers: dict[bytes, bytes] = {}
        self._in_use: dict[bytes, bytes] = {}

    def look(self, rows: list[str], line: int, refused: list[dict[str, Any]]) -> None:
        """Report rows of a batch that give one identifier to two patients, or one patient two numbers in use."""
        for rank, cells in enumerate(csv.reader(rows, delimiter=self._separator)):
            if len(cells) != len(self._columns):
                continue
            number, authority, value = (cells[self._columns[name]].strip() for name in ("number", "authority", "value"))
            kind = cells[self._columns["kind"]].strip() if "kind" in self._columns else ""
            mine, local = _hash(number), _hash(f"{authority}\x1f{value}")
            if self._numbers.setdefault(local, mine) != mine:
                refused.append({"line": line + rank, "reason": "another row gives this identifier another number"})
            elif kind != "alias" and self._in_use.setdefault(_hash(f"{number}\x1f{authority}"), local) != local:
                refused.append({"line": line + rank, "reason": "another row has a number in use there for the patient"})


def _is_new() -> bool:
    """
    Look whether the data directory is still to be made; then what is needed to use it must be there.

    Raises:
        PasserelleError: routes.yaml is refused, or has no section identity: nothing is made for that.
    """
    from engine.operations.identities.knowing import NO_SECTION
    from engine.operations.offline import has_data

    chosen = options()
    if has_data(chosen.data):
        return False
    if not read_runnable(chosen).policies:
        raise OperationRefused(NO_SECTION)
    return True


@contextlib.contextmanager
def _asking(*, new: bool, dry: bool) -> Iterator[Session]:
    """Ask the engine or the store; a dry run without one compares with an empty one, of which nothing is left."""
    with contextlib.ExitStack() as stack:
        directory = Path(stack.enter_context(TemporaryDirectory())) if dry else options().data
        yield stack.enter_context(session(directory if new else None))


@contextlib.contextmanager
def _opened(file: Path) -> Iterator[IO[bytes]]:
    try:
        rows = file.open("rb")
    except OSError as error:
        raise OperationRefused(f"'{file}' can't be read: {error.strerror}", exit_code=2) from None
    with rows:
        yield rows


def _header(rows: IO[bytes]) -> tuple[list[str], str, int]:
    """Read the first line: names of columns, what stands between them, and where the second line begins."""
    try:
        text = rows.readline().decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        raise OperationRefused("the file is no CSV in UTF-8: its first line can't be read") from None
    separator = next((sign for sign in (";", "\t") if sign in text and "," not in text), ",")
    return [name.strip().strip('"') for name in text.split(separator)], separator, rows.tell()


def _count(rows: IO[bytes], first: int) -> int:
    rows.seek(first)
    count, last = 0, b"\n"
    while block := rows.read(1 << 20):
        count += block.count(b"\n")
        last = block[-1:]
    return count + (last != b"\n")


def _begin(file: Path, rows: IO[bytes], *, dry: bool, from_start: bool) -> Bookmark:
    """Return where to begin: where a former import ended, or at the first row."""
    rows.seek(0)
    digest = hashlib.blake2b(rows.read(_HEAD_BYTES), digest_size=16).hexdigest()
    fresh = Bookmark(size=file.stat().st_size, digest=digest)
    path = _bookmark_of(file)
    if dry or from_start or not path.is_file():
        return fresh
    try:
        kept = Bookmark(**json.loads(path.read_text("utf-8")))
    except (ValueError, TypeError):
        raise OperationRefused(f"'{path}' can't be read; --from-start takes the file from its beginning") from None
    if (kept.size, kept.digest) != (fresh.size, fresh.digest):
        sentence = f"'{file}' has changed since its import began; --from-start takes it from its beginning"
        raise OperationRefused(f"{sentence} (rows that are known change nothing)")
    return kept


def _say(file: Path, count: int, began: Bookmark, *, dry: bool) -> None:
    if options().json:
        return
    what = "compared with what is known; nothing is changed" if dry else "taken into the cross-reference"
    rest = f"; {began.line - 2:,} of them were, it goes on at line {began.line:,}" if began.offset else ""
    click.echo(f"{several(count, 'row')} of {file.name} {'is' if count == 1 else 'are'} {what}{rest}")


def _say_new(*, dry: bool) -> None:
    """Tell whose the directory will be: an engine of another account couldn't open it."""
    directory = options().data
    if dry:
        note(f"there is no data in '{directory}' yet, so nothing is known of patients; nothing is made by a dry run")
        return
    from engine.operations.control import user_name

    account = user_name(directory.stat().st_uid if directory.is_dir() else os.geteuid())
    note(f"there is no data in '{directory}' yet: it is made, for the account {account}, as the first start would")


@contextlib.contextmanager
def _report(path: Path, began: Bookmark) -> Iterator[IO[str]]:
    """Open the report: at its beginning, or behind what a former import wrote and noted."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "r+", encoding="utf-8", newline="") as report:
        report.truncate(began.reported)
        report.seek(began.reported)
        if not began.reported:
            report.write(_REPORT_HEADER)
        try:
            yield report
        finally:
            report.flush()
            if path.stat().st_size == len(_REPORT_HEADER):  # nothing to report
                path.unlink()


def _tell(mark: Bookmark, report: Path, *, dry: bool) -> None:
    if options().json:
        counts = {"rows": mark.line - 2, "added": mark.added, "known": mark.known, "refused": mark.refused}
        print_json({"dry": dry, **counts, "report": str(report)})
    else:
        would = "would be " if dry else ""
        click.echo(f"{mark.added:,} {would}added, {mark.known:,} known already, {mark.refused:,} {would}refused")
        if mark.refused:
            note(f"{report} says which lines and why; correct them, and import the file again: what is known stays")
    click.get_current_context().exit(1 if mark.refused else 0)


def _keep(file: Path, mark: Bookmark) -> None:
    """Replace the bookmark at once, so that nobody reads half of one."""
    path = _bookmark_of(file)
    fresh = path.with_name(f"{path.name}.new")
    fresh.write_text(json.dumps(asdict(mark)), "utf-8")
    fresh.replace(path)


def _bookmark_of(file: Path) -> Path:
    return file.with_name(f"{file.name}.import")


def _text(line: bytes, number: int, refused: list[dict[str, Any]]) -> str:
    try:
        return line.decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        refused.append({"line": number, "reason": "the line isn't UTF-8"})
        return ""


def _hash(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
