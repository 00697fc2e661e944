"""A watched folder may be away (a share not mounted): tried for ever, told once, and once when it is back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from engine.core.ports import Runtime, SourceDoor, Timer
from engine.errors import DoorFailed

LOOK_SECONDS: Final = 30.0


class Folder:
    """The door of one folder, kept open."""

    def __init__(
        self,
        name: str,
        path: Path,
        door: SourceDoor,
        runtime: Runtime,
        alert: Callable[[str, str, str], None],
        *,
        own: bool,
    ) -> None:
        """
        Keep what to look at.

        Args:
            name: Of the source.
            path: Of the folder.
            door: Not yet open.
            runtime: Timers, coroutines.
            alert: Told `E-FOLDER-AWAY` at the start of a trouble, `E-FOLDER-BACK` at its end.
            own: Written relative to routes.yaml: it is our own, and made.
        """
        self._name = name
        self._path = path
        self._own = own
        self._door = door
        self._runtime = runtime
        self._alert = alert
        self._timer: Timer | None = None
        self._open = False
        self._told = False
        self._stopped = False

    async def look(self) -> None:
        """Open the door unless it is; tell a trouble that began or ended; look again in a while."""
        if self._stopped:
            return
        trouble = await self._try_to_open() or str(self._door.facts().get("trouble") or "")
        if trouble and not self._told:
            self._alert("E-FOLDER-AWAY", self._name, trouble)
        elif self._told and not trouble:
            self._alert("E-FOLDER-BACK", self._name, f"source {self._name}: the folder is back")
        self._told = bool(trouble)
        if not self._stopped:
            self._timer = self._runtime.call_later(LOOK_SECONDS, self._look_again)

    def stop(self) -> None:
        """Look no more."""
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()

    def _look_again(self) -> None:
        self._runtime.spawn(self.look(), f"look at {self._name}")

    async def _try_to_open(self) -> str:
        """Return why it can't be opened, empty when it is open."""
        if self._open:
            return ""
        try:
            if self._own:
                self._path.mkdir(parents=True, exist_ok=True)
            await self._door.open()
        except DoorFailed as error:
            return str(error)
        except OSError as error:
            return f"source {self._name}: can't make {self._path}: {error.strerror}"
        self._open = True
        return ""
