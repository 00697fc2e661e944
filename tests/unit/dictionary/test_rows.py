"""The data files: every row can be read, says something, and says it once a version."""

from __future__ import annotations

import collections

import pytest

from engine.dictionary.rows import FOLDER, HL7, PAM_FR_FOLDER, all_rows, rows_of

COLUMNS = {"segments": 2, "fields": 8, "components": 7, "structures": 2, "events": 4, "tables": 4, "names": 3}
KEYS = {"segments": 1, "fields": 2, "components": 2, "structures": 1, "events": 2, "tables": 2, "names": 2}
FILES = sorted((path.parent.name, path.stem) for path in FOLDER.glob("*/*.tsv"))


def test_all_files_are_there():
    """HL7's six, and those of the French extension."""
    assert [name for folder, name in FILES if folder == HL7] == sorted(COLUMNS.keys() - {"names"})
    assert {name for folder, name in FILES if folder == PAM_FR_FOLDER} == COLUMNS.keys() - {"components"}


@pytest.mark.parametrize(("folder", "name"), FILES)
def test_each_row_is_whole_and_stands_once_a_version(folder, name):
    """As many columns as the heading; no version says two things about one place."""
    seen = collections.defaultdict(int)
    for columns, bits in all_rows(folder, name):
        assert len(columns) == COLUMNS[name], columns
        key = tuple(columns[: KEYS[name]])
        assert bits
        assert not seen[key] & bits, key
        seen[key] |= bits
    assert seen


def test_a_file_that_is_not_there_has_no_rows():
    """The extension has no components of its own."""
    assert list(rows_of(PAM_FR_FOLDER, "components", "2.5")) == []


def test_rows_are_those_of_the_version():
    """PID-40 came with 2.7."""
    assert ["PID", "40"] in [row[:2] for row in rows_of(HL7, "fields", "2.7")]
    assert ["PID", "40"] not in [row[:2] for row in rows_of(HL7, "fields", "2.6")]


def test_the_sources_are_named_with_their_licence():
    """MIT wants its notice beside what was taken."""
    notice = (FOLDER / "NOTICE.md").read_text(encoding="utf-8")
    assert "CRS4" in notice
    assert "Fernando Serrano" in notice
    assert "The above copyright notice and this permission notice shall be included" in notice
