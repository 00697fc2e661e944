"""
The command line: click commands, one module a command group; `main` is the console script `passerelle`.

    group      the root: common options, lazy loading of the groups, errors as one sentence with an exit code
    options    --routes, --data, --json, --no-color: before or after the subcommand
    asking     an operation, through the control socket of a running engine or under the data directory's lock
    acting     number first, ask, reason, `--yes --expect N`
    printing   tables, JSON lines, times and ages
    leaving    the end of the process, also where a thread hangs
    helping    what stands below every --help: an example, the exit codes
    files      messages of a file that the user names, or of stdin; trees: how they look
    config       plan, apply, confirm, rollback; which configurations ran
    init, run, lint, fmt, code, schema, graph, docs, explain, test, try, table     the commands of analysts
    status, metrics, queue, dead, msg, identity, holding, send, simulate, db, convert, doctor, audit, version
                 the commands of operators

`passerelle run` starts fast and stays small: rich, sqlite_utils and the like are imported where they are used.
"""

from __future__ import annotations


def main() -> None:
    """
    Run the command line on sys.argv; never returns (click exits with the command's code).

    Exit codes: 0 fine, 1 a negative answer, 2 usage, 3 `--expect` not met, 69 unreachable, 75 busy,
    77 not allowed, 78 configuration refused.
    """
    from engine.cli.group import passerelle
    from engine.cli.leaving import leave

    try:
        passerelle.main(prog_name="passerelle")
    except SystemExit as left:
        leave(left.code if isinstance(left.code, int) else int(left.code is not None))
        raise
