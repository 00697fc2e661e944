"""
The steps of a route on one message, or on the several that a step makes of it (`split`, conversions).

Each part goes on by itself: where one fails or is dropped, the others are delivered. When the steps fail before they
made parts of a message, the parts are made all the same, each with that failure: so each has its own place among the
deliveries, and a retry finds it again by its rank.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from engine.core.asking import Asked, Question
from engine.errors import OperationRefused, StepFailed
from engine.transforms.step import Context, Dropped, Step

if TYPE_CHECKING:
    from engine.parsers.hl7v2.message import Message

PARTS_MAX: Final = 30_000
"""Parts of one message: with two entries of `to:` they still have numbers (core.messages.delivery_id)."""


class Part:
    """One of the messages that a route makes of one."""

    __slots__ = ("context", "count", "dropped", "failure", "noted", "rank", "received", "waits")

    def __init__(self, context: Context, received: Message) -> None:
        self.context = context
        self.received = received
        """The part of the message received of which it was made: its patients are those of this part."""
        self.failure: StepFailed | None = None
        self.dropped: str | None = None
        """Why the route doesn't want this part."""
        self.waits = False
        """A step of it asked, and there is no reply yet."""
        self.noted = (0, 0)
        """How many of its findings and tags another part tells already."""
        self.rank = 0
        """From 1."""
        self.count = 0
        """How many parts there are."""

    def done(self) -> Context:
        """
        Return the context, which went through all steps.

        Raises:
            StepFailed, Dropped: It didn't.
        """
        if self.failure is not None:
            raise self.failure
        if self.dropped is not None:
            raise Dropped(self.dropped)
        return self.context


def run(context: Context, steps: Sequence[Step], received: Message) -> Context | list[Part]:
    """
    Run steps on a copy of a message.

    Args:
        context: The message; left as it is.
        steps: Compiled for its variant.
        received: As it was received, for the patients of its parts.

    Returns:
        The context of the copy; the same context when there are no steps; parts, in order, when a step makes
        several messages.

    Raises:
        StepFailed, Dropped: Of a message that isn't made several of.
        Rejected: By any step.
        Asked: Replies are needed; all questions that can be asked now.
    """
    if not steps:
        return context
    copy = context.fork(context.message.copy())
    rank = 0
    try:
        for rank, step in enumerate(steps):
            if step.multiplies:
                return _parts([Part(copy, received)], steps[rank:])
            step.apply(copy)
    except StepFailed as failure:
        rest = steps[rank + 1 :]
        if not any(step.multiplies for step in rest):
            raise
        part = Part(copy, received)
        part.failure = failure
        return _parts([part], rest)
    return copy


def _parts(parts: list[Part], steps: Sequence[Step]) -> list[Part]:
    questions: list[Question] = []
    for step in steps:
        if step.multiplies:
            if questions:
                break
            parts = [child for part in parts for child in _children(part, step)]
            if len(parts) > PARTS_MAX:
                raise StepFailed("E-SPLIT", f"the message becomes more than {PARTS_MAX} messages")
            continue
        for part in parts:
            if part.failure is None and part.dropped is None and not part.waits:
                questions += _apply(part, step)
    if questions:
        raise Asked(questions)
    for rank, part in enumerate(parts, 1):
        part.rank, part.count = rank, len(parts)
    return parts


def _apply(part: Part, step: Step) -> Sequence[Question]:
    """Apply a step to one part; returns what it asks."""
    try:
        step.apply(part.context)
    except StepFailed as failure:
        part.failure = failure
    except Dropped as dropped:
        part.dropped = dropped.reason
    except Asked as asked:
        part.waits = True
        return asked.questions
    return ()


def _children(part: Part, step: Step) -> list[Part]:
    """Make parts of a part; one that failed before becomes as many, each failed."""
    if part.dropped is not None:
        return [part]
    before = len(part.context.findings), len(part.context.tags)
    try:
        contexts = step.children(part.context)
    except StepFailed as failure:
        part.failure = part.failure or failure
        return [part]
    except Dropped as dropped:
        part.dropped = dropped.reason
        return [part]
    received = [part.received] if len(contexts) == 1 else step.parts(part.received)
    if len(received) != len(contexts):
        received = [part.received] * len(contexts)
    made = []
    for number, (context, own) in enumerate(zip(contexts, received, strict=True)):
        child = Part(context, own)
        child.failure = part.failure
        child.noted = before if number else part.noted
        made.append(child)
    return made


def chosen(parts: list[Part], wanted: tuple[int, int]) -> Part:
    """
    Return one of the parts that the route makes of a message today.

    Args:
        parts: All of them.
        wanted: Rank and count of the part when its delivery was made.

    Raises:
        OperationRefused: They are not as many as then.
    """
    rank, count = wanted
    if len(parts) != max(count, 1):
        raise other_parts(len(parts), count)
    return parts[max(rank, 1) - 1]


def other_parts(today: int, before: int) -> OperationRefused:
    """Say that the parts of today aren't those of then."""
    return OperationRefused(
        f"the route makes {today} of this message today, and made {max(before, 1)} when the delivery died: "
        "which part it was can't be told"
    )
