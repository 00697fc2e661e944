"""The root command: loads a group when it is called, prints errors as one sentence, exits with their code."""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any, Final

import click

from engine.cli.options import common_options, from_environment
from engine.errors import PasserelleError

_COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "run": ("engine.cli.run", "run"),
    "lint": ("engine.cli.lint", "lint"),
    "status": ("engine.cli.status", "status"),
    "queue": ("engine.cli.queue", "queue"),
    "hold": ("engine.cli.holding", "hold"),
    "release": ("engine.cli.holding", "release"),
    "probe": ("engine.cli.holding", "probe"),
    "dead": ("engine.cli.dead", "dead"),
    "dlq": ("engine.cli.dead", "dead"),
    "msg": ("engine.cli.msg", "msg"),
    "refusals": ("engine.cli.msg", "refusals"),
    "audit": ("engine.cli.audit", "audit"),
    "send": ("engine.cli.send", "send"),
    "simulate": ("engine.cli.simulate", "simulate"),
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
        return command

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Begin with what the environment says."""
        extra.setdefault("obj", from_environment())
        return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; turn our errors into one sentence."""
        try:
            return super().invoke(ctx)
        except PasserelleError as error:
            click.echo(f"passerelle: {error}", err=True)
            ctx.exit(error.exit_code)
        except BrokenPipeError:
            # The reader of our pipe (`head`) has enough. Nothing more is written, not even at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(0)


@click.group(cls=Root, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@common_options
def passerelle() -> None:
    """Passerelle: takes custody of HL7 v2 and HPRIM messages and delivers them, in order."""
