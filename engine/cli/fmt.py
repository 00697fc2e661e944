"""`passerelle fmt`: lay files of routes out anew."""

from __future__ import annotations

import difflib
import sys
from pathlib import Path

import click

from engine.cli.options import common_options, options
from engine.errors import ConfigurationRefused, OperationRefused


@click.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option("--check", is_flag=True, help="Change nothing; exit code 1 when a file would change.")
@click.option("--diff", is_flag=True, help="Change nothing; show what would.")
@common_options
def fmt(*, files: tuple[Path, ...], check: bool, diff: bool) -> None:
    """
    Lay out routes.yaml and the files that it includes, or FILES (`-`: stdin to stdout).

    Two blanks a level, comments where they stand, one entry a line where a path with brackets wants it.
    """
    from engine.routes.loader import files_of

    changed = False
    for file in files or files_of(options().routes):
        if str(file) == "-":
            click.echo(_formatted(sys.stdin.read(), "stdin"), nl=False)
            continue
        before = _read(file)
        after = _formatted(before, str(file))
        if after == before:
            continue
        changed = True
        if diff:
            lines = difflib.unified_diff(before.splitlines(), after.splitlines(), str(file), str(file), lineterm="")
            click.echo("\n".join(lines))
        elif check:
            click.echo(f"{file}: would be laid out anew")
        else:
            _write(file, after)
            click.echo(f"{file}: laid out anew")
    click.get_current_context().exit(1 if changed and check else 0)


def _read(file: Path) -> str:
    try:
        return file.read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise OperationRefused(f"there is no file '{file}'", exit_code=2) from None
    except UnicodeDecodeError:
        raise ConfigurationRefused(f"{file}: the file isn't UTF-8; nothing was changed") from None


def _formatted(text: str, name: str) -> str:
    from engine.routes.formatting import NotFormatted, formatted

    try:
        return formatted(text)
    except NotFormatted as error:
        raise ConfigurationRefused(f"{name}: {error}; nothing was changed") from None


def _write(file: Path, text: str) -> None:
    """Replace the file at once: who reads it meanwhile sees the old one or the new one."""
    target = file.resolve()
    beside = target.with_name(f".{target.name}.new")
    beside.write_bytes(text.encode("utf-8"))
    beside.chmod(target.stat().st_mode & 0o7777)
    beside.replace(target)
