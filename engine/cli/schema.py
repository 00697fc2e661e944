"""`passerelle schema write`: what an editor needs to complete and check routes.yaml, offline."""

from __future__ import annotations

import json
from pathlib import Path

import click

from engine.cli.options import common_options, options


@click.group()
@common_options
def schema() -> None:
    """The schema of routes.yaml, for editors."""


@schema.command("write")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@common_options
def write(*, file: Path | None) -> None:
    """
    Write the JSON Schema of routes.yaml to FILE (`-`: to stdout).

    Unless said, routes.schema.json beside routes.yaml: editors with a YAML language server find it by the first
    line of routes.yaml, which is printed.
    """
    from engine.routes.schema import SECTIONS
    from engine.routes.schema.editor import FILE_NAME, MODELINE, json_schema

    text = json.dumps(json_schema(SECTIONS), ensure_ascii=False, indent=1) + "\n"
    if file is not None and str(file) == "-":
        click.echo(text, nl=False)
        return
    chosen = options()
    target = file or chosen.routes.parent / FILE_NAME
    target.write_text(text, encoding="utf-8")
    click.echo(f"{target}: written")
    first = MODELINE.replace(FILE_NAME, target.name)
    if not _has(chosen.routes, first):
        click.echo(f"make this the first line of {chosen.routes}:\n{first}")


def _has(routes: Path, line: str) -> bool:
    try:
        return routes.read_text(encoding="utf-8").startswith(line)
    except (OSError, UnicodeDecodeError):
        return False
