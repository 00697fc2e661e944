"""`passerelle code E120`: what a finding means, and what to change."""

from __future__ import annotations

import click

from engine.cli.options import common_options, options
from engine.cli.printing import console, print_json
from engine.errors import OperationRefused

_COLOURS = {"-": "red", "+": "green"}


@click.command()
@click.argument("code", required=False, default="")
@common_options
def code(*, code: str) -> None:
    """Explain a code of `passerelle lint`, with what to change; without a code, list them all."""
    from engine.routes.codes import codes, page_of

    if not code:
        _list(codes())
        return
    page = page_of(code.upper())
    if page is None:
        from engine.routes.suggestions import suggest

        raise OperationRefused(f"there is no code {code}; {suggest(code.upper(), codes())}", exit_code=2)
    if options().json:
        print_json(page._asdict())
        return
    screen = console()
    screen.print(f"{page.code}  {page.title}", style="bold")
    screen.print(f"\n{page.prose}")
    if page.diff:
        from rich.text import Text

        click.echo(f"\n{page.file or 'routes.yaml'}")
        for line in page.diff.splitlines():
            screen.print(Text(f"  {line}", style=_COLOURS.get(line[:1], "")))


def _list(codes: list[str]) -> None:
    from engine.routes.codes import page_of

    for one in codes:
        page = page_of(one)
        assert page is not None, "its file was just seen"
        if options().json:
            print_json({"code": page.code, "title": page.title})
        else:
            click.echo(f"{page.code}  {page.title}")
