"""Whether the store answers, and has room: one alert when it doesn't, one when it does again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from engine.core.ports import Runtime, Timer
from engine.store.sqlite.patience import SILENT_SECONDS

LOOK_SECONDS: Final = 1.0


class Listening:
    """Looks each second."""

    def __init__(
        self,
        silence: Callable[[float], str],
        shortage: Callable[[], str],
        runtime: Runtime,
        alert: Callable[[str, str, str], None],
    ) -> None:
        """
        Keep whom to ask; `start` sets the first timer.

        Args:
            silence: Given seconds, a sentence if the store has been silent for so long, else empty.
            shortage: A sentence if there is too little room on the disk, else empty.
            runtime: Timers.
            alert: Told `E-STORE-SILENT` and `E-DISK-FULL` at the start, `E-STORE-BACK` and `E-DISK-ROOM` at the end.
        """
        self._silence = silence
        self._shortage = shortage
        self._runtime = runtime
        self._alert = alert
        self._timer: Timer | None = None
        self._told = False
        self._short = False

    def start(self) -> None:
        """Begin to look."""
        self._timer = self._runtime.call_later(LOOK_SECONDS, self._look)

    def stop(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._look_for_silence()
        self._look_for_room()
        self._timer = self._runtime.call_later(LOOK_SECONDS, self._look)

    def _look_for_silence(self) -> None:
        if not self._told and (sentence := self._silence(SILENT_SECONDS)):
            self._told = True
            self._alert("E-STORE-SILENT", "store", sentence)
        elif self._told and not self._silence(0.0):
            self._told = False
            self._alert("E-STORE-BACK", "store", "the store answers again")

    def _look_for_room(self) -> None:
        sentence = self._shortage()
        if sentence and not self._short:
            self._alert("E-DISK-FULL", "store", sentence)
        elif self._short and not sentence:
            self._alert("E-DISK-ROOM", "store", "there is room on the disk again")
        self._short = bool(sentence)
