"""Folders that are away."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from engine.daemon.folders import LOOK_SECONDS, SILENT_SECONDS, Folder
from engine.errors import DoorFailed
from tests.support.runtime import SimulatedRuntime, simulate


class FakeDoor:
    """A folder's door: away, or there, or silent."""

    def __init__(self) -> None:
        self.away = "gone"
        self.opened = 0
        self.seconds = 0.0
        """How long it takes to answer."""

    async def open(self) -> None:
        if self.seconds:
            await asyncio.sleep(self.seconds)
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
        folder = Folder("labo", tmp_path, door, runtime, lambda code, name, sentence: told.append((code, sentence)))
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


def test_a_folder_that_does_not_answer_is_told(tmp_path: Path) -> None:
    """A share that hangs fails nothing: told once after a while, and its end too, whether it opens or fails."""

    async def main(runtime: SimulatedRuntime) -> None:
        told: list[tuple[str, str]] = []
        door = FakeDoor()
        door.away, door.seconds = "", 3600.0
        folder = Folder("labo", tmp_path, door, runtime, lambda code, name, sentence: told.append((code, sentence)))
        folder.begin()
        await runtime.sleep(SILENT_SECONDS - 1)
        assert told == []
        await runtime.sleep(600)
        assert not folder.looked.is_set()
        assert [code for code, _ in told] == ["E-FOLDER-AWAY"]
        assert told[0][1].startswith(f"source labo: {tmp_path} has not answered for 10 s")
        await runtime.sleep(3600)
        assert folder.looked.is_set()
        assert told[1:] == [("E-FOLDER-BACK", "source labo: the folder is back")]
        assert door.opened == 1
        folder.stop()

    simulate(main)


def test_a_folder_that_answers_in_time_is_not_told(tmp_path: Path) -> None:
    """Slow is not silent: nothing of the first looks is told after they ended."""

    async def main(runtime: SimulatedRuntime) -> None:
        told: list[str] = []
        door = FakeDoor()
        door.away, door.seconds = "", SILENT_SECONDS - 1
        folder = Folder("labo", tmp_path, door, runtime, lambda *alert: told.append(alert[2]))
        folder.begin()
        await runtime.sleep(3600)
        folder.stop()
        assert (told, door.opened) == ([], 1)

    simulate(main)


@pytest.mark.parametrize(("gone", "codes"), [(True, ["E-FOLDER-AWAY", "E-FOLDER-BACK"]), (False, ["E-FOLDER-AWAY"])])
@pytest.mark.parametrize("seconds", [0.0, 3600.0])
def test_a_folder_that_is_watched_no_more_is_no_trouble(
    tmp_path: Path, gone: bool, codes: list[str], seconds: float
) -> None:
    """Removed or corrected by an apply, its alert ends; a stop of the engine ends nothing: the share is away still."""

    async def main(runtime: SimulatedRuntime) -> None:
        told: list[tuple[str, str]] = []
        door = FakeDoor()
        door.seconds = seconds
        folder = Folder("labo", tmp_path, door, runtime, lambda code, name, sentence: told.append((code, sentence)))
        folder.begin()
        await runtime.sleep(LOOK_SECONDS)
        folder.stop(gone=gone)
        folder.stop(gone=gone)
        await runtime.sleep(2 * 3600)
        assert [code for code, _ in told] == codes
        if gone:
            assert told[-1][1] == f"source labo: {tmp_path} is watched no more"

    simulate(main)
