"""The data files: tab separated, a heading line, the versions of each row in the last column."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator
from functools import cache
from sys import intern
from typing import Final

from engine.dictionary.versions import bit_of, bits_of

FOLDER: Final = pathlib.Path(__file__).with_name("data")
HL7: Final = "hl7"
PAM_FR_FOLDER: Final = "pam_fr"


def rows_of(folder: str, name: str, version: str) -> Iterator[list[str]]:
    """
    Give the rows of a file that hold for a version.

    Args:
        folder: `hl7`, or that of an extension.
        name: `fields`, `tables`…; a file that isn't there has no rows.
        version: One of VERSIONS.

    Returns:
        The columns of each row but the last.
    """
    bit = bit_of(version)
    for row, bits in _lines(folder, name):
        if bits & bit:
            yield [intern(column) for column in row.split("\t")]


def all_rows(folder: str, name: str) -> Iterator[tuple[list[str], int]]:
    """Give all rows of a file, each with the bits of its versions."""
    for row, bits in _lines(folder, name):
        yield row.split("\t"), bits


def _lines(folder: str, name: str) -> Iterator[tuple[str, int]]:
    path = FOLDER / folder / f"{name}.tsv"
    if not path.exists():
        return
    lines = iter(path.read_text(encoding="utf-8").splitlines())
    next(lines)
    for line in lines:
        if line and line[0] != "#":
            row, _, spans = line.rpartition("\t")
            yield row, _bits(spans)


@cache
def _bits(spans: str) -> int:
    return bits_of(spans)
