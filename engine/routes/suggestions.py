"""`did you mean …?`: the nearest allowed word, by Damerau-Levenshtein distance with a threshold."""

from __future__ import annotations

from collections.abc import Iterable


def distance(one: str, other: str) -> int:
    """Count insertions, deletions, substitutions and swaps of neighbours between two words."""
    before: list[int] = []
    last = list(range(len(other) + 1))
    for row, letter in enumerate(one, 1):
        current = [row]
        for column, against in enumerate(other, 1):
            cost = 0 if letter == against else 1
            best = min(current[-1] + 1, last[column] + 1, last[column - 1] + cost)
            if row > 1 and column > 1 and letter == other[column - 2] and one[row - 2] == against:
                best = min(best, before[column - 2] + 1)
            current.append(best)
        before, last = last, current
    return last[-1]


def suggest(text: str, allowed: Iterable[str]) -> str:
    """
    Return what to write instead of a word.

    Returns:
        `did you mean x?` when exactly one word is nearest and near enough (a third of its letters), else
        the list of what is allowed.
    """
    words = list(dict.fromkeys(allowed))
    ranked = sorted((distance(text.lower(), word.lower()), word) for word in words)
    if ranked and ranked[0][0] <= max(1, (len(text) + 2) // 3) and (len(ranked) == 1 or ranked[1][0] > ranked[0][0]):
        return f"did you mean {ranked[0][1]}?"
    if not words:
        return "none is declared"
    return f"allowed: {', '.join(words)}"
