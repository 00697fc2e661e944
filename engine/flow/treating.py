"""What operators ask of a router, carried out between two messages: retry, discard, restore, and acts on identities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from engine.core.changes import Identify, Reopen, Requeue, events_of
from engine.core.lifecycle import FRAGMENT, DeliveryState, MessageState
from engine.core.messages import Delivery, DeliveryFlag, DeliveryKind, Intention, place_of
from engine.core.own_ids import former
from engine.errors import StoreError
from engine.flow.acts import Refusal
from engine.flow.evaluating import Turn
from engine.flow.identity_acts import PREFIX, IdentityActs
from engine.flow.joining import IsFragment
from engine.routes.evaluation import render_again
from engine.routes.parting import mark_made_anew, stands

if TYPE_CHECKING:
    from engine.core.asking import Answers
    from engine.core.messages import StoredMessage
    from engine.flow.router import Router
    from engine.routes.identifying import Identified


class Treating:
    """The acts of one router."""

    def __init__(self, router: Router) -> None:
        """Act on behalf of a router."""
        self._router = router
        self._identity_acts = IdentityActs(router)

    async def carry_out(self, intention: Intention) -> None:
        """
        Carry out one act, and fulfil it.

        Raises:
            Refusal: It can't be carried out.
            ChangeRefused: Somebody changed things meanwhile.
            StoreError: The store is in trouble: the act waits.
        """
        delivery, place = intention.arguments.get("delivery"), intention.arguments.get("message")
        if intention.verb.startswith(PREFIX):
            await self._identity_acts.carry_out(intention)
        elif intention.verb == "retry" and isinstance(delivery, int):
            await self._retry_delivery(intention, delivery)
        elif intention.verb in _MESSAGE_VERBS and isinstance(place, int):
            await self._change_message(intention, place)
        else:
            raise Refusal(f"the router knows no {intention.verb} of this")

    async def _retry_delivery(self, intention: Intention, delivery_id: int) -> None:
        router = self._router
        row = await router.store.delivery(delivery_id)
        if row is None or row.state is not DeliveryState.DEAD:
            raise Refusal("this delivery is not dead: somebody treated it meanwhile")
        message = await router.store.message(place_of(delivery_id))
        if message is None:
            raise Refusal("the message's bytes were pruned: it can't be sent again")
        if not router.answers_for(message.group):
            return  # another group's router executes it
        if row.flags & DeliveryFlag.DERIVED:  # it follows from a decision that isn't made again
            await self._retry_derived(intention, row, message)
            return

        data = await self._data_of(row)

        def render(answers: Answers) -> tuple[Delivery, Identified | None, int]:
            knowledge = router.evaluating.knowledge(expired=True, wide=True)
            made = render_again(
                router.configuration, message, router.references, row.route, row.destination, delivery_id, row.part,
                answers, knowledge, router.runtime.now_ms(), former(row, data),
            )  # fmt: skip
            return made, None if knowledge is None else knowledge.identified, router.identities.view_number

        again, identified, view = await router.answered(render)
        if again.state is not DeliveryState.PENDING:
            raise Refusal(" ".join(filter(None, ("it would die again:", again.code, again.field, again.reason))))
        mark_made_anew(again, row, data)
        if identified is None:
            changes: list[Requeue | Identify] = [Requeue(again, rendered_again=True, view=view)]
        else:
            # Its former lanes too: what came behind it may wait under a reference that its patient had then.
            again.lanes = tuple(dict.fromkeys((*again.lanes, *row.lanes)))
            keys = tuple(identified.keys)
            changes = [Requeue(again, rendered_again=True, view=view, keys=keys)]
            changes += self._identifies(identified, again, view)
        await self.fulfil(intention, "goes back to its place", changes)

    async def _data_of(self, row: Delivery) -> bytes:
        """Read the bytes of a delivery; empty: it has none."""
        found = await self._router.store.payloads([row.id], 1) if row.kind is DeliveryKind.BYTES else {}
        return found.get(row.id, b"")

    async def _retry_derived(self, intention: Intention, row: Delivery, message: StoredMessage) -> None:
        """
        Send a derived merge as it was made, if its two numbers still name one patient.

        It is looked up whatever its mark says: what was discarded when they were parted has none.
        """
        router = self._router
        data = await self._data_of(row)
        if not data:
            raise Refusal("this merge was never written: discard it, and have the receiver merge the two numbers")

        def look(_: Answers) -> tuple[bool, int]:
            knowledge = router.evaluating.knowledge(expired=True, wide=True, recalls=True)
            holds = knowledge is not None and stands(
                router.configuration, message, row, data, router.references, knowledge
            )
            return holds, router.identities.view_number

        holds, view = await router.answered(look)
        if not holds or row.flags & DeliveryFlag.PARTED:
            raise Refusal("the two patients of this merge were parted since: discard it")
        await router.acts.fulfil(intention, "goes back to its place", [Requeue(row, view=view)])

    def _identifies(self, identified: Identified, again: Delivery, view: int) -> list[Identify]:
        """Make the changes of what a retry decided on patients."""
        router, events = self._router, identified.events
        if not events:
            return []
        proposed = router.evaluating.fences(identified.changed, place=again.place, deliveries=[again])
        made = [Identify(event, place=again.place, view=view) for event in events]
        made[-1].fences, made[-1].releases = proposed, identified.releases
        return made

    async def fulfil(self, intention: Intention, outcome: str, changes: Sequence[Requeue | Identify]) -> None:
        """Record an act together with its changes; what it decided on patients is on disk, or forgotten."""
        identities = self._router.identities
        identifies = [one for one in changes if isinstance(one, Identify)]
        events = [one.event for one in identifies if one.event is not None]
        identities.adopt(events)
        stored = False
        try:
            await self._router.acts.fulfil(intention, outcome, changes)
            stored = True
        finally:
            identities.resolved(events, stored=stored)
        for one in identifies:
            identities.not_before(one.next_patient)
            identities.released(one, events_of(one), self._router.references)

    async def _change_message(self, intention: Intention, place: int) -> None:
        router = self._router
        message = await router.store.message(place)
        if message is None:
            raise Refusal("this message never existed, or was pruned")
        if not router.answers_for(message.group):
            return
        allowed, state, outcome = _MESSAGE_VERBS[intention.verb]
        if message.state not in allowed:
            raise Refusal(f"the message is {message.state.name.lower()}: {intention.verb} doesn't apply")
        if intention.verb == "retry":
            if router.configuration.sources.get(message.source) is None:
                raise Refusal(_no_source(message.source))
            if await self._is_joined_by_pointers(message):
                raise Refusal(_SENT_AGAIN)
        await router.acts.fulfil(intention, outcome, [Reopen(place, message.group, message.state, state)])
        # a router that isn't started, or starts again, finds it in the store
        if intention.verb == "retry" and router.started:
            message.state = MessageState.RECEIVED
            generation = router.generation
            try:
                route = await router.decided_on(message, Turn(late=True, wide=True, retried=True))
            except (IsFragment, StoreError):
                # The others may be under way, or rows of its patients can't be read now: the act is done, so it takes
                # its turn among those that waited, and is read again.
                router.take_up((place,), expired=False)
            else:
                router.submit(route, generation)

    async def _is_joined_by_pointers(self, message: StoredMessage) -> bool:
        """Whether it died as a part of a longer message, and its source would join it again, with whatever waits."""
        source = self._router.configuration.sources.get(message.source)
        fate = await self._router.store.fate(message.place)
        return source is not None and source.fragments.join > 0 and fate is not None and fate.code == FRAGMENT


def _no_source(name: str) -> str:
    return (
        f"the configuration has no source {name} any more, so it would die again: put it back, or write "
        f"`renamed_from: {name}` at the source that takes its place; apply, then retry"
    )


_SENT_AGAIN: Final = (
    "a part of a longer message isn't joined by a retry: what waits under its pointer today may be another patient's; "
    "have the whole sent again, then discard the parts"
)
_MESSAGE_VERBS: Final = {
    "retry": (
        frozenset({MessageState.DEAD, MessageState.FILTERED, MessageState.UNROUTED}),
        MessageState.RECEIVED,
        "goes through the routes again",
    ),
    "discard": (frozenset({MessageState.DEAD}), MessageState.DISCARDED, "discarded; restore brings it back"),
    "restore": (frozenset({MessageState.DISCARDED}), MessageState.DEAD, "dead again"),
}
