"""The reception budget bounds memory and never stops everybody."""

from __future__ import annotations

from engine.transports.reception import ReceptionBudget


class Peer:
    def __init__(self) -> None:
        self.stopped = False

    def throttle(self, on: bool) -> None:
        self.stopped = on


def test_small_blocks_cost_nothing() -> None:
    """Blocks below the threshold are not even registered."""
    budget, peer = ReceptionBudget(100_000), Peer()
    budget.changed(peer, 60_000)
    assert (budget.total, peer.stopped) == (0, False)


def test_all_but_the_oldest_wait() -> None:
    """Over the budget the block registered first goes on, and the others as room comes back."""
    budget, first, second, third = ReceptionBudget(200_000), Peer(), Peer(), Peer()
    budget.changed(first, 90_000)
    budget.changed(second, 90_000)
    budget.changed(third, 90_000)
    assert [peer.stopped for peer in (first, second, third)] == [False, True, True]
    budget.changed(first, 150_000)
    assert [peer.stopped for peer in (first, second, third)] == [False, True, True]
    budget.changed(first, 0)
    assert [peer.stopped for peer in (first, second, third)] == [False, False, False]
    assert budget.total == 180_000


def test_a_block_that_ends_is_forgotten() -> None:
    """Bytes are given back once, however often the end is told."""
    budget, peer = ReceptionBudget(100_000), Peer()
    budget.changed(peer, 80_000)
    budget.changed(peer, 0)
    budget.changed(peer, 0)
    assert budget.total == 0
