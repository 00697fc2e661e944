"""`passerelle simulate`: the simulated group, against an engine that runs."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from engine.errors import OperationRefused
from engine.routes import load
from engine.simulation.ght import simulate
from engine.simulation.moods import Turn, moods_of


def simulate_main(arguments: Sequence[str]) -> int:
    """
    Play the group until `--seconds` have passed, Ctrl-C or SIGTERM.

    Args:
        arguments: As on the command line, after `passerelle simulate`.

    Returns:
        0, or 1 when the engine refused a message (AE, CE).

    Raises:
        PasserelleError: As `load` and `simulate` say.
    """
    given = _parser().parse_args(list(arguments))
    configuration = load(given.routes, environment=os.environ)
    turns = _turns(given.moods)
    facts: dict[str, Any] = {}

    def say(figures: dict[str, Any]) -> None:
        facts.update(figures)
        if given.json:
            _write(json.dumps(figures))

    async def play() -> None:
        task = asyncio.current_task()
        assert task is not None
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
        figures = await simulate(
            configuration,
            seed=given.seed,
            rate=given.rate,
            duration=given.seconds or None,
            dpi=not given.no_dpi,
            senders=not given.only_dpi,
            moods=turns,
            plain=given.plain,
            say=say,
        )
        facts.update(figures)

    with contextlib.suppress(asyncio.CancelledError):
        asyncio.run(play())
    refused = sum(figures.get("AE", 0) + figures.get("CE", 0) for figures in facts.get("senders", {}).values())
    _write(json.dumps(facts) if given.json else _sentence(facts, refused))
    return 1 if refused else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="passerelle simulate",
        description="Hospitals, laboratory and radiology that send synthetic patients' messages to the engine of "
        "--routes, and a DPI that answers as its mood says.",
    )
    parser.add_argument("--routes", type=Path, default=Path("routes.yaml"), help="says who listens where")
    parser.add_argument("--seed", type=int, default=1, help="the same seed tells the same story (1)")
    parser.add_argument("--rate", type=_positive, default=5.0, help="messages a second (5)")
    parser.add_argument("--seconds", type=float, default=0.0, help="end after that; 0: at Ctrl-C")
    parser.add_argument("--moods", default="", help="of the DPI: 'ok 20, slow 10, down 5', repeated; else by chance")
    parser.add_argument("--plain", action="store_true", help="no whims: one message at a time, a DPI that accepts")
    sides = parser.add_mutually_exclusive_group()
    sides.add_argument("--no-dpi", action="store_true", help="only send")
    sides.add_argument("--only-dpi", action="store_true",
                       help="only receive, at the first mllp destination: for senders of your own")  # fmt: skip
    parser.add_argument("--json", action="store_true", help="figures once a second, one object a line")
    return parser


def _positive(text: str) -> float:
    number = float(text)
    if number <= 0:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return number


def _turns(moods: str) -> Iterator[Turn] | None:
    if not moods:
        return None
    try:
        return moods_of(moods)
    except ValueError as error:
        raise OperationRefused(str(error), exit_code=2) from error


def _sentence(facts: dict[str, Any], refused: int) -> str:
    dpi = facts.get("dpi") or {}
    return (
        f"sent {facts.get('told', 0)}, without an answer yet {facts.get('unanswered', 0)}, refused {refused}; "
        f"the DPI accepted {dpi.get('accepted', 0)}, twice {dpi.get('duplicates', 0)}, "
        f"out of order {dpi.get('inversions', 0)}"
    )


def _write(line: str) -> None:
    """Write a line; whoever read us is gone: stop, nobody listens."""
    try:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        os._exit(0)
