"""`passerelle schema write`: what an editor needs to complete and check routes.yaml, offline."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

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

    Unless said, routes.schema.json beside routes.yaml, and routes_test.schema.json for files of tests: editors with
    a YAML language server find them by the first line of a file, which is printed.
    """
    from engine.routes.schema import SECTIONS, trials
    from engine.routes.schema.editor import FILE_NAME, MODELINE, json_schema

    text = _written(json_schema(SECTIONS))
    if file is not None and str(file) == "-":
        click.echo(text, nl=False)
        return
    chosen = options()
    target = file or chosen.routes.parent / FILE_NAME
    target.write_text(text, encoding="utf-8")
    click.echo(f"{target}: written")
    if file is None:
        beside = target.with_name(trials.FILE_NAME)
        beside.write_text(_written(trials.file_schema()), encoding="utf-8")
        click.echo(f"{beside}: written, for files of tests: {MODELINE.replace(FILE_NAME, beside.name)}")
    first = MODELINE.replace(FILE_NAME, target.name)
    if not _has(chosen.routes, first):
        click.echo(f"make this the first line of {chosen.routes}:\n{first}")


def _written(schema: dict[str, Any]) -> str:
    return json.dumps(schema, ensure_ascii=False, indent=1) + "\n"


def _has(routes: Path, line: str) -> bool:
    try:
        return routes.read_text(encoding="utf-8").startswith(line)
    except (OSError, UnicodeDecodeError):
        return False
