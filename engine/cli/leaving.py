"""The end of the process: a thread that hangs in a network share doesn't hold it."""

from __future__ import annotations

import os
import sys
import threading
import time
from contextlib import suppress
from typing import Final

GRACE_SECONDS: Final = 1.0


def leave(code: int) -> None:
    """
    End the process at once where a thread hangs; else return, and the interpreter ends it as always.

    The interpreter waits for every thread without a limit: an engine that stopped, or failed, would keep its data
    directory until somebody kills it, and no service manager would start it again.

    Args:
        code: The exit code.
    """
    end = time.monotonic() + GRACE_SECONDS
    others = [one for one in threading.enumerate() if one is not threading.current_thread() and not one.daemon]
    for one in others:
        one.join(max(0.0, end - time.monotonic()))
    if any(one.is_alive() for one in others):
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        os._exit(code)
