"""Run a test: its messages through the routes, one after the other, as the router would; nothing is sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from engine.core.asking import Answers, Question, Reply, answered_at_once
from engine.core.messages import Delivery, StoredMessage
from engine.errors import ParseError, StepFailed
from engine.parsers import open_message
from engine.parsers.hl7v2.message import Message
from engine.routes.cases import Case, Given
from engine.routes.configuration import Configuration, Route, Source, variant_of
from engine.routes.decision import Evaluation
from engine.routes.evaluation import evaluate
from engine.routes.identifying import Knowledge, knows_nobody
from engine.trials.messages import NoMessage, given_bytes, split, taken
from engine.trials.patients import REFERENCES, Patients

Ask = Callable[[Question], Reply]
Result = TypeVar("Result")


def no_worker(question: Question) -> Reply:
    """Reply where code of the hospital's own can't be called."""
    return Reply(failure=f"{question.code.call} of {question.code.file} can't be called here")


@dataclass(slots=True)
class Passed:
    """One message that went through the routes."""

    name: str
    stored: StoredMessage
    evaluation: Evaluation
    variant: str
    """Site and `untyped:` of the message: for which its paths are bound."""
    received: Message | None
    """As the router reads it; None: it can't be read."""

    def deliveries(self, destination: str) -> list[Delivery]:
        """Return its deliveries for one destination, in order."""
        return [one for one in self.evaluation.deliveries if one.destination == destination]


@dataclass(slots=True)
class Session:
    """What became of the messages of a test."""

    configuration: Configuration
    passed: list[Passed] = field(default_factory=list)
    trouble: str = ""
    """Why the test could not be run."""
    ask: Ask = no_worker
    known: Knowledge = field(default_factory=knows_nobody)
    """Whom its messages have made known."""

    def of(self, name: str) -> Passed | None:
        """Return a given message by its name."""
        return next((one for one in self.passed if one.name == name), None)

    def deliveries(self, destination: str) -> list[Delivery]:
        """Return all deliveries of a destination, in order."""
        return [delivery for one in self.passed for delivery in one.deliveries(destination)]

    def name_of(self, delivery: Delivery) -> str:
        """Return the name of the message of a delivery."""
        return next(one.name for one in self.passed if one.stored.place == delivery.place)


def run_case(configuration: Configuration, case: Case, ask: Ask = no_worker) -> Session:
    """
    Run one test.

    Args:
        configuration: As loaded, with its tests.
        case: One of `configuration.cases`.
        ask: Calls code of the hospital's own.

    Returns:
        What became of each message. A block that its source cuts gives several, named `name#1`, `name#2`; the last
        has the name alone too.
    """
    session = Session(only(configuration, case.route) if case.route else configuration, ask=ask)
    for given in case.given:
        try:
            _send(session, given)
        except (NoMessage, StepFailed) as error:
            session.trouble = f"{given.name}: {error}"
            break
    return session


def only(configuration: Configuration, route: str) -> Configuration:
    """
    Return a configuration in which one route is the only one.

    Where patients are known, messages of sources from which it doesn't take go through their own routes: they make
    known of whom those of this route speak.
    """
    routes = tuple([one for one in configuration.routes if one.name == route])
    routes_of = {name: tuple([one for one in routes if name in one.sources]) for name in configuration.sources}
    if configuration.identity is not None:
        routes_of = {name: alone or configuration.routes_of.get(name, ()) for name, alone in routes_of.items()}
    return replace(configuration, routes=routes, routes_of=routes_of)


def in_its_place(configuration: Configuration, route: Route) -> Configuration:
    """Return a configuration that has only this route, which looks, in the place of the one that it is made of."""
    return replace(
        configuration, routes=(route,),
        routes_of={source: (route,) if source in route.sources else () for source in configuration.routes_of},
    )  # fmt: skip


def known_throughout(work: Callable[[Answers, Knowledge], Result], ask: Ask, patients: Patients) -> Result:
    """
    Do work that may need replies of code and rows of patients, again with each until nothing is missing.

    Args:
        work: Done anew each time; only what the last time gives counts.
        ask: Calls code of the hospital's own.
        patients: Whom it knows.
    """
    return patients.known(lambda known: answered_at_once(lambda answers: work(answers, known), ask))


def send(session: Session, raw: bytes, source: Source, name: str, file: Path | None = None) -> Passed:
    """
    Put one message through the routes.

    Raises:
        NoMessage: Its source would refuse it.
    """
    stored = taken(raw, source, len(session.passed) + 1, file)
    evaluation = _evaluated(session, stored, wide=False)
    variant = variant_of(evaluation.site, source.untyped) if evaluation.site else ""
    passed = Passed(name, stored, evaluation, variant, read(session.configuration, stored))
    session.passed.append(passed)
    _release(session, evaluation)
    return passed


def _evaluated(session: Session, stored: StoredMessage, *, wide: bool) -> Evaluation:
    known = replace(session.known, wide=wide)
    return answered_at_once(
        lambda answers: evaluate(session.configuration, stored, REFERENCES, answers, known), session.ask
    )


def _release(session: Session, evaluation: Evaluation) -> None:
    """Let messages go on that waited for what a message made known, each in its old place."""
    released = list(evaluation.releases)
    while released:
        keys, released = frozenset(released), []
        for one in session.passed:
            wait = one.evaluation.wait
            if wait is not None and not keys.isdisjoint(wait.hashes):
                one.evaluation = _evaluated(session, one.stored, wide=True)
                released += one.evaluation.releases


def read(configuration: Configuration, stored: StoredMessage) -> Message | None:
    """Open a message as the router does; None where it can't be read."""
    source = configuration.sources[stored.source]
    try:
        message = open_message(
            stored.raw, stored.format, default_charset=charset_of(configuration, source), as_utf8=True
        )
    except ParseError:
        return None
    if message.format == "hl7v2":
        message.normalise_delimiters()
    return message


def charset_of(configuration: Configuration, source: Source) -> str:
    """Return the codec of a source's messages, when they don't say it."""
    site = configuration.sites.get(source.site)
    return source.charset or (site.charset if site is not None else "cp1252")


def _send(session: Session, given: Given) -> None:
    source = session.configuration.sources[given.source]
    raw = given_bytes(given, source, charset_of(session.configuration, source))
    messages = split(raw, source)
    for rank, one in enumerate(messages, 1):
        name = given.name if rank == len(messages) else f"{given.name}#{rank}"
        send(session, one, source, name, given.file)
