"""
Sources that speak of numbers which aren't theirs to speak of: their messages die, and somebody must be told.

A source that is set up wrongly does it with each message, so each is told once an hour.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from engine.identity.deciding.decision import Code

if TYPE_CHECKING:
    from engine.core.ports import Runtime

QUIET_SECONDS: Final = 3600.0


class Trespassing:
    """Tells of them."""

    def __init__(self, runtime: Runtime, alert: Callable[[str, str, str], None] | None) -> None:
        """
        Begin with none.

        Args:
            runtime: Clock.
            alert: Told code, source and sentence; None: nobody listens.
        """
        self._runtime = runtime
        self._alert = alert
        self._told: dict[str, float] = {}

    def by(self, source: str) -> None:
        """A message of a source died of it."""
        now, last = self._runtime.monotonic(), self._told.get(source)
        if self._alert is None or (last is not None and now - last < QUIET_SECONDS):
            return
        self._told[source] = now
        self._alert(
            str(Code.NOT_ASSERTED), source,
            f"source {source} speaks of another site's numbers: its messages that do are dead letters "
            f"({Code.NOT_ASSERTED}); find out why, or write may_assert",
        )  # fmt: skip
