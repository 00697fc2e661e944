"""
The router's side of the hospital's own code: replies are waited for, failures counted, routes held.

A router that waits routes nothing else of its group, so the order of places stays; other groups have their own, and the
loop goes on. Three failures in a row hold the route whose step asked: the deliveries that it made stay, in order, until
somebody mended the code and releases the route. Until then its steps fail at once, without a call.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

import structlog

from engine.core.asking import Answers, Asked, Question, Reply, Sandbox, new_questions
from engine.core.changes import Intend
from engine.core.messages import Intention
from engine.core.ports import Runtime, Store, Urgency
from engine.errors import StoreError

_log = structlog.get_logger(__name__)

Result = TypeVar("Result")

FAILURES_MAX: Final = 3
_WHO: Final = "passerelle"
_HOLD_SECONDS: Final = 60.0


class Asking:
    """Ask on behalf of one router."""

    def __init__(
        self, store: Store, runtime: Runtime, sandbox: Sandbox | None, routes_of: Callable[[str], list[str]]
    ) -> None:
        """
        Begin without failures.

        Args:
            store: Where holds are.
            runtime: Clock.
            sandbox: Where the code runs; None: nowhere.
            routes_of: Gives the routes with steps that call a file.
        """
        self._store = store
        self._runtime = runtime
        self._sandbox = sandbox
        self._routes_of = routes_of
        self._failures: dict[str, int] = {}
        """By file: how often in a row."""
        self._held_since: dict[str, float] = {}
        """By file: when its routes were to be held; until the hold is there it counts as held all the same."""

    async def answered(self, work: Callable[[Answers], Result]) -> Result:
        """
        Do work that may ask.

        Args:
            work: Gets the replies known so far; raises Asked when it needs more.
        """
        answers: dict[bytes, Reply] = {}
        while True:
            try:
                return work(answers)
            except Asked as asked:
                for question in new_questions(asked, answers):
                    answers[question.key] = await self._reply(question)

    async def _reply(self, question: Question) -> Reply:
        file = question.code.file
        if self._sandbox is None:
            return Reply(failure="code of the hospital's own doesn't run here")
        if self._failures.get(file, 0) >= FAILURES_MAX:
            if await self._is_held(file):
                return Reply(failure=f"the route is held: {file} failed {FAILURES_MAX} times in a row")
            self._failures[file] = 0
        reply = await self._sandbox.ask(question)
        if not reply.failure:
            self._failures[file] = 0
        else:
            self._failures[file] = self._failures.get(file, 0) + 1
            _log.warning("code of the hospital's own failed", file=file, reason=reply.failure)
            if self._failures[file] == FAILURES_MAX:
                self._hold(file, reply.failure)
        return reply

    async def _is_held(self, file: str) -> bool:
        routes = self._routes_of(file)
        try:
            holds = await self._store.holds()
        except StoreError:
            return True  # it will be asked again
        if any(hold.kind == "route" and hold.name in routes for hold in holds):
            self._held_since.pop(file, None)
            return True
        return self._runtime.monotonic() < self._held_since.get(file, -_HOLD_SECONDS) + _HOLD_SECONDS

    def _hold(self, file: str, failure: str) -> None:
        """Hold the routes that call a file, as an operator would: it shows everywhere, and is released the same way."""
        self._held_since[file] = self._runtime.monotonic()
        reason = (
            f"{file} failed {FAILURES_MAX} times in a row: {failure}; mend it, retry its dead letters, then release"
        )
        for route in self._routes_of(file):
            _log.error("a route is held", route=route, reason=reason)
            arguments: dict[str, str | int | bool | list[int]] = {"kind": "route", "name": route, "until_ms": 0}
            intention = Intention("delivery", "hold", arguments, _WHO, reason, self._runtime.now_ms())
            self._store.submit(Intend(intention), Urgency.NOW)
