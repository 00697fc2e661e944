"""
Why a route wants a message, or doesn't: each clause of its conditions, with its truth and what it saw.

The conditions of the route are replaced by ones that look, then the message is evaluated as the router does it: what
is told is what the router sees.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from engine.core.asking import Answers
from engine.core.lifecycle import MessageState
from engine.core.messages import StoredMessage
from engine.core.references import References
from engine.errors import StepFailed
from engine.routes.configuration import Configuration, Exit, Route
from engine.routes.decision import Evaluation
from engine.routes.evaluation import evaluate
from engine.routes.identifying import Knowledge
from engine.routes.when import Clause
from engine.transforms.step import Context
from engine.trials.endings import ending_of
from engine.trials.patients import NOBODY, Patients
from engine.trials.running import Ask, Passed, in_its_place, known_throughout, no_worker, only, read

Row = dict[str, Any]
Show = Callable[[str, str], str]
"""Shows a value that stands at a path, or is that of a key."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One clause, as it was asked about one message."""

    kind: str
    """`or`, `and`, `not` or `test`."""
    text: str
    holds: bool | None
    """None: it could not be asked."""
    path: str = ""
    """What a test looks at: a path, or a key; `operand`: the same as it is written."""
    operand: str = ""
    values: tuple[str, ...] = ()
    """What it saw there."""
    trouble: str = ""
    """Why it could not be asked: a failure with its code and path."""
    clauses: tuple[Seen, ...] = ()


@dataclass(slots=True)
class Explained:
    """One message, and the conditions of one route."""

    passed: Passed
    asked: bool
    """Whether the route was asked: a message that can't be read, or tells no site, comes to no route."""
    when: Seen | None
    """Of the route; None: it has none."""
    exits: dict[str, Seen | None] = field(default_factory=dict)
    """By destination, the conditions of `to:`, asked of what the steps left; empty where no step ran."""
    wanted_by: tuple[str, ...] = ()
    """The other routes that take the message, where this one doesn't."""


def explain(
    configuration: Configuration, route: str, stored: StoredMessage, name: str, ask: Ask = no_worker,
    patients: Patients = NOBODY,
) -> Explained:  # fmt: skip
    """
    Ask the conditions of one route about one message.

    Args:
        configuration: As loaded.
        route: A route that takes from the message's source.
        stored: The message.
        name: How the message is called.
        ask: Calls code of the hospital's own.
        patients: Whom it knows.
    """

    def work(answers: Answers, known: Knowledge) -> Explained:
        return _explained(configuration, route, stored, name, answers, patients.references, known)

    explained = known_throughout(work, ask, patients)
    if explained.passed.evaluation.state is MessageState.UNROUTED:
        explained.wanted_by = known_throughout(
            lambda answers, known: _wanted_by(evaluate(configuration, stored, patients.references, answers, known)),
            ask,
            patients,
        )
    return explained


def _wanted_by(evaluation: Evaluation) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.route for one in evaluation.deliveries if one.route))


def _explained(
    configuration: Configuration, route: str, stored: StoredMessage, name: str, answers: Answers,
    references: References, known: Knowledge,
) -> Explained:  # fmt: skip
    alone = only(configuration, route)
    look = _Look()
    looking = look.route(alone.routes[0])
    alone = in_its_place(alone, looking)
    evaluation = evaluate(alone, stored, references, answers, known)
    passed = Passed(name, stored, evaluation, "", read(alone, stored))
    return Explained(passed, look.asked, look.when, look.exits)


def told(explained: Explained, show: Show) -> Row:
    """
    Tell what was asked, as plain values.

    Args:
        explained: What `explain` gave.
        show: How values are shown.
    """
    passed = explained.passed
    return {
        "message": passed.name,
        "source": passed.stored.source,
        "site": passed.evaluation.site,
        "type": passed.stored.type,
        "asked": explained.asked,
        "when": _row(explained.when, show),
        "exits": [
            {"destination": name, "when": _row(seen, show)} for name, seen in explained.exits.items()
        ],
        "wanted_by": list(explained.wanted_by),
        "ending": _ending(explained),
    }  # fmt: skip


def _ending(explained: Explained) -> str:
    if explained.wanted_by:
        return f"it is routed by {', '.join(explained.wanted_by)}, not by this route"
    return ending_of(explained.passed)


def _row(seen: Seen | None, show: Show) -> Row | None:
    if seen is None:
        return None
    row: Row = {"kind": seen.kind, "text": seen.text, "holds": seen.holds}
    if seen.kind == "test":
        row |= {"of": seen.operand, "values": [show(seen.path, value) for value in seen.values]}
    if seen.trouble:
        row["trouble"] = seen.trouble
    if seen.clauses:
        row["clauses"] = [_row(one, show) for one in seen.clauses]
    return row


class _Look:
    """The looking conditions of one route, and what they saw."""

    def __init__(self) -> None:
        self.asked = False
        self.when: Seen | None = None
        self.exits: dict[str, Seen | None] = {}

    def route(self, route: Route) -> Route:
        """Return the route with its conditions looked at."""
        clause = route.condition

        def ask(context: Context) -> bool:
            self.asked = True
            self.when = ask_clause(clause, context) if clause is not None else None
            return clause is None or clause.holds(context)

        return replace(route, when=ask, to=tuple([self._exit(one) for one in route.to]))

    def _exit(self, exit_: Exit) -> Exit:
        clause = exit_.condition

        def ask(context: Context) -> bool:
            self.exits[exit_.destination] = ask_clause(clause, context) if clause is not None else None
            return clause is None or clause.holds(context)

        return replace(exit_, when=ask)


def ask_clause(clause: Clause, context: Context) -> Seen:
    """Ask a clause and all that it is made of, also what `and` and `or` would have left out."""
    clauses = tuple([ask_clause(one, context) for one in clause.clauses])
    values: tuple[str, ...] = ()
    holds: bool | None
    try:
        values = tuple(clause.values(context)) if clause.values is not None else ()
        holds, trouble = clause.holds(context), ""
    except StepFailed as failed:
        holds, trouble = None, str(failed)
    return Seen(clause.kind, clause.text, holds, clause.path, clause.operand, values, trouble, clauses)
