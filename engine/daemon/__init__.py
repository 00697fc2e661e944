"""
The one place where the rooms meet: builds them from a configuration, starts and stops them.

    imports   what the engine's process must not load
    limits    open files, and memory that goes back to the system
    runtime   time, chance, tasks and timers of the running engine (core.ports.Runtime)
    retention removes what is older than its retention
    ages      when sources and destinations were last heard of, kept over a restart
    doors     which transport serves which kind of source and destination
    sources   doors and receptions of all sources
    destinations  doors and queues of all destinations
    routers   one router a routing group; they pause together
    reload    a running engine takes another configuration, between two messages
    running   which configuration runs: at a start, on trial, after a rollback
    service   the engine's life: open the store, start the stages, listen, stop cleanly
"""

from engine.daemon.imports import import_structlog_alone

import_structlog_alone()

from engine.daemon.service import main  # noqa: E402 - it imports structlog

__all__ = ["main"]
