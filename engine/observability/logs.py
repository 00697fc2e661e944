"""
Logs: structlog to standard error; readable on a terminal, one JSON object a line elsewhere.

Nothing here is called for each message: events are starts, stops, troubles and alerts; an
error that repeats itself is told once a minute.
"""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog

from engine.observability.repeats import Repeats


def configure(*, level: str = "info", style: str = "auto") -> None:
    """
    Set up logging for this process.

    Args:
        level: `debug`, `info`, `warning` or `error`.
        style: `console`, `json`, or `auto` (console on a terminal).
    """
    readable = style == "console" or (style == "auto" and sys.stderr.isatty())
    renderer: Any = structlog.dev.ConsoleRenderer(colors=readable) if readable else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            Repeats(),
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=False),
            structlog.processors.EventRenamer("event"),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    # Libraries (aiomqtt's paho, asyncio) speak through logging: their warnings go the same way.
    logging.basicConfig(level=logging.WARNING, format="%(name)s: %(message)s", stream=sys.stderr, force=True)
