"""What stands below every `--help`: a command line to copy, and which exit codes the command has."""

from __future__ import annotations

from typing import Final, NamedTuple

import click

EXIT_CODES: Final = {
    0: "fine", 1: "a negative answer", 2: "usage", 3: "another number than expected", 69: "nobody to ask", 75: "busy",
    77: "not allowed", 78: "configuration refused",
}  # fmt: skip
"""docs/operators/README.md says more."""
_ALL: Final = tuple(EXIT_CODES)
_FILE: Final = (0, 1, 2)
_ROUTES: Final = (0, 1, 2, 78)
_LOOK: Final = (0, 1, 2, 69, 75, 77)
_ACT: Final = (0, 1, 2, 3, 69, 75, 77)


class Said(NamedTuple):
    """What is said of one command."""

    codes: tuple[int, ...]
    example: str


SAID: Final = {
    "run": Said((0, 1, 2, 69, 75, 77, 78), "passerelle run --routes /etc/passerelle/routes.yaml"),
    "init": Said(_FILE, 'passerelle init --site "cha,Hospital A,010000024" --dpi 10.1.4.7:5500'),
    "lint": Said((0, 2, 78), "passerelle lint --json"),
    "graph": Said(_ROUTES, "passerelle graph adt_to_dpi --format dot | dot -Tsvg"),
    "docs": Said((0, 1, 2, 69, 78), "passerelle docs --output pages"),
    "fmt": Said(_ROUTES, "passerelle fmt --check"),
    "code": Said(_FILE, "passerelle code E-MAP-MISS"),
    "schema write": Said((0, 2, 69), "passerelle schema write"),
    "try": Said(_ALL[:3] + _ALL[4:], "passerelle try adt_to_dpi admission.hl7 --source gam_cha"),
    "explain": Said(_ALL[:3] + _ALL[4:], "passerelle explain adt_to_dpi --message 48211"),
    "test": Said(_ROUTES, "passerelle test -k merge"),
    "plan": Said(_ALL[:3] + _ALL[4:], "passerelle plan --shadow 500"),
    "apply": Said(_ALL, 'passerelle apply --confirm 10m --yes --expect 3 --reason "ticket 1204"'),
    "confirm": Said(_LOOK, 'passerelle confirm --reason "looks right"'),
    "rollback": Said(_ALL, 'passerelle rollback --reason "the DPI refuses"'),
    "config log": Said(_LOOK, "passerelle config log --limit 10"),
    "config show": Said(_LOOK, "passerelle config show ff943324"),
    "config diff": Said(_LOOK, "passerelle config diff"),
    "table lint": Said(_ROUTES, "passerelle table lint uf_dpi"),
    "table lookup": Said(_ROUTES, "passerelle table lookup uf_dpi site=cha code=1010"),
    "table misses": Said(_ALL[:3] + _ALL[4:], "passerelle table misses uf_dpi"),
    "status": Said(_LOOK, "passerelle status --watch"),
    "metrics": Said((0, 2, 69, 75, 77), "passerelle metrics > /var/lib/node_exporter/passerelle.prom"),
    "queue ls": Said(_LOOK, "passerelle queue ls"),
    "queue show": Said(_LOOK, "passerelle queue show dpi --limit 10"),
    "queue lanes": Said(_LOOK, "passerelle queue lanes dpi"),
    "hold": Said(_ACT, 'passerelle hold dpi --for 2h --reason "maintenance"'),
    "release": Said(_ACT, 'passerelle release dpi --reason "done"'),
    "probe": Said(_LOOK, "passerelle probe dpi"),
    "dead ls": Said(_LOOK, "passerelle dead ls --group G.4F2A11"),
    "dead groups": Said(_LOOK, "passerelle dead groups --to dpi"),
    "dead show": Said(_LOOK, "passerelle dead show 48211-0"),
    "dead retry": Said(_ACT, 'passerelle dead retry --group G.4F2A11 --yes --expect 41 --reason "table corrected"'),
    "dead pass": Said(_ACT, 'passerelle dead pass 48211-0 --reason "told the ward"'),
    "dead discard": Said(_ACT, 'passerelle dead discard 48211-0 --reason "a test of the vendor"'),
    "dead restore": Said(_ACT, 'passerelle dead restore 48211-0 --reason "it was none"'),
    "msg find": Said(_LOOK, "passerelle msg find --state dead --since 2h"),
    "msg show": Said(_LOOK, "passerelle msg show 48211"),
    "msg raw": Said(_LOOK, 'passerelle msg raw 48211 --reveal --reason "ticket 1204"'),
    "msg trace": Said(_LOOK, "passerelle msg trace 48211"),
    "msg validate": Said(_FILE, "passerelle msg validate admission.hl7 --profile pam-fr-2.11"),
    "msg export": Said(_LOOK, "passerelle msg export 48211 48212 --as-test --output fixtures"),
    "refusals": Said(_LOOK, "passerelle refusals --source gam_cha"),
    "identity find": Said(_LOOK, "passerelle identity find --ipp"),
    "identity show": Said(_LOOK, "passerelle identity show 812"),
    "identity history": Said(_LOOK, "passerelle identity history 812"),
    "identity review": Said(_LOOK, "passerelle identity review"),
    "identity link": Said(_ACT, 'passerelle identity link 812 907 --reason "same person, papers seen"'),
    "identity unlink": Said(_ACT, 'passerelle identity unlink 812 --site chb --reason "brothers"'),
    "identity apart": Said(_ACT, 'passerelle identity apart 812 907 --reason "twins"'),
    "identity undo": Said(_ACT, 'passerelle identity undo 55 --reason "a mistake"'),
    "identity impact": Said(_LOOK, "passerelle identity impact 812"),
    "identity import": Said(_ACT, "passerelle identity import mpi.csv --dry-run"),
    "identity export": Said(_LOOK, 'passerelle identity export mpi.csv --reason "yearly check"'),
    "identity stats": Said(_LOOK, "passerelle identity stats"),
    "identity next-number": Said(_ACT, 'passerelle identity next-number 90000 --reason "restored"'),
    "audit": Said(_LOOK, "passerelle audit --limit 20"),
    "send": Said((0, 1, 2, 69), "passerelle send admission.hl7 127.0.0.1:6101"),
    "convert": Said(_FILE, "passerelle convert LAB001.HPR --to hl7 | passerelle msg validate -"),
    "db tables": Said(_LOOK, "passerelle db tables"),
    "db query": Said(_LOOK, 'passerelle db query "select name_of(source), count(*) from messages group by 1"'),
    "db export": Said(_LOOK, "passerelle db export messages --format csv"),
    "doctor": Said(_LOOK, "passerelle doctor"),
    "version": Said((0, 2), "passerelle version"),
}
"""By the words of the command; `simulate` has words of its own."""


def with_epilog(command: click.Command, words: str) -> click.Command:
    """Add to a command, or to those of a group, what stands below its help."""
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            with_epilog(inner, f"{words} {name}")
    elif words in SAID:
        codes = ", ".join(f"{code} {EXIT_CODES[code]}" for code in SAID[words].codes)
        command.epilog = f"\b\nFor example:\n  {SAID[words].example}\n\nExit codes: {codes}."
    return command


def root_epilog() -> str:
    """Return what stands below the list of commands."""
    codes = ", ".join(f"{code} {meaning}" for code, meaning in EXIT_CODES.items())
    return (
        "`passerelle COMMAND --help` says more of one, with an example.\n\n"
        f"Exit codes: {codes}.\n\n"
        "\b\nCompletion in bash (zsh, fish: zsh_source, fish_source):\n"
        '  eval "$(_PASSERELLE_COMPLETE=bash_source passerelle)"'
    )
