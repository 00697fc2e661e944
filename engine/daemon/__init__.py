"""
The one place where the rooms meet: builds them from a configuration, starts and stops them.

    runtime   time, chance, tasks and timers of the running engine (core.ports.Runtime)
    doors     which transport serves which kind of source and destination
    service   the engine's life: open the store, start the stages, listen, stop cleanly
"""

from engine.daemon.service import main

__all__ = ["main"]
