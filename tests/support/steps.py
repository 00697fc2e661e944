"""
What work costs, said so that every machine says the same: in steps, or as a ratio of two measurements of one run.

Steps are calls of functions, of Python and of C. A single call may hide a loop, so what should grow with its input
is measured in processor time too: a quadratic one takes a hundred times as long for ten times as much. An absolute
time stands in no test: it says how fast the machine was.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any, Final

STEPS_RATIO_MAX: Final = 40
"""Of ten times the size: what is large is cut line by line, what is small at once. Quadratic work has a hundred."""
STEPS_A_BYTE: Final = 0.5
"""Fewer are few, whatever they are compared with."""
SECONDS_RATIO_MAX: Final = 40
SECONDS_MIN: Final = 0.004
"""Shorter times say nothing about the work."""
TRIES: Final = 4


def calls(work: Callable[[], object]) -> list[str]:
    """Name each function that is called, of Python (as it is qualified in its module) and of C, in their order."""
    names: list[str] = []

    def profile(frame: Any, event: str, argument: Any) -> None:
        if event == "call":
            names.append(frame.f_code.co_qualname)
        elif event == "c_call":
            names.append(argument.__qualname__)

    sys.setprofile(profile)
    try:
        work()
    finally:
        sys.setprofile(None)
    names.pop()  # the end of the profile
    return names


def steps(work: Callable[[], object]) -> int:
    """Count calls of functions, of Python and of C."""
    return len(calls(work))


def seconds(work: Callable[[], object], tries: int) -> float:
    """Measure this thread's own time, the shortest of a few: another process only makes it longer."""
    best = float("inf")
    for _ in range(tries):
        begun = time.thread_time()
        work()
        best = min(best, time.thread_time() - begun)
    return best


def grown(small: Callable[[], object], large: Callable[[], object]) -> float:
    """Return how many times longer the large one takes; 0 where that is too short to say."""
    ratio = 0.0
    for tries in range(1, TRIES + 1):
        longer = seconds(large, tries)
        if longer < SECONDS_MIN:
            return 0.0
        ratio = longer / max(seconds(small, 3 * tries), 1e-6)
        if ratio < SECONDS_RATIO_MAX:
            return ratio
    return ratio


def grows_with(work: Callable[[int], Callable[[], object]], size: int) -> None:
    """
    Hold that work on ten times as much is some ten times the work.

    Args:
        work: Makes the work of a size; what it prepares is not measured.
        size: The smaller one, large enough that what every input costs is little of it.

    Raises:
        AssertionError: It has more than `STEPS_RATIO_MAX` times the steps, or takes more than `SECONDS_RATIO_MAX`
            times as long.
    """
    small, large = work(size), work(10 * size)
    small()  # what is compiled, read or remembered once is no step
    few, many = steps(small), steps(large)
    assert many <= STEPS_RATIO_MAX * few, f"{few} steps for {size}, then {many} for {10 * size}"
    ratio = grown(small, large)
    assert ratio < SECONDS_RATIO_MAX, f"{ratio:.0f} times as long for {10 * size} as for {size}"
