"""Tests as people read them: a line for each, and for one that fails what went in, what came out, what differs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from engine.core.bundle import message_of
from engine.core.lifecycle import DeliveryState
from engine.core.messages import Delivery, show_delivery_id
from engine.routes.cases import Case
from engine.trials.copies import delivered_message
from engine.trials.difference import Change, changes, lines_of
from engine.trials.endings import ending_of
from engine.trials.judging import Failure
from engine.trials.running import Passed, Session

_LINE_MAX = 300
_LINES_MAX = 200


def title(case: Case) -> str:
    """Return route and name of a test."""
    return f"{case.route}: {case.name}" if case.route else case.name


def failed(case: Case, failures: Sequence[Failure], session: Session) -> list[str]:
    """
    Tell a test that failed: each expectation that isn't met, then input, output and difference of the messages.

    Returns:
        Lines. They show the values of the messages: those of a test are made up.
    """
    lines = [f"FAILED {title(case)} ({case.mark.file}:{case.mark.line})"]
    lines += [f"  {one.mark.file}:{one.mark.line}:{one.mark.column}: {one.sentence}" for one in failures]
    for passed in session.passed:
        if len(session.passed) == 1 or passed.name in case.expected:
            lines += [f"  {line}" for line in _told(passed, session)]
    return lines


def shown(change: Change) -> str:
    """Return `path old -> new`."""
    return f"{change.path} {_value(change.old)} -> {_value(change.new)}"


def shortened(line: str) -> str:
    """Cut what nobody reads: a document in a field."""
    return line if len(line) <= _LINE_MAX else f"{line[:_LINE_MAX]}… ({len(line):,} characters)"


def _told(passed: Passed, session: Session) -> Iterator[str]:
    site = passed.evaluation.site or "no site"
    yield f"{passed.name}: {passed.stored.type or 'no type'} from {passed.stored.source}, {site}; {ending_of(passed)}"
    yield "  input"
    yield from _body(passed.stored.raw, passed)
    for delivery in passed.evaluation.deliveries:
        if delivery.state is DeliveryState.DEAD:
            continue
        target = f" {delivery.target}" if delivery.target else ""
        yield f"  output {show_delivery_id(delivery.id)} to {delivery.destination}{target}"
        yield from _output(delivery, passed, session)


def _body(raw: bytes, passed: Passed) -> Iterator[str]:
    lines = lines_of(passed.received) if passed.received is not None else raw.decode("utf-8", "replace").splitlines()
    yield from _cut(lines)


def _output(delivery: Delivery, passed: Passed, session: Session) -> Iterator[str]:
    sent = delivered_message(delivery, passed, session)
    if sent is None or passed.received is None:
        yield from _cut(message_of(delivery).decode("utf-8", "replace").splitlines())
        return
    yield from _cut(lines_of(sent))
    yield "  difference"
    found = [shown(one) for one in changes(passed.received, sent)]
    yield from _cut(found or ["none"])


def _cut(lines: Sequence[str]) -> Iterator[str]:
    for line in lines[:_LINES_MAX]:
        yield f"    {shortened(line)}"
    if len(lines) > _LINES_MAX:
        yield f"    … ({len(lines):,} lines)"


def _value(text: str | None) -> str:
    return "(absent)" if text is None else shortened(text)
