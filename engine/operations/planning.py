"""What another configuration would change: declarations, queues, tests, and its effect on stored messages."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from engine.core.messages import StoredMessage
from engine.core.references import References
from engine.errors import OperationRefused
from engine.operations.asking import Today, asker
from engine.operations.changing import changes_of, file_of_engine, lines_between, read_with_tests, run_tests
from engine.operations.desk import Answer, Desk
from engine.operations.former import kept_configuration, last_takeover
from engine.operations.trying import masked

if TYPE_CHECKING:
    from pathlib import Path

    from engine.routes.configuration import Configuration
    from engine.trials.effects import Comparison, Effects, Example

SHADOW_MAX: Final = 20_000
_PAGE: Final = 500
_AT_ONCE: Final = 20
"""Messages compared before the loop has its turn."""
_PATHS_SHOWN: Final = 40


async def config_plan(desk: Desk, routes: str = "", shadow: int = 0) -> Answer:
    """
    Say what a configuration would change; nothing is changed.

    It is compared with the running configuration; without an engine, with the one that ran last.

    Args:
        desk: Where.
        routes: Absolute path of the file; empty: the engine's own routes.yaml.
        shadow: On how many of the last stored messages its effect is looked at; 0: on none.

    Returns:
        As `changing.changes_of`, with `tests`, `differs`, `ran_last` (no engine runs), `lines` (how the files differ,
        as a unified difference), and under `effect`, where it
        was asked for: `messages`, `counts` (effect -> messages), `paths` (destination, path, messages), `reasons`
        (effect, what, messages), `examples` (effect, message, destination, changes masked, sentence).

    Raises:
        OperationRefused: The file can't be read (78), or none ran here.
        ConfigurationRefused: What ran last can't be loaded any more (78).
    """
    if not 0 <= shadow <= SHADOW_MAX:
        raise OperationRefused(f"--shadow takes 1 to {SHADOW_MAX:,} messages", exit_code=2)
    path = file_of_engine(desk, routes)
    before = await _compared_with(desk, path)
    after = await asyncio.to_thread(read_with_tests, path, desk.data)
    answer = await changes_of(desk, after, before) | {"tests": await asyncio.to_thread(run_tests, after, asker(desk))}
    answer["ran_last"] = desk.live is None
    answer["lines"] = await asyncio.to_thread(
        lines_between, before.contents, after.contents, before.hash[:12], after.hash[:12]
    )
    differs = bool(answer["count"] or answer["tests"]["failed"])
    if shadow:
        effects = await _effects(desk, before, after, shadow)
        answer["effect"] = await _told(desk, after, effects)
        differs = differs or effects.differs
    return answer | {"differs": differs}


async def _compared_with(desk: Desk, path: Path) -> Configuration:
    """Return the running configuration, or the one that ran last."""
    if desk.live is not None:
        return desk.live.configuration()
    last = await last_takeover(desk.queries)
    if last is None:
        raise OperationRefused("no configuration ever ran here: there is nothing to compare with")
    return await kept_configuration(desk.queries, str(last["hash"]), path, desk.data)


async def _effects(desk: Desk, before: Configuration, after: Configuration, shadow: int) -> Effects:
    """Compare on the last messages, newest first, some at a time: the engine goes on beside it."""
    from engine.trials.effects import Comparison

    comparison = Comparison(before, after, desk.references or References(bytes(32)), asker(desk), Today(desk))
    place, left, batch = 0, shadow, list[StoredMessage]()
    while left:
        rows = await desk.queries.find_messages(before=place, limit=min(_PAGE, left))
        for row in rows:
            place = int(row["place"])
            message = await desk.store.message(place) if row["body"] else None
            if message is not None:
                batch.append(message)
            if len(batch) >= _AT_ONCE:
                await asyncio.to_thread(_compare, comparison, batch)
                batch = []
        left -= len(rows)
        if len(rows) < min(_PAGE, left + len(rows)):
            break
    await asyncio.to_thread(_compare, comparison, batch)
    return comparison.effects


def _compare(comparison: Comparison, messages: Sequence[StoredMessage]) -> None:
    for message in messages:
        comparison.add(message)


async def _told(desk: Desk, configuration: Configuration, effects: Effects) -> dict[str, Any]:
    """Return effects as plain values; what an example shows is masked."""
    paths = sorted(effects.paths.items(), key=lambda item: -item[1])
    reasons = sorted(effects.reasons.items(), key=lambda item: -item[1])
    examples = [
        await _example(desk, configuration, effect.value, one)
        for effect, found in effects.examples.items()
        for one in found
    ]
    return {
        "messages": effects.total,
        "counts": {effect.value: count for effect, count in effects.counts.items()},
        "paths": [
            {"destination": destination, "path": path, "messages": count}
            for (destination, path), count in paths[:_PATHS_SHOWN]
        ],
        "reasons": [{"effect": effect.value, "what": what, "messages": count} for (effect, what), count in reasons],
        "examples": examples,
    }


async def _example(desk: Desk, configuration: Configuration, effect: str, one: Example) -> dict[str, Any]:
    stored = await desk.store.message(one.place)
    of_fields = [change for change in one.changes if change.segment]
    shown = [{"path": change.path, "old": None, "new": None} for change in one.changes if not change.segment]
    if stored is not None and of_fields:
        shown += masked(desk, configuration, stored)(of_fields)
    return {"effect": effect, "message": str(one.place), "destination": one.destination, "changes": shown,
            "sentence": one.sentence}  # fmt: skip
