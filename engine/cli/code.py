"""`passerelle code E120`, `E-POISON`, `AE 204`: what a code means, and what to do next."""

from __future__ import annotations

import re

import click

from engine.cli.options import common_options, options
from engine.cli.printing import console, print_json, print_rows
from engine.errors import OperationRefused

_COLOURS = {"-": "red", "+": "green"}


@click.command()
@click.argument("words", metavar="[CODE]", nargs=-1)
@common_options
def code(*, words: tuple[str, ...]) -> None:
    """
    Explain a code, with what to do next; without one, list them all.

    E120 is a code of `passerelle lint`; E-POISON stands on a dead letter, a refusal, a filtered message; `AE 204`
    is what a receiver answered; `charset-mismatch` is a finding that `status` counts. Of a word that a step of
    routes.yaml leaves itself (`flag:`, `tag:`) it says where it stands. Exits with 1 when there is no such code.
    """
    wanted = " ".join(words).upper()
    if not wanted:
        _list()
    elif not (_explain_ending(wanted) or _explain_finding(wanted) or _explain_own(wanted)):
        from engine.operations.codes import MEANINGS
        from engine.routes.codes import codes
        from engine.routes.suggestions import suggest

        known = MEANINGS if wanted.startswith("E-") else codes()
        hint = suggest(wanted, known)
        if not hint.startswith("did you mean"):
            hint = f"`passerelle code` lists them all, and '{options().routes}' leaves no such word (flag:, tag:)"
        raise OperationRefused(f"there is no code {wanted}; {hint}")


def _explain_ending(wanted: str) -> bool:
    """Print what a code of a message, a delivery, a refusal or an alert means; False: it is none."""
    from engine.operations.codes import meaning_of

    meaning = meaning_of(wanted)
    if meaning is None:
        return False
    if options().json:
        print_json({"code": meaning.code, "stands": meaning.stands, "what": meaning.what, "then": meaning.then})
        return True
    screen = console()
    screen.print(f"{meaning.code}  ({meaning.stands})", style="bold")
    screen.print(f"\nWhat happened: {meaning.what}", markup=False)
    screen.print(f"Do next: {meaning.then}", markup=False)
    return True


def _explain_finding(wanted: str) -> bool:
    """Print the page of a finding of lint; False: there is none."""
    from engine.routes.codes import page_of

    page = page_of(wanted)
    if page is None:
        return False
    if options().json:
        print_json(page._asdict())
        return True
    screen = console()
    screen.print(f"{page.code}  {page.title}", style="bold")
    screen.print(f"\n{page.prose}")
    if page.diff:
        from rich.text import Text

        click.echo(f"\n{page.file or 'routes.yaml'}")
        for line in page.diff.splitlines():
            screen.print(Text(f"  {line}", style=_COLOURS.get(line[:1], "")))
    return True


def _explain_own(wanted: str) -> bool:
    """Print where routes.yaml leaves this word; False: nowhere."""
    found = _places(wanted.removeprefix("TAG:").partition(" ")[0])  # behind a flag stands a field, or a code
    if not found:
        return False
    places, verbs, own = [one for one, _, _ in found], {verb for _, verb, _ in found}, found[0][2]
    what = ["A step could not do its work and left this word; the message went on."] if "flag" in verbs else []
    what += ["A step marked the message with this word."] if "tag" in verbs else []
    then = "Look at the step that leaves it, and its comment: whoever wrote the routes chose the word."
    if options().json:
        stands = "word of the routes"
        print_json({"code": own, "stands": stands, "what": " ".join(what), "then": then, "where": places})
        return True
    screen = console()
    screen.print(f"{own}  (word of the routes: {', '.join(places)})", style="bold", markup=False)
    screen.print(f"\nWhat happened: {' '.join(what)}", markup=False)
    screen.print(f"Do next: {then}", markup=False)
    return True


def _places(word: str) -> list[tuple[str, str, str]]:
    """Return where a step leaves a word: file and line, verb, and the word as it is written there."""
    from engine.cli.asking import read_configuration

    configuration = read_configuration(options())
    if configuration is None:
        return []
    stands = re.compile(rf"\b(flag|tag): *[\"']?({re.escape(word)})(?![\w-])", re.IGNORECASE)
    return [
        (f"{name}:{number}", match[1].lower(), match[2])
        for name in configuration.files
        for number, line in enumerate(configuration.contents[name].decode("utf-8-sig", "replace").splitlines(), 1)
        if (match := stands.search(line.partition(" #")[0])) is not None
    ]


def _list() -> None:
    from engine.operations.codes import MEANINGS
    from engine.routes.codes import codes, page_of

    pages = [page for one in codes() if (page := page_of(one)) is not None]
    if options().json:
        print_rows([{"code": page.code, "title": page.title} for page in pages], ())
        print_rows([{"code": one.code, "title": one.what} for one in MEANINGS.values()], ())
        return
    for page in pages:
        click.echo(f"{page.code}  {page.title}")
    width = max(map(len, MEANINGS))
    for one in MEANINGS.values():
        click.echo(f"{one.code:<{width}}  {one.what}")
