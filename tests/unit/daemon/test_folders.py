"""Folders that are away."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine.daemon.folders import LOOK_SECONDS, Folder
from engine.errors import DoorFailed
from tests.support.runtime import SimulatedRuntime, simulate


class FakeDoor:
    """A folder's door: away, or there."""

    def __init__(self) -> None:
        self.away = "gone"
        self.opened = 0

    async def open(self) -> None:
        if self.away:
            raise DoorFailed(f"can't watch: {self.away}")
        self.opened += 1

    def facts(self) -> dict[str, Any]:
        return {"trouble": self.away}

    def pause(self) -> None: ...

    def resume(self) -> None: ...

    async def close(self) -> None: ...


def test_a_folder_is_told_once_away_and_once_back(tmp_path: Path) -> None:
    """Looked at for an hour: one alert; opened once when it is there; told again when it goes."""

    async def main(runtime: SimulatedRuntime) -> None:
        told: list[tuple[str, str]] = []
        door = FakeDoor()
        folder = Folder(
            "labo", tmp_path, door, runtime, lambda code, name, sentence: told.append((code, sentence)), own=False
        )
        await folder.look()
        await runtime.sleep(3600)
        assert told == [("E-FOLDER-AWAY", "can't watch: gone")]
        door.away = ""
        await runtime.sleep(LOOK_SECONDS * 3)
        assert told[1:] == [("E-FOLDER-BACK", "source labo: the folder is back")]
        door.away = "the folder is missing"
        await runtime.sleep(LOOK_SECONDS * 3)
        assert told[2:] == [("E-FOLDER-AWAY", "the folder is missing")]
        assert door.opened == 1
        folder.stop()
        door.away = ""
        await runtime.sleep(3600)
        assert len(told) == 3

    simulate(main)


def test_our_own_folders_are_made(tmp_path: Path, monkeypatch: Any) -> None:
    """Those that routes.yaml names by a relative path; one that can't be made is told like one that is away."""
    monkeypatch.chdir(tmp_path)

    async def main(runtime: SimulatedRuntime) -> None:
        told: list[str] = []
        door = FakeDoor()
        door.away = ""
        folder = Folder("labo", Path("in/labo"), door, runtime, lambda *alert: told.append(alert[2]), own=True)
        await folder.look()
        folder.stop()
        assert (tmp_path / "in/labo").is_dir()
        (tmp_path / "file").write_bytes(b"")
        blocked = Folder("rx", Path("file/rx"), door, runtime, lambda *alert: told.append(alert[2]), own=True)
        await blocked.look()
        blocked.stop()
        assert told == ["source rx: can't make file/rx: Not a directory"]

    simulate(main)
