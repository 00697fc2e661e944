"""
What one destination refused: in which lanes, and whether that says something about the receiver.

A lane is *marked* from its first refusal, or from an operator's act on a dead delivery of it, until something of
it is accepted. A refusal in a marked lane, after the receiver accepted others, is about what that lane sends: it
is no sign of a storm. Probes begin with lanes that aren't marked.
"""

from __future__ import annotations

from typing import Final

from engine.core.lanetable import OWN_LANE
from engine.core.messages import Delivery

_LANES_MAX: Final = 100_000
_TRIED_MAX: Final = 1_000


class Refusals:
    """The refusals of one destination."""

    def __init__(self) -> None:
        """Begin without any."""
        self._accepted = 0
        self._marked: dict[int, int] = {}
        """Lane -> what the receiver had accepted when it last refused something of it."""
        self.tried: dict[int, int] = {}
        """Deliveries refused since the last acceptance -> their (first) lane; the first thousand."""

    def accepted(self, delivery: Delivery) -> None:
        """The receiver accepted a delivery."""
        self._accepted += 1
        if self.tried:
            self.tried.clear()
        if self._marked:
            for key in lanes_of(delivery):
                self._marked.pop(key, None)

    def refused(self, delivery: Delivery) -> bool:
        """The receiver refused a delivery; return whether that may be a sign of a storm."""
        keys, accepted = lanes_of(delivery), self._accepted
        known = any(self._marked.get(key, accepted) < accepted for key in keys)
        for key in keys:
            self._mark(key, accepted)
        if len(self.tried) < _TRIED_MAX:
            self.tried[delivery.id] = keys[0]
        return not known

    def treated(self, delivery: Delivery) -> None:
        """An operator retried, passed or discarded a dead delivery: its lanes are probed after the others."""
        for key in lanes_of(delivery):
            # Of a run before, perhaps: then what this run accepted came since.
            self._mark(key, self._marked.get(key, 0))

    def is_marked(self, delivery: Delivery) -> bool:
        """Whether something of its lanes was refused, and nothing accepted since."""
        return any(key in self._marked for key in lanes_of(delivery))

    def _mark(self, key: int, accepted: int) -> None:
        self._marked[key] = accepted
        if len(self._marked) > _LANES_MAX:
            del self._marked[next(iter(self._marked))]


def lanes_of(delivery: Delivery) -> tuple[int, ...]:
    """Return a delivery's lanes, or its own."""
    return delivery.lanes or (OWN_LANE + delivery.id,)
