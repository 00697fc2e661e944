"""
Metrics in Prometheus' text format (version 0.0.4), from the answer of the operation `status`.

Names and states only: nothing of a message or a patient is in that answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

Status = Mapping[str, Any]


class Sample(NamedTuple):
    """One value, with its labels."""

    labels: tuple[tuple[str, str], ...]
    value: float


class Metric(NamedTuple):
    """One metric: its name after `passerelle_`, its type, what it counts."""

    name: str
    kind: str
    about: str


_OUT: Final = frozenset({"down", "probing", "trial"})
"""States of a destination that accepts nothing."""


def exposition(status: Status) -> str:
    """
    Write all metrics.

    Args:
        status: Answer of the operation `status`; of a stopped engine too.
    """
    lines: list[str] = []
    for metric, samples in _metrics(status):
        name = f"passerelle_{metric.name}"
        written = [f"{name}{_labels(sample.labels)} {_number(sample.value)}" for sample in samples]
        if written:
            lines += [f"# HELP {name} {metric.about}", f"# TYPE {name} {metric.kind}", *written]
    return "\n".join(lines) + "\n"


def _metrics(status: Status) -> Iterator[tuple[Metric, Iterable[Sample]]]:
    yield from _of_engine(status)
    yield from _of_destinations(status["destinations"], stopped=status["engine"] == "stopped")
    yield from _of_sources(status["sources"])
    parts = status["balance"]["parts"]
    yield Metric("received_total", "counter", "Messages taken into custody."), [_one(status["balance"]["received"])]
    yield (
        Metric("messages", "gauge", "Messages by what became of them."),
        [_one(count, state=state) for state, count in parts.items()],
    )
    yield (
        Metric("balance_difference", "gauge", "Messages that are counted nowhere: must be 0."),
        [_one(status["balance"]["difference"])],
    )


def _of_engine(status: Status) -> Iterator[tuple[Metric, Iterable[Sample]]]:
    configured = status["configuration"]
    yield Metric("up", "gauge", "1 while the engine runs."), [_one(status["engine"] != "stopped")]
    yield Metric("degraded", "gauge", "1 while status names a problem."), [_one(status["engine"] == "degraded")]
    yield Metric("problems", "gauge", "Problems that status names."), [_one(len(status["problems"]))]
    yield Metric("alerts_open", "gauge", "Alerts that have begun and not ended."), [_one(len(status["alerts"]))]
    yield Metric("dead_letters", "gauge", "Dead letters that need a person."), [_one(status["dead_letters"])]
    store = status["store"]
    if "free_bytes" in store:
        yield Metric("disk_free_bytes", "gauge", "Room on the data directory's disk."), [_one(store["free_bytes"])]
    yield (
        Metric("disk_short", "gauge", "1 while that disk has too little room to take messages."),
        [_one(bool(store.get("shortage")))],
    )
    if configured:
        yield (
            Metric("configuration_info", "gauge", "The configuration that runs, or ran last."),
            [_one(1, hash=configured["hash"])],
        )
    yield (
        Metric("configuration_refused", "gauge", "1 when the last configuration that was offered was refused."),
        [_one(bool(configured.get("refused")))],
    )
    yield (
        Metric("configuration_files_changed", "gauge", "Files that say something else than what runs."),
        [_one(len(configured.get("changed", ())))],
    )
    yield (
        Metric("configuration_confirm_until_seconds", "gauge", "Until when it must be confirmed, since 1970; 0: no."),
        [_one(int(configured.get("confirm_until_ms") or 0) // 1000)],
    )


def _of_destinations(rows: list[Status], *, stopped: bool) -> Iterator[tuple[Metric, Iterable[Sample]]]:
    yield (
        Metric("deliveries", "gauge", "Deliveries of a queue by their state."),
        [_one(row[state], destination=row["name"], state=state) for row in rows
         for state in ("waiting", "retrying", "parked", "dead")],
    )  # fmt: skip
    yield (
        Metric("delivered_total", "counter", "Deliveries that the destination accepted."),
        [_one(row["delivered"], destination=row["name"]) for row in rows],
    )
    yield (
        Metric("oldest_unsent_seconds", "gauge", "Age of the oldest delivery that hasn't left; 0: nothing waits."),
        [_one(row["oldest_age_s"] or 0, destination=row["name"]) for row in rows],
    )
    if not stopped:
        yield (
            Metric("destination_outage", "gauge", "1 while the destination accepts nothing."),
            [_one(row["state"] in _OUT, destination=row["name"]) for row in rows],
        )
        yield (
            Metric("destination_state", "gauge", "The state of the destination, as status names it."),
            [_one(1, destination=row["name"], state=row["state"]) for row in rows],
        )


def _of_sources(rows: list[Status]) -> Iterator[tuple[Metric, Iterable[Sample]]]:
    yield (
        Metric("source_received_total", "counter", "Messages of a source that were taken into custody."),
        [_one(row["received"], source=row["name"]) for row in rows],
    )
    yield (
        Metric("source_dead", "gauge", "Messages of a source that are dead."),
        [_one(row["dead"], source=row["name"]) for row in rows],
    )
    yield (
        Metric("source_refused", "gauge", "Blocks of a source that were not taken, since the engine started."),
        [_one(row["refused"], source=row["name"]) for row in rows],
    )
    yield (
        Metric("source_connections", "gauge", "Connections of a source."),
        [_one(row["connections"], source=row["name"]) for row in rows if row["connections"] is not None],
    )
    yield (
        Metric("source_last_seconds", "gauge", "When the last message of a source came, since 1970; 0: never."),
        [_one(int(row["last_ms"]) // 1000, source=row["name"]) for row in rows],
    )


def _one(value: float, **labels: str) -> Sample:
    return Sample(tuple(labels.items()), float(value))


def _labels(labels: tuple[tuple[str, str], ...]) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _number(value: float) -> str:
    """Write a number to its last digit: `:g` would round millions."""
    return str(int(value)) if value.is_integer() else repr(value)
