#!/usr/bin/env python3
"""
One entry for those who work on Passerelle; needs Python 3.11 and pip, nothing else.

    python3 dev.py run      the engine with the delivered routes.yaml, a simulated GHT, and a live screen
    python3 dev.py test     the tests; `--slow` adds the long campaigns; other arguments go to pytest
    python3 dev.py check    ruff, mypy, import-linter, tests
    python3 dev.py bench    the figures that count, beside the goals
    python3 dev.py fuzz     looks for inputs that break a promise, ten minutes unless told (Linux)
    python3 dev.py format   let ruff lay out the code

Each makes its own virtual environment in .venv, once, and again when pyproject.toml changed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent
HOME = ROOT / ".venv"
OLDEST = (3, 11)
RUN, DEV, FUZZ = ".", ".[dev]", ".[dev,fuzz]"
EXTRAS = (RUN, DEV, FUZZ)
"""What is installed, each with all of the one before."""


def main(arguments: list[str]) -> int:
    """Carry out one command and return its exit code."""
    commands: dict[str, tuple[str, Callable[[Path, list[str]], int]]] = {
        "run": (RUN, _run),
        "test": (DEV, _test),
        "check": (DEV, _check),
        "bench": (DEV, _bench),
        "fuzz": (FUZZ, _fuzz),
        "format": (DEV, _format),
    }
    if not arguments or arguments[0] not in commands:
        if arguments and arguments[0] not in ("-h", "--help", "help"):
            sys.stderr.write(f"{arguments[0]} is no command; there are {', '.join(commands)}\n\n")
        sys.stdout.write(f"{(__doc__ or '').strip()}\n")
        return 0 if arguments and arguments[0] in ("-h", "--help", "help") else 2
    extras, command = commands[arguments[0]]
    os.chdir(ROOT)
    try:
        return command(_environment(extras), arguments[1:])
    except KeyboardInterrupt:
        return 130


# --- commands ------------------------------------------------------------------------------------------------


def _run(python: Path, arguments: list[str]) -> int:
    """Replace this process by the demo, so that Ctrl-C reaches it alone and once."""
    command = [str(python), "-m", "engine", "run", "--demo", *arguments]
    os.execv(command[0], command)


def _test(python: Path, arguments: list[str]) -> int:
    selection = ["-m", ""] if "--slow" in arguments else []  # pyproject.toml leaves the long campaigns out
    arguments = [argument for argument in arguments if argument != "--slow"]
    return _call([str(python), "-m", "pytest", *selection, *arguments])


def _check(python: Path, arguments: list[str]) -> int:
    tools = python.parent
    steps = [
        [str(tools / "ruff"), "check", "."],
        [str(tools / "ruff"), "format", "--check", "."],
        [str(tools / "mypy")],
        [str(tools / "lint-imports"), "--no-cache"],
    ]
    results = [(command, _call(command)) for command in steps]
    failed = [f"{Path(command[0]).name} {' '.join(command[1:])}".strip() for command, code in results if code]
    if _test(python, arguments):
        failed.append("pytest")
    sys.stdout.write(f"check: {'failed: ' + ', '.join(failed) if failed else 'all fine'}\n")
    return 1 if failed else 0


def _bench(python: Path, arguments: list[str]) -> int:
    return _call([str(python), "-m", "bench", *arguments])


def _fuzz(python: Path, arguments: list[str]) -> int:
    return _call([str(python), "-m", "tests.fuzz", *arguments])


def _format(python: Path, arguments: list[str]) -> int:
    ruff = str(python.parent / "ruff")
    return _call([ruff, "format", *(arguments or ["."])]) or _call([ruff, "check", "--fix", *(arguments or ["."])])


def _call(command: list[str]) -> int:
    """Run a child to its end; on Ctrl-C it gets the signal too, and we wait for it."""
    sys.stdout.flush()
    with subprocess.Popen(command, cwd=ROOT) as child:
        while True:
            try:
                return child.wait()
            except KeyboardInterrupt:
                continue


# --- the environment -----------------------------------------------------------------------------------------


def _environment(extras: str) -> Path:
    """
    Make the virtual environment when it is missing or old, and return its Python.

    A stamp holds the hash of pyproject.toml and what was installed; `run` is content with what `test` needs, and
    `test` with what `fuzz` does.
    """
    if sys.version_info < OLDEST:
        _stop(f"Passerelle needs Python {OLDEST[0]}.{OLDEST[1]} or newer; this is {sys.version.split()[0]}. "
              "Call dev.py with a newer one, for example `python3.11 dev.py`.")  # fmt: skip
    python, stamp = HOME / "bin" / "python", HOME / ".passerelle-stamp"
    project = hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest()
    found = stamp.read_text().split() if stamp.exists() and python.exists() else []
    here = EXTRAS.index(found[1]) if len(found) > 1 and found[1] in EXTRAS else -1
    if found[:1] == [project] and here >= EXTRAS.index(extras):
        return python
    extras = EXTRAS[max(here, EXTRAS.index(extras))]
    _make(python)
    sys.stderr.write(f"installing what {extras} needs into .venv (once, and when pyproject.toml changes)…\n")
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-e", extras]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        _stop(f"{done.stdout.strip()}\n\npip could not install the packages. {_reason(done.stdout)}")
    stamp.write_text(f"{project} {extras}\n")
    return python


def _make(python: Path) -> None:
    """Create .venv; one made by another Python, or broken, is made again."""
    if python.exists():
        probe = "import sys; sys.exit(sys.version_info < (3, 11))"
        if subprocess.run([str(python), "-c", probe], stderr=subprocess.DEVNULL, check=False).returncode == 0:
            return
        shutil.rmtree(HOME)
    try:
        import ensurepip  # noqa: F401  # Debian ships Python without it
        import venv
    except ImportError:
        version = f"{sys.version_info[0]}.{sys.version_info[1]}"
        _stop("This Python comes without venv: install it (Debian, Ubuntu: "
              f"`apt install python{version}-venv`) and call dev.py again.")  # fmt: skip
    sys.stderr.write("making the virtual environment .venv…\n")
    try:
        venv.EnvBuilder(with_pip=True, symlinks=True, clear=HOME.exists()).create(HOME)
    except (OSError, subprocess.CalledProcessError) as error:
        shutil.rmtree(HOME, ignore_errors=True)
        _stop(f"The virtual environment {HOME} could not be made: {error}.")


def _reason(output: str) -> str:
    """Say what the person in front of the screen can do about a failed pip."""
    unreached = "NewConnectionError", "Temporary failure", "timed out", "ProxyError", "getaddrinfo"
    if any(word in output for word in unreached):
        return "The package index was not reached: check the network or the proxy (PIP_INDEX_URL, HTTPS_PROXY)."
    if "No space left" in output:
        return "The disk is full."
    if "gcc" in output or "Failed building wheel" in output:
        return "A package had to be compiled and could not be: use a Python for which wheels exist (3.11 to 3.13)."
    return "The lines above say why; `rm -r .venv` and another try start from nothing."


def _stop(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")
    sys.exit(69)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
