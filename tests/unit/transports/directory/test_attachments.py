"""Files beside a message: inside its folder only."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.transports.directory.attachments import look_for


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A watched folder with a secret beside it."""
    inside = tmp_path / "labo"
    (inside / "res").mkdir(parents=True)
    (inside / "res" / "cr1.pdf").write_bytes(b"%PDF")
    (tmp_path / "secret").write_bytes(b"secret")
    return inside


@pytest.mark.parametrize("name", ["res/cr1.pdf", "./res//cr1.pdf", "RES/CR1.PDF", "res/CR1.pdf"])
def test_a_file_is_found(folder: Path, name: str) -> None:
    """Case doesn't count."""
    found = look_for(folder, name, 100)
    assert (found.state, found.data, found.size) == ("here", b"%PDF", 4)
    assert look_for(folder, name, 100, read=False).data == b""


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "res/../../secret", "C:/x", "", ".", "a\0b", "a/" * 20])
def test_no_name_leads_out(folder: Path, name: str) -> None:
    """Refused, whatever is there."""
    found = look_for(folder, name, 100)
    assert found.state == "refused"
    assert found.reason == "the message names a file outside its folder"


def test_no_link_leads_out(folder: Path) -> None:
    """Neither as a file nor as a folder."""
    (folder / "link").symlink_to(folder.parent / "secret")
    (folder / "up").symlink_to(folder.parent)
    for name in ("link", "up/secret"):
        assert look_for(folder, name, 100).state == "refused"


def test_what_is_no_file(folder: Path) -> None:
    """A folder, a pipe."""
    os.mkfifo(folder / "pipe")
    assert look_for(folder, "res", 100).state == "refused"
    assert look_for(folder, "pipe", 100).state == "refused"


def test_absent(folder: Path) -> None:
    """It may come; two files of the name in other cases are none."""
    assert look_for(folder, "res/cr2.pdf", 100).state == "absent"
    (folder / "A").touch()
    (folder / "a").touch()
    assert look_for(folder, "a", 100).state == "here"
    (folder / "Bc").touch()
    (folder / "bC").touch()
    assert look_for(folder, "BC", 100).state == "absent"


def test_too_long(folder: Path) -> None:
    """Not read; the sentence has sizes, no name."""
    found = look_for(folder, "res/cr1.pdf", 3)
    assert (found.state, found.reason) == (
        "refused",
        "an attached file has 4 bytes, more than the 3 that this source takes",
    )
