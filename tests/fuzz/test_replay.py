"""The inputs of the fuzzing campaign, replayed: seeds, what failed once, what reached new code."""

from __future__ import annotations

import pytest

from tests.fuzz.__main__ import NAMES
from tests.fuzz.kept import FOLDER, line_of, read_kept
from tests.fuzz.targets import TARGETS


@pytest.mark.parametrize("name", TARGETS)
def test_no_kept_input_breaks_a_promise(name: str) -> None:
    """Each target's."""
    inputs = [*TARGETS[name].seeds(), *read_kept(name)]
    assert inputs
    for data in inputs:
        try:
            TARGETS[name].run(data)
        except Exception as failed:
            raise AssertionError(f"{name}: {data!r}") from failed


def test_the_campaign_and_its_files_know_the_same_targets() -> None:
    """A file of no target would be replayed by nobody."""
    assert tuple(TARGETS) == NAMES
    assert {path.stem for path in FOLDER.glob("*.txt")} <= set(NAMES)


@pytest.mark.parametrize("data", [b"", b"#x", b"'\"\\", b"\r\n\x00\xe9", b"\\'", b"MSH|^~\\&|"])
def test_an_input_is_written_on_one_line_and_read_back(data: bytes, tmp_path, monkeypatch) -> None:
    """Whatever its bytes."""
    monkeypatch.setattr("tests.fuzz.kept.FOLDER", tmp_path)
    (tmp_path / "mllp.txt").write_text(f"# a comment\n{line_of(data)}\n", encoding="ascii")
    assert read_kept("mllp") == ([data] if data else [])
