"""
Every public message, good and broken, through everything that the formats promise.

Read or refused with a reason and a place; byte for byte back; shown, validated, converted both ways; one value
changed, and no other byte.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from click.testing import CliRunner

from engine.cli.group import passerelle
from engine.errors import ParseError
from engine.parsers import header_of, open_message, sniff
from tests.support import handling

HEADER = re.compile(rb"\s*(?:\xef\xbb\xbf)?\s*(?:MSH|FHS|BHS|H)[^\w\s]")
"""What begins like a message of one of the formats."""


def files(corpus: Path) -> list[tuple[str, bytes]]:
    found = [path for path in sorted(corpus.rglob("*")) if path.suffix in (".hl7", ".hpr")]
    assert len(found) >= 1250
    return [(f"{path.parent.name}/{path.name}", path.read_bytes()) for path in found]


def messages(corpus: Path) -> list[tuple[str, bytes]]:
    """Each message by itself, batches cut as intake does; those that are refused left out."""
    return [
        (f"{name} #{rank}", one)
        for name, raw in files(corpus)
        for rank, one in enumerate(handling.messages_in(raw), 1)
        if handling.read(one) is not None
    ]


def test_each_file_with_a_header_is_read_or_refused_with_a_place(corpus: Path) -> None:
    """All of them; what carries no header is refused too, and says so."""
    counts: Counter[str] = Counter()
    for name, raw in files(corpus):
        begins = bool(HEADER.match(raw))
        try:
            header_of(raw)
            open_message(raw)
        except ParseError as refused:
            handling.told(refused)
            located = bool(refused.location) and (begins or sniff(raw) == "unknown")
            counts[("refused" if begins else "no header, refused") if located else name] += 1
        else:
            counts["read"] += 1
    assert set(counts) == {"read", "refused", "no header, refused"}
    assert counts.total() == len(files(corpus))
    assert counts["refused"] <= 25, counts  # broken delimiters, batches without a message
    assert counts["no header, refused"] <= 5, counts


@pytest.mark.parametrize("whole", [True, False], ids=["file", "message"])
def test_each_that_is_read_comes_back(corpus: Path, whole: bool) -> None:
    """Byte for byte, as a file and cut into its messages; with its difference to what was received."""
    read = 0
    for name, raw in files(corpus) if whole else messages(corpus):
        if handling.read(raw) is None:
            continue
        read += 1
        try:
            handling.comes_back(raw)
        except Exception as failed:
            raise AssertionError(name) from failed
    assert read >= (1225 if whole else 1400), read


@pytest.mark.timeout(300)
def test_each_is_shown_and_validated(corpus: Path) -> None:
    """As a tree with marks, and as plain values."""
    for name, raw in messages(corpus):
        try:
            handling.shown(raw)
        except Exception as failed:
            raise AssertionError(name) from failed


def test_each_is_converted_or_has_no_form(corpus: Path) -> None:
    """Results and orders both ways, there and back; anything else says why not."""
    made: Counter[str] = Counter()
    for name, raw in messages(corpus):
        message = handling.read(raw)
        assert message is not None
        try:
            made[message.format] += sum(1 for _ in handling.converted(message))
        except Exception as failed:
            raise AssertionError(name) from failed
    assert made["hl7v2"] >= 1000, made
    assert made["hprim-sante"] >= 4, made


@pytest.mark.parametrize("path", ["PID-5.1", "PID-3.1", "MSH-10", "OBX-5", "PID-40"])
def test_a_change_of_one_value_changes_no_other_byte(corpus: Path, path: str) -> None:
    """In every message that has the segment."""
    changed = 0
    for name, raw in messages(corpus):
        if sniff(raw) != "hl7v2":
            continue
        try:
            changed += handling.changes_one_value(raw, path)
        except Exception as failed:
            raise AssertionError(name) from failed
    assert changed >= 600, changed


@pytest.mark.timeout(900)  # a minute each where nothing else runs
@pytest.mark.parametrize(
    "command",
    [
        pytest.param(("msg", "show"), marks=pytest.mark.slow),  # a minute together: drawn on a screen
        pytest.param(("msg", "validate"), marks=pytest.mark.slow),
        ("convert", "--to", "json"), ("convert", "--to", "hl7"), ("convert", "--to", "hprim"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_the_command_line_takes_every_file(corpus: Path, command: tuple[str, ...], tmp_path: Path) -> None:
    """Exit codes 0, 1 and 2, a sentence when it isn't 0, never a traceback."""
    runner = CliRunner()
    for name, _ in files(corpus):
        where = ("--output", str(tmp_path / "out")) if command[-1] in ("hl7", "hprim") else ()
        done = runner.invoke(passerelle, [*command[:2], str(corpus / name), *command[2:], *where])
        told = done.exception is None or isinstance(done.exception, SystemExit)
        assert told, f"{name}: {done.exception!r}"
        assert done.exit_code in (0, 1, 2), name
        assert done.exit_code == 0 or done.output.strip(), name
