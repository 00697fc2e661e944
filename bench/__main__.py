"""
Measure the engine, the load generator and the sink on this machine; print figures beside goals.

    python3 dev.py bench                      all parts, some three minutes
    python3 dev.py bench --only load,one      some: parsers, bare, load, one, steady, kill, identity-load…
    python3 dev.py bench --only identity --identifiers 10000000
    python3 dev.py bench --messages 5000 --runs 1 --json figures.json
    python3 dev.py bench --only one --disk-ms 2     on a disk whose fsync takes 2 ms longer
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench import parsers
from bench.machine import (
    ENGINE_PORT,
    ROUTES,
    SINK_CONTROL,
    SINK_PORT,
    CannotMeasure,
    Children,
    Engine,
    LoadRun,
    ask_sink,
    children,
    floor_rate,
    fsyncs_a_second,
    start_sink,
)
from bench.patients import identity_routes
from bench.slow_disk import MICROSECONDS, slowed

GOALS: dict[str, tuple[str, float, str]] = {
    # figure: (at least or at most, goal, unit)
    "end to end, 32 connections": (">=", 3000, "/s"),
    "acknowledgement p99 at that load": ("<", 60, "ms"),
    "one connection / fsync per message": (">=", 0.60, ""),
    "resident memory": ("<", 120, "MB"),
    "ready to receive": ("<=", 1.5, "s"),
    "end to end p50 at 50/s": ("<", 20, "ms"),
    "all delivered after kill -9": ("<=", 3.0, "s"),
    "data directory per message": ("<=", 3.0, "KB"),
    "validated, pam-fr-2.11": (">=", 4000, "/s"),
    "validated, hl7-2.x": (">=", 4000, "/s"),
    "parser, ADT of 1 KB": (">=", 50_000, "/s"),
    "parser, ORU of 4 KB": (">=", 25_000, "/s"),
    "parser, ORU with 5 MB PDF": (">=", 200, "/s"),
    "when: four conditions": ("<", 15, "µs"),
    "identities: look-up a message, loop": ("<=", 10, "µs"),
    "identities: look-up a message, threads": ("<=", 40, "µs"),
    "identities: imported": (">=", 5_000, "/s"),
    "identities: memory, both processes": ("<", 200, "MB"),
    "end to end with normalise_identity / without": (">=", 0.80, ""),
    "missing": ("<=", 0, ""),
    "out of order": ("<=", 0, ""),
}
"""Of a machine with two cores that also runs the load generator and the sink."""

PARTS = ("parsers", "bare", "load", "one", "steady", "kill", "identity-load", "validation", "when", "identity")
PATIENTS = 5_000
"""Of the load with patients known and without."""
ALONE = frozenset({"parsers", "validation", "when", "identity"})
"""Parts that need no sink."""


class Bench:
    """One session: parts add their figures."""

    def __init__(self, family: Children, directory: Path, messages: int, runs: int, identifiers: int) -> None:
        """Keep the sizes; the sink runs already."""
        self.family = family
        self.directory = directory
        self.messages = messages
        self.runs = runs
        self.identifiers = identifiers
        self.figures: dict[str, float] = {}
        self.raw: dict[str, Any] = {}
        self._engine: Engine | None = None
        self._sent = 0

    def engine(self) -> Engine:
        """Return the running engine; start it the first time, and measure that."""
        if self._engine is None:
            self._engine = Engine(self.family, self.directory)
            self.figures["ready to receive"] = round(self._engine.start(), 3)
        return self._engine

    def run_load(self, **options: float | str) -> dict[str, Any]:
        """Load the engine with the sink behind it, and return the figures."""
        measured = LoadRun(self.family, port=ENGINE_PORT, sink=SINK_CONTROL, **options).figures()
        self._sent += measured["acknowledged"]
        self._note_faults(measured)
        return measured

    def _note_faults(self, measured: dict[str, Any]) -> None:
        for figure, key in (("missing", "missing"), ("out of order", "inversions"), ("twice", "duplicates")):
            self.figures[figure] = self.figures.get(figure, 0) + measured.get(key, 0)

    # --- parts ---------------------------------------------------------------------------------------------

    def parsers(self) -> None:
        """The parser alone, beside other libraries."""
        self.figures |= parsers.measure()

    def bare(self) -> None:
        """The load generator against the sink alone: what the measuring itself allows."""
        measured = LoadRun(self.family, port=SINK_PORT, connections=32, messages=self.messages).figures()
        self.figures["bare sink"] = measured["rate"]

    def identity_load(self) -> None:
        """
        The same load with `normalise_identity` in the route and without, in turn.

        First each patient comes once and is made known: told apart. Then all are known, as on most days most are.
        """
        if self._engine is not None:
            self._engine.stop()
        rates: dict[Path, list[float]] = {ROUTES: [], identity_routes(self.directory): []}
        first: list[float] = []
        for rank in range(self.runs):
            for routes, found in rates.items():
                engine = Engine(self.family, self.directory, routes, data=f"{routes.stem}-{rank}")
                engine.start()
                fresh, measured = (
                    LoadRun(
                        self.family, port=ENGINE_PORT, sink=SINK_CONTROL, messages=count, connections=32,
                        patients=PATIENTS,
                    ).figures()
                    for count in (PATIENTS, self.messages)
                )  # fmt: skip
                engine.stop()
                for one in (fresh, measured):
                    self._note_faults(one)
                found.append(measured["e2e_rate"])
                if routes is not ROUTES:
                    first.append(fresh["e2e_rate"])
        self.raw["identity-load"] = {routes.name: found for routes, found in rates.items()}
        without, knowing = (statistics.median(found) for found in rates.values())
        self.figures |= {
            "end to end without normalise_identity": without,
            "end to end with normalise_identity": knowing,
            "the same, each patient new": statistics.median(first),
            "end to end with normalise_identity / without": round(knowing / without, 3),
        }

    def load(self) -> None:
        """32 connections as fast as they can; the median of some runs after a short warming."""
        engine = self.engine()
        self.run_load(connections=32, messages=2000)
        runs = [self.run_load(connections=32, messages=self.messages) for _ in range(self.runs)]
        self.raw["load"] = runs
        self.figures |= {
            "end to end, 32 connections": _median(runs, "e2e_rate"),
            "acknowledged, 32 connections": _median(runs, "rate"),
            "acknowledgement p50 at that load": _median(runs, "ack_p50_ms"),
            "acknowledgement p99 at that load": _median(runs, "ack_p99_ms"),
            "end to end p99 at that load": _median(runs, "e2e_p99_ms"),
            "resident memory": round(engine.peak_mb, 1),
        }

    def one(self) -> None:
        """One connection, with the disk's fsync rate and the floor (bench.floor) measured beside it."""
        self.engine()
        before = fsyncs_a_second(self.directory)
        messages = max(500, self.messages // 10)
        floor = floor_rate(self.family, self.directory, messages)
        measured = self.run_load(connections=1, messages=messages)
        disk = statistics.mean((before, fsyncs_a_second(self.directory)))
        self.raw["one"] = measured
        self.figures |= {
            "fsync per message": round(disk, 1),
            "one connection": measured["rate"],
            "one connection / fsync per message": round(measured["rate"] / disk, 2),
            "floor: a server that only writes": floor,
            "floor / fsync per message": round(floor / disk, 2),
        }

    def steady(self) -> None:
        """A quiet day: 50 messages a second over 8 connections."""
        self.engine()
        measured = self.run_load(connections=8, messages=500, rate=50)
        self.raw["steady"] = measured
        self.figures["end to end p50 at 50/s"] = measured["e2e_p50_ms"]
        self.figures["acknowledgement p50 at 50/s"] = measured["ack_p50_ms"]

    def kill(self) -> None:
        """Kill -9 under load, start again, and wait for everything that was acknowledged."""
        engine, prefix = self.engine(), f"k{int(time.time()) % 10**7:x}-"
        sender = LoadRun(
            self.family, port=ENGINE_PORT, sink=SINK_CONTROL, connections=32, messages=10**7, seconds=4, prefix=prefix
        )
        while ask_sink(cmd="count", prefix=prefix) < 2000 and not sender.ended():
            time.sleep(0.02)
        engine.kill()
        begin = time.monotonic()
        self.figures["ready after kill -9"] = round(engine.start(), 3)
        measured = sender.figures()
        arrivals = ask_sink(cmd="dump", prefix=prefix)
        last = max((arrival[1] for arrival in arrivals), default=begin)
        self.raw["kill"] = measured
        self._sent += measured["acknowledged"]
        self._note_faults(measured)
        self.figures["all delivered after kill -9"] = round(max(0.0, last - begin), 2)

    def validation(self) -> None:
        """ADT of the simulated hospitals compared with profiles, on one core, by processor time; no engine runs."""
        from bench.validation import PROFILES, admissions, validations_a_second

        bodies = admissions(max(100, self.messages // 10))
        for profile in PROFILES:
            self.figures[f"validated, {profile}"] = validations_a_second(profile, bodies)

    def when(self) -> None:
        """One evaluation of the typical filter of a route."""
        from bench.conditions import microseconds

        self.figures["when: four conditions"] = microseconds()

    def identity(self) -> None:
        """The cross-reference in the store alone, with many identifiers; no engine runs."""
        from bench.identity import run

        self.figures |= run(self.family, self.directory, self.identifiers)

    def finish(self) -> None:
        """Stop the engine and weigh its data directory."""
        if self._engine is not None:
            self._engine.stop()
            if self._sent:
                self.figures["data directory per message"] = round(self._engine.size() / self._sent / 1024, 2)


def _median(runs: list[dict[str, Any]], key: str) -> float:
    return round(float(statistics.median(run[key] for run in runs)), 2)


def report(measured: dict[str, float]) -> tuple[str, int]:
    """Lay out figures beside goals; also return how many goals are missed."""
    lines, missed = [], 0
    for name, value in measured.items():
        line = f"{name:<38} {value:>10,.2f}"
        if name in GOALS:
            sign, goal, unit = GOALS[name]
            met = {">=": value >= goal, "<=": value <= goal, "<": value < goal}[sign]
            missed += not met
            line += f" {unit:<3} goal {sign:>2} {goal:>8,.2f}   {'met' if met else 'MISSED'}"
        lines.append(line)
    bare, end_to_end = measured.get("bare sink"), measured.get("end to end, 32 connections")
    if bare and end_to_end:
        lines.append(f"{'end to end / bare sink':<38} {end_to_end / bare:>10,.2f}")
    return "\n".join(lines), missed


def _on_a_slower_disk(milliseconds: float, arguments: list[str]) -> int:
    """Measure in a process of its own, of which every child has such a disk."""
    with tempfile.TemporaryDirectory(prefix="passerelle-bench-") as home:
        try:
            environment = slowed(milliseconds, Path(home))
        except CannotMeasure as error:
            sys.stderr.write(f"{error}\n")
            return 69
        with subprocess.Popen([sys.executable, "-m", "bench", *arguments], env=environment) as child:
            while True:
                try:
                    return child.wait()
                except KeyboardInterrupt:  # it got the signal too, and tidies
                    continue


def main(arguments: list[str]) -> int:
    """Run the parts that were asked for; 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default=",".join(PARTS), help=f"some of: {', '.join(PARTS)}")
    parser.add_argument("--messages", type=int, default=20_000, help="messages of one run with 32 connections")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument(
        "--identifiers", type=int, default=200_000, help="of the part identity; a large group: 10000000"
    )
    parser.add_argument("--json", type=Path, help="write all figures here too")
    parser.add_argument("--directory", type=Path, help="where the data goes (the disk that is measured)")
    parser.add_argument("--disk-ms", type=float, help="what each fsync takes longer, as on a slower disk (Linux, gcc)")
    given = parser.parse_args(arguments)
    if given.disk_ms and MICROSECONDS not in os.environ:
        return _on_a_slower_disk(given.disk_ms, arguments)
    parts = [part for part in PARTS if part in given.only.split(",")]
    try:
        # in this order: whoever writes into the folder has ended when it is removed, also on Ctrl-C
        with tempfile.TemporaryDirectory(dir=given.directory, prefix="passerelle-bench-") as home, children() as family:
            if not ALONE.issuperset(parts):
                start_sink(family)
            bench = Bench(family, Path(home), given.messages, given.runs, given.identifiers)
            for part in parts:
                sys.stderr.write(f"measuring {part}…\n")
                method: Callable[[], None] = getattr(bench, part.replace("-", "_"))
                method()
            bench.finish()
    except CannotMeasure as error:
        sys.stderr.write(f"{error}\n")
        return 69
    except KeyboardInterrupt:
        return 130
    text, missed = report(bench.figures)
    document = json.dumps({"figures": bench.figures, "runs": bench.raw})
    if given.json:
        given.json.write_text(document + "\n")
    sys.stdout.write(f"{text}\n{document}\n")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
