"""Whether the store answers: one alert when it has been silent for some seconds, one when it speaks again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from engine.core.ports import Runtime, Timer
from engine.store.sqlite.patience import SILENT_SECONDS

LOOK_SECONDS: Final = 1.0


class Listening:
    """Looks each second."""

    def __init__(
        self, silence: Callable[[float], str], runtime: Runtime, alert: Callable[[str, str, str], None]
    ) -> None:
        """
        Keep whom to ask; `start` sets the first timer.

        Args:
            silence: Given seconds, a sentence if the store has been silent for so long, else empty.
            runtime: Timers.
            alert: Told `E-STORE-SILENT` at the start, `E-STORE-BACK` at the end.
        """
        self._silence = silence
        self._runtime = runtime
        self._alert = alert
        self._timer: Timer | None = None
        self._told = False

    def start(self) -> None:
        """Begin to look."""
        self._timer = self._runtime.call_later(LOOK_SECONDS, self._look)

    def stop(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        if not self._told and (sentence := self._silence(SILENT_SECONDS)):
            self._told = True
            self._alert("E-STORE-SILENT", "store", sentence)
        elif self._told and not self._silence(0.0):
            self._told = False
            self._alert("E-STORE-BACK", "store", "the store answers again")
        self._timer = self._runtime.call_later(LOOK_SECONDS, self._look)
