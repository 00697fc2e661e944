"""`passerelle docs`: pages about the routes, for the hospital's own documentation."""

from __future__ import annotations

import os
from pathlib import Path

import click

from engine.cli.options import common_options, options
from engine.errors import OperationRefused
from engine.operations.wording import several


@click.command()
@click.option(
    "--output", type=click.Path(path_type=Path, file_okay=False), default=Path("docs"), show_default=True,
    help="Folder of the pages.",
)  # fmt: skip
@common_options
def docs(*, output: Path) -> None:
    """
    Write a page for each route, and an index: what it takes, does and sends. Markdown.

    Pages of routes that are no more stay where they are. A file that isn't such a page is never written over.
    """
    from engine.routes import file_secrets
    from engine.routes.describing import is_made, pages
    from engine.routes.loader import declared

    chosen = options()
    secrets = file_secrets(os.environ, chosen.data)
    made = pages(*declared(chosen.routes, environment=os.environ, secrets=secrets))
    for name in made:
        page = output / name
        if page.exists() and not is_made(page.read_text(encoding="utf-8", errors="replace")):
            raise OperationRefused(
                f"{page} isn't a page that passerelle docs made, and nothing was written: move it, or name another "
                "folder with --output"
            )
    output.mkdir(parents=True, exist_ok=True)
    for name, text in made.items():
        (output / name).write_text(text, encoding="utf-8")
    click.echo(f"{output}: {several(len(made), 'page')}")
