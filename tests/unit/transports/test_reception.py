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
    budget.changed(peer, 4_000)
    assert (budget.total, peer.stopped) == (0, False)


def test_hogs_wait_and_the_honest_pass() -> None:
    """Over the budget those above their share stop; one below it goes on, whoever came first."""
    budget, hog, other, honest = ReceptionBudget(300_000), Peer(), Peer(), Peer()
    budget.changed(hog, 180_000)
    budget.changed(other, 150_000)
    budget.changed(honest, 20_000)
    assert [peer.stopped for peer in (hog, other, honest)] == [True, True, False]
    budget.changed(honest, 0)
    budget.changed(hog, 0)
    assert [peer.stopped for peer in (hog, other)] == [False, False]


def test_when_all_are_large_the_oldest_goes_on() -> None:
    """Somebody can always finish; then the next one, and in the end nobody is stopped."""
    budget, first, second, third = ReceptionBudget(200_000), Peer(), Peer(), Peer()
    for peer in (first, second, third):
        budget.changed(peer, 90_000)
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
