"""
What the engine's process must not load.

structlog imports rich for colourful tracebacks, which the engine never prints: 8 MB of memory and a tenth of a
second of each start. structlog does without it where it isn't installed; here it is as if it were not, for the
time of that import.
"""

from __future__ import annotations

import sys


def import_structlog_alone() -> None:
    """Import structlog without rich; no effect when either was imported before."""
    if "structlog" in sys.modules or "rich" in sys.modules:
        return
    sys.modules["rich"] = None  # type: ignore[assignment]  # the import system's way to say `not there`
    try:
        import structlog  # noqa: F401
    finally:
        del sys.modules["rich"]
