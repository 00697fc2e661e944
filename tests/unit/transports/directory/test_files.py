"""Names and renames of folders: engine.transports.directory.files."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.transports.directory.files import (
    NAME_BYTES_MAX,
    first_free,
    free_path,
    in_words,
    make_folder,
    numbered,
    safe_name,
    shown_name,
    write_new,
)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("48211-0.hl7", "48211-0.hl7"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ("..", ""),
        (".", ""),
        ("", ""),
        ("/abs/olute.hl7", "_abs_olute.hl7"),
        ("a\\b:c*d.hl7", "a_b_c_d.hl7"),
        (".hidden", "hidden"),
        ("line\r\nbreak\0.hl7", "line__break_.hl7"),
        ("trailing. ", "trailing"),
        ("été.hpr", "été.hpr"),
    ],
)
def test_a_name_can_not_leave_its_folder_or_hide(text: str, name: str) -> None:
    """Separators, dots that climb or hide, control characters and what Windows forbids are taken out."""
    assert safe_name(text) == name


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=400))
def test_any_text_gives_one_component_that_fits(text: str) -> None:
    """Whatever a message holds: at most 255 bytes, no separator, not `..`, not hidden."""
    name = safe_name(text)
    assert len(os.fsencode(name)) <= NAME_BYTES_MAX
    assert "/" not in name
    assert "\0" not in name
    assert not name.startswith(".")
    assert numbered(name or "x", 12).startswith((name or "x")[:1])
    assert len(os.fsencode(numbered(name or "x", 123))) <= NAME_BYTES_MAX


def test_a_long_name_keeps_its_extension_and_whole_characters() -> None:
    """It is cut before the extension, never inside a character."""
    name = safe_name("é" * 300 + ".hl7")
    assert name.endswith("é.hl7")
    assert 250 <= len(os.fsencode(name)) <= 255
    assert numbered(name, 7).endswith("-7.hl7")


@given(st.integers(min_value=0, max_value=5_000))
def test_a_free_number_is_found_with_few_looks(taken: int) -> None:
    """With the numbers below taken without a gap: the first free one, in some two dozen looks."""
    looks = 0

    def is_taken(name: str) -> bool:
        nonlocal looks
        looks += 1
        number = 0 if name == "a.hl7" else int(name.removeprefix("a-").removesuffix(".hl7"))
        return number < taken

    assert first_free("a.hl7", is_taken) == taken
    assert looks <= 30


def test_a_name_that_a_dangling_link_uses_is_taken(tmp_path: Path) -> None:
    """A link to nowhere is something: renaming over it would destroy it."""
    (tmp_path / "a.hl7").symlink_to(tmp_path / "nowhere")
    assert free_path(tmp_path, "a.hl7").name == "a-1.hl7"


def test_folders_are_made_below_the_root_and_never_the_root(tmp_path: Path) -> None:
    """A missing root is an unmounted share: making it would hide the files under the mount point."""
    assert make_folder(tmp_path, "done/2031-02") == tmp_path / "done" / "2031-02"
    assert make_folder(tmp_path, "done/2031-02").is_dir()
    with pytest.raises(FileNotFoundError):
        make_folder(tmp_path / "share", "done")
    assert not (tmp_path / "share").exists()


def test_an_error_is_told_without_the_file_s_name() -> None:
    """A file name may hold a patient's."""
    error = OSError(errno.ENOSPC, "No space left on device", "/data/DUPONT.hpr")
    assert in_words(error) == "the disk is full"
    assert "DUPONT" not in in_words(OSError(errno.EIO, "Input/output error", "/data/DUPONT.hpr"))


def test_a_new_file_never_takes_another_one_s_name(tmp_path: Path) -> None:
    """Whole, numbered where the name is taken, nothing temporary left."""
    for content in (b"one", b"two"):
        write_new(tmp_path, "a.ERR", content)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a.ERR": b"one", "a-1.ERR": b"two"}


def test_the_longest_name_can_be_written(tmp_path: Path) -> None:
    """Its temporary one is cut: a file whose answer can't be written would stay for ever."""
    name = "é" * 125 + "a.ERR"
    write_new(tmp_path, name, b"one")
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_folder_that_can_not_be_flushed_fails_no_file_that_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would be written again, under another name."""
    fsync = os.fsync

    def failing(handle: int) -> None:
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(errno.EIO, "Input/output error")
        fsync(handle)

    monkeypatch.setattr(os, "fsync", failing)
    write_new(tmp_path, "a.ERR", b"one")
    assert (tmp_path / "a.ERR").read_bytes() == b"one"


def test_a_name_of_unknown_encoding_is_shown() -> None:
    """As latin-1, so that it can be stored."""
    assert shown_name("été.hpr") == "été.hpr"
    assert shown_name(os.fsdecode(b"\xe9t\xe9.hpr")) == "été.hpr"
