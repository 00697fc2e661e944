"""Compare what a test expects with what became of its messages."""

from __future__ import annotations

from dataclasses import dataclass

from engine.core.lifecycle import DeliveryState, MessageState
from engine.core.messages import Delivery
from engine.routes.cases import Case, Expected, Outcome, Queue
from engine.transforms.nodes import Mark
from engine.trials.copies import Found, of_copy
from engine.trials.endings import ending_of, fits, told
from engine.trials.leaving import leaving
from engine.trials.running import Passed, Session


@dataclass(frozen=True, slots=True)
class Failure:
    """One expectation that isn't met."""

    sentence: str
    mark: Mark
    """Where the expectation stands."""


def judge(case: Case, session: Session) -> list[Failure]:
    """Return the expectations of a test that aren't met, in the order of the file."""
    if session.trouble:
        return [Failure(session.trouble, case.mark)]
    failures: list[Failure] = []
    for name, expected in case.expected.items():
        passed = session.of(name)
        assert passed is not None, "names were checked when the test was read"
        prefix = f"{name}: " if len(case.given) > 1 else ""
        found = _of_message(expected, passed, session)
        failures += [Failure(prefix + sentence, mark) for sentence, mark in found]
    return sorted(failures, key=lambda failure: (failure.mark.line, failure.mark.column))


def _of_message(expected: Expected, passed: Passed, session: Session) -> Found:
    evaluation = passed.evaluation
    if expected.site is not None and evaluation.site != expected.site:
        yield f"the site is {evaluation.site or 'not known'}, not {expected.site}", expected.mark
    for finding in expected.findings:
        if finding not in evaluation.findings:
            known = ", ".join(evaluation.findings) or "none"
            yield f"there is no finding {finding}; found: {known}", expected.mark
    if expected.outcome is not None:
        yield from _of_outcome(expected.outcome, passed)
    for destination, queue in expected.queues.items():
        for sentence, mark in _of_queue(queue, destination, passed, session):
            yield f"{destination}: {sentence}", mark


# --- endings ---------------------------------------------------------------------------------------------------


def _of_outcome(wanted: Outcome, passed: Passed) -> Found:
    evaluation = passed.evaluation
    state = {
        "filtered": MessageState.FILTERED, "unrouted": MessageState.UNROUTED, "rejected": MessageState.REJECTED,
        "dead_letter": MessageState.DEAD, "waiting": MessageState.WAITING,
    }[wanted.kind]  # fmt: skip
    ends = [(evaluation.code, evaluation.field, evaluation.reason)] if evaluation.state is state else []
    if wanted.kind == "dead_letter":
        ends += [(one.code, one.field, one.reason) for one in evaluation.deliveries if one.state is DeliveryState.DEAD]
    if not any(fits(wanted, *end) for end in ends):
        yield f"{told(wanted)} was expected, but {ending_of(passed)}", wanted.mark


# --- destinations ----------------------------------------------------------------------------------------------


def _of_queue(queue: Queue, destination: str, passed: Passed, session: Session) -> Found:
    deliveries = passed.deliveries(destination)
    if queue.count is not None and len(deliveries) != queue.count:
        yield f"{queue.count} deliveries were expected, there are {len(deliveries)}: {ending_of(passed)}", queue.mark
    if queue.copies is not None:
        if len(deliveries) == len(queue.copies):
            for copy, delivery in zip(queue.copies, deliveries, strict=True):
                yield from of_copy(copy, delivery, passed, session)
        elif queue.count is None or len(queue.copies) > 1:
            words = "1 delivery was" if len(queue.copies) == 1 else f"{len(queue.copies)} deliveries were"
            yield f"{words} expected, there are {len(deliveries)}: {ending_of(passed)}", queue.mark
        else:
            for delivery in deliveries:  # `split: 3` beside paths: they hold for each
                yield from of_copy(queue.copies[0], delivery, passed, session)
    yield from _of_order(queue, destination, session)


def _of_order(queue: Queue, destination: str, session: Session) -> Found:
    all_ = session.deliveries(destination)
    if queue.order is not None:
        by_id = {delivery.id: session.name_of(delivery) for delivery in all_}
        left = [by_id[one] for one in leaving(all_)]
        if left != list(queue.order):
            yield f"they leave as {', '.join(left) or 'nothing'}; expected: {', '.join(queue.order)}", queue.mark
    for name, wanted in queue.lanes.items():
        for delivery in _named(session, destination, name):
            if len(delivery.lanes) != wanted:
                yield f"the number of lanes of {name} is {len(delivery.lanes)}, not {wanted}", queue.mark
    for name, others in queue.waits_for.items():
        ids = {delivery.id for delivery in _named(session, destination, name)}
        if not others and not ids <= set(leaving(all_, {delivery.id for delivery in all_} - ids)):
            yield f"{name} waits for others", queue.mark
        for other in others:
            unended = {delivery.id for delivery in _named(session, destination, other)}
            if ids & set(leaving(all_, unended)):
                yield f"{name} doesn't wait for {other}", queue.mark


def _named(session: Session, destination: str, name: str) -> list[Delivery]:
    passed = session.of(name)
    return passed.deliveries(destination) if passed is not None else []
