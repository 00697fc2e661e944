"""
A disk that takes longer: `fsync` and `fdatasync` of every process of the benchmark, made slower before they return.

What one message costs beside its fsync shows only where the fsync isn't the cheapest part of all: the disk of a
hospital's server takes 1 to 5 ms, that of a developer's machine often 0.2. The two functions of the C library are
put before the real ones (LD_PRELOAD, ld.so(8)), so a C compiler is needed, and Linux.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

from bench.machine import CannotMeasure

MICROSECONDS: Final = "PASSERELLE_BENCH_DISK_US"
"""Set in the processes that are slowed."""

_SOURCE: Final = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

static int slowly(const char *name, int file) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    const char *said = getenv(MICROSECONDS);
    long microseconds = said ? atol(said) : 0;
    struct timespec more = {microseconds / 1000000, microseconds % 1000000 * 1000};
    int result = real(file);
    nanosleep(&more, NULL);
    return result;
}

int fsync(int file) { return slowly("fsync", file); }
int fdatasync(int file) { return slowly("fdatasync", file); }
"""


def slowed(milliseconds: float, directory: Path) -> dict[str, str]:
    """
    Build what slows the disk down.

    Args:
        milliseconds: What each fsync takes longer.
        directory: Where it lies as long as it is needed.

    Returns:
        The environment in which processes have such a disk.

    Raises:
        CannotMeasure: There is no C compiler, or it failed.
    """
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise CannotMeasure("a slower disk (--disk-ms) needs a C compiler: install gcc, or leave the option out")
    source, built = directory / "slow_disk.c", directory / "slow_disk.so"
    source.write_text(f'#define MICROSECONDS "{MICROSECONDS}"{_SOURCE}', encoding="ascii")
    command = [compiler, "-O2", "-shared", "-fPIC", str(source), "-o", str(built), "-ldl"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CannotMeasure(f"the C compiler failed: {done.stderr.strip().splitlines()[-1]}")
    return os.environ | {"LD_PRELOAD": str(built), MICROSECONDS: str(round(milliseconds * 1000))}
