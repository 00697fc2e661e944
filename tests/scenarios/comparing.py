"""What differs between a transcript and what happened, told at the line where it belongs."""

from __future__ import annotations

import re
from collections import Counter

from tests.scenarios.language import Receipt, Scenario, Step

Told = dict[int, list[str]]
"""Number of a line -> what is to be told after it."""


def of_step(step: Step, receipts: list[Receipt], refused: str, carried: list[str]) -> Told:
    """Compare what came of one step: each destination's messages in their order, the refusal, the answer."""
    told: Told = {}
    last = max([step.line.number, *(one.line.number for one in step.receipts if one.line is not None)])
    for destination in dict.fromkeys(one.destination for one in (*step.receipts, *receipts)):
        expected = [one for one in step.receipts if one.destination == destination]
        actual = [str(one) for one in receipts if one.destination == destination]
        if [str(one) for one in expected] == actual:
            continue
        told.setdefault(last, []).extend(f"but {line}" for line in actual or [f"{destination} receives nothing"])
    if step.refused and step.refused not in refused:
        told.setdefault(last, []).append(f"but it is refused: {refused}" if refused else "but it is accepted")
    elif refused and not step.refused:
        told.setdefault(last, []).append(f"but it is refused: {refused}")
    if step.verb == "carriers" and Counter(step.carried) != Counter(carried):
        told.setdefault(last + len(step.carried), []).extend(
            f"but the answer is: {line}" for line in carried or ["nobody"]
        )
    return told


def of_all(scenario: Scenario, receipts: list[Receipt]) -> Told:
    """Compare what every destination received in the whole transcript, in any order: messages came without a pause."""
    actual = Counter(map(str, receipts))
    lines: list[str] = []
    for expected in (one for step in scenario.steps for one in step.receipts):
        came = next((one for one in expected.in_turn() if actual[one]), None)
        if came is None:
            lines.append(f"but never: {expected}")
        else:
            actual[came] -= 1
    lines += [f"but also: {line}" for line in actual.elements()]
    return {scenario.steps[-1].line.number: lines} if lines else {}


def of_end(scenario: Scenario, known: list[str]) -> Told:
    """
    Compare what is known in the end.

    What sites say, and of whom a stay is, is compared where the transcript says it; everything else must be there.
    """
    actual = Counter(_canonical(line) for line in known)
    told: Told = {}
    for line in scenario.end:
        wanted = _canonical(line.text)
        if actual[wanted]:
            actual[wanted] -= 1
        else:
            told.setdefault(line.number, []).append("but this is not so")
    more = [line for line in actual.elements() if not _optional(line)]
    if more:
        told.setdefault(scenario.end[-1].number, []).extend(f"but also: {line}" for line in more)
    return told


def annotated(scenario: Scenario, told: Told) -> str:
    """Return the transcript with what differs under the lines that differ."""
    lines = [f"{scenario.file}.txt:{scenario.line}"]
    for line in scenario.text:
        differences = told.get(line.number, [])
        lines.append(("> " if differences else "  ") + line.text)
        lines.extend(f">     {' ' * 8}{one}" for one in differences)
    return "\n".join(lines)


def _optional(line: str) -> bool:
    return " says that " in line or line.startswith("stay ")


def _canonical(line: str) -> str:
    """Return the line with its identifiers in one order."""
    found = re.fullmatch(r"(.+? is )(.+)", line)
    if found is None or " is known" in line or line.startswith("stay "):
        return line
    return found[1] + ", ".join(sorted(found[2].split(", ")))
