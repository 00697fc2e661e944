"""`passerelle init`: a first configuration, made of a few answers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

import click

from engine.cli.asking import interactive
from engine.cli.options import common_options, options
from engine.errors import OperationRefused
from engine.identity.finess import check_digit_fits
from engine.routes.starting import NewSite, first_configuration, name_of
from engine.transforms.shapes import NAME_FORM

_GROUP: Final = "GHT"
_DPI: Final = "127.0.0.1:5500"
_SITE_HELP: Final = (
    "An establishment: NAME,LABEL,FINESS, then perhaps the OID of its patient numbers. Once for each; without any, "
    "they are asked for."
)


@click.command()
@click.option("--group", default="", metavar="LABEL", help="Name of the group.")
@click.option("--site", "sites", multiple=True, metavar="NAME,LABEL,FINESS[,OID]", help=_SITE_HELP)
@click.option("--port", type=click.IntRange(1, 65_000), default=6101, show_default=True,
              help="On which the first admission system is listened to; the others follow.")  # fmt: skip
@click.option("--dpi", default="", metavar="HOST:PORT", help="Address of the patient record.")
@common_options
def init(*, group: str, sites: tuple[str, ...], port: int, dpi: str) -> None:
    """
    Write a first routes.yaml, and its schema for editors beside it.

    It asks for the group, its establishments and the patient record. With --site and --dpi nothing is asked.
    """
    target = options().routes
    if target.exists():
        raise OperationRefused(f"there is a configuration at '{target}' already: nothing was changed")
    if not sites and not interactive():
        raise OperationRefused("which establishments? --site NAME,LABEL,FINESS[,OID]", exit_code=2)
    asks = not sites
    group = group or (_ask("Name of the group", str.strip, _GROUP) if asks else _GROUP)
    chosen = _ask_sites() if asks else [_read_site(one) for one in sites]
    _check_names(chosen)
    dpi = _address(dpi) if dpi else _ask("Address of the patient record", _address, _DPI) if asks else _DPI
    text = first_configuration(group, chosen, port=port, dpi=dpi)
    _write(target, text)
    click.echo(f"{target}: written; passerelle lint, passerelle test, then passerelle run")


def _read_site(text: str) -> NewSite:
    parts = [part.strip() for part in text.split(",")]
    if not 3 <= len(parts) <= 4:
        raise OperationRefused(f"--site {text}: write NAME,LABEL,FINESS or NAME,LABEL,FINESS,OID", exit_code=2)
    oid = _oid(parts[3]) if len(parts) > 3 and parts[3] else ""
    return NewSite(name=_name(parts[0]), label=parts[1] or parts[0], finess_ej=_finess(parts[2]), oid=oid)


def _ask_sites() -> list[NewSite]:
    sites: list[NewSite] = []
    while True:
        which = "Name of the establishment" if not sites else "Name of the next one (nothing: that was all)"
        label = click.prompt(which, default="" if sites else None, show_default=False, err=True).strip()
        if not label:
            return sites
        name = _ask("  its short name in the files", _name, name_of(label))
        finess = _ask("  its FINESS (EJ), nine characters", _finess)
        oid = _ask("  OID of its patient numbers (nothing: known by the FINESS)", _oid_or_nothing, "")
        sites.append(NewSite(name=name, label=label, finess_ej=finess, oid=oid))


def _ask(question: str, read: Callable[[str], str], default: str | None = None) -> str:
    """Ask until the answer can be used."""
    while True:
        answer = click.prompt(question, default=default, show_default=bool(default), err=True)
        try:
            return read(str(answer).strip())
        except OperationRefused as refused:
            click.echo(f"  {refused}", err=True)


def _name(text: str) -> str:
    return _fits(NAME_FORM, text, f"{text} can't be a name: small letters, digits, _ and -")


def _finess(text: str) -> str:
    number = _fits(r"^[A-Za-z0-9]{9}$", text, f"{text} is no FINESS number: nine characters, zeros included")
    if check_digit_fits(number) is False:
        click.echo(f"the check digit of {number} doesn't fit: look at it again", err=True)
    return number


def _oid(text: str) -> str:
    return _fits(r"^[0-2](\.(0|[1-9][0-9]*)){2,}$", text, f"{text} is no OID: numbers and points, 1.2.250.1.999.10.1")


def _oid_or_nothing(text: str) -> str:
    return _oid(text) if text else ""


def _address(text: str) -> str:
    return _fits(r"^[A-Za-z0-9_.\[\]:-]+:[0-9]{1,5}$", text, f"{text} is no address: 10.1.4.7:5500")


def _fits(pattern: str, text: str, sentence: str) -> str:
    if re.fullmatch(pattern, text) is None:
        raise OperationRefused(sentence, exit_code=2)
    return text


def _check_names(sites: list[NewSite]) -> None:
    for what, values in (
        ("name", [site.name for site in sites]), ("FINESS", [site.finess_ej for site in sites]),
        ("OID", [site.oid for site in sites if site.oid]),
    ):  # fmt: skip
        twice = next((value for value in values if values.count(value) > 1), None)
        if twice is not None:
            raise OperationRefused(f"two establishments have the {what} {twice}", exit_code=2)


def _write(target: Path, text: str) -> None:
    from engine.routes.schema import SECTIONS
    from engine.routes.schema.editor import FILE_NAME, json_schema

    target.parent.mkdir(parents=True, exist_ok=True)
    schema = json.dumps(json_schema(SECTIONS), ensure_ascii=False, indent=1) + "\n"
    (target.parent / FILE_NAME).write_text(schema, encoding="utf-8")
    target.write_text(text, encoding="utf-8")
