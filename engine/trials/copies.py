"""What a test expects of one delivery, compared with its bytes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from engine.core.bundle import message_of
from engine.core.lifecycle import DeliveryState
from engine.core.messages import Delivery
from engine.errors import ParseError, StepFailed
from engine.parsers import open_message
from engine.parsers.hl7v2.message import Message
from engine.parsers.paths import Path
from engine.routes.cases import Copy, Values
from engine.routes.configuration import Destination
from engine.transforms.nodes import Mark
from engine.transforms.step import Context
from engine.trials.difference import changes, lines_of
from engine.trials.endings import ending_of, fits, told
from engine.trials.running import Passed, Session

Found = Iterator[tuple[str, Mark]]
"""What isn't met: a sentence, and where the expectation stands."""

_OWN = frozenset({("MSH", 10), ("MSH", 18)})
"""Fields that a destination's `encode` sets."""


def of_copy(copy: Copy, delivery: Delivery, passed: Passed, session: Session) -> Found:
    """Give what isn't met of one delivery."""
    if copy.dead_letter is not None:
        if delivery.state is not DeliveryState.DEAD or not fits(
            copy.dead_letter, delivery.code, delivery.field, delivery.reason
        ):
            yield f"{told(copy.dead_letter)} was expected, but {ending_of(passed)}", copy.dead_letter.mark
        return
    if delivery.state is DeliveryState.DEAD:
        words = " ".join(filter(None, (delivery.code, delivery.field)))
        yield f"it is dead ({words}: {delivery.reason})", copy.mark
        return
    yield from _of_target(copy, delivery)
    yield from _of_body(copy, delivery)
    if not (copy.values or copy.claims or copy.unchanged or copy.changed_only is not None):
        return
    sent = delivered_message(delivery, passed, session)
    if sent is None:
        yield "what is delivered is no message of which paths could be asked", copy.mark
        return
    for values in copy.values:
        yield from _of_values(values, sent, passed.variant)
    yield from _of_claims(copy, sent, passed, session)
    if passed.received is not None:
        yield from _of_changes(copy, passed.received, sent, session.configuration.destinations[delivery.destination])


def _of_target(copy: Copy, delivery: Delivery) -> Found:
    for word, wanted in (("topic", copy.topic), ("file name", copy.file_name)):
        if wanted is not None and delivery.target != wanted:
            yield f"the {word} is {delivery.target or 'none'}, not {wanted}", copy.mark


def _of_body(copy: Copy, delivery: Delivery) -> Found:
    text = message_of(delivery).decode("utf-8", "replace")
    if copy.body is not None and text != copy.body:
        yield f"the body is {text}, not {copy.body}", copy.mark
    if copy.json is None:
        return
    try:
        found: Any = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        yield "the body is no JSON object", copy.mark
        return
    for name, wanted in copy.json.items():
        value = found.get(name)
        shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        if name not in found:
            yield f"the body has no {name}", copy.mark
        elif shown != wanted:
            yield f"{name} of the body is {shown}, not {wanted}", copy.mark


def _of_values(values: Values, sent: Message, variant: str) -> Found:
    path = values.by_variant.get(variant) or values.by_variant.get("")
    if path is None:
        yield f"{values.path} can't be asked: the site of the message isn't known", values.mark
        return
    found = path.read(sent)
    if found != list(values.wanted):
        wanted = ", ".join(values.wanted) or "nothing"
        yield f"{values.path} is {', '.join(found) or 'absent'}, not {wanted}", values.mark


def _of_claims(copy: Copy, sent: Message, passed: Passed, session: Session) -> Found:
    if not copy.claims:
        return
    type_, _, rest = passed.stored.type.partition("^")
    context = Context(
        sent, site=passed.evaluation.site, source=passed.stored.source, type=type_, event=rest.partition("^")[0],
        format=sent.format, control_id=passed.stored.control_id, place=passed.stored.place,
        keys=session.configuration.key_readers, variant=passed.variant,
    )  # fmt: skip
    for claim in copy.claims:
        try:
            holds = claim.holds(context)
        except StepFailed as error:
            yield f"{claim.text}: can't be asked: {error}", claim.mark
            continue
        if not holds:
            yield f"{claim.text}: doesn't hold for what is delivered", claim.mark


def _of_changes(copy: Copy, received: Message, sent: Message, destination: Destination) -> Found:
    for path, mark in copy.unchanged:
        if _read(path, received) != _read(path, sent):
            words = "; ".join(f"{one.path} {one.old} -> {one.new}" for one in changes(received, sent)
                             if one.segment == path.segment)  # fmt: skip
            yield f"{path.text} changed: {words}", mark
    if copy.changed_only is None:
        return
    encoded = not destination.encode.as_received
    for change in changes(received, sent):
        own = encoded and (change.segment, change.field) in _OWN
        if not own and not any(_covers(path, change.segment, change.field, change.component, change.subcomponent)
                               for path in copy.changed_only):  # fmt: skip
            yield f"{change.path} changed too: {change.old} -> {change.new}", copy.mark


def _read(path: Path, message: Message) -> list[str]:
    """Return the values of a path; the lines of a segment that it names."""
    if path.field:
        return path.read(message)
    name = f"{path.segment}"
    return [line for line, one in zip(lines_of(message), message.names, strict=True) if one == name]


def _covers(path: Path, segment: str, field: int, component: int, subcomponent: int) -> bool:
    return (
        path.segment == segment
        and path.field in (0, field)
        and path.component in (0, component or 1)
        and path.subcomponent in (0, subcomponent or 1)
    )  # fmt: skip


def delivered_message(delivery: Delivery, passed: Passed, session: Session) -> Message | None:
    """Open delivered bytes; None where they are no message."""
    destination = session.configuration.destinations[delivery.destination]
    charset = destination.encode.charset
    if destination.encode.as_received and passed.received is not None:
        charset = passed.received.received_codec
    try:
        return open_message(message_of(delivery), "auto", default_charset=charset, as_utf8=True)
    except ParseError:
        return None
