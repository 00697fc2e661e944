"""The reception budget bounds memory, lets small blocks pass, and somebody always gets on."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.core.reception import LARGE_BYTES, STALL_BYTES, STALL_SECONDS, ReceptionBudget

LIMIT = 1_000_000


class Peer:
    def __init__(self, budget: ReceptionBudget | None = None) -> None:
        self.budget = budget
        self.size = 0
        self.stopped = False
        self.given_up = 0

    def throttle(self, on: bool) -> None:
        assert on != self.stopped, "told twice"
        self.stopped = on

    def give_up(self) -> None:
        self.given_up += 1

    def grow(self, by: int) -> None:
        assert self.budget is not None
        assert not self.stopped
        self.size += by
        self.budget.changed(self, self.size)

    def end(self) -> None:
        assert self.budget is not None
        self.size = 0
        self.budget.changed(self, 0)


def peers(count: int) -> tuple[ReceptionBudget, list[Peer]]:
    budget = ReceptionBudget(LIMIT)
    return budget, [Peer(budget) for _ in range(count)]


def test_small_blocks_cost_nothing() -> None:
    """Blocks below the threshold are not even counted."""
    budget, (peer,) = peers(1)
    peer.grow(LARGE_BYTES - 1)
    assert (budget.total, peer.stopped) == (0, False)


def test_a_block_that_ends_is_forgotten() -> None:
    """Bytes are given back once, however often the end is told."""
    budget, (peer,) = peers(1)
    peer.grow(80_000)
    peer.end()
    peer.end()
    assert budget.total == 0


def test_hogs_wait_and_the_honest_pass() -> None:
    """When little is left, a block that is smaller than the others' passes, whoever came first."""
    budget, (first, hog, honest) = peers(3)
    first.grow(400_000)
    hog.grow(300_000)
    honest.grow(20_000)
    assert [peer.stopped for peer in (first, hog, honest)] == [False, True, False]
    honest.end()
    first.end()
    assert not hog.stopped
    hog.end()
    assert budget.total == 0


def test_the_oldest_goes_on_to_its_end() -> None:
    """Somebody can always finish, though the budget is passed; then it is the next one's turn."""
    _, (first, second, third) = peers(3)
    for peer in (first, second, third):
        peer.grow(330_000)
    first.grow(600_000)
    assert [peer.stopped for peer in (first, second, third)] == [False, True, True]
    first.end()
    assert not second.stopped
    second.grow(400_000)
    assert third.stopped
    second.end()
    assert not third.stopped


def test_what_is_taken_and_not_yet_routed_counts() -> None:
    """While it fills more than half of the budget nobody has the turn: it will be routed by itself."""
    budget, (first, second) = peers(2)
    first.grow(300_000)
    second.grow(100_000)
    budget.take(700_000)
    assert (first.stopped, second.stopped) == (True, True)
    budget.release(250_000)
    assert (first.stopped, second.stopped) == (False, True)
    budget.release(450_000)
    assert (first.stopped, second.stopped) == (False, False)


def test_who_has_the_turn_and_stalls_is_given_up() -> None:
    """Only while others wait, and only when less than STALL_BYTES come in STALL_SECONDS."""
    budget, (first, second) = peers(2)
    first.grow(700_000)
    budget.watch(0.0)
    budget.watch(2 * STALL_SECONDS)
    assert not first.given_up, "nobody waits"
    second.grow(200_000)
    assert second.stopped
    now = 3 * STALL_SECONDS
    for _ in range(5):
        budget.watch(now)
        first.grow(STALL_BYTES)
        now += STALL_SECONDS - 1
    budget.watch(now)
    assert not first.given_up, "it gets on"
    first.grow(STALL_BYTES - 1)
    budget.watch(now + STALL_SECONDS + 1)
    assert (first.given_up, second.given_up) == (1, 0)
    first.end()
    budget.watch(now + STALL_SECONDS + 2)
    assert (first.given_up, second.given_up) == (1, 0)


CHUNK = 40_000
STEPS = st.lists(st.tuples(st.integers(0, 19), st.sampled_from(["grow", "grow", "grow", "end", "route"]),
                           st.integers(1, CHUNK)), max_size=400)  # fmt: skip


@given(STEPS)
def test_whatever_senders_do_memory_is_bounded_and_somebody_gets_on(steps: list[tuple[int, str, int]]) -> None:
    """Budget, one block and a little a connection; and with all blocks ended, nothing is held and nobody stopped."""
    budget, senders = peers(20)
    taken: list[int] = []
    largest = 0
    for number, asked, size in steps:
        peer = senders[number]
        what = "route" if budget.load >= 0.8 else asked
        if what == "grow" and not peer.stopped:
            peer.grow(size)
        elif what == "end" and peer.size:
            budget.take(peer.size)
            taken.append(peer.size)
            peer.end()
        elif what == "route" and taken:
            budget.release(taken.pop(0))
        largest = max(largest, *(one.size for one in senders))
        open_ = [one for one in senders if one.size >= LARGE_BYTES]
        assert budget.total <= LIMIT + largest + len(senders) * (2 * LARGE_BYTES + CHUNK)
        if open_ and sum(taken) <= LIMIT // 2:
            assert not all(one.stopped for one in open_)
    for peer in senders:
        peer.end()
    for size in taken:
        budget.release(size)
    assert budget.total == 0
    assert not any(one.stopped for one in senders)
