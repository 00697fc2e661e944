"""The root: exit codes, one sentence an error, options before or after, a light start."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.cli.group import passerelle as root


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["version"], 0, "passerelle 0."),
        (["status"], 69, "there is no data in"),
        (["status", "--colour"], 2, "No such option"),
        (["stauts"], 2, "No such command 'stauts'. Did you mean status?"),
        (["run", "--routes", "absent.yaml"], 78, "there is no configuration at 'absent.yaml'"),
        (["lint", "--routes", "absent.yaml"], 78, "there is no configuration"),
        (["send", "absent.hl7", "127.0.0.1:1"], 2, "can't be read"),
        (["hold", "dpi", "--for", "soon"], 2, "is no duration"),
    ],
)
def test_exit_codes_of_a_process(typed, arguments: list[str], code: int, words: str) -> None:
    """As OPERATIONS says; one sentence on stderr, no traceback."""
    done = typed(*arguments)
    assert (done.returncode, words in done.stdout + done.stderr) == (code, True), done
    assert "Traceback" not in done.stderr
    if code not in (0, 2):
        assert done.stderr.startswith("passerelle: ")
        assert done.stderr.count("\n") == 1


def test_options_stand_before_or_after(passerelle, live, data: Path) -> None:
    """The nearest to the command wins."""
    for arguments in (["--json", "status"], ["status", "--json"], ["--data", "/no", "status", "--json", "--data"]):
        given = [*arguments, str(data)] if arguments[-1] == "--data" else arguments
        assert json.loads(passerelle(*given).stdout)["v"] == 1


def test_an_error_of_a_program_is_an_object(passerelle, data: Path) -> None:
    """With --json stderr has one line of JSON, stdout nothing."""
    done = passerelle("status", "--json")
    assert (done.exit_code, done.stdout) == (69, "")
    told = json.loads(done.stderr)
    assert (told["v"], told["exit_code"]) == (1, 69)
    assert told["error"].startswith("there is no data in")


def test_dlq_is_an_alias_that_help_leaves_out(passerelle, live) -> None:
    """One name in the help, two that work."""
    assert passerelle("dlq", "ls").stdout == passerelle("dead", "ls").stdout
    assert "dlq" not in passerelle("--help").stdout


def test_every_command_has_help(passerelle) -> None:
    """A sentence for each, groups and their commands."""
    for name in root.list_commands(None):  # type: ignore[arg-type]
        shown = passerelle(name, "--help")
        assert shown.exit_code == 0 or name == "simulate", name


def test_run_stays_light() -> None:
    """What `run` needs of the command line and of operations brings neither rich nor sqlite_utils nor YAML."""
    code = (
        "import sys, engine.cli.run, engine.cli.group, engine.operations.control\n"
        "heavy = {'rich', 'sqlite_utils', 'pydantic', 'pygments', 'lark', 'yaml'}\n"
        "print(sorted(heavy & {name.partition('.')[0] for name in sys.modules}))"
    )
    root_directory = Path(__file__).resolve().parents[3]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root_directory)
    assert done.stdout.strip() == "[]"


def test_an_output_that_is_full_is_one_sentence(data: Path) -> None:
    """No traceback, exit code 1."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "engine", "version"], stdout=full, stderr=subprocess.PIPE, text=True, check=False,
            timeout=60,
        )  # fmt: skip
    sentence = "passerelle: the output can't be written: No space left on device\n"
    assert (done.returncode, done.stderr) == (1, sentence)


@pytest.mark.parametrize("arguments", [("status",), ("doctor",), ("db", "tables"), ("queue", "ls")])
def test_another_account_gets_one_sentence(passerelle, data: Path, monkeypatch, arguments: tuple[str, ...]) -> None:
    """The same for all commands, exit code 77."""

    really = Path.stat

    def closed(path: Path, **more: bool) -> os.stat_result:
        if data in (path, *path.parents):
            raise PermissionError(13, "Permission denied", str(path))
        return really(path, **more)

    (data / "lock").touch()
    monkeypatch.setattr(Path, "stat", closed)
    shown = passerelle(*arguments)
    assert (shown.exit_code, shown.stderr) == (
        77,
        f"passerelle: this account may not use the engine of '{data}': use root or the owner of the directory\n",
    )


def test_the_last_resort_is_one_sentence_without_values(passerelle, data: Path, monkeypatch) -> None:
    """Type and place of what nobody foresaw; exit code 1."""

    def broken(_: str) -> None:
        raise ValueError("ZUBROWKA")

    monkeypatch.setattr("engine.cli.version.version_of", broken)
    shown = passerelle("version")
    assert shown.exit_code == 1
    assert shown.stderr.startswith("passerelle: a fault of Passerelle (ValueError at test_group.py:")
    assert shown.stderr.endswith("): please report it\n")
    assert "ZUBROWKA" not in shown.stderr
