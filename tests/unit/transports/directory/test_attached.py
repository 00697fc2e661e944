"""Messages that wait for the files that they name."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.conversion.documents import AttachedFile
from engine.parsers.paths import Path as MessagePath
from engine.routes.configuration import AttachedFiles
from engine.routes.directories import Named
from engine.transports.directory.attached import AttachedReader
from engine.transports.directory.folder import Folder, Reading

RULE = AttachedFiles(path=MessagePath.parse("OBX-5"), wait=60.0, max_size=1_000)


def named_by(raw: bytes) -> Named:
    """`patient: file file`."""
    patient, _, files = raw.decode().partition(": ")
    return Named(tuple(AttachedFile(name, "PDF") for name in files.split()), frozenset({patient.encode()}))


class Room:
    """A folder, its reader, and a clock."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.folder = Folder(path, "*.hpr", "", 1_000)
        self.reader = AttachedReader(self.folder, RULE, 2.0, named_by)
        self.now = 0.0
        self.written = 0

    def write(self, name: str, data: bytes) -> None:
        (self.path / name).parent.mkdir(exist_ok=True)
        (self.path / name).write_bytes(data)
        self.written += 1
        os.utime(self.path / name, ns=(self.written, self.written))

    def look(self, after: float = 0.0) -> list[Reading]:
        self.now += after
        found = self.folder.look()
        self.reader.begin(found)
        return self.reader.read(found, self.now)

    def names(self, after: float = 0.0) -> list[str]:
        return [reading.found.name for reading in self.look(after)]


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


def test_what_names_nothing_waits_for_nothing(room: Room) -> None:
    """Read at the first look."""
    room.write("a.hpr", b"p1: ")
    assert room.names() == ["a.hpr"]


def test_a_file_must_rest(room: Room) -> None:
    """As long as a message must; one that grows begins anew."""
    room.write("a.hpr", b"p1: res/x.pdf")
    assert room.names() == []
    assert room.reader.waiting == 1
    room.write("res/X.PDF", b"%PD")
    assert room.names(1.0) == []
    room.write("res/X.PDF", b"%PDF")
    assert room.names(2.0) == []
    (reading,) = room.look(2.0)
    (attachment,) = reading.attachments
    assert (attachment.name, attachment.type, attachment.data) == ("res/x.pdf", "PDF", b"%PDF")
    assert attachment.digest != 0
    assert reading.also == ("res/X.PDF",)
    assert reading.raw == b"p1: res/x.pdf"


def test_younger_ones_of_the_same_patient_wait_behind(room: Room) -> None:
    """The others don't."""
    room.write("a.hpr", b"p1: x.pdf")
    room.write("b.hpr", b"p2: ")
    room.write("c.hpr", b"p1: ")
    assert room.names() == ["b.hpr"]
    room.write("x.pdf", b"%PDF")
    room.look(1.0)
    assert room.names(2.0) == ["a.hpr", "b.hpr", "c.hpr"]


def test_the_wait_ends(room: Room) -> None:
    """The message comes without the file, and says so."""
    room.write("a.hpr", b"p1: x.pdf y.pdf")
    room.write("y.pdf", b"Y")
    assert room.names() == []
    assert room.names(59.0) == []
    (reading,) = room.look(1.0)
    assert [attachment.data for attachment in reading.attachments] == [None, b"Y"]
    assert reading.also == ("y.pdf",)


@pytest.mark.parametrize("name", ["../x.pdf", "big.pdf", "link"])
def test_what_can_t_come_isn_t_waited_for(room: Room, name: str) -> None:
    """A name that leads out, a file that is too long, a link."""
    room.write("big.pdf", b"x" * 1_001)
    (room.path / "link").symlink_to(room.path / "big.pdf")
    room.write("a.hpr", f"p1: {name}".encode())
    (reading,) = room.look()
    assert [attachment.data for attachment in reading.attachments] == [None]


def test_a_message_that_was_replaced_is_read_anew(room: Room) -> None:
    """It may name other files."""
    room.write("a.hpr", b"p1: x.pdf")
    assert room.names() == []
    room.write("a.hpr", b"p1: ")
    assert room.names() == ["a.hpr"]


def test_a_file_of_two_messages_stays_for_both(room: Room) -> None:
    """It goes with neither while the other is there."""
    room.write("a.hpr", b"p1: x.pdf")
    room.write("b.hpr", b"p2: x.pdf")
    room.write("x.pdf", b"%PDF")
    room.look()
    readings = room.look(2.0)
    assert [reading.attachments[0].data for reading in readings] == [b"%PDF"] * 2
    assert [reading.also for reading in readings] == [(), ()]


def test_a_message_that_can_t_be_read_says_so(room: Room) -> None:
    """As without attachments."""
    room.write("a.hpr", b"x" * 1_001)
    (reading,) = room.look()
    assert reading.code == "E-TOO-LONG"
