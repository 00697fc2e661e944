"""A configuration that doesn't run yet: read beside the running one, for trials."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import OperationRefused
from engine.operations.desk import Desk
from engine.operations.wording import several

if TYPE_CHECKING:
    from engine.routes.configuration import Configuration


async def candidate(desk: Desk, path: str) -> Configuration:
    """
    Read a configuration as `run` would, with this process's environment and secrets; the loop goes on meanwhile.

    Args:
        desk: Where.
        path: An absolute path of a routes.yaml; empty: the running configuration is returned.

    Raises:
        OperationRefused: It can't be read (exit code 78), or there is none.
    """
    if path:
        return await asyncio.to_thread(_read, Path(path), desk.data)
    running = desk.configuration()
    if running is None:
        raise OperationRefused("there is no configuration here: name one with --routes", exit_code=78)
    return running


def _read(path: Path, data: Path) -> Configuration:
    from engine.routes import check, file_secrets  # late: it brings the configuration's rooms along

    configuration, findings = check(path, environment=os.environ, secrets=file_secrets(os.environ, data))
    if configuration is None:
        errors = sum(finding.level == "error" for finding in findings)
        sentence = f"{path} is refused ({several(errors, 'error')}): passerelle lint says what is wrong"
        raise OperationRefused(sentence, exit_code=78)
    return configuration
