"""
One message through one route, step by step: what each step changed, and what would be delivered.

The route's steps are wrapped in steps that look at the message before and after; then the message is evaluated as the
router does it. So nothing here can differ from what really happens.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from engine.core.asking import Answers
from engine.core.messages import Delivery, StoredMessage
from engine.core.references import References
from engine.errors import StepFailed
from engine.parsers.hl7v2.message import Message
from engine.routes.configuration import Configuration, Exit, Route, variant_of
from engine.routes.evaluation import evaluate
from engine.routes.identifying import Knowledge
from engine.transforms.identifying import SentElsewhere, Waits
from engine.transforms.nodes import Mark
from engine.transforms.step import Context, Dropped, Rejected, Step
from engine.trials.difference import Change, changes
from engine.trials.patients import NOBODY, Patients
from engine.trials.running import Ask, Passed, in_its_place, known_throughout, no_worker, only, read


@dataclass(slots=True)
class Stepped:
    """What one step did, each time that it ran."""

    verb: str
    label: str
    mark: Mark | None
    runs: int = 0
    """0: it was passed over, because a condition didn't hold or a step before it stopped the route."""
    changes: list[Change] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    """Findings, and tags as `tag:word`."""
    body: bytes | None = None
    """What `render` made."""
    stopped: str = ""
    """Why the route ended here: a failure with its code and field, a drop, a rejection."""


@dataclass(slots=True)
class Followed:
    """One message on its way through one route."""

    route: str
    passed: Passed
    wanted: bool | None = None
    """Whether `when:` of the route holds; None: it has none, or it could not be asked."""
    steps: list[Stepped] = field(default_factory=list)
    exits: dict[str, list[Stepped]] = field(default_factory=dict)
    """By destination: the steps of its entry of `to:`."""

    def deliveries(self) -> list[Delivery]:
        """Return what would be delivered, dead ones too."""
        return self.passed.evaluation.deliveries


def follow(
    configuration: Configuration, route: str, stored: StoredMessage, name: str, ask: Ask = no_worker,
    patients: Patients = NOBODY,
) -> Followed:  # fmt: skip
    """
    Follow one message through one route.

    Args:
        configuration: As loaded.
        route: A route that takes from the message's source.
        stored: The message; its place is kept, so that ids are those of a real delivery.
        name: How the message is called.
        ask: Calls code of the hospital's own.
        patients: Whom it knows.
    """

    def work(answers: Answers, known: Knowledge) -> Followed:
        return _followed(configuration, route, stored, name, answers, patients.references, known)

    return known_throughout(work, ask, patients)


def _followed(
    configuration: Configuration, route: str, stored: StoredMessage, name: str, answers: Answers,
    references: References, known: Knowledge,
) -> Followed:  # fmt: skip
    """Evaluate once, each time with new eyes."""
    alone = only(configuration, route)
    watch = _Watch()
    watched = watch.route(alone.routes[0])
    alone = in_its_place(alone, watched)
    evaluation = evaluate(alone, stored, references, answers, known)
    variant = variant_of(evaluation.site, configuration.sources[stored.source].untyped) if evaluation.site else ""
    passed = Passed(name, stored, evaluation, variant, read(alone, stored))
    return Followed(
        route, passed, watch.wanted, watch.steps.get(variant, []),
        {one.destination: watch.exits[one.destination].get(variant, []) for one in watched.to},
    )  # fmt: skip


class _Watch:
    """The looking steps of one route, and what they saw."""

    def __init__(self) -> None:
        self.wanted: bool | None = None
        self.steps: Mapping[str, list[Stepped]] = {}
        self.exits: dict[str, Mapping[str, list[Stepped]]] = {}

    def route(self, route: Route) -> Route:
        """Return the route with all its steps and its condition watched."""
        steps, self.steps = self._watched(route.steps)
        when = self._asked(route.when) if route.when is not None else None
        return replace(route, steps=steps, when=when, to=tuple([self._exit(one) for one in route.to]))

    def _exit(self, exit_: Exit) -> Exit:
        steps, self.exits[exit_.destination] = self._watched(exit_.steps)
        return replace(exit_, steps=steps)

    def _watched(
        self, by_variant: Mapping[str, tuple[Step, ...]]
    ) -> tuple[dict[str, tuple[Step, ...]], dict[str, list[Stepped]]]:
        steps: dict[str, tuple[Step, ...]] = {}
        seen: dict[str, list[Stepped]] = {}
        for variant, run in by_variant.items():
            session = _Session()
            steps[variant] = tuple([step.wrapped(session.wrap) for step in run])
            seen[variant] = session.seen
        return steps, seen

    def _asked(self, when: Callable[[Context], bool]) -> Callable[[Context], bool]:
        def ask(context: Context) -> bool:
            self.wanted = when(context)
            return self.wanted

        return ask


class _Session:
    """One list of steps, watched on the first message that runs through it; a second run is of other bytes."""

    def __init__(self) -> None:
        self.seen: list[Stepped] = []
        self._known: dict[int, Context] = {}

    def wrap(self, step: Step) -> Step:
        """Watch one step."""
        stepped = Stepped(step.verb, step.label, step.mark)
        self.seen.append(stepped)
        return _Watched(step, stepped, self)

    def is_first(self, context: Context) -> bool:
        """Whether these steps run on their first context: `encode: as_received` runs them again."""
        if not self._known:
            self.know([context])
        return id(context) in self._known

    def know(self, contexts: list[Context]) -> None:
        """Watch these contexts too: parts of the first one."""
        self._known |= {id(context): context for context in contexts}


class _Watched(Step):
    """A step that is looked at."""

    __slots__ = ("_session", "_step", "_stepped", "asks", "multiplies")

    def __init__(self, step: Step, stepped: Stepped, session: _Session) -> None:
        super().__init__(step.verb, step.label, step.mark)
        self._step = step
        self._stepped = stepped
        self._session = session
        self.multiplies, self.asks = step.multiplies, step.asks

    def apply(self, context: Context) -> None:
        """Apply the step; note what it changed and left, and why it stopped the route."""
        if not self._session.is_first(context):
            self._step.apply(context)
            return
        self._look(context, self._step.apply)

    def children(self, context: Context) -> list[Context]:
        """Let the step make its messages; note how many."""
        if not self._session.is_first(context):
            return self._step.children(context)
        made: list[Context] = []
        self._look(context, lambda one: made.extend(self._step.children(one)))
        self._session.know(made)
        self._stepped.left.append(f"messages: {len(made)}")
        return made

    def parts(self, message: Message) -> list[Message]:
        """Cut as the step does."""
        return self._step.parts(message)

    def _look(self, context: Context, work: Callable[[Context], None]) -> None:
        stepped = self._stepped
        before, body = context.message.copy(), context.body
        findings, tags = len(context.findings), len(context.tags)
        stepped.runs += 1
        try:
            work(context)
        except StepFailed as failed:
            stepped.stopped = str(failed)
            raise
        except Dropped as dropped:
            stepped.stopped = f"dropped: {dropped.reason}"
            raise
        except Waits as waits:
            stepped.stopped = f"waits: {waits.reason}"
            raise
        except SentElsewhere as elsewhere:
            stepped.stopped = f"goes to {elsewhere.destination} instead, as it came"
            raise
        except Rejected as rejected:
            stepped.stopped = f"rejected {rejected.code}: {rejected.reason}"
            raise
        found = changes(before, context.message)
        if context.rank and context.at is None:  # a part of a message that was split
            found = [one._replace(path=f"{context.rank}: {one.path}") for one in found]
        stepped.changes += found
        stepped.left += context.findings[findings:] + [f"tag:{word}" for word in context.tags[tags:]]
        if context.body is not body:
            stepped.body = context.body
