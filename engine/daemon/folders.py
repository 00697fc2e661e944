"""
A watched folder may be away (a share not mounted), or not answer at all (its server hangs).

It is tried for ever, told once, and once when it is back. A share that hangs holds nobody up: who begins to look at
it waits for `looked` as long as suits him.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final

from engine.core.ports import Runtime, SourceDoor, Timer
from engine.errors import DoorFailed

LOOK_SECONDS: Final = 30.0
SILENT_SECONDS: Final = 10.0
"""How long a folder may take to answer before that is told."""


class Folder:
    """The door of one folder, kept open."""

    def __init__(
        self,
        name: str,
        path: Path,
        door: SourceDoor,
        runtime: Runtime,
        alert: Callable[[str, str, str], None],
    ) -> None:
        """
        Keep what to look at.

        Args:
            name: Of the source.
            path: Of the folder.
            door: Not yet open.
            runtime: Timers, coroutines.
            alert: Told `E-FOLDER-AWAY` at the start of a trouble, `E-FOLDER-BACK` at its end.
        """
        self._name = name
        self._path = path
        self._door = door
        self._runtime = runtime
        self._alert = alert
        self._timer: Timer | None = None
        self._open = False
        self._told = False
        self._stopped = False
        self.looked = asyncio.Event()
        """Set when the first look ended, well or not."""

    def begin(self) -> None:
        """Look, and look again in a while, for ever."""
        self._look_again()

    async def look(self) -> None:
        """Open the door unless it is; tell a trouble that began or ended; look again in a while."""
        if self._stopped:
            return
        silent = self._runtime.call_later(SILENT_SECONDS, self._is_silent)
        try:
            trouble = await self._try_to_open() or str(self._door.facts().get("trouble") or "")
            self._tell(trouble)
        finally:
            silent.cancel()
            self.looked.set()
        if not self._stopped:
            self._timer = self._runtime.call_later(LOOK_SECONDS, self._look_again)

    def stop(self, *, gone: bool = False) -> None:
        """Look no more; `gone`: nobody does, so that a trouble which was told is over."""
        if gone and self._told and not self._stopped:
            self._alert("E-FOLDER-BACK", self._name, f"source {self._name}: {self._path} is watched no more")
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()

    def _is_silent(self) -> None:
        self._tell(
            f"source {self._name}: {self._path} has not answered for {SILENT_SECONDS:g} s; "
            f"look whether its share is well (ls {self._path}); it goes on by itself"
        )

    def _tell(self, trouble: str) -> None:
        """Tell a trouble that began, or its end."""
        if self._stopped:
            return
        if trouble and not self._told:
            self._alert("E-FOLDER-AWAY", self._name, trouble)
        elif self._told and not trouble:
            self._alert("E-FOLDER-BACK", self._name, f"source {self._name}: the folder is back")
        self._told = bool(trouble)

    def _look_again(self) -> None:
        self._runtime.spawn(self.look(), f"look at {self._name}")

    async def _try_to_open(self) -> str:
        """Return why it can't be opened, empty when it is open."""
        if self._open:
            return ""
        try:
            await self._door.open()
        except DoorFailed as error:
            return str(error)
        self._open = True
        return ""
