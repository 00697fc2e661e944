"""
The language of the transcripts: text in, scenarios out; every line is understood or refused with its place.

README.md beside this file says what the lines mean. Nothing here knows the engine.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

HOSPITALS: Final = ("cha", "chb", "chc")
SENDERS: Final = (*HOSPITALS, "lis", "ville", "dpi", "mpi")
DESTINATIONS: Final = ("dpi", "pacs", "lis", "desk")
GIVEN: Final = {
    "registry": ("own", "follow"),
    "on_merge": ("review", "emit"),
    "contracts": ("none", "all", "cha with chb"),
    "unknown results": ("hold", "hold then desk", "dead_letter", "pass", "mint"),
    "desk gets": ("nothing", "identities"),
    "dead letters": ("park", "pass"),
    "connections": ("1", "4"),
}
"""What the file of routes may say otherwise in one scenario; the first is what it says by itself."""

_EVENT = r"[A-Z]\d\d"
_LABEL = r'(?: "(?P<label>[^"]+)")?'
_LOCAL = rf"(?:{'|'.join(HOSPITALS)}) [^\s,;]+"
_ROWS = rf"(?:formerly )?{_LOCAL}(?:, (?:formerly )?{_LOCAL})*"
_PATIENT = r"(?:G\d+|ght \w+)"
_STATUS: Final = "qualified|validated|retrieved|provisional|unsaid"
_SAID = rf"(?:; (?P<person>\w+)(?:, (?P<status>{_STATUS}))?)?"
IDENTIFIER: Final = re.compile(rf"{_LOCAL}|{_PATIENT}|(?:INS|NIA)(?: of)? \w+|test INS \w+|NIR \w+|raw \S+")
_SECTIONS: Final = (
    "",
    "NDA ",
    "visit ",
    "alternate visit ",
    "movement ",
    "mother ",
    "social security ",
    "insurance ",
    "guarantor ",
    "was NDA ",
    "was visit ",
    "was alternate visit ",
    "was ",
)
"""How a part of what a destination receives begins; the order is that of README.md."""


class NotUnderstood(Exception):
    """A line that means nothing; says where, and what is allowed there."""


@dataclass
class Line:
    """Where something stands."""

    number: int
    text: str


@dataclass
class Receipt:
    """One message that a destination receives."""

    destination: str
    message: str
    """Event and label, as `A28 "first"`; a derived one as `derived A40`."""
    identifiers: str
    line: Line | None = None
    anew: str = ""
    """What it may be instead where messages come without a pause: what follows may part its patients while it waits."""

    def __str__(self) -> str:
        return self._with(self.identifiers)

    def in_turn(self) -> list[str]:
        """Return what it may be where messages come without a pause."""
        return [self._with(one) for one in (self.identifiers, self.anew) if one]

    def _with(self, identifiers: str) -> str:
        return f"{self.destination} receives {self.message}: {identifiers}"


@dataclass
class Step:
    """One line of what happened, and what came of it."""

    line: Line
    verb: str
    """send, repeat, down, up, mute, answers, hours, kill, restart, link, unlink, apart, undo, retry, pass, discard,
    apply, hold, release, carriers, import, renew."""
    words: dict[str, str] = field(default_factory=dict)
    receipts: list[Receipt] = field(default_factory=list)
    refused: str = ""
    """The word or code that the refusal holds; empty: it is accepted."""
    carried: list[str] = field(default_factory=list)
    """Of `who received`: the answer, one a line."""


@dataclass
class Scenario:
    """One transcript."""

    name: str
    file: str
    line: int
    plan: list[str] = field(default_factory=list)
    given: dict[str, str] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    end: list[Line] = field(default_factory=list)
    text: list[Line] = field(default_factory=list)


_STEPS: Final = tuple(
    (verb, re.compile(pattern))
    for verb, pattern in (
        ("send", rf"(?P<source>\w+) sends (?P<event>{_EVENT}){_LABEL}(?: for (?P<site>\w+))?: (?P<fields>.+)"),
        ("repeat", r'(?P<source>\w+) sends "(?P<label>[^"]+)" again'),
        ("down", r"(?P<destination>\w+) is down"),
        ("up", r"(?P<destination>\w+) is up"),
        ("mute", r"(?P<destination>\w+) no longer answers"),
        ("answers", r"(?P<destination>\w+) answers again"),
        ("hours", r"(?P<hours>\d+) hours pass"),
        ("kill", r"the engine is killed and starts again"),
        ("restart", r"the engine stops and starts again"),
        ("link", rf"officer links (?P<low>{_PATIENT}) and (?P<high>{_PATIENT})"),
        ("unlink", rf"officer unlinks (?P<identifier>{IDENTIFIER.pattern})(?P<another>: another person's)?"),
        ("apart", rf"officer says that (?P<low>{_PATIENT}) and (?P<high>{_PATIENT}) are two people"),
        ("undo", rf"officer undoes the last decision about (?P<patient>{_PATIENT})"),
        ("import", rf"officer imports (?P<number>number \d+|ght \w+): (?P<identifiers>{_ROWS}){_SAID}"),
        ("renew", r"a new engine takes over what this one exports"),
        ("carriers", rf"officer asks who received (?P<identifier>{IDENTIFIER.pattern})"),
        ("retry", rf"operator retries (?P<event>{_EVENT}){_LABEL}"),
        ("pass", rf"operator passes (?P<event>{_EVENT}){_LABEL}"),
        ("discard", rf"operator discards (?P<event>{_EVENT}){_LABEL}"),
        ("apply", r"operator applies (?P<name>[a-z_ ]+): (?P<value>.+)"),
        ("hold", r"operator holds (?P<destination>\w+)"),
        ("release", r"operator releases (?P<destination>\w+)"),
    )
)  # fmt: skip
_RECEIVES: Final = re.compile(
    rf"(?P<to>\w+(?:, \w+)*) receives? (?P<derived>derived )?(?P<event>{_EVENT}){_LABEL}: "
    r"(?P<identifiers>.+?)(?: or, made anew: (?P<anew>.+))?"
)
_CARRIED: Final = re.compile(rf"(?P<to>\w+) received (?P<derived>derived )?(?P<event>{_EVENT}){_LABEL}")
_ATTRIBUTE: Final = "homonym|doubtful|fictive|anonymous|hidden|duplicate|collision|nameless|usurped"
_END: Final = tuple(
    re.compile(pattern)
    for pattern in (
        rf"{_PATIENT} is (?:(?:formerly )?(?:{IDENTIFIER.pattern})(?:, )?)+",
        rf"{_PATIENT} has no identifier",
        r"nobody is known",
        rf"(?:{'|'.join(HOSPITALS)}) says that {_PATIENT} is (?:{_STATUS})(?:, (?:{_ATTRIBUTE}))*",
        rf"stay {_LOCAL} is of {_PATIENT}",
        rf"to review: {_PATIENT} and {_PATIENT}, [\w-]+",
        rf'waiting: {_EVENT}(?: "[^"]+")?',
        rf'dead: {_EVENT}(?: "[^"]+")? E-[A-Z0-9-]+',
        rf'unsent at \w+: {_EVENT}(?: "[^"]+")?',
    )
)


def read(path: Path) -> list[Scenario]:
    """
    Return the scenarios of a file.

    Raises:
        NotUnderstood: A line means nothing, or stands in the wrong place.
    """
    return list(_Reader(path).scenarios())


def message_name(event: str, label: str | None, *, derived: bool = False) -> str:
    """Return how a transcript names a message."""
    return ("derived " if derived else "") + event + (f' "{label}"' if label else "")


class _Reader:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._scenario: Scenario | None = None
        self._step: Step | None = None
        self._ending = False

    def scenarios(self) -> Iterator[Scenario]:
        for number, text in enumerate(self._path.read_text("utf-8").splitlines(), 1):
            line = Line(number, text.rstrip())
            if line.text.startswith("scenario: "):
                if self._scenario is not None:
                    yield self._finished()
                name = line.text.removeprefix("scenario: ").strip()
                self._scenario, self._step, self._ending = Scenario(name, self._path.stem, number), None, False
                self._scenario.text.append(line)
            elif self._scenario is not None:
                self._scenario.text.append(line)
                if line.text.strip() and not line.text.lstrip().startswith("#"):
                    self._take(self._scenario, line)
            elif line.text and not line.text.startswith("#"):
                raise self._refused(line, "a file begins with remarks (#) and `scenario: NAME`")
        if self._scenario is not None:
            yield self._finished()

    def _finished(self) -> Scenario:
        scenario = self._scenario
        assert scenario is not None
        while scenario.text and not scenario.text[-1].text.strip():
            scenario.text.pop()
        last = scenario.text[-1]
        if not scenario.plan:
            raise self._refused(last, "a scenario says which sentence it shows: `  plan: …`")
        if not scenario.steps or not scenario.end:
            raise self._refused(last, "a scenario has steps, and ends with `  in the end` and what is known then")
        return scenario

    def _take(self, scenario: Scenario, line: Line) -> None:
        indent = len(line.text) - len(line.text.lstrip())
        if indent not in (2, 4):
            raise self._refused(line, "two spaces before what happens, four before what comes of it")
        text = line.text.strip()
        if indent == 2:
            self._happens(scenario, line, text)
        elif self._ending:
            self._ends(scenario, line, text)
        else:
            self._follows(line, text)

    def _happens(self, scenario: Scenario, line: Line, text: str) -> None:
        if self._ending:
            raise self._refused(line, "nothing stands after `in the end` but what is known then")
        if text.startswith("plan: "):
            scenario.plan.append(text.removeprefix("plan: "))
        elif text.startswith("given "):
            self._given(scenario, line, text)
        elif text == "in the end":
            self._ending, self._step = True, None
        else:
            self._step = self._read_step(line, text)
            scenario.steps.append(self._step)

    def _given(self, scenario: Scenario, line: Line, text: str) -> None:
        name, _, value = text.removeprefix("given ").partition(": ")
        self._check_given(line, name, value)
        scenario.given[name] = value

    def _check_given(self, line: Line, name: str, value: str) -> None:
        if value not in GIVEN.get(name, ()):
            allowed = "; ".join(f"{one}: {' | '.join(values)}" for one, values in GIVEN.items())
            raise self._refused(line, f"allowed: {allowed}")

    def _read_step(self, line: Line, text: str) -> Step:
        for verb, pattern in _STEPS:
            found = pattern.fullmatch(text)
            if found is None:
                continue
            words = {name: value for name, value in found.groupdict().items() if value is not None}
            if words.get("source", "cha") not in SENDERS:
                raise self._refused(line, f"who sends is one of {', '.join(SENDERS)}")
            if words.get("destination", "dpi") not in DESTINATIONS:
                raise self._refused(line, f"a destination is one of {', '.join(DESTINATIONS)}")
            if words.get("site", "cha") not in HOSPITALS:
                raise self._refused(line, f"a hospital is one of {', '.join(HOSPITALS)}")
            if words.get("source") in ("lis", "dpi") and verb == "send" and "site" not in words:
                raise self._refused(line, f"{words['source']} serves several hospitals: say `for cha`")
            if verb == "apply":
                self._check_given(line, words["name"], words["value"])
            return Step(line, verb, words)
        raise self._refused(line, "no line of the language; README.md lists them")

    def _follows(self, line: Line, text: str) -> None:
        step = self._step
        if step is None:
            raise self._refused(line, "before it must stand what happens")
        if text.startswith("is refused: "):
            step.refused = text.removeprefix("is refused: ")
        elif step.verb == "carriers":
            if _CARRIED.fullmatch(text) is None:
                raise self._refused(line, "the answer is written `dpi received A28`, one line each")
            step.carried.append(text)
        else:
            step.receipts.extend(self._receipts(line, text))

    def _receipts(self, line: Line, text: str) -> Iterator[Receipt]:
        found = _RECEIVES.fullmatch(text)
        if found is None:
            raise self._refused(line, "written `dpi receives A28: G1, cha 1001; was cha 1002`, or `is refused: …`")
        name = message_name(found["event"], found["label"], derived=bool(found["derived"]))
        for identifiers in filter(None, (found["identifiers"], found["anew"])):
            self._check_parts(line, identifiers)
        for destination in found["to"].split(", "):
            if destination not in DESTINATIONS:
                raise self._refused(line, f"a destination is one of {', '.join(DESTINATIONS)}")
            yield Receipt(destination, name, found["identifiers"], line, found["anew"] or "")

    def _check_parts(self, line: Line, identifiers: str) -> None:
        ranks = []
        for part in identifiers.split("; "):
            start = next(one for one in (*_SECTIONS[1:], "") if part.startswith(one))
            ranks.append(_SECTIONS.index(start))
            for one in part.removeprefix(start).split(", "):
                if IDENTIFIER.fullmatch(one) is None and one != "no identifier":
                    raise self._refused(line, f"{one!r} is no identifier: cha 1001, G1, ght 8001, INS …, raw …")
        if ranks != sorted(set(ranks)):
            raise self._refused(line, f"each part once, in this order: PID-3, {', '.join(_SECTIONS[1:])}")

    def _ends(self, scenario: Scenario, line: Line, text: str) -> None:
        if not any(pattern.fullmatch(text) for pattern in _END):
            raise self._refused(line, "no line of what is known in the end; README.md lists them")
        scenario.end.append(Line(line.number, text))

    def _refused(self, line: Line, allowed: str) -> NotUnderstood:
        return NotUnderstood(f"{self._path.name}:{line.number}: {line.text.strip()!r} isn't understood: {allowed}")
