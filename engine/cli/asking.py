"""Ask an operation: the running engine over its control socket, or the store itself when no engine runs."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from engine.cli.options import Options, options
from engine.errors import ConfigurationRefused, StoreLocked
from engine.operations.client import Client, EngineAway
from engine.operations.wording import several

if TYPE_CHECKING:
    from engine.operations.offline import Offline
    from engine.routes import Finding
    from engine.routes.configuration import Configuration

Answer = dict[str, Any]

_TIMEOUT: Final = 60.0
_TIMEOUTS: Final = {"dead_retry": 600.0, "config_plan": 600.0, "identity_import": 600.0}
"""Ten thousand letters are each compared with what was delivered since: some milliseconds each."""
_ALIVE_WITHIN: Final = 5.0
_STARTS_WITHIN: Final = 5.0
"""An engine that has the data directory, and doesn't listen yet, is waited for so long."""
_LOOK_AGAIN: Final = 0.1
_ACTS: Final = frozenset(
    {"hold", "release", "probe", "dead_retry", "dead_pass", "dead_discard", "dead_restore", "config_plan",
     "config_apply", "config_confirm", "config_rollback", "identity_link", "identity_unlink", "identity_apart",
     "identity_undo", "identity_next_number", "identity_import"}
)  # fmt: skip
"""These wait as long as they need; all others are looks, which a frozen engine is to fail soon."""


_SAID: Final = "passerelle.stopped"


def ask(operation: str, **arguments: Any) -> Answer:
    """
    Ask one operation.

    Without an engine it says `ENGINE STOPPED since …` on stderr first, then does the same under the lock.

    Args:
        operation: Its name (operations.service).
        arguments: Its arguments; None leaves one out.

    Raises:
        PasserelleError: It was refused, or nobody can answer; with its exit code.
    """
    given = {name: value for name, value in arguments.items() if value is not None}
    chosen = options()
    until = time.monotonic() + _STARTS_WITHIN
    while True:
        try:
            return _ask_engine(chosen, operation, given)
        except EngineAway:
            try:
                answer = _ask_offline(chosen, operation, given)
            except StoreLocked:
                if time.monotonic() > until:
                    raise
                time.sleep(_LOOK_AGAIN)  # an engine holds it that doesn't listen yet, or no longer
                continue
        if operation != "status":
            _say_stopped(answer)
        return answer


Session = Callable[..., Answer]
"""As `ask`, of one connection."""


@contextmanager
def session(new: Path | None = None) -> Iterator[Session]:
    """
    Ask many operations one after the other: over one connection, or with the lock taken once.

    Args:
        new: A directory without data: it is made first. None: the data directory, which must be there.

    Raises:
        PasserelleError: As `ask`.
    """
    chosen = options()
    with ExitStack() as stack:
        answerer, stopped = _answerer(chosen, new, stack)

        def asked(operation: str, **arguments: Any) -> Answer:
            given = {name: value for name, value in arguments.items() if value is not None}
            answer = answerer.call(operation, given)
            if stopped:
                _say_stopped(answer)
            return answer

        yield asked


def _answerer(chosen: Options, new: Path | None, stack: ExitStack) -> tuple[Client | Offline, bool]:
    """Return what answers, entered, and whether that is the store itself."""
    until = time.monotonic() + _STARTS_WITHIN
    while True:
        engine = _engine(chosen) if new is None else None
        if engine is not None:
            return stack.enter_context(engine), False
        try:
            return stack.enter_context(_store(chosen, new)), True
        except StoreLocked:
            if time.monotonic() > until:
                raise
            time.sleep(_LOOK_AGAIN)  # as in `ask`


def _engine(chosen: Options) -> Client | None:
    try:
        engine = Client(chosen.data, timeout=max(_TIMEOUTS.values()))
    except EngineAway:
        return None
    engine.require_alive(_ALIVE_WITHIN)
    return engine


def _store(chosen: Options, new: Path | None = None) -> Offline:
    from engine.operations.offline import Offline
    from engine.store.sqlite import SqliteStore

    store_of = partial(SqliteStore, briefly=True)
    directory, begin = (chosen.data, False) if new is None else (new, True)
    return Offline(directory, store_of=store_of, configuration=read_configuration(chosen), begin=begin)


def _ask_engine(chosen: Options, operation: str, given: Answer) -> Answer:
    with Client(chosen.data, timeout=_TIMEOUTS.get(operation, _TIMEOUT)) as engine:
        if operation not in _ACTS or given.get("dry"):
            engine.require_alive(_ALIVE_WITHIN)
        return engine.call(operation, given)


def _say_stopped(answer: Answer) -> None:
    from engine.operations.status import headline

    said = click.get_current_context().find_root().meta
    if said.get(_SAID):
        return
    said[_SAID] = True
    click.echo(headline("stopped", int(answer.get("stopped_since_ms") or 0), now_ms()), err=True)


def now_ms() -> int:
    """Return the wall clock, milliseconds since 1970 UTC."""
    return time.time_ns() // 1_000_000


def _ask_offline(chosen: Options, operation: str, given: Answer) -> Answer:
    from engine.operations.offline import call_offline
    from engine.store.sqlite import SqliteStore

    return call_offline(
        chosen.data,
        operation,
        given,
        store_of=partial(SqliteStore, briefly=True),
        configuration=read_configuration(chosen),
    )


def read_configuration(chosen: Options) -> Configuration | None:
    """Read routes.yaml where it is needed for names only: one that is absent or refused is no obstacle."""
    try:
        if not chosen.routes.is_file():
            return None
        configuration, _ = check_routes(chosen)
    except OSError:  # another account's
        return None
    return configuration


def check_routes(chosen: Options, tests: Sequence[Path] | None = None) -> tuple[Configuration | None, list[Finding]]:
    """
    Read routes.yaml as `run` does: with this process's environment and the data directory's secrets.

    Args:
        chosen: Which, and where the data are.
        tests: Files of tests to read too, beside those under routes; None: no test is read.
    """
    from engine.routes import check, file_secrets

    secrets = file_secrets(os.environ, chosen.data)
    return check(chosen.routes, environment=os.environ, secrets=secrets, tests=tests)


def named_routes() -> str:
    """
    Return the absolute path of the configuration that is meant; empty: the engine's own.

    Raises:
        ConfigurationRefused: One is named, and isn't there.
    """
    chosen = options()
    if chosen.routes.is_file():
        return str(chosen.routes.absolute())
    if chosen.routes != Options().routes:
        raise no_configuration(chosen.routes)
    return ""


def no_configuration(path: Path) -> ConfigurationRefused:
    """Return the refusal of a configuration that isn't there."""
    return ConfigurationRefused(f"there is no configuration at '{path}' (--routes PATH or PASSERELLE_ROUTES)")


def read_runnable(chosen: Options, tests: Sequence[Path] | None = None) -> Configuration:
    """
    Read routes.yaml where nothing can be done without it.

    Raises:
        ConfigurationRefused: There is none, or it has errors (exit code 78).
    """
    if not chosen.routes.is_file():
        raise no_configuration(chosen.routes)
    configuration, findings = check_routes(chosen, tests)
    if configuration is None:
        errors = sum(finding.level == "error" for finding in findings)
        sentence = f"{chosen.routes} is refused ({several(errors, 'error')}): passerelle lint says what is wrong"
        raise ConfigurationRefused(sentence)
    return configuration


def files_of_tests(chosen: Options) -> list[Path]:
    """Return the files of tests that belong to routes.yaml."""
    from engine.routes.casereading import test_files

    return test_files(chosen.routes.parent)


def interactive() -> bool:
    """Whether somebody sits there who can be asked."""
    return sys.stdin.isatty()


def ask_secret(prompt: str) -> str:
    """
    Ask for an identifier: hidden on a terminal, else the first line of stdin; never from the command line.

    Args:
        prompt: What is asked for.
    """
    if interactive():
        return str(click.prompt(prompt, hide_input=True, err=True)).strip()
    return sys.stdin.readline().strip()
