"""
One budget of bytes for large messages, from their first byte until they are routed.

Memory stays bounded whatever the senders do. *Open* are the bytes of large blocks that have begun and not
ended, *taken* those of large messages on their way to the disk and to their routes. A block below LARGE_BYTES
costs nothing here: the number of connections and the store's load bound those.

rules
    While half of the budget is left, everybody reads. Beyond, a connection reads only while its open block is
    smaller than half of what is left: so something is always left, and a block that is smaller than others'
    passes them (dynamic thresholds, Choudhury and Hahne 1998). Thresholds are powers of two.
    The block that became large first has the *turn*: it may be read to its end, unless the messages already
    taken fill half of the budget; these leave it by themselves. So somebody always gets on.
    Who has the turn, lets others wait and sends next to nothing for STALL_SECONDS, is given up.
    What is taken makes a load, as the store's: where it is high, intake stops all reading.

bound
    The budget, plus one block (the turn's), plus twice LARGE_BYTES and one chunk of the transport a connection.
"""

from __future__ import annotations

from typing import Final, Protocol

LARGE_BYTES: Final = 4_096
"""An open block counts from here on."""
LARGE_MESSAGE_BYTES: Final = 65_536
"""A message in custody counts from here on; smaller ones are what the store's load is for."""
STALL_SECONDS: Final = 10.0
STALL_BYTES: Final = 65_536
"""What must come within STALL_SECONDS from the one that has the turn: 52 kbit/s."""

_SMALLEST_THRESHOLD: Final = 2 * LARGE_BYTES
_NO_THRESHOLD: Final = 1 << 62
_SIZES: Final = _NO_THRESHOLD.bit_length()
_RAISED_BY: Final = 2
"""Powers of two by which the threshold rises at once: smaller rises would only stop and start everybody."""


class Throttled(Protocol):
    """A connection that can stop reading."""

    def throttle(self, on: bool) -> None:
        """Stop (True) or go on (False) reading."""

    def give_up(self) -> None:
        """End the open block, whose sender holds up others; no effect where something else keeps it from reading."""


class ReceptionBudget:
    """Bytes of large messages, over all sources."""

    def __init__(self, limit: int = 64_000_000) -> None:
        """
        Begin empty.

        Args:
            limit: Bytes; may be passed by one block at a time.
        """
        self._limit = limit
        self._open: dict[Throttled, int] = {}  # in the order in which they became large
        self._open_bytes = 0
        self._taken_bytes = 0
        self._by_size: list[set[Throttled]] = [set() for _ in range(_SIZES + 1)]
        """By the number of bits of their size."""
        self._waiting: set[Throttled] = set()
        self._reads_below = _SIZES
        """Sizes of fewer bits than this may be read."""
        self._turn: Throttled | None = None
        self._turn_seen: tuple[Throttled, int, float] | None = None
        """Who had the turn, how large its block was, and when: since then it sent less than STALL_BYTES."""

    @property
    def total(self) -> int:
        """Bytes that count now."""
        return self._open_bytes + self._taken_bytes

    @property
    def load(self) -> float:
        """0..1: how far the messages taken fill it alone; near 1 nothing more may be read, however small."""
        return min(1.0, self._taken_bytes / self._limit)

    # --- open blocks

    def changed(self, connection: Throttled, buffered: int) -> None:
        """Tell how many bytes a connection's open block holds now; 0 when it ended."""
        before = self._open.get(connection, 0)
        if buffered < LARGE_BYTES and not before:
            return
        self._open_bytes += buffered - before
        size = buffered.bit_length()
        if size != before.bit_length():
            self._by_size[before.bit_length()].discard(connection)
            self._by_size[size].add(connection)
        self._open[connection] = buffered
        if not buffered:
            self._forget(connection)
        self._balance()
        if buffered and size >= self._reads_below and connection is not self._turn:
            self._stop(connection)

    def _forget(self, connection: Throttled) -> None:
        del self._open[connection]
        self._by_size[0].discard(connection)
        if self._turn is connection:
            self._turn = None
        self._go_on(connection)

    # --- messages taken

    def take(self, size: int) -> None:
        """Count a large message that is on its way to the disk."""
        self._taken_bytes += size
        self._balance()

    def release(self, size: int) -> None:
        """Count it no more: it is routed, or was not taken after all."""
        self._taken_bytes -= size
        self._balance()

    # --- who may read

    def watch(self, now: float) -> None:
        """Give up the one that has the turn and doesn't use it; to be called about once a second (monotonic time)."""
        turn = self._turn
        if turn is None or not self._waiting:
            self._turn_seen = None
            return
        seen, size = self._turn_seen, self._open[turn]
        if seen is None or seen[0] is not turn or size - seen[1] >= STALL_BYTES:
            self._turn_seen = turn, size, now
        elif now - seen[2] > STALL_SECONDS:
            self._turn_seen = turn, size, now
            turn.give_up()

    def _balance(self) -> None:
        left = self._limit - self.total
        threshold = _NO_THRESHOLD if left >= self._limit // 2 else max(_SMALLEST_THRESHOLD, left // 2)
        below, before = threshold.bit_length(), self._reads_below
        if below < before:
            self._reads_below = below
            for size in range(below, before):
                for connection in self._by_size[size]:
                    self._stop(connection)
        elif below >= before + _RAISED_BY:
            self._reads_below = below
            for size in range(before, below):
                for connection in self._by_size[size]:
                    self._go_on(connection)
        self._give_turn()

    def _give_turn(self) -> None:
        room = self._taken_bytes <= self._limit // 2
        first = next(iter(self._open), None) if room else None
        if first is self._turn:
            return
        before, self._turn = self._turn, first
        if before is not None and self._open[before].bit_length() >= self._reads_below:
            self._stop(before)
        if first is not None:
            self._go_on(first)

    def _stop(self, connection: Throttled) -> None:
        if connection not in self._waiting and connection is not self._turn:
            self._waiting.add(connection)
            connection.throttle(True)

    def _go_on(self, connection: Throttled) -> None:
        if connection in self._waiting:
            self._waiting.discard(connection)
            connection.throttle(False)
