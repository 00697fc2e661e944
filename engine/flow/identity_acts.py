"""What identity officers ask of the routers: link, unlink, mark apart, undo, jump over numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from engine.core.changes import Identify
from engine.errors import ChangeRefused
from engine.flow.acts import Refusal
from engine.identity import acts
from engine.identity.crossreference import Unread
from engine.identity.decisions import touched
from engine.routes.identifying import releases_of

if TYPE_CHECKING:
    from engine.core.identities import IdentityEvent
    from engine.core.messages import Intention
    from engine.flow.router import Router

PREFIX: Final = "identity-"
"""Of the verbs of these acts."""
_ROUNDS_MAX: Final = 100
_TRIES_MAX: Final = 3


class IdentityActs:
    """The acts on identities of one router: the one that leads carries them out, for all groups."""

    def __init__(self, router: Router) -> None:
        """Act on behalf of a router."""
        self._router = router

    async def carry_out(self, intention: Intention) -> None:
        """
        Carry out one act, and fulfil it.

        Raises:
            Refusal: It can't be carried out.
            StoreError: The store is in trouble: the act waits.
        """
        router = self._router
        if not router.leads:
            return
        if router.configuration.identity is None:
            raise Refusal("the running configuration has no section identity: nothing is known of patients")
        for attempt in range(_TRIES_MAX):
            try:
                await self._once(intention)
            except ChangeRefused:  # a decision under way, on which it built, came to nothing: all was let go
                if attempt + 1 == _TRIES_MAX:
                    raise
            else:
                return

    async def _once(self, intention: Intention) -> None:
        router = self._router
        if intention.verb == f"{PREFIX}next":
            number = _number(intention, "patient")
            change = Identify(None, place=router.last_place, next_patient=number)
            outcome = f"the next patient gets the number {number:,} or a later one"
            await router.treating.fulfil(intention, outcome, [change])
            return
        event, outcome = await self._event(intention)
        identities, references = router.identities, router.references
        identities.view.apply(event)
        changed = touched(event, references)
        change = Identify(
            event, router.evaluating.fences(changed, place=router.settled),
            releases_of([event], references, router.configuration.sites), place=router.last_place,
            view=identities.view_number,
        )  # fmt: skip
        for one in identities.routers:
            one.came_between(key for pair in changed for key in pair)
            one.late.joined(changed)
        await router.treating.fulfil(intention, outcome, [change])

    async def _event(self, intention: Intention) -> tuple[IdentityEvent, str]:
        """Make the event of an act, of what is known now; whoever calls lays it over the view in the same turn."""
        work, outcome = await self._work(intention)
        for _ in range(_ROUNDS_MAX):
            try:
                made = work()
            except Unread as unread:
                await self._router.identities.read(unread)
                continue
            if isinstance(made, acts.Refusal):
                raise Refusal(made.sentence)
            return made, outcome
        raise Refusal("other decisions come in between without end: try again")

    async def _work(self, intention: Intention) -> tuple[Callable[[], IdentityEvent | acts.Refusal], str]:
        router, identities = self._router, self._router.identities

        def act() -> acts.Act:
            return acts.Act(
                who=intention.who, reason=intention.reason, place=router.last_place, at_ms=router.runtime.now_ms()
            )

        verb = intention.verb.removeprefix(PREFIX)
        if verb in ("link", "apart"):
            one, other = _number(intention, "one"), _number(intention, "other")
            do = acts.link if verb == "link" else acts.mark_apart
            outcome = f"patient {other} is patient {one} from now on" if verb == "link" else "they are two people"
            return lambda: do(one, other, identities.view, act()), outcome
        if verb == "unlink":
            return self._unlink(intention, act), "the numbers have a patient of their own"
        if verb == "undo":
            former = await router.store.identity_event(_number(intention, "event"))
            if former is None:
                raise Refusal("there is no such decision")
            keys = Unread(tuple(former.identifiers), tuple(former.patients))
            await identities.read(keys)  # an import touches thousands: all in one go
            return lambda: acts.undo(former, identities.view, act()), f"decision {former.id} is taken back"
        raise Refusal(f"the router knows no {intention.verb}")

    def _unlink(self, intention: Intention, act: Callable[[], acts.Act]) -> Callable[[], IdentityEvent | acts.Refusal]:
        router, identities = self._router, self._router.identities
        keys = intention.arguments.get("identifiers")
        if not isinstance(keys, list):
            raise Refusal("the act names no identifiers")
        sites, unsure = (
            [one for one in str(intention.arguments.get(name, "")).split(",") if one] for name in ("sites", "unsure")
        )
        policy = next(iter(router.configuration.policies.values()))
        former = intention.arguments.get("former", [])
        if not isinstance(former, list):
            raise Refusal("the act names the group's numbers that go along in no list")
        return lambda: acts.unlink(
            keys, identities.view, act(), policy=policy, references=router.references,
            next_patient=identities.next_patient, sites=sites, unsure=unsure,
            another_person=bool(intention.arguments.get("another_person")), former=former,
        )  # fmt: skip


def _number(intention: Intention, name: str) -> int:
    value = intention.arguments.get(name)
    if not isinstance(value, int) or value < 1:
        raise Refusal(f"the act names no {name}")
    return value
