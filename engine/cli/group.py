"""The root command: loads a group when it is called, prints errors as one sentence, exits with their code."""

from __future__ import annotations

import contextlib
import errno
import importlib
import json
import os
import sys
from pathlib import Path
from typing import Any, Final, NoReturn

import click

from engine.cli.helping import root_epilog, with_epilog
from engine.cli.options import Options, common_options, from_environment
from engine.errors import PasserelleError, where

_COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "run": ("engine.cli.run", "run"),
    "init": ("engine.cli.init", "init"),
    "lint": ("engine.cli.lint", "lint"),
    "graph": ("engine.cli.graph", "graph"),
    "docs": ("engine.cli.docs", "docs"),
    "fmt": ("engine.cli.fmt", "fmt"),
    "code": ("engine.cli.code", "code"),
    "schema": ("engine.cli.schema", "schema"),
    "try": ("engine.cli.try_", "try_"),
    "explain": ("engine.cli.explain", "explain"),
    "test": ("engine.cli.test", "test"),
    "plan": ("engine.cli.config", "plan"),
    "apply": ("engine.cli.config", "apply"),
    "confirm": ("engine.cli.config", "confirm"),
    "rollback": ("engine.cli.config", "rollback"),
    "config": ("engine.cli.config", "config"),
    "table": ("engine.cli.table", "table"),
    "status": ("engine.cli.status", "status"),
    "metrics": ("engine.cli.metrics", "metrics"),
    "queue": ("engine.cli.queue", "queue"),
    "hold": ("engine.cli.holding", "hold"),
    "release": ("engine.cli.holding", "release"),
    "probe": ("engine.cli.holding", "probe"),
    "dead": ("engine.cli.dead", "dead"),
    "dlq": ("engine.cli.dead", "dead"),
    "msg": ("engine.cli.msg", "msg"),
    "refusals": ("engine.cli.msg", "refusals"),
    "identity": ("engine.cli.identity", "identity"),
    "audit": ("engine.cli.audit", "audit"),
    "send": ("engine.cli.send", "send"),
    "simulate": ("engine.cli.simulate", "simulate"),
    "convert": ("engine.cli.convert", "convert"),
    "db": ("engine.cli.db", "db"),
    "doctor": ("engine.cli.doctor", "doctor"),
    "version": ("engine.cli.version", "version"),
}
"""Name -> (module, its command). Loaded late: `run` imports nothing that it doesn't need."""
_ALIASES: Final = frozenset({"dlq"})


class Root(click.Group):
    """Commands by name, loaded when called."""

    def list_commands(self, _: click.Context) -> list[str]:
        """Name the commands, in the order of work; aliases are left out."""
        return [name for name in _COMMANDS if name not in _ALIASES]

    def get_command(self, _: click.Context, cmd_name: str) -> click.Command | None:
        """Load one command."""
        known = _COMMANDS.get(cmd_name)
        if known is None:
            return None
        command: click.Command = getattr(importlib.import_module(known[0]), known[1])
        return with_epilog(command, "dead" if cmd_name == "dlq" else cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; of one that isn't there, say which was meant."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from engine.routes.suggestions import suggest

            hint = suggest(args[0], self.list_commands(ctx))
            if hint.startswith("did you mean"):
                raise click.UsageError(f"{error.message} {hint[0].upper()}{hint[1:]}", ctx) from None
            raise

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Begin with what the environment says."""
        extra.setdefault("obj", from_environment())
        return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; turn our errors into one sentence."""
        try:
            answer = super().invoke(ctx)
            sys.stdout.flush()
            return answer
        except (click.ClickException, click.Abort):
            raise
        except click.exceptions.Exit as left:
            try:
                sys.stdout.flush()
            except OSError as error:
                _unusable(ctx, error)
            raise left
        except PasserelleError as error:
            _refuse(ctx, str(error), error.exit_code)
        except OSError as error:
            _unusable(ctx, error)
        except Exception as error:
            _refuse(ctx, f"a fault of Passerelle ({where(error)}): please report it", 1)


def _unusable(ctx: click.Context, error: OSError) -> None:
    """Say what the system refused, and exit: 77 or 69 for a file, 1 for what is written to stdout."""
    if error.filename is None:
        with contextlib.suppress(OSError, ValueError):  # nothing more is written, not even at exit
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if isinstance(error, BrokenPipeError):
        ctx.exit(0)  # the reader of our pipe (`head`) has enough
    reason = error.strerror or type(error).__name__
    data = ctx.find_root().ensure_object(Options).data
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        _refuse_if_full(ctx, data)
    if error.filename is None:
        _refuse(ctx, f"the output can't be written: {reason}", 1)
    path = Path(os.fsdecode(error.filename) if isinstance(error.filename, (str, bytes)) else str(error.filename))
    if isinstance(error, PermissionError) and (path == data or data in path.parents):
        from engine.operations.address import not_allowed

        _refuse(ctx, str(not_allowed(data)), 77)
    _refuse(ctx, f"'{path}' can't be used: {reason}", 69)


def _refuse_if_full(ctx: click.Context, data: Path) -> None:
    """Where the disk of the data directory has no room, say that: an error of a write doesn't name its file."""
    from engine.store.sqlite.room import START_BYTES, disk_full, free_bytes

    if data.is_dir() and free_bytes(data) < START_BYTES:
        _refuse(ctx, str(disk_full(data)), disk_full(data).exit_code)


def _refuse(ctx: click.Context, sentence: str, code: int) -> NoReturn:
    """Say why on stderr, with --json as an object, and exit."""
    if ctx.find_root().ensure_object(Options).json:
        line = json.dumps({"v": 1, "error": sentence, "exit_code": code}, ensure_ascii=False, separators=(",", ":"))
    else:
        line = f"passerelle: {sentence}"
    with contextlib.suppress(OSError):
        click.echo(line, err=True)
    ctx.exit(code)


@click.group(
    cls=Root, epilog=root_epilog(),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)  # fmt: skip
@common_options
def passerelle() -> None:
    """Passerelle: takes custody of HL7 v2 and HPRIM messages and delivers them, in order."""
