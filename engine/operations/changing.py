"""Change the running configuration: apply, confirm, roll back; what ran when, and what it said."""

from __future__ import annotations

import asyncio
import contextlib
import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from engine.errors import ConfigurationRefused, OperationRefused, PasserelleError, StoreError
from engine.operations.acts import require_count, require_reason
from engine.operations.asking import asker
from engine.operations.desk import Answer, Changing, Desk
from engine.operations.former import last_takeover
from engine.operations.wording import several

if TYPE_CHECKING:
    from engine.routes.configuration import Configuration
    from engine.routes.differences import Differences
    from engine.trials.running import Ask

_REFUSED: Final = ConfigurationRefused.exit_code
_TESTS_SHOWN: Final = 20
_COMPARED_BYTES_MAX: Final = 2_000_000
_SECONDS_MAX: Final = 7 * 86_400.0


async def config_apply(
    desk: Desk,
    who: str,
    routes: str = "",
    reason: str = "",
    dry: bool = False,
    expect: int | None = None,
    wanted: str = "",
    confirm_seconds: float = 0.0,
) -> Answer:
    """
    Let the engine take its routes.yaml as it is now.

    Args:
        desk: Where.
        who: Name of the operator.
        routes: Absolute path of the file that is meant; another one than the engine's is refused. Empty: the engine's.
        reason: Why.
        dry: Only say what would change; a file that is refused is noted all the same.
        expect: How many declarations differ; anything else is refused.
        wanted: Hash that the file must have: what was looked at is what is applied. Empty: any.
        confirm_seconds: Without a confirmation within this time the former configuration comes back; 0: it stays.

    Returns:
        As `changes_of`, with `rows` for what was done.

    Raises:
        OperationRefused: The file or one of its tests is refused (78), it is not what was looked at (3), something
            waits for what goes (1), no engine runs (69).
    """
    changing = _changing(desk)
    _require_own(changing.path, routes)
    if not 0 <= confirm_seconds <= _SECONDS_MAX:
        raise OperationRefused("a configuration is confirmed within a week", exit_code=2)
    reason = reason if dry else require_reason(reason)
    hash_ = ""
    try:
        configuration = await asyncio.to_thread(read_with_tests, changing.path, desk.data)
        hash_ = configuration.hash
        tests = await asyncio.to_thread(run_tests, configuration, asker(desk))
        _require_passed(tests)
        answer = await changes_of(desk, configuration) | {"tests": tests}
        if dry:
            return answer
        if wanted and wanted != hash_:
            raise OperationRefused("the file has changed since it was looked at: nothing was changed", exit_code=3)
        require_count(answer["count"], expect, "difference")
        return answer | await _take_over(desk, configuration, "apply", who, reason, confirm_seconds)
    except PasserelleError as error:
        # Also of a dry run: somebody meant the file to run, and the command line looks before it asks for a reason.
        with contextlib.suppress(StoreError):
            await changing.refuse(str(error), who=who, reason=reason or "apply", hash_=hash_)
        raise


async def config_confirm(desk: Desk, who: str, reason: str = "") -> Answer:
    """
    Let a configuration that was applied on trial stay.

    Raises:
        OperationRefused: None is on trial (1), or no engine runs (69).
    """
    reason = reason.strip() or "confirmed"
    await _changing(desk).confirm(who=who, reason=reason)
    await desk.audit(who, "config confirm", _running(desk).hash, reason)
    return _done(_running(desk).hash, "confirmed: it stays")


async def config_rollback(
    desk: Desk, who: str, to: str = "", reason: str = "", dry: bool = False, expect: int | None = None
) -> Answer:
    """
    Go back to a configuration that ran.

    Args:
        desk: Where.
        who: Name of the operator.
        to: Its hash, or how it begins; empty: the one that ran before the present one.
        reason: Why.
        dry: Only say what would change.
        expect: How many declarations differ; anything else is refused.

    Returns:
        As `changes_of`, with `rows` for what was done.
    """
    changing = _changing(desk)
    reason = reason if dry else require_reason(reason)
    configuration = await changing.kept(await _hash_of(desk, to or await _before(desk)))
    answer = await changes_of(desk, configuration)
    if dry:
        return answer
    require_count(answer["count"], expect, "difference")
    return answer | await _take_over(desk, configuration, "rollback", who, reason, 0.0)


async def config_log(desk: Desk, limit: int = 50) -> Answer:
    """Return which configurations ran, newest first, under `rows`; `running`, and until when it must be confirmed."""
    rows = await desk.queries.takeovers(limit=limit)
    engine = desk.live.engine() if desk.live is not None else {}
    return {
        "v": 1,
        "running": str(engine.get("configuration", "")),
        "confirm_until_ms": int(engine.get("confirm_until_ms", 0)),
        "rows": rows,
    }


async def config_show(desk: Desk, name: str = "") -> Answer:
    """
    Return the files of a configuration that ran, as they were.

    Args:
        desk: Where.
        name: Its hash, or how it begins; empty: the running one.

    Returns:
        `hash`, and `files`: name -> text. Secrets are references and stand in no file.
    """
    hash_ = await _hash_of(desk, name) if name else await _present(desk)
    files = await _files(desk, hash_)
    return {"v": 1, "hash": hash_, "files": {name: _text(data) for name, data in files.items()}}


async def config_diff(desk: Desk, one: str = "", other: str = "") -> Answer:
    """
    Compare the files of two configurations that ran.

    Args:
        desk: Where.
        one: The earlier, by hash or how it begins; empty: the one before the present one.
        other: The later; empty: the present one.

    Returns:
        `one`, `other` (hashes), and `lines`: a unified difference.
    """
    earlier = await _hash_of(desk, one or await _before(desk))
    later = await _hash_of(desk, other) if other else await _present(desk)
    was, now = await _files(desk, earlier), await _files(desk, later)
    lines = await asyncio.to_thread(lines_between, was, now, earlier, later)
    return {"v": 1, "one": earlier, "other": later, "lines": lines}


# --- what both `plan` and `apply` say ----------------------------------------------------------------------------


async def changes_of(desk: Desk, after: Configuration, before: Configuration | None = None) -> Answer:
    """
    Return what another configuration changes.

    Args:
        desk: Where.
        after: The other one.
        before: What it is compared with; None: the running one.

    Returns:
        `hash`, `before`, `count` (declarations that differ), `texts` (any file differs), `changes` (kind -> added,
        removed, changed, renamed), `queues`: those that are touched, with `waiting`, `parked` and `what` becomes.
    """
    from engine.routes.differences import differences

    before = before or _running(desk)
    changes = differences(before, after)
    parts = {
        kind: {"added": list(part.added), "removed": list(part.removed), "changed": list(part.changed),
               "renamed": dict(part.renamed)}
        for kind, part in changes.parts.items() if part.count
    }  # fmt: skip
    return {
        "v": 1,
        "hash": after.hash,
        "before": before.hash,
        "count": changes.count,
        "texts": changes.texts,
        "changes": parts,
        "queues": [await _queue(desk, name, changes) for name in changes.touched],
    }


def lines_between(was: Mapping[str, bytes], now: Mapping[str, bytes], before: str, after: str) -> list[str]:
    """
    Return how the files of two configurations differ, as a unified difference; secrets are references in them.

    Args:
        was: Files of the one, by name.
        now: Of the other.
        before: Names the one, in the line above each difference.
        after: Names the other.
    """
    lines: list[str] = []
    for name in dict.fromkeys((*was, *now)):
        one, other = was.get(name, b""), now.get(name, b"")
        if one == other:
            continue
        if max(len(one), len(other)) > _COMPARED_BYTES_MAX:
            sizes = f"{len(one):,} and {len(other):,} bytes"
            lines += [f"--- {name} {before}", f"+++ {name} {after}", f"@@ {sizes}: too many to be compared by lines @@"]
            continue
        lines += difflib.unified_diff(
            _text(one).splitlines(), _text(other).splitlines(), f"{name} {before}", f"{name} {after}", lineterm=""
        )
    return lines


async def _queue(desk: Desk, name: str, changes: Differences) -> dict[str, Any]:
    found = await desk.queries.queue_summary(name, now_ms=desk.now_ms())
    waiting, parked = int(found["waiting"]), int(found["parked"])
    part = changes.parts["destinations"]
    if name in part.removed:
        what = "removed" if not waiting + parked else "can't be removed while something waits for it"
    elif name in part.renamed:
        what = f"goes on as {part.renamed[name]}"
    elif name in changes.reordered:
        what = "another order: what comes leaves when all that waits now has ended"
    else:
        what = "connects again under its new declaration"
    return {"destination": name, "waiting": waiting, "parked": parked, "what": what}


def file_of_engine(desk: Desk, routes: str) -> Path:
    """
    Return the file that is meant: the one named, or the engine's own.

    Raises:
        OperationRefused: None is named, and no engine runs.
    """
    if routes:
        return Path(routes)
    if desk.live is None:
        raise OperationRefused("name the configuration with --routes: no engine runs", exit_code=2)
    return desk.live.running.path


def read_with_tests(path: Path, data: Path) -> Configuration:
    """
    Read a configuration as `run` would, and its tests.

    Raises:
        OperationRefused: It has errors (78); the first ones are told.
    """
    from engine.routes import check, file_secrets
    from engine.routes.casereading import test_files

    secrets = file_secrets(os.environ, data)
    configuration, findings = check(path, environment=os.environ, secrets=secrets, tests=test_files(path.parent))
    if configuration is None:
        errors = [one for one in findings if one.level == "error"]
        first = errors[0].render().splitlines()[0]
        sentence = f"{path.name} has {several(len(errors), 'error')}; the first: {first}"
        raise OperationRefused(sentence, exit_code=_REFUSED)
    return configuration


def run_tests(configuration: Configuration, ask: Ask) -> dict[str, Any]:
    """Run the tests of a configuration; return `passed`, `failed` and the first failures."""
    from engine.trials.judging import judge
    from engine.trials.report import title
    from engine.trials.running import run_case

    failed: list[str] = []
    for case in configuration.cases:
        failures = judge(case, run_case(configuration, case, ask))
        if failures:
            failed.append(f"{title(case)}: {failures[0].sentence}")
    return {"passed": len(configuration.cases) - len(failed), "failed": len(failed), "failures": failed[:_TESTS_SHOWN]}


def _require_own(path: Path, named: str) -> None:
    if named and Path(named).resolve() != path.resolve():
        sentence = f"this engine runs {path}, not {named}: name its own with --routes"
        raise OperationRefused(sentence, exit_code=2)


def _require_passed(tests: Mapping[str, Any]) -> None:
    if tests["failed"]:
        first = tests["failures"][0]
        sentence = f"{several(tests['failed'], 'test fails', 'tests fail')}; the first: {first}; see passerelle test"
        raise OperationRefused(sentence, exit_code=_REFUSED)


# --- what is done ------------------------------------------------------------------------------------------------


async def _take_over(
    desk: Desk, configuration: Configuration, verb: str, who: str, reason: str, seconds: float
) -> Answer:
    audited = f"config {verb}"
    if configuration.hash == _running(desk).hash:
        await _changing(desk).take_over(configuration, verb=verb, who=who, reason=reason)
        return _done(configuration.hash, "runs already")
    await desk.audit(who, audited, configuration.hash, reason)
    try:
        await _changing(desk).take_over(configuration, verb=verb, who=who, reason=reason, seconds=seconds)
    except PasserelleError:
        with contextlib.suppress(StoreError):
            await desk.audit(who, f"{audited} refused", configuration.hash, reason)
        raise
    trial = " on trial: passerelle confirm lets it stay" if seconds else ""
    left = await _file_left(desk, configuration) if verb == "rollback" else ""
    return _done(configuration.hash, f"runs now{trial}{left}")


async def _file_left(desk: Desk, configuration: Configuration) -> str:
    """Say that the file is another one than what came back: somebody is to mend it."""
    from engine.routes.files import changed_on_disk

    path = _changing(desk).path
    if not await asyncio.to_thread(changed_on_disk, path, configuration):
        return ""
    return f"; {path.name} still says something else: mend it, then `passerelle plan` and `passerelle apply`"


def _done(hash_: str, outcome: str) -> Answer:
    row = {"id": hash_, "accepted": True, "outcome": outcome}
    return {"v": 1, "accepted": 1, "refused": 0, "waiting": 0, "rows": [row]}


def _changing(desk: Desk) -> Changing:
    if desk.live is None:
        sentence = "no engine runs: it takes routes.yaml when it starts; only a running one changes it"
        raise OperationRefused(sentence, exit_code=69)
    return desk.live.running


def _running(desk: Desk) -> Configuration:
    configuration = desk.configuration()
    if configuration is None:
        raise OperationRefused("there is no configuration here: name one with --routes", exit_code=_REFUSED)
    return configuration


async def _present(desk: Desk) -> str:
    """Return the hash of the configuration that runs, or ran last."""
    if desk.live is not None:
        return _running(desk).hash
    last = await last_takeover(desk.queries)
    if last is None:
        raise OperationRefused("no configuration ever ran here")
    return str(last["hash"])


async def _before(desk: Desk) -> str:
    """Return the hash of the configuration that ran before the present one."""
    present = await _present(desk)
    for row in await desk.queries.takeovers(limit=200):
        if row["verb"] != "refuse" and row["hash"] == present and row["before"] not in ("", present):
            return str(row["before"])
    raise OperationRefused("no other configuration ran before this one")


async def _hash_of(desk: Desk, text: str) -> str:
    """Return the whole hash of one that ran, from how it begins."""
    rows = await desk.queries.takeovers(limit=1_000)
    known = {row[key] for row in rows for key in ("hash", "before") if row["verb"] != "refuse" and row[key]}
    found = sorted(one for one in known if one.startswith(text))
    if len(found) != 1:
        sentence = f"{'no configuration' if not found else 'more than one configuration'} begins with '{text}'"
        raise OperationRefused(f"{sentence}: passerelle config log shows those that ran", exit_code=2 if found else 1)
    return str(found[0])


async def _files(desk: Desk, hash_: str) -> Mapping[str, bytes]:
    files = await desk.queries.configuration_files(hash_)
    if files is None:
        raise OperationRefused(f"the files of {hash_} are not kept here")
    return files


def _text(data: bytes) -> str:
    return data.decode("utf-8-sig", "replace")
