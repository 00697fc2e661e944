"""
Exit codes, all commands: docs/operators/README.md.

What isn't there is a negative answer (1), what can't be read as an argument is usage (2); the same everywhere.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import pytest

from engine.cli.group import passerelle as root
from tests.support.engine import free_port

ROUTES = """\
version: 1
sites: { cha: { label: CHA, finess_eg: "010000024", authorities: { ipp: { type: PI, oid: 1.2.250.1.999.10.1 } } } }
sources: { gam_cha: { type: mllp, site: cha, listen: 127.0.0.1:6101 } }
destinations: { dpi: { type: mllp, connect: 127.0.0.1:6102 } }
tables: { uf: uf.csv }
routes:
  adt:
    from: gam_cha
    to: dpi
    tests: [{ name: passes, given: { file: adt.hl7 }, expect: { dpi: { PID-3.1: "1" } } }]
"""
ADT = b"MSH|^~\\&|GAM|CHA|||20231114||ADT^A01^ADT_A01|1|P|2.5\rEVN||20231114\rPID|1||1^^^A&1.2.250.1.999.10.1&ISO^PI\r"
DO = ("--yes", "--reason", "test")

# With a running engine (a small history: tests/support/custody.py).
FINE = """
    status                                       0
    metrics                                      0
    queue ls                                     0
    queue show dpi                               0
    queue lanes dpi                              0
    dead ls                                      0
    dead groups                                  0
    dead show 3                                  0
    dead retry 3 --yes --expect 1 --reason R     0
    dead pass 3-0 --yes --expect 1 --reason R    0
    dead discard 3 --yes --expect 1 --reason R   0
    hold dpi --yes --reason R                    0
    release dpi --yes --reason R                 0
    probe dpi                                    0
    msg find --control-id nothing                0
    msg find --state discarded                   0
    msg show 1                                   0
    msg raw 1                                    0
    msg trace 1                                  0
    msg export 1 --as-test                       0
    refusals                                     0
    audit                                        0
    config log                                   0
    explain adt --message 1                      0
    try adt --message 1                          0
    table misses                                 0
    lint                                         0
    graph                                        0
    fmt --diff                                   0
    test                                         0
    code                                         0
    code E-POISON                                0
    code AE 204                                  0
    table lookup uf 1                            0
    table lint                                   0
    msg show adt.hl7                             0
    msg show broken.hl7                          0
    convert adt.hl7 --to json                    0
    version                                      0
"""
NO_SUCH = """
    queue show dpo                               1
    queue lanes dpo                              1
    probe dpo                                    1
    hold dpo --yes --reason R                    1
    release dpo --yes --reason R                 1
    dead ls --to dpo                             1
    dead ls --source nobody                      1
    dead ls --group G.000000                     1
    dead groups --to dpo                         1
    dead show 99                                 1
    dead show 3-9                                1
    dead show 1                                  1
    dead retry 99 --yes --reason R               1
    dead retry --to dpo --yes --reason R         1
    dead pass 99-0 --yes --reason R              1
    dead discard 1 --yes --reason R              1
    dead restore 3 --yes --reason R              1
    msg find --source nobody                     1
    msg find --key nothing                       1
    msg show 99                                  1
    msg show 1-7                                 1
    msg raw 99                                   1
    msg trace 99                                 1
    msg export 99 --as-test                      1
    refusals --source nobody                     1
    config show ffff                             1
    config diff ffff                             1
    rollback ffff --yes --reason R               1
    explain nothing --message 1                  1
    explain adt --message 99                     1
    explain nothing adt.hl7                      1
    explain adt adt.hl7 --source nobody          1
    try nothing --message 1                      1
    try adt --message 99                         1
    try nothing adt.hl7                          1
    try adt adt.hl7 --source nobody              1
    table lookup nothing 1                       1
    table lookup uf 99                           1
    table lookup uf nothing=1                    1
    table lint nothing                           1
    table misses nothing                         1
    graph nothing                                1
    init --site cha,CHA,010000024                1
    test -k nothing                              1
    code E-NOTHING                               1
    code E999                                    1
    msg validate adt.hl7 --profile nothing       1
    msg show empty.hl7                           1
    msg validate empty.hl7                       1
    msg validate broken.hl7                      1
    convert empty.hl7 --to json                  1
    convert broken.hl7 --to json                 1
    convert adt.hl7 --to hl7                     1
    send empty.hl7 127.0.0.1:1                   1
    identity stats                               1
    identity show 1                              1
"""
USAGE = """
    queue show                                   2
    queue show dpi --after x                     2
    queue lanes dpi --limit 0                    2
    probe                                        2
    hold dpi --for soon --yes --reason R         2
    hold dpi --kind thing --yes --reason R       2
    hold dpi --reason R                          2
    hold dpi --yes                               2
    dead retry 3 --yes --reason R                2
    release x --kind lane --yes --reason R       2
    dead ls --after x                            2
    dead show x                                  2
    dead show 3-x                                2
    dead retry                                   2
    dead retry x --yes --reason R                2
    dead retry 3 --to dpi --yes --reason R       2
    dead pass x --yes --reason R                 2
    dead discard x --yes --reason R              2
    dead restore x --yes --reason R              2
    dead restore                                 2
    msg find --state lost                        2
    msg find --since sometimes                   2
    msg find --before x                          2
    msg raw x                                    2
    msg raw 1 --reveal                           2
    msg trace x                                  2
    msg export x --as-test                       2
    msg export 1                                 2
    explain adt                                  2
    explain adt --message x                      2
    explain adt none.hl7                         2
    try adt                                      2
    try adt --message x                          2
    try adt none.hl7                             2
    send none.hl7 127.0.0.1:1                    2
    send adt.hl7 nowhere                         2
    convert none.hl7 --to json                   2
    convert adt.hl7                              2
    msg show none.hl7                            2
    msg validate none.hl7                        2
    fmt none.yaml                                2
    test none_test.yaml                          2
    plan --shadow 0                              2
    apply --confirm soon --yes --reason R        2
    audit --limit x                              2
    refusals --limit 0                           2
    db query                                     2
    graph --format nothing                       2
    identity find                                2
    identity unlink 1 --yes --reason R           2
    identity impact                              2
    identity import none.csv --yes --reason R    2
    identity next-number x                       2
    init --site nothing --routes new.yaml        2
    stauts                                       2
    queue shwo                                   2
"""
EXPECT = """
    dead retry 3 --yes --expect 7 --reason R     3
    dead discard 3 --yes --expect 7 --reason R   3
    hold dpi --yes --expect 70 --reason R        3
"""
# No data directory: nobody to ask.
NOBODY = """
    status                                       69
    metrics                                      69
    queue ls                                     69
    queue show dpi                               69
    queue lanes dpi                              69
    hold dpi --yes --reason R                    69
    release dpi --yes --reason R                 69
    probe dpi                                    69
    dead ls                                      69
    dead groups                                  69
    dead show 3                                  69
    dead retry 3 --yes --reason R                69
    dead pass 3 --yes --reason R                 69
    dead discard 3 --yes --reason R              69
    dead restore 3 --yes --reason R              69
    msg find                                     69
    msg show 1                                   69
    msg raw 1                                    69
    msg trace 1                                  69
    msg export 1 --as-test                       69
    refusals                                     69
    audit                                        69
    identity find --ipp                          69
    identity show 1                              69
    identity history                             69
    identity review                              69
    identity link 1 2 --yes --reason R           69
    identity unlink 1 --site cha --yes --reason R 69
    identity apart 1 2 --yes --reason R          69
    identity undo 1 --yes --reason R             69
    identity impact 1                            69
    identity export - --reason R                 69
    identity stats                               69
    identity next-number 5 --yes --reason R      69
    config log                                   69
    config show                                  69
    config diff                                  69
    confirm --reason R                           69
    plan                                         69
    apply --yes --reason R                       69
    rollback --yes --reason R                    69
    explain adt --message 1                      69
    try adt --message 1                          69
    table misses                                 69
    doctor                                       69
    db tables                                    69
    db query select                              69
    db export messages                           69
"""
# routes.yaml with an error.
REFUSED = """
    lint                                         78
    run                                          78
    test                                         78
    graph                                        78
    docs --output pages                          78
    explain adt adt.hl7                          78
    try adt adt.hl7                              78
    table lookup uf 1                            78
"""


def rows(text: str) -> list[object]:
    """Read one of the tables above."""
    lines = [line.rsplit(None, 1) for line in text.splitlines() if line.strip()]
    return [pytest.param(words.split(), int(code), id=words.strip()) for words, code in lines]


@pytest.fixture
def written(data: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which commands are typed: routes.yaml, a table, files with a message, nothing, and rubbish."""
    folder = data.parent
    (folder / "routes.yaml").write_text(ROUTES, encoding="utf-8")
    (folder / "uf.csv").write_text("#key: code\ncode,dpi\n1,T1\n", encoding="utf-8")
    (folder / "adt.hl7").write_bytes(ADT)
    (folder / "empty.hl7").write_bytes(b"")
    (folder / "broken.hl7").write_bytes(b"hello")
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize(("words", "code"), rows(FINE + NO_SUCH + USAGE + EXPECT))
def test_with_an_engine(passerelle, written, live, words, code):
    """What is there, what isn't, what can't be read, what isn't as expected."""
    done = passerelle(*words, input="1\n")
    assert done.exit_code == code, done.output
    assert "a fault of Passerelle" not in done.output
    if code:
        assert done.output, "it says why"


@pytest.mark.parametrize(("words", "code"), rows(NOBODY))
def test_with_nobody_to_ask(passerelle, written, words, code):
    """No engine, no data: said in one sentence, with what to do."""
    done = passerelle(*words)
    assert done.exit_code == code, done.output
    assert "passerelle run" in done.stderr or "--data" in done.stderr


@pytest.mark.parametrize(("words", "code"), rows(REFUSED))
def test_with_a_configuration_that_is_refused(passerelle, written, data, words, code):
    """And where none is there."""
    (written / "routes.yaml").write_text("version: 2\n", encoding="utf-8")
    assert passerelle(*words).exit_code == code
    (written / "routes.yaml").unlink()
    done = passerelle(*words)
    assert done.exit_code == code, done.output


def test_a_receiver_that_is_away(passerelle, written):
    """`send` finds nobody."""
    assert passerelle("send", "adt.hl7", f"127.0.0.1:{free_port()}").exit_code == 69


def test_a_data_directory_of_somebody_else(passerelle, written, data, monkeypatch):
    """Neither its owner nor root."""
    (data / "lock").touch()
    monkeypatch.setattr("os.geteuid", lambda: data.stat().st_uid + 1)
    for words in (["status"], ["dead", "ls"], ["doctor"], ["db", "tables"]):
        assert passerelle(*words).exit_code == 77, words


def test_a_step_of_a_probe_that_fails(passerelle, written, live):
    """A negative answer, which was asked for and given."""
    live.steps = [("name", True, "127.0.0.1"), ("tcp", False, "port 5500: connection refused")]
    assert passerelle("probe", "dpi").exit_code == 1


def leaves(command: click.Command, words: str = "") -> list[str]:
    """Name every command that isn't a group."""
    if not isinstance(command, click.Group):
        return [words]
    context = click.Context(command)
    return [
        leaf
        for name in command.list_commands(context)
        if (inner := command.get_command(context, name)) is not None
        for leaf in leaves(inner, f"{words} {name}".strip())
    ]


ELSEWHERE = {
    "schema write": "test_schema.py: it has no way to fail but the disk",
    "simulate": "its own words: tests/unit/simulation",
}


@pytest.mark.parametrize("leaf", leaves(root))
def test_every_command_stands_in_these_tables(leaf):
    """A new command says how it ends."""
    table = FINE + NO_SUCH + USAGE + EXPECT + NOBODY + REFUSED
    found = any(line.split()[: len(leaf.split())] == leaf.split() for line in table.splitlines())
    assert found != (leaf in ELSEWHERE)


ACTS = {
    "apply": "", "rollback": "", "hold": "dpi", "release": "dpi", "dead retry": "3", "dead pass": "3-0",
    "dead discard": "3", "dead restore": "3", "identity link": "1 2", "identity unlink": "1 --site cha",
    "identity apart": "1 2", "identity undo": "1", "identity next-number": "9", "identity import": "mpi.csv",
}  # fmt: skip
"""Commands that don't ask with --yes, and what they are typed with."""
MOVING = {"hold", "release"}
"""Their number is what waits: it goes on changing while one types, so none can be expected."""


class Counted(dict[str, Any]):
    """An answer to any dry run."""

    def __missing__(self, _: str) -> int:
        return 2


def takes(leaf: str, option: str) -> bool:
    """Whether a command has an option."""
    command: click.Command = root
    for name in leaf.split():
        command = command.get_command(click.Context(command), name)  # type: ignore[attr-defined]
    return any(option in parameter.opts for parameter in command.params)


@pytest.mark.parametrize("leaf", [leaf for leaf in leaves(root) if takes(leaf, "--yes")])
def test_yes_wants_the_expected_number(passerelle, written, monkeypatch, leaf):
    """One rule over all commands: who asks nobody says the number, or nothing is changed."""
    asked: list[bool] = []

    def answer(_: str, **given: Any) -> Counted:
        asked.append(bool(given.get("dry")))
        return Counted(count=2)

    monkeypatch.setattr("engine.cli.acting.ask", answer)
    (written / "mpi.csv").write_text("number,authority,value\n1,ipp,1\n1,ipp,2\n", encoding="utf-8")
    words = [*leaf.split(), *ACTS[leaf].split(), "--yes", "--reason", "R"]
    done = passerelle(*words)
    if leaf in MOVING:
        assert (done.exit_code, asked) == (0, [True, False]), done.output
        return
    assert done.exit_code == 2, done.output
    assert "--expect 2" in done.stderr
    assert all(asked), "only counted"
    assert passerelle(*words, "--expect", "3").exit_code == 3
    assert all(asked)
    if leaf != "identity import":  # it asks for its rows over a connection of its own: test_identity_import.py
        assert passerelle(*words, "--expect", "2").exit_code == 0
        assert asked[-1] is False
