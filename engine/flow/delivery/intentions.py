"""Operators' acts on deliveries and holds, executed one after the other, in the order in which they were asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol

from engine.core.changes import SetHold, Treat
from engine.core.lifecycle import DeliveryState
from engine.core.messages import Delivery, Hold, Intention, show_delivery_id, show_lane
from engine.core.ports import Runtime, Store
from engine.flow.acts import Acts, Refusal
from engine.flow.delivery.holds import Holds

_TREATMENTS: Final = {
    "pass": (DeliveryState.DEAD, DeliveryState.DEAD, "its lane goes on; it stays dead"),
    "discard": (DeliveryState.DEAD, DeliveryState.DISCARDED, "discarded; it can be restored"),
    "restore": (DeliveryState.DISCARDED, DeliveryState.DEAD, "restored: it is dead again, and holds no lane"),
}


class Acted(Protocol):
    """What is told when an act is on disk (flow.delivery.stage)."""

    def gone(self, delivery: Delivery) -> None:
        """A dead delivery left its destination's queue."""

    def holds_changed(self, *, released: str = "") -> None:
        """Holds were set or removed."""

    def resume(self, destination: str) -> str:
        """Try a destination at once; return what was done."""


class Intentions:
    """The delivery stage's acts."""

    def __init__(
        self, store: Store, runtime: Runtime, holds: Holds, known: Mapping[str, frozenset[str]], acted: Acted
    ) -> None:
        """
        Begin with none.

        Args:
            store: Where acts are recorded and fulfilled.
            runtime: Clock and task.
            holds: Changed by hold and release.
            known: Names that may be held, by kind (`destination`, `source`, `route`).
            acted: Told of what changed.
        """
        self._store = store
        self._runtime = runtime
        self._holds = holds
        self.known = known
        """As given; another configuration may bring others."""
        self._acted = acted
        self._acts = Acts(store, runtime, "delivery", self._carry_out)

    def stop(self) -> None:
        """Execute nothing more; what waits is found at the next start."""
        self._acts.stop()

    def add(self, intention: Intention) -> None:
        """Execute an intention after those before it; one that was taken already is left out."""
        self._acts.add(intention)

    async def _carry_out(self, intention: Intention) -> None:
        if intention.verb in _TREATMENTS:
            await self._treat(intention)
        elif intention.verb == "hold":
            await self._hold(intention)
        elif intention.verb == "release":
            await self._release(intention)
        elif intention.verb == "resume":
            outcome = self._acted.resume(str(intention.arguments.get("destination", "")))
            await self._acts.fulfil(intention, outcome or "nothing had to be resumed")
        else:
            raise Refusal(f"delivery doesn't know `{intention.verb}`")

    async def _treat(self, intention: Intention) -> None:
        expected, state, outcome = _TREATMENTS[intention.verb]
        number = intention.arguments.get("delivery", 0)
        id_ = number if isinstance(number, int) else 0
        delivery = await self._store.delivery(id_)
        if delivery is None:
            raise Refusal(f"there is no delivery {show_delivery_id(id_)}")
        shown = show_delivery_id(id_)
        if delivery.state is not expected:
            raise Refusal(f"delivery {shown} is {delivery.state.name.lower()}, not {expected.name.lower()}")
        if intention.verb == "pass" and not delivery.queued:
            raise Refusal(f"delivery {shown} holds no lane: what is behind it goes on already")
        change = Treat(id_, delivery.destination, expected, state, queued=False)
        await self._acts.fulfil(intention, f"delivery {shown}: {outcome}", [change])
        if intention.verb != "restore":
            self._acted.gone(delivery)

    async def _hold(self, intention: Intention) -> None:
        kind, name = self._kind_and_name(intention)
        until = intention.arguments.get("until_ms", 0)
        hold = Hold(
            kind,
            name,
            until if isinstance(until, int) else 0,
            intention.who,
            intention.reason,
            self._runtime.now_ms(),
        )
        if hold.until_ms < 0 or 0 < hold.until_ms <= hold.at_ms:
            raise Refusal("the hold would have ended already")
        await self._acts.fulfil(intention, f"{kind} {_shown(kind, name)} is held", [SetHold(hold)])
        self._holds.set(hold)
        self._acted.holds_changed()

    async def _release(self, intention: Intention) -> None:
        kind, name = self._kind_and_name(intention)
        hold = self._holds.get(kind, name)
        if hold is None:
            raise Refusal(f"{kind} {_shown(kind, name)} is not held")
        await self._acts.fulfil(intention, f"{kind} {_shown(kind, name)} is released", [SetHold(ended(hold))])
        self._holds.remove(kind, name)
        self._acted.holds_changed(released=name if kind == "destination" else "")

    def _kind_and_name(self, intention: Intention) -> tuple[str, str]:
        kind, name = str(intention.arguments.get("kind", "")), str(intention.arguments.get("name", ""))
        if kind == "lane":
            if not name.lstrip("-").isdecimal():
                raise Refusal("a lane is named by its number")
        elif kind not in self.known:
            raise Refusal(f"`{kind}` can't be held: destination, source, route or lane")
        elif name not in self.known[kind] and self._holds.get(kind, name) is None:
            names = ", ".join(sorted(self.known[kind]))
            raise Refusal(f"there is no {kind} {name}; there are: {names}")
        return kind, name


def ended(hold: Hold) -> Hold:
    """Return what removes a hold (core.changes.SetHold)."""
    return Hold(hold.kind, hold.name, -1, hold.who, hold.reason, hold.at_ms)


def _shown(kind: str, name: str) -> str:
    """Write a lane as everywhere else; its name is its key."""
    return show_lane(int(name)) if kind == "lane" else name
