"""Every `--help`: sentences, an example that can be typed, the exit codes."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from engine.cli.group import passerelle as root
from engine.cli.helping import EXIT_CODES, SAID
from tests.unit.cli import test_exit_codes as tables

ROOT = Path(__file__).resolve().parents[3]
LEAVES = [leaf for leaf in tables.leaves(root) if leaf != "simulate"]


def command_of(words: list[str]) -> tuple[click.Command, list[str], list[str]]:
    """Follow words to a command; return it, its own words, and its arguments."""
    command: click.Command = root
    taken: list[str] = []
    while words and isinstance(command, click.Group):
        inner = command.get_command(click.Context(command), words[0])
        assert inner is not None, words
        command, taken, words = inner, [*taken, words[0]], words[1:]
    return command, taken, words


def test_every_command_has_one() -> None:
    """A new command gets an example and its exit codes; one that is gone loses them."""
    assert sorted(SAID) == sorted(LEAVES)


@pytest.mark.parametrize("leaf", LEAVES)
def test_help_says_all(passerelle, leaf: str) -> None:
    """What it does in sentences, each option too, an example, the exit codes."""
    command, *_ = command_of(leaf.split())
    assert (command.help or "").strip().split("\n\n")[0].endswith(".")
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert (parameter.help or "").endswith("."), parameter.opts
    shown = passerelle(*leaf.split(), "--help").stdout
    assert f"For example:\n    {SAID[leaf].example}\n" in shown
    assert "Exit codes: 0 fine, " in " ".join(shown.split())


@pytest.mark.parametrize("leaf", LEAVES)
def test_an_example_can_be_typed(leaf: str) -> None:
    """Its options are there, its arguments can be read; also behind a pipe."""
    first = True
    for part in SAID[leaf].example.partition(" > ")[0].split(" | "):
        program, *words = shlex.split(part)
        if program != "passerelle":
            assert not first
            continue
        command, taken, arguments = command_of(words)
        assert not first or taken == leaf.split()
        command.make_context(leaf, arguments, parent=click.Context(root, obj=None), resilient_parsing=False)
        first = False


def test_the_codes_are_those_of_the_tables() -> None:
    """What a table of test_exit_codes.py shows stands in the help of that command."""
    text = tables.FINE + tables.NO_SUCH + tables.USAGE + tables.EXPECT + tables.NOBODY + tables.REFUSED
    wrong = []
    for line in text.splitlines():
        if line.strip():
            words, code = line.rsplit(None, 1)
            leaf = next((leaf for leaf in LEAVES if words.split()[: len(leaf.split())] == leaf.split()), None)
            if leaf is not None and int(code) not in SAID[leaf].codes:
                wrong.append(f"{leaf}: {code}")
    assert wrong == []


def test_the_page_for_operators_has_the_same_codes() -> None:
    """No code there that isn't here, none here that isn't there."""
    page = (ROOT / "docs" / "operators" / "README.md").read_text(encoding="utf-8")
    lines = page.partition("## Exit codes")[2].splitlines()
    assert {int(line.split("|")[1]) for line in lines if line.startswith("| ") and line[2].isdigit()} == set(EXIT_CODES)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the help says to evaluate is a script of that shell, and completes commands."""
    run = [sys.executable, "-c", "import sys; sys.argv[0] = 'passerelle'; from engine.cli import main; main()"]
    monkeypatch.setenv("_PASSERELLE_COMPLETE", f"{shell}_complete")
    monkeypatch.setenv("COMP_WORDS", "passerelle dead re")
    monkeypatch.setenv("COMP_CWORD", "re" if shell == "fish" else "2")
    done = subprocess.run(run, capture_output=True, text=True, timeout=60, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert "restore" in done.stdout
    assert "retry" in done.stdout
