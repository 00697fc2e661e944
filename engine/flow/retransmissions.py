"""
Recognise messages that a sender sends again because it did not get our answer.

Equal to an earlier one of its source in MSH-10 (files: name) and bytes, within `dedupe`, and no other message
of the same patient came between: after A, B, the same A again may be a real change back (ARCHITECTURE,
Retransmission). Both memories are bounded; what was forgotten counts as new, never as a duplicate.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

from engine.core.messages import Arrival, StoredMessage

ARRIVALS_MAX: Final = 4096
LANES_MAX: Final = 65_536

_Identity = tuple[str, int]


class Retransmissions:
    """What one routing group's router remembers."""

    def __init__(self) -> None:
        """Begin with nothing; `remember` the recent arrivals before the first message."""
        self._arrivals: dict[str, OrderedDict[_Identity, Arrival]] = {}
        self._last_use: OrderedDict[int, int] = OrderedDict()  # lane key -> place of the last message that had it

    def original_of(self, message: StoredMessage, window_ms: float) -> Arrival | None:
        """Return the arrival that this message repeats, or None."""
        name = message.control_id or message.name
        arrivals = self._arrivals.get(message.source)
        if not name or arrivals is None:
            return None
        earlier = arrivals.get((name, message.digest))
        if earlier is None or message.received_ms - earlier.received_ms > window_ms:
            return None
        last_use = self._last_use
        for lane in earlier.lanes:
            if last_use.get(lane) != earlier.place:
                return None
        return earlier

    def remember(self, source: str, arrival: Arrival) -> None:
        """Remember a routed message; call in order of place."""
        last_use, place = self._last_use, arrival.place
        for lane in arrival.lanes:
            last_use[lane] = place
            last_use.move_to_end(lane)
        while len(last_use) > LANES_MAX:
            last_use.popitem(last=False)
        if not arrival.control_id:
            return
        arrivals = self._arrivals.get(source)
        if arrivals is None:
            arrivals = self._arrivals[source] = OrderedDict()
        identity = (arrival.control_id, arrival.digest)
        arrivals[identity] = arrival
        arrivals.move_to_end(identity)
        if len(arrivals) > ARRIVALS_MAX:
            arrivals.popitem(last=False)

    def restore(self, arrivals: Iterable[tuple[str, Arrival]]) -> None:
        """Remember what was routed before a restart: (source, arrival), in any order."""
        for source, arrival in sorted(arrivals, key=lambda item: item[1].place):
            self.remember(source, arrival)
