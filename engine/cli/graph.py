"""`passerelle graph`: the configuration as a picture."""

from __future__ import annotations

import click

from engine.cli.asking import read_runnable
from engine.cli.options import common_options, options
from engine.cli.printing import print_json
from engine.errors import OperationRefused


@click.command()
@click.argument("names", nargs=-1, metavar="[ROUTE]...")
@click.option(
    "--format", "format_", type=click.Choice(["mermaid", "dot"]), default="mermaid", show_default=True,
    help="For pages that draw mermaid, or for Graphviz.",
)  # fmt: skip
@common_options
def graph(*, names: tuple[str, ...], format_: str) -> None:
    """
    Draw sources, routes and destinations: all, or those of some routes.

    For example: passerelle graph --format dot | dot -Tsvg > routes.svg
    """
    from engine.routes.drawing import as_json, dot, drawing_of, mermaid
    from engine.routes.suggestions import suggest

    configuration = read_runnable(options())
    known = [route.name for route in configuration.routes]
    for name in names:
        if name not in known:
            raise OperationRefused(f"there is no route {name}; {suggest(name, known)}")
    drawing = drawing_of(configuration, names)
    if options().json:
        print_json(as_json(drawing))
    else:
        click.echo(mermaid(drawing) if format_ == "mermaid" else dot(drawing), nl=False)
