"""
Why a route wants a message, or doesn't: each clause of its conditions, with its truth and what it saw.

The conditions of the route are replaced by ones that look, then the message is evaluated as the router does it: what
is told is what the router sees.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from engine.core.messages import StoredMessage
from engine.errors import StepFailed
from engine.routes.configuration import Configuration, Exit, Route
from engine.routes.evaluation import evaluate
from engine.routes.when import Clause
from engine.transforms.step import Context
from engine.trials.endings import ending_of
from engine.trials.running import REFERENCES, Passed, only, read

REASONS = {
    "unrouted": "the route doesn't want it; where no other route does, it is unrouted",
    "filter": "the route doesn't want it; where no other route does, it is filtered",
    "dead_letter": "the route doesn't want it; where no other route does, it is a dead letter",
}
"""What `on_no_match` means."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One clause, as it was asked about one message."""

    kind: str
    """`or`, `and`, `not` or `test`."""
    text: str
    holds: bool | None
    """None: it could not be asked."""
    path: str = ""
    """What a test looks at."""
    values: tuple[str, ...] = ()
    """What it saw there."""
    trouble: str = ""
    """Why it could not be asked: a failure with its code and path."""
    clauses: tuple[Seen, ...] = ()


@dataclass(slots=True)
class Explained:
    """One message, and the conditions of one route."""

    passed: Passed
    when: Seen | None = None
    """Of the route; None: it has none, or it was not asked."""
    exits: dict[str, Seen | None] | None = None
    """By destination, where the route's steps ran: the conditions of `to:`, asked of what the steps left."""
    ending: str = ""


def explain(configuration: Configuration, route: str, stored: StoredMessage, name: str) -> Explained:
    """
    Ask the conditions of one route about one message.

    Args:
        configuration: As loaded.
        route: A route that takes from the message's source.
        stored: The message.
        name: How the message is called.
    """
    alone = only(configuration, route)
    look = _Look()
    looking = look.route(alone.routes[0])
    alone = replace(
        alone, routes=(looking,),
        routes_of={source: (looking,) if one else () for source, one in alone.routes_of.items()},
    )  # fmt: skip
    evaluation = evaluate(alone, stored, REFERENCES)
    passed = Passed(name, stored, evaluation, "", read(alone, stored))
    return Explained(passed, look.when, look.exits or None, ending_of(passed))


class _Look:
    """The looking conditions of one route, and what they saw."""

    def __init__(self) -> None:
        self.when: Seen | None = None
        self.exits: dict[str, Seen | None] = {}

    def route(self, route: Route) -> Route:
        """Return the route with its conditions looked at."""
        exits = tuple([self._exit(one) for one in route.to])
        if route.condition is None:
            return replace(route, to=exits)
        clause = route.condition

        def ask(context: Context) -> bool:
            self.when = ask_clause(clause, context)
            return clause.holds(context)

        return replace(route, to=exits, when=ask)

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
    try:
        values = tuple(clause.values(context)) if clause.values is not None else ()
        return Seen(clause.kind, clause.text, clause.holds(context), clause.path, values, "", clauses)
    except StepFailed as failed:
        return Seen(clause.kind, clause.text, None, clause.path, values, str(failed), clauses)
