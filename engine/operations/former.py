"""Configurations that ran: which was the last, and what it said, from the store's log and the files that it keeps."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from engine.errors import ConfigurationRefused, OperationRefused

if TYPE_CHECKING:
    from engine.core.ports import StoreQueries
    from engine.routes.configuration import Configuration

_ROWS_READ: Final = 200


async def last_takeover(queries: StoreQueries) -> dict[str, Any] | None:
    """Return the row of the log that says what runs, or ran last; refusals aside. None: nothing ever ran here."""
    rows = await queries.takeovers(limit=_ROWS_READ)
    return next((row for row in rows if row["verb"] != "refuse"), None)


async def kept_configuration(queries: StoreQueries, hash_: str, path: Path, data: Path) -> Configuration:
    """
    Load a configuration that ran, from its files as they were then.

    Args:
        queries: Of the store that keeps them.
        hash_: Its hash.
        path: Of routes.yaml, absolute: the files' names are relative to it.
        data: The data directory, for secrets.

    Raises:
        OperationRefused: It isn't known.
        ConfigurationRefused: It can't be loaded any more (a secret is gone).
    """
    files = await queries.configuration_files(hash_)
    if files is None:
        sentence = f"the files of configuration {hash_} are not kept here: passerelle config log shows what ran"
        raise OperationRefused(sentence)
    return await asyncio.to_thread(_load, files, path, data)


def _load(contents: dict[str, bytes], path: Path, data: Path) -> Configuration:
    from engine.routes import check, file_secrets  # late: it brings the configuration's rooms along
    from engine.routes.files import KeptFiles

    secrets = file_secrets(os.environ, data)
    configuration, findings = check(path, environment=os.environ, secrets=secrets, files=KeptFiles(path, contents))
    if configuration is None:
        raise ConfigurationRefused([one for one in findings if one.level == "error"])
    return configuration
