"""Context and Step: what runs when a message passes, and on what."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from engine.errors import StepFailed

if TYPE_CHECKING:
    from engine.core.asking import Answers
    from engine.core.messages import Attachment
    from engine.parsers.hl7v2.message import Message
    from engine.parsers.hl7v2.segments import Segment
    from engine.transforms.identifying import Identification
    from engine.transforms.nodes import Mark

KeyReader = Callable[["Context"], list[str]]
"""Gives the values of a declared key."""

CONTEXT_NAMES: Final = ("site", "source", "type", "event", "format", "control_id", "rank", "id", "place")
"""Names that a text or a condition may use beside paths and declared keys."""


class Dropped(Exception):
    """The verb `drop`: this route doesn't want the message after all; it is filtered, with a reason."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Rejected(Exception):
    """
    The verb `reject`: the sender is answered that the message isn't taken, and no route delivers it.

    Attributes:
        code: `AE` or `AR` (table 0008).
        reason: A sentence without any value of the message.
    """

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Context:
    """One message on its way through one route: the message itself, what is known about it, what steps left."""

    __slots__ = (
        "answers", "at", "attachments", "body", "control_id", "event", "findings", "format", "id", "identities", "keys",
        "message", "place", "rank", "received_ms", "site", "source", "tags", "type", "value", "variant",
    )  # fmt: skip

    def __init__(
        self,
        message: Message,
        *,
        site: str = "",
        source: str = "",
        type: str = "",  # noqa: A002 - the field's word
        event: str = "",
        format: str = "hl7v2",  # noqa: A002 - the field's word
        control_id: str = "",
        place: int = 0,
        received_ms: int = 0,
        keys: Mapping[str, KeyReader] | None = None,
        variant: str | None = None,
        answers: Answers | None = None,
        attachments: tuple[Attachment, ...] = (),
        identities: Identification | None = None,
    ) -> None:
        self.message = message
        self.answers: Answers = answers if answers is not None else {}
        """Replies of the hospital's own code, known so far."""
        self.identities = identities
        """Who the patients are; None: patients aren't known here."""
        self.attachments = attachments
        """Files beside the message, which it names."""
        self.variant = site if variant is None else variant
        """The site, and what its source says under `untyped:` (routes.configuration.variant_of)."""
        self.site = site
        self.source = source
        self.type = type
        self.event = event
        self.format = format
        self.control_id = control_id
        self.place = place
        self.received_ms = received_ms
        self.keys: Mapping[str, KeyReader] = keys if keys is not None else {}
        self.at: Segment | None = None
        """The segment at hand, inside `foreach`."""
        self.rank = 0
        """Its rank, from 1; outside `foreach` the rank of this part of a message that was split."""
        self.value = ""
        """The value at hand, inside `map`."""
        self.id = ""
        """Under which the delivery leaves (core.own_ids), once it is known."""
        self.body: bytes | None = None
        """What `render` made; replaces the message's bytes."""
        self.findings: list[str] = []
        self.tags: list[str] = []

    def fork(self, message: Message) -> Context:
        """Return a context for another copy of the message; what steps left so far goes with it."""
        other = Context.__new__(Context)
        other.message = message
        other.site = self.site
        other.source = self.source
        other.type = self.type
        other.event = self.event
        other.format = self.format
        other.control_id = self.control_id
        other.place = self.place
        other.received_ms = self.received_ms
        other.keys = self.keys
        other.answers = self.answers
        other.identities = self.identities
        other.variant = self.variant
        other.attachments = self.attachments
        other.at = None
        other.rank = self.rank
        other.value = ""
        other.id = self.id
        other.body = self.body
        other.findings = self.findings.copy()
        other.tags = self.tags.copy()
        return other

    def key(self, name: str) -> list[str]:
        """Return the values of a declared key."""
        return self.keys[name](self)


class Step(ABC):
    """One compiled step of a route."""

    __slots__ = ("label", "mark", "verb")

    multiplies = False
    """Whether it makes several messages of one: then `children` is called, not `apply`."""
    asks = False
    """Whether it asks code of the hospital's own (core.asking)."""

    def __init__(self, verb: str = "", label: str = "", mark: Mark | None = None) -> None:
        self.verb = verb
        self.label = label
        self.mark = mark
        """Where it stands in the file."""

    @abstractmethod
    def apply(self, context: Context) -> None:
        """
        Do the work on `context.message`.

        Raises:
            StepFailed: It can't be done on this message; the route stops for it.
            Dropped: The route doesn't want the message.
            Rejected: The message isn't taken; its sender is told.
            Asked: It needs a reply that isn't known yet.
            Waits, Unread: It needs a patient whom nobody knows, or rows of him that nobody has read.
        """

    def children(self, context: Context) -> list[Context]:
        """
        Do the work; return the messages with which the route goes on, in order.

        Raises:
            StepFailed, Dropped, Rejected: As `apply`.
        """
        self.apply(context)
        return [context]

    def parts(self, message: Message) -> list[Message]:
        """
        Cut a message as `children` does, nothing else done.

        The router asks this of the message as received, to know which patient of it each child is about.
        """
        return [message]

    def wrapped(self, wrap: Callable[[Step], Step]) -> Step:
        """
        Return the same work with each step that has a verb of its own wrapped, for those who look at a trial.

        Steps that hold others give themselves back with the inner ones wrapped.
        """
        return wrap(self)


class Multiplying(Step):
    """A step that makes several messages of one."""

    __slots__ = ()

    multiplies = True

    def apply(self, context: Context) -> None:  # noqa: ARG002 - the signature of all steps
        """Never called: the routes ask for `children`."""
        raise AssertionError(f"{self.verb} makes several messages")

    def children(self, context: Context) -> list[Context]:
        """Make a context for each part."""
        return [context.fork(part) for part in self.parts(context.message)]


class Run(Step):
    """Several steps as one: a named run (`use:`) with a condition or an `on_error` of its own."""

    __slots__ = ("_steps", "asks", "multiplies")

    def __init__(self, steps: tuple[Step, ...], label: str = "") -> None:
        super().__init__("use", label)
        self._steps = steps
        self.multiplies = any(step.multiplies for step in steps)
        self.asks = any(step.asks for step in steps)

    def apply(self, context: Context) -> None:
        """Apply each, in order."""
        for step in self._steps:
            step.apply(context)

    def children(self, context: Context) -> list[Context]:
        """Apply each to all that those before it made."""
        contexts = [context]
        for step in self._steps:
            contexts = [child for one in contexts for child in step.children(one)]
        return contexts

    def parts(self, message: Message) -> list[Message]:
        """Cut as the steps do."""
        messages = [message]
        for step in self._steps:
            messages = [part for one in messages for part in step.parts(one)]
        return messages

    def wrapped(self, wrap: Callable[[Step], Step]) -> Step:
        """Wrap each step."""
        return Run(tuple([step.wrapped(wrap) for step in self._steps]), self.label)


class Conditional(Step):
    """A step with `when:`."""

    __slots__ = ("_step", "_when", "asks", "multiplies")

    def __init__(self, step: Step, when: Callable[[Context], bool]) -> None:
        super().__init__(step.verb, step.label, step.mark)
        self._step = step
        self._when = when
        self.multiplies, self.asks = step.multiplies, step.asks

    def apply(self, context: Context) -> None:
        """Apply the step when the condition holds."""
        if self._when(context):
            self._step.apply(context)

    def children(self, context: Context) -> list[Context]:
        """Let the step make messages when the condition holds."""
        return self._step.children(context) if self._when(context) else [context]

    def parts(self, message: Message) -> list[Message]:
        """Cut as the step does."""
        return self._step.parts(message)

    def wrapped(self, wrap: Callable[[Step], Step]) -> Step:
        """Wrap the step inside."""
        return Conditional(self._step.wrapped(wrap), self._when)


class Tolerant(Step):
    """A step with `on_error: keep` or `{ flag: word }`: where it fails, the message stays as it was before it."""

    __slots__ = ("_step", "_word", "asks", "multiplies")

    def __init__(self, step: Step, word: str = "") -> None:
        """
        Wrap a step.

        Args:
            step: What may fail.
            word: Of the finding that is left then, before the code of the failure; empty: none.
        """
        super().__init__(step.verb, step.label, step.mark)
        self._step = step
        self._word = word
        self.multiplies, self.asks = step.multiplies, step.asks

    def apply(self, context: Context) -> None:
        """Apply the step; undo what it did before it failed."""
        undo = self._checkpoint(context)
        try:
            self._step.apply(context)
        except StepFailed as failure:
            undo(failure)

    def children(self, context: Context) -> list[Context]:
        """Let the step make messages; where it fails, the one goes on."""
        undo = self._checkpoint(context)
        try:
            return self._step.children(context)
        except StepFailed as failure:
            undo(failure)
            return [context]

    def parts(self, message: Message) -> list[Message]:
        """Cut as the step does."""
        return self._step.parts(message)

    def _checkpoint(self, context: Context) -> Callable[[StepFailed], None]:
        """Return what brings the context back to how it is now, and leaves the finding."""
        message, body, at, rank = context.message, context.body, context.at, context.rank
        format_, type_, event, attachments = context.format, context.type, context.event, context.attachments
        bring_back = message.checkpoint()
        findings, tags = len(context.findings), len(context.tags)

        def undo(failure: StepFailed) -> None:
            if not failure.tolerable:
                raise failure
            bring_back()
            context.message, context.body, context.at, context.rank = message, body, at, rank
            context.format, context.type, context.event, context.attachments = format_, type_, event, attachments
            del context.findings[findings:], context.tags[tags:]
            if self._word:
                context.findings.append(f"{self._word} {failure.code}")

        return undo

    def wrapped(self, wrap: Callable[[Step], Step]) -> Step:
        """Wrap the step inside."""
        return Tolerant(self._step.wrapped(wrap), self._word)
