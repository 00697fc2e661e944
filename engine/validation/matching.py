"""
Compare the segments of a message with its structure: what is missing, repeated, out of order, unexpected.

Theory of operation. The names of the segments are taken one by one; a stack holds the groups that are open, from
the message itself to the innermost. Where a segment belongs is looked for from the innermost group outwards, in
three rounds, each for the whole stack:

1. *in order*: at or behind the place reached in a group; a group inside is entered, or repeated, by something with
   which it may begin;
2. *late*: in front of the place reached, where it is still missing: out of order, but not missing;
3. *in a group whose beginning is missing*: the missing part is told when the group ends.

A segment that no round places is unexpected and moves nothing. Each segment looks at each open group's children
once, so time grows with the number of segments.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from engine.validation.grammar import ANY, Item

FREE: Final = frozenset({"FHS", "BHS", "BTS", "FTS", "ADD", "DSC"})
"""Batch and continuation segments (HL7 v2.5 § 2.10.2, 2.10.3) belong to no structure."""


class Misfit(NamedTuple):
    """One thing that doesn't fit."""

    rule: str
    position: int
    """Of the segment concerned; for what is missing, of the last one before; -1: none."""
    name: str
    """Of the segment or group."""
    sentence: str


class Match(NamedTuple):
    """What comparing gave."""

    misfits: tuple[Misfit, ...]
    groups: tuple[str, ...]
    """For each segment the group in which it was placed (`PATIENT_RESULT.PATIENT`), empty for the message itself."""
    fresh: tuple[int, ...] = ()
    """For each segment how many of these groups, the innermost ones, begin with it; -1: out of order, or no place."""


class _Open:
    """One repetition of a group that is open."""

    __slots__ = ("counts", "item", "path", "reached")

    def __init__(self, item: Item, path: str) -> None:
        self.item = item
        self.path = path
        self.reached = -1
        """Index of the last child that stood."""
        self.counts = [0] * len(item.children or ())


def match_structure(root: Item, names: Sequence[str]) -> Match:
    """
    Compare.

    Args:
        root: The structure.
        names: Of the segments, in order; an empty one is a line without a name.
    """
    matcher = _Matcher(root)
    for position, name in enumerate(names):
        matcher.take(position, name)
    return matcher.end()


class _Matcher:
    """One comparison."""

    def __init__(self, root: Item) -> None:
        self._root = root
        self._stack = [_Open(root, "")]
        self._misfits: list[Misfit] = []
        self._groups: list[str] = []
        self._fresh: list[int] = []
        self._last = -1
        self._last_name = ""

    def take(self, position: int, name: str) -> None:
        """Place the next segment."""
        if not name:
            self._report("no-segment", position, "", "a line that doesn't begin with the name of a segment")
        elif name in FREE:
            pass
        elif self._in_order(position, name) or self._late(position, name) or self._headless(name):
            self._last, self._last_name = position, name
        elif not name.startswith("Z"):  # segments that sites agree on may stand anywhere
            known = self._root.holds(name)
            words = f"{name} isn't expected" + (f" after {self._last_name}" if known else f" in {self._root.name}")
            self._report("unexpected-segment", position, name, words)
        if len(self._groups) <= position:
            self._groups.append("")
            self._fresh.append(-1)

    def end(self) -> Match:
        """Close what is open."""
        while self._stack:
            self._close()
        return Match(tuple(self._misfits), tuple(self._groups), tuple(self._fresh))

    # --- rounds ------------------------------------------------------------------------------------------

    def _in_order(self, position: int, name: str) -> bool:
        for depth in range(len(self._stack) - 1, -1, -1):
            index = self._ahead(self._stack[depth], name)
            if index is not None:
                self._close_to(depth)
                self._enter(name, index)
                return True
        return self._too_often(position, name)

    def _ahead(self, one: _Open, name: str) -> int | None:
        """Find the child at or behind the place reached that a segment may begin."""
        children = one.item.children or ()
        if one.item.choice and one.reached >= 0:
            same = children[one.reached]
            return one.reached if same.begins(name) and _has_room(same, one.counts[one.reached]) else None
        anything = None
        for index in range(max(one.reached, 0), len(children)):
            child = children[index]
            if not _has_room(child, one.counts[index]):
                continue
            if name in child.firsts:
                return index
            if anything is None and ANY in child.firsts:
                anything = index  # only what has no place of its own
        return anything

    def _too_often(self, position: int, name: str) -> bool:
        """Take a segment once more than the structure allows, where it stands just behind its like."""
        for depth in range(len(self._stack) - 1, -1, -1):
            one = self._stack[depth]
            children = one.item.children or ()
            if one.reached >= 0 and children[one.reached].begins(name):
                child = children[one.reached]
                most = "once" if child.most == 1 else f"{child.most} times"
                self._report("segment-repeated", position, child.name, f"{child.name} may stand {most} here")
                self._close_to(depth)
                self._enter(name, one.reached)
                return True
        return False

    def _late(self, position: int, name: str) -> bool:
        for depth in range(len(self._stack) - 1, -1, -1):
            one = self._stack[depth]
            if one.item.choice and one.reached >= 0:
                continue
            for index, child in enumerate((one.item.children or ())[: max(one.reached, 0)]):
                alone = child.children is None or child.choice
                if alone and name in child.names and not one.counts[index]:
                    one.counts[index] += 1
                    before = (one.item.children or ())[one.reached].name
                    sentence = f"{name} stands after {before}, {self._root.name} has it before"
                    self._report("segment-order", position, name, sentence)
                    self._groups.append(one.path)
                    self._fresh.append(-1)
                    return True
        return False

    def _headless(self, name: str) -> bool:
        for depth in range(len(self._stack) - 1, -1, -1):
            one = self._stack[depth]
            children = one.item.children or ()
            for index in range(max(one.reached, 0), len(children)):
                child = children[index]
                if child.children is not None and child.holds(name) and _has_room(child, one.counts[index]):
                    self._close_to(depth)
                    self._enter(name, index)
                    return True
        return False

    # --- the stack ---------------------------------------------------------------------------------------

    def _enter(self, name: str, index: int) -> None:
        """Put a segment into child `index` of the innermost group, opening groups down to it."""
        one = self._stack[-1]
        fresh = 0
        while True:
            one.reached = index
            one.counts[index] += 1
            child = (one.item.children or ())[index]
            if child.children is None:
                self._groups.append(one.path)
                self._fresh.append(fresh)
                return
            fresh += 1
            one = _Open(child, f"{one.path}.{child.name}" if one.path else child.name)
            self._stack.append(one)
            index = self._child_for(child.children, name)

    @staticmethod
    def _child_for(children: tuple[Item, ...], name: str) -> int:
        for index, child in enumerate(children):
            if child.begins(name):
                return index
        return next(index for index, child in enumerate(children) if child.holds(name))

    def _close_to(self, depth: int) -> None:
        while len(self._stack) > depth + 1:
            self._close()

    def _close(self) -> None:
        """End the innermost group and tell what is missing in it."""
        one = self._stack.pop()
        children = one.item.children or ()
        if one.item.choice:
            if not any(one.counts):
                names = " or ".join(child.name for child in children)
                self._missing(one, one.item, f"{names} is missing")
            return
        for child, count in zip(children, one.counts, strict=True):
            if count < child.least and child.name != ANY:
                often = f" {child.least} times" if child.least > 1 else ""
                self._missing(one, child, f"{child.name} is required{often}")

    def _missing(self, one: _Open, child: Item, words: str) -> None:
        where = one.path or self._root.name
        rule = "missing-segment" if child.children is None else "missing-group"
        self._report(rule, self._last, child.name, f"{words} in {where}")

    def _report(self, rule: str, position: int, name: str, sentence: str) -> None:
        self._misfits.append(Misfit(rule, position, name, sentence))


def _has_room(item: Item, count: int) -> bool:
    return not item.most or count < item.most
