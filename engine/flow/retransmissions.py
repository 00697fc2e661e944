"""
Recognise messages that a sender sends again because it did not get our answer.

Equal to an earlier one of its source in MSH-10 (files: name) and bytes, within `dedupe`, and no other message
of the same patient came between: after A, B, the same A again may be a real change back
(docs/decisions/0011). Only a message of which a copy was sent, or will be, can be repeated: after one that died, was
filtered or rejected, the same again is a new try. That is asked of the store when it matters, because copies die
and are brought back long after their message was routed. All memories are bounded; what was forgotten counts as new,
never as a duplicate.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, NamedTuple

from engine.core.lifecycle import DeliveryState, MessageState
from engine.core.messages import Arrival, Fate, StoredMessage

if TYPE_CHECKING:
    from engine.core.ports import Store
    from engine.routes.configuration import Source

ARRIVALS_MAX: Final = 4096
LANES_MAX: Final = 65_536

_Remembered = tuple[int, int, tuple[int, ...], bool]
"""Place, time of reception in ms, lane keys, live: a plain tuple, because thousands are kept for each source."""
_LIVE: Final = frozenset({DeliveryState.PENDING, DeliveryState.DELIVERED})


class Original(NamedTuple):
    """An earlier message that another one may repeat."""

    place: int
    live: bool
    """A copy was sent, or would be, as it was decided."""

    def is_repeated(self, fate: Fate | None) -> bool:
        """
        Tell whether the same again is a retransmission.

        Args:
            fate: What became of this message; its decision may still be on its way to the disk.
        """
        if fate is None:
            return False
        if fate.state is MessageState.RECEIVED:
            return self.live
        if fate.state is MessageState.WAITING:
            return True
        return any(state in _LIVE for state in fate.copies)


class Retransmissions:
    """What one routing group's router remembers."""

    def __init__(self) -> None:
        """Begin with nothing; `remember` the recent arrivals before the first message."""
        self._arrivals: dict[str, OrderedDict[int, _Remembered]] = {}
        self._last_of: dict[str, int] = {}  # source -> place of its last message
        self._names: dict[str, str] = {}  # former name of a source -> its name
        self._last_use: OrderedDict[int, int] = OrderedDict()  # lane key -> place of the last message that had it

    async def read(self, store: Store, sources: Iterable[Source], now_ms: int) -> None:
        """
        Forget all, and remember what the store has of recent arrivals.

        Raises:
            StoreError: It can't be read.
        """
        self.clear()
        sources = list(sources)
        self.rename(sources)
        recent: list[tuple[str, Arrival]] = []
        for source in sources:
            since = now_ms - int(source.dedupe * 1000)
            for name in filter(None, (source.renamed_from, source.name)):
                recent += [(name, arrival) for arrival in await store.recent(name, since, ARRIVALS_MAX)]
        self.restore(recent)

    def rename(self, sources: Iterable[Source]) -> None:
        """Know the arrivals of sources that have another name now by that name too."""
        self._names = {one.renamed_from: one.name for one in sources if one.renamed_from}
        for former, name in self._names.items():
            if former in self._arrivals:
                self._arrivals[former].update(self._arrivals.get(name, ()))
                self._arrivals[name] = self._arrivals.pop(former)
            if former in self._last_of:
                self._last_of[name] = max(self._last_of.pop(former), self._last_of.get(name, 0))

    def clear(self) -> None:
        """Forget all."""
        self._arrivals.clear()
        self._last_of.clear()
        self._last_use.clear()

    def original_of(self, message: StoredMessage, window_ms: float) -> Original | None:
        """Return the message that this one repeats, if it is not a new try."""
        source = self._names.get(message.source, message.source)
        arrivals = self._arrivals.get(source)
        if arrivals is None or not (message.control_id or message.name):
            return None
        earlier = arrivals.get(_identity(message.digest, message.control_id or message.name))
        if earlier is None:
            return None
        place, received_ms, lanes, live = earlier
        if message.received_ms - received_ms > window_ms:
            return None
        if not lanes:  # read from the store, of destinations without order: its patients aren't known any more
            return Original(place, live) if self._last_of[source] == place else None
        last_use = self._last_use
        for lane in lanes:
            if last_use.get(lane) != place:
                return None
        return Original(place, live)

    def remember(self, source: str, arrival: Arrival) -> None:
        """Remember a message that was decided on, but no duplicate; call in order of place."""
        source = self._names.get(source, source)
        self._last_of[source] = arrival.place
        last_use, place, lanes = self._last_use, arrival.place, tuple(arrival.lanes)
        for lane in lanes:
            last_use[lane] = place
            last_use.move_to_end(lane)
        while len(last_use) > LANES_MAX:
            last_use.popitem(last=False)
        if not arrival.control_id:
            return
        arrivals = self._arrivals.get(source)
        if arrivals is None:
            arrivals = self._arrivals[source] = OrderedDict()
        identity = _identity(arrival.digest, arrival.control_id)
        arrivals[identity] = (place, arrival.received_ms, lanes, arrival.live)
        arrivals.move_to_end(identity)
        if len(arrivals) > ARRIVALS_MAX:
            arrivals.popitem(last=False)

    def came_between(self, keys: Iterable[int]) -> None:
        """Note that something else than a message concerned these lanes."""
        for key in keys:
            if key in self._last_use:
                self._last_use[key] = -1

    def forget(self, source: str, place: int) -> None:
        """Forget a message whose decision was not stored."""
        arrivals = self._arrivals.get(self._names.get(source, source))
        if arrivals is not None:
            for identity in [one for one, kept in arrivals.items() if kept[0] == place]:
                del arrivals[identity]

    def restore(self, arrivals: Iterable[tuple[str, Arrival]]) -> None:
        """Remember what was routed before a restart: (source, arrival), in any order."""
        for source, arrival in sorted(arrivals, key=lambda item: item[1].place):
            self.remember(source, arrival)


def _identity(digest: int, name: str) -> int:
    """Join the digest of the bytes and the control id (or file name) in one number."""
    return hash((digest, name))
