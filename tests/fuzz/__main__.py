"""
The fuzzing campaign: `python3 dev.py fuzz [--minutes 10] [--only hl7v2,hprim] [--grow]`; coverage-guided, by atheris.

Every target gets its share of the time in a process of its own. A failing input is made small, appended to
tests/fixtures/fuzz/ (so that the ordinary suite replays it), and its traceback printed; the exit code is then 1.
"""

from __future__ import annotations

import argparse
import importlib.util
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import traceback
from typing import Final, NamedTuple

from tests.fuzz.kept import keep, read_kept

NAMES: Final = ("mllp", "hl7v2", "answers", "shown", "escapes", "batch", "sniff", "hprim", "letter", "conversion",
                "paths", "when", "routes", "profile", "walk")  # fmt: skip
INPUT_BYTES_MAX: Final = 4096
INPUT_SECONDS_MAX: Final = 10
"""One input that takes longer hangs; generous, because the machine may be busy."""
MEMORY_MB_MAX: Final = 2048
SHRINK_SECONDS: Final = 20
"""Of trying to make a failing input small."""
KEPT_BYTES_MAX: Final = 300
"""Longest input that `--grow` keeps."""
SEED_DIGITS: Final = 5
"""The name of a seed's file; libFuzzer names its own by their digest."""
KEPT_MAX: Final = 60
"""Of each target, in one campaign."""
_EXECUTED: Final = re.compile(r"stat::number_of_executed_units:\s*(\d+)")
_COVERED: Final = re.compile(r"cov: (\d+)")


class Result(NamedTuple):
    """What one target's time gave."""

    executions: int
    coverage: int
    failing: bytes | None
    hangs: bool
    """It took too long, or too much memory."""
    told: str
    """The end of what the process wrote."""


def main(arguments: list[str]) -> int:
    """Run the campaign, or one target's process."""
    if arguments[:1] == ["--child"]:
        _child(arguments[1], arguments[2:])
        return 0
    parser = argparse.ArgumentParser(prog="python3 dev.py fuzz", description="Look for inputs that break a promise.")
    parser.add_argument("--minutes", type=float, default=10.0, help="for all targets together (default 10)")
    parser.add_argument("--only", default="", metavar="NAME,…", help=f"of {', '.join(NAMES)}")
    parser.add_argument("--grow", action="store_true", help="keep what reached new code in tests/fixtures/fuzz/")
    given = parser.parse_args(arguments)
    chosen = given.only.split(",") if given.only else list(NAMES)
    if unknown := set(chosen) - set(NAMES):
        parser.error(f"{', '.join(sorted(unknown))}: no target of that name; there are {', '.join(NAMES)}")
    if importlib.util.find_spec("atheris") is None:
        parser.error("atheris isn't here: it has wheels for Linux and Python 3.11 to 3.13, and needs one of them")
    return _campaign(chosen, int(given.minutes * 60 / len(chosen)), grow=given.grow)


def _campaign(chosen: list[str], seconds: int, *, grow: bool) -> int:
    failed = 0
    total = 0
    for name in chosen:
        with tempfile.TemporaryDirectory(prefix=f"fuzz-{name}-") as folder:
            corpus = _corpus(name, pathlib.Path(folder))
            result = _run(name, corpus, seconds)
            total += result.executions
            print(f"{name:<11} {result.executions:>9,} executions, {result.coverage:>6,} edges", flush=True)
            if result.failing is not None:
                failed += 1
                shrunk = result.failing if result.hangs else _shrunk(name, result.failing)
                keep(name, [shrunk])
                print(f"{result.told}\n{name}: FAILED; {shrunk!r} is in tests/fixtures/fuzz/{name}.txt", flush=True)
            elif grow:
                print(f"{'':<11} {keep(name, _grown(corpus))} inputs kept", flush=True)
    print(f"{'all':<11} {total:>9,} executions, {failed} of {len(chosen)} targets failed")
    return 1 if failed else 0


def _corpus(name: str, folder: pathlib.Path) -> pathlib.Path:
    """Write the seeds of a target, and what was kept, where libFuzzer takes them."""
    from tests.fuzz.targets import TARGETS

    corpus = folder / "corpus"
    corpus.mkdir()
    for rank, data in enumerate([*TARGETS[name].seeds(), *read_kept(name)]):
        (corpus / f"{rank:0{SEED_DIGITS}}").write_bytes(data)
    return corpus


def _run(name: str, corpus: pathlib.Path, seconds: int) -> Result:
    options = [
        f"-max_total_time={seconds}", f"-artifact_prefix={corpus.parent}/found-", "-print_final_stats=1",
        f"-max_len={INPUT_BYTES_MAX}", f"-timeout={INPUT_SECONDS_MAX}", f"-rss_limit_mb={MEMORY_MB_MAX}",
    ]  # fmt: skip
    done = _call(name, [*options, str(corpus)])
    told = done.stdout
    executed, covered = _EXECUTED.findall(told), _COVERED.findall(told)
    counted = int(executed[-1]) if executed else 0
    found = sorted(corpus.parent.glob("found-*"))
    if done.returncode and not found:
        raise SystemExit(f"{told[-4000:]}\nthe process of {name} ended with {done.returncode}, and left no input")
    failing = found[0].read_bytes() if found else None
    lines = [
        line
        for line in told.splitlines()
        if not line.startswith(("#", "INFO", "WARNING", "INFO:", "stat::", "0x", "Base64", "MS:"))
    ]
    hangs = bool(found) and not found[0].name.startswith("found-crash")
    return Result(counted, int(covered[-1]) if covered else 0, failing, hangs, "\n".join(lines[-30:]))


def _shrunk(name: str, data: bytes) -> bytes:
    """Take out of a failing input what isn't needed to fail at the same place, for a while."""
    wanted = _failure(name, data)
    until = time.monotonic() + SHRINK_SECONDS
    size = len(data) // 2
    while wanted and size:
        position = 0
        while position < len(data) and time.monotonic() < until:
            less = data[:position] + data[position + size :]
            if _failure(name, less) == wanted:
                data = less
            else:
                position += size
        size //= 2
    return data


def _failure(name: str, data: bytes) -> tuple[str, ...]:
    """Say how and where an input fails; nothing: it doesn't."""
    from tests.fuzz.targets import TARGETS

    try:
        TARGETS[name].run(data)
    except Exception as failed:
        return (type(failed).__name__, *(frame.name for frame in traceback.extract_tb(failed.__traceback__)[-3:]))
    return ()


def _grown(corpus: pathlib.Path) -> list[bytes]:
    """Return the shortest of the inputs that libFuzzer kept because each reached new code."""
    seeds = {path.read_bytes() for path in corpus.iterdir() if len(path.name) == SEED_DIGITS}
    found = {path.read_bytes() for path in corpus.iterdir()} - seeds
    return sorted((data for data in found if len(data) <= KEPT_BYTES_MAX), key=lambda data: (len(data), data))[
        :KEPT_MAX
    ]


def _call(name: str, options: list[str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.fuzz", "--child", name, *options]
    return subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", check=False
    )


def _child(name: str, options: list[str]) -> None:
    """Be the process of one target: the engine's modules tell atheris where they go."""
    import atheris

    with atheris.instrument_imports(include=["engine"]):
        from tests.fuzz.targets import TARGETS

    atheris.Setup([sys.argv[0], *options], TARGETS[name].run)
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
