"""
Operators' acts of one stage, carried out one after the other, in the order in which they were asked.

An act is recorded in the store before it is announced here, and fulfilled there with its outcome. While the store
is in trouble it waits, and those behind it; what can't be carried out is refused with a sentence, also when the
reason is a fault of ours: an act that stops the engine would stop it again at each start.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

import structlog

from engine.core.changes import Fulfil, Identify, Receipt, Reopen, Requeue, SetHold, Treat
from engine.core.messages import Intention
from engine.core.ports import Runtime, Store, Urgency
from engine.errors import ChangeRefused, PasserelleError, StoreError, where

_log = structlog.get_logger(__name__)

_AGAIN_SECONDS: Final = 1.0


class Refusal(Exception):
    """An act that can't be carried out, in a sentence."""


class Acts:
    """The acts of one stage."""

    def __init__(
        self, store: Store, runtime: Runtime, name: str, carry_out: Callable[[Intention], Awaitable[None]]
    ) -> None:
        """
        Begin with none.

        Args:
            store: Where acts are recorded and fulfilled.
            runtime: Task and timer.
            name: Of the task: `router main`.
            carry_out: Does one act, and calls `fulfil`; raises Refusal, or any error, when it can't.
        """
        self._store = store
        self._runtime = runtime
        self._name = name
        self._carry_out = carry_out
        self._waiting: deque[Intention] = deque()
        self._seen: set[int] = set()
        self._fulfilled = 0
        self._working = False
        self._stopped = False
        self._paused = False

    @property
    def under_way(self) -> bool:
        """Whether an act is being carried out."""
        return self._working

    def pause(self) -> None:
        """Begin no further act until `resume`."""
        self._paused = True

    def resume(self) -> None:
        """Go on."""
        self._paused = False
        self._work()

    def stop(self) -> None:
        """Carry out nothing more; what waits is found at the next start."""
        self._stopped = True

    def add(self, intention: Intention) -> None:
        """Carry out an act after those before it; one that was taken already is left out."""
        if intention.id in self._seen:
            return
        self._seen.add(intention.id)
        self._waiting.append(intention)
        self._work()

    def _work(self) -> None:
        if not self._working and not self._stopped and not self._paused and self._waiting:
            self._working = True
            self._runtime.spawn(self._do_all(), f"acts of {self._name}")

    async def _do_all(self) -> None:
        try:
            while self._waiting and not self._stopped and not self._paused:
                await self._do(self._waiting[0])
                self._seen.discard(self._waiting.popleft().id)
        except StoreError:
            self._runtime.call_later(_AGAIN_SECONDS, self._work)
        finally:
            self._working = False

    async def _do(self, intention: Intention) -> None:
        """
        Carry out one act.

        Raises:
            StoreError: The store is in trouble; the act waits.
        """
        try:
            await self._carry_out(intention)
        except ChangeRefused as refused:
            await self.fulfil(intention, str(refused), accepted=False)
        except StoreError:
            raise
        except (Refusal, PasserelleError) as refusal:
            await self.fulfil(intention, str(refusal), accepted=False)
        except Exception as error:
            if self._fulfilled == intention.id:
                raise  # it is on disk, and what is in memory no longer agrees: only a new start helps
            place = where(error)
            _log.error("internal fault", stage=self._name, act=intention.verb, intention=intention.id, where=place)
            await self.fulfil(intention, f"a fault of Passerelle: {place}; please report it", accepted=False)

    async def fulfil(
        self,
        intention: Intention,
        outcome: str,
        changes: Iterable[Requeue | Treat | Reopen | SetHold | Identify] = (),
        *,
        accepted: bool = True,
    ) -> None:
        """
        Record the outcome of an act together with its changes; return when they are on disk.

        Raises:
            ChangeRefused: An accepted act breaks a rule: somebody changed things meanwhile.
            StoreError: Nothing was stored.
        """
        future: asyncio.Future[Receipt | StoreError] = asyncio.get_running_loop().create_future()

        def done(receipt: Receipt | StoreError) -> None:
            if not future.done():
                future.set_result(receipt)

        self._store.submit(Fulfil(intention.id, accepted, outcome, list(changes)), Urgency.NOW, done)
        receipt = await future
        if isinstance(receipt, StoreError) and not (isinstance(receipt, ChangeRefused) and not accepted):
            raise receipt  # a refusal that is refused: another router has answered the same act
        self._fulfilled = intention.id
