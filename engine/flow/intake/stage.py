"""What all sources have in common: back-pressure, and waiting while the store can't store."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

import structlog

from engine.core.changes import Change, Receipt
from engine.core.ports import Runtime, SourceDoor, Store, Timer, Urgency
from engine.core.reception import ReceptionBudget
from engine.errors import StoreError
from engine.flow.intake.large import LargeMessages

_log = structlog.get_logger(__name__)

PAUSE_LOAD: Final = 0.8
RESUME_LOAD: Final = 0.5
LOOK_SECONDS: Final = 0.01
"""How often the load is measured while reading stands still."""
RETRY_SECONDS: Final = 1.0


class Intake:
    """
    All sources' common part: back-pressure, and waiting while the store can't store.

    Two causes stop reading: the store is full (every source), and the store can't store (the sources whose
    senders wait; those that answer `ae` or `ar` meanwhile must read to do so).
    """

    def __init__(self, store: Store, runtime: Runtime, budget: ReceptionBudget | None = None) -> None:
        """
        Prepare; `source_intake` makes one door a source.

        Args:
            store: Where messages are committed.
            runtime: Clock and timers.
            budget: Of large messages, shared with the doors; one of its own unless told.
        """
        self.store = store
        self.runtime = runtime
        self.large = LargeMessages(store, budget or ReceptionBudget())
        self.available = True
        self._doors: list[SourceDoor] = []
        self._answering: list[SourceDoor] = []
        self._full = False
        self._waiting = False
        self._look: Timer | None = None
        self._held: list[Callable[[], None]] = []
        self._ack_serial = 0
        self._retry: Timer | None = None
        store.on_trouble(self._trouble)

    def attach(self, doors: Iterable[SourceDoor], answering: Iterable[SourceDoor] = ()) -> None:
        """
        Name the doors whose reading is paused and resumed.

        Args:
            doors: Doors that stop to read while the store is full, and while it can't store.
            answering: Doors that stop only while it is full (`SourceIntake.answers_trouble`).
        """
        self._doors, self._answering = list(doors), list(answering)
        if self._full:
            _pause(self._answering)
        if self._full or self._waiting:
            _pause(self._doors)

    def next_ack_id(self) -> str:
        """Return a control id for one of our acknowledgements, unique in this run."""
        self._ack_serial += 1
        return f"PA{self._ack_serial}"

    def take(self, change: Change, urgency: Urgency, done: Callable[[Receipt | StoreError], None] | None) -> None:
        """Submit a reception or a refusal, and stop reading when the store is filling up."""
        self.store.submit(change, urgency, done)
        if not self._full and self._load() >= PAUSE_LOAD:
            self._full = True
            _pause(self._answering)
            if not self._waiting:
                _pause(self._doors)
            self._look = self.runtime.call_later(LOOK_SECONDS, self._look_again)

    def stored(self) -> None:
        """Go on reading when the store works and has room again; called after each reception."""
        if self._waiting and self.available:
            self._waiting = False
            if not self._full:
                _resume(self._doors)
        if self._full and self._load() <= RESUME_LOAD:
            self._full = False
            if self._look is not None:
                self._look.cancel()
                self._look = None
            _resume(self._answering)
            if not self._waiting:
                _resume(self._doors)

    def _load(self) -> float:
        return max(self.store.load, self.large.load)

    def hold(self, again: Callable[[], None]) -> None:
        """Keep what receives a message that could not be stored; its sender waits, and reading has stopped."""
        self._held.append(again)
        self._wait()
        if self._retry is None:
            self._retry = self.runtime.call_later(RETRY_SECONDS, self._try_held)

    def facts(self) -> dict[str, Any]:
        """Return what holds reception back, for status."""
        return {"paused": self._full or self._waiting, "available": self.available, "held": len(self._held)}

    def _look_again(self) -> None:
        """Measure while reading stands still: the load may fall after the last reception was told."""
        self._look = None
        self.stored()
        if self._full:
            self._look = self.runtime.call_later(LOOK_SECONDS, self._look_again)

    def _trouble(self, error: StoreError | None) -> None:
        if error is not None:
            _log.error("store unavailable", reason=str(error))
            self._wait()
            return
        _log.info("store available")
        self._try_held()
        self.stored()

    def _wait(self) -> None:
        self.available = False
        if not self._waiting:
            self._waiting = True
            if not self._full:
                _pause(self._doors)

    def _try_held(self) -> None:
        """Submit what is held, in order; what fails again is held again, and reading goes on once one is stored."""
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
        self.available = True
        held, self._held = self._held, []
        for again in held:
            again()


def _pause(doors: Iterable[SourceDoor]) -> None:
    for door in doors:
        door.pause()


def _resume(doors: Iterable[SourceDoor]) -> None:
    for door in doors:
        door.resume()
