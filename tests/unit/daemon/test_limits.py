"""The limit of open files is raised as far as the system allows."""

from __future__ import annotations

import subprocess
import sys

OPEN_FILES = """
import resource
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (min(256, hard), hard))
from engine.daemon.limits import raise_open_files
assert raise_open_files() == hard
print(resource.getrlimit(resource.RLIMIT_NOFILE)[0] == hard)
"""


LARGE_BLOCKS = """
from engine.daemon.limits import give_back_large_blocks
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096
known = give_back_large_blocks()
for _ in range(3):
    kept = [b"x" * 700_000 for _ in range(60)]
    small = [b"y" * 2_000 for _ in range(100)]
    full = resident()
    del kept
    print(known and full - resident() > 30_000_000)
"""


def test_soft_limit_becomes_the_hard_one() -> None:
    """In a process of its own, so that the tests' limit stays."""
    done = subprocess.run([sys.executable, "-c", OPEN_FILES], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"


def test_large_blocks_go_back() -> None:
    """What sixty large messages took is the system's again, also with small objects made after them."""
    done = subprocess.run([sys.executable, "-c", LARGE_BLOCKS], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True"] * 3
