"""The same operations without a running engine: this process takes the data directory's lock meanwhile."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

from engine.core.ports import Store, StoreQueries
from engine.core.references import References
from engine.errors import OperationRefused
from engine.operations.address import not_allowed
from engine.operations.control import may_use, user_name
from engine.operations.desk import Answer, Desk
from engine.operations.presence import stopped_since_ms
from engine.operations.service import Operations
from engine.sandbox.pool import Pool

if TYPE_CHECKING:
    from engine.routes.configuration import Configuration


class OpenableStore(Store, Protocol):
    """A store that lives in a data directory."""

    @property
    def queries(self) -> StoreQueries:
        """Questions of operators."""

    @property
    def reference_key(self) -> bytes:
        """The data directory's secret; after `open`."""


def call_offline(
    directory: Path,
    operation: str,
    arguments: Mapping[str, Any],
    *,
    store_of: Callable[[Path], OpenableStore],
    configuration: Configuration | None = None,
) -> Answer:
    """
    Open the store, carry out one operation, close it.

    Acts are recorded as intentions: the engine carries them out when it starts.

    Args:
        directory: The data directory.
        operation: Name (service.OPERATIONS).
        arguments: Its arguments.
        store_of: Makes the store, closed.
        configuration: What routes.yaml says, where it could be read: for names and masking.

    Returns:
        The operation's answer, with `stopped_since_ms`.

    Raises:
        OperationRefused: There is no data (69), it belongs to another account (77), or the operation refuses.
        StoreLocked: An engine, or another command, holds the lock (75).
    """
    with Offline(directory, store_of=store_of, configuration=configuration) as offline:
        return offline.call(operation, arguments)


class Offline:
    """
    A data directory without an engine, its lock held: for several operations one after the other.

    with Offline(directory, …) as offline:
        offline.call("status", {})
    """

    def __init__(
        self,
        directory: Path,
        *,
        store_of: Callable[[Path], OpenableStore],
        configuration: Configuration | None = None,
        begin: bool = False,
    ) -> None:
        """
        Prepare; arguments and errors as `call_offline`, the lock is taken by `with`.

        With `begin` the directory is made where there is none, as by the first start of an engine.
        """
        if not begin:
            require_data(directory)
        self._who = user_name(os.getuid())
        if directory.is_dir():
            may_use(directory)
            _become_owner(directory)
        self._since_ms = stopped_since_ms(directory)
        self._directory = directory
        self._configuration = configuration
        self._store = store_of(directory)
        self._pool = Pool()
        self._runner = asyncio.Runner()

    def __enter__(self) -> Self:
        try:
            self._runner.run(self._store.open(now_ms=_now_ms()))
        except BaseException:
            self._runner.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._runner.run(self._close())
        finally:
            self._runner.close()

    def call(self, operation: str, arguments: Mapping[str, Any]) -> Answer:
        """Carry out one operation."""
        desk = Desk(
            queries=self._store.queries,
            store=self._store,
            now_ms=_now_ms,
            known=self._configuration,
            references=References(self._store.reference_key),
            data=self._directory,
            sandbox=self._pool,
            stopped_since_ms=self._since_ms,
        )
        answer = self._runner.run(Operations(desk).call(operation, arguments, who=self._who))
        return answer | {"stopped_since_ms": self._since_ms}

    async def _close(self) -> None:
        await self._pool.close()
        await self._store.close()


def has_data(directory: Path) -> bool:
    """
    Look whether an engine ever ran here.

    Raises:
        OperationRefused: This account may not look (77).
    """
    try:
        return directory.is_dir() and (directory / "lock").exists()
    except PermissionError:
        raise not_allowed(directory) from None


def require_data(directory: Path) -> None:
    """
    Check that an engine ever ran here: a question must not make a data directory.

    Raises:
        OperationRefused: It did not (exit code 69), or this account may not look (77).
    """
    if not has_data(directory):
        sentence = (
            f"there is no data in '{directory}': start it with `passerelle run --data {directory}`,"
            " or name the right --data"
        )
        raise OperationRefused(sentence, exit_code=69)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _become_owner(directory: Path) -> None:
    """Work as the service account when root asks, so that no file of root's stays in its directory."""
    found = directory.stat()
    if os.geteuid() == 0 and found.st_uid != 0:
        os.setegid(found.st_gid)
        os.seteuid(found.st_uid)
