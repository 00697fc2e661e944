"""The end of the process."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import sys, threading
from engine import cli
from engine.cli import group, leaving

leaving.GRACE_SECONDS = 0.05

def main(prog_name):
    threading.Thread(target=lambda: threading.Event().wait({seconds}), daemon={daemon}).start()
    print("said", end="")
    sys.exit({code})

group.passerelle.main = main
import atexit
atexit.register(lambda: print(" and tidied", end=""))
cli.main()
"""


@pytest.mark.parametrize("code", [0, 1, 69])
@pytest.mark.parametrize(
    ("seconds", "daemon", "said"),
    [(None, False, "said"), (None, True, "said and tidied"), (0, False, "said and tidied")],
    ids=["hangs", "is nobody's business", "ends"],
)
def test_no_thread_holds_the_end(code: int, seconds: float | None, daemon: bool, said: str) -> None:
    """With its exit code and all that was said; one that ends in a moment is waited for."""
    program = PROGRAM.format(seconds=seconds, daemon=daemon, code=code)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (code, said, "")
