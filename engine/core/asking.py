"""
Questions to the hospital's own code, and their replies.

The routes are evaluated without waiting for anything. A step that needs code of the hospital's asks: it raises `Asked`,
and the evaluation ends without a decision. Who evaluates waits for the replies, in whatever way he can, and evaluates
again with them; nothing else has changed meanwhile, so the second evaluation finds them where it asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final, Protocol, TypeVar

Result = TypeVar("Result")

KEY_BYTES: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A function of the hospital's, as the configuration read it."""

    file: str
    """As findings and dead letters cite it."""
    text: str
    """The file: it counts as a part of the configuration, whatever becomes of it on disk."""
    call: str
    """Name of the function."""
    reads: frozenset[str]
    """Names of the segments that it may see."""
    writes: frozenset[str]
    """The paths that it may write, as they stand in the route."""
    timeout: float
    """Seconds after which it is ended."""


@dataclass(frozen=True, slots=True)
class Question:
    """One call of a function with what it may see of a message."""

    code: Code
    message: bytes
    """The segments that it may see, as a message: UTF-8, one CR after each."""
    facts: Mapping[str, str]
    """site, source, type, event, control_id, rank."""
    key: bytes = field(init=False)
    """Equal for equal calls on equal segments."""

    def __post_init__(self) -> None:
        digest = blake2b(digest_size=KEY_BYTES)
        for part in (self.code.text, self.code.call, *self.facts.values()):
            digest.update(part.encode("utf-8", "surrogatepass") + b"\x1f")
        digest.update(self.message)
        object.__setattr__(self, "key", digest.digest())


@dataclass(frozen=True, slots=True)
class Reply:
    """What a function did."""

    writes: Sequence[tuple[str, str | None]] = ()
    """Paths and texts, in order; None empties a path."""
    failure: str = ""
    """Why there is no result; empty: there is. It names type and line, never a value."""


Answers = Mapping[bytes, Reply]
"""Replies by the keys of their questions."""


class Asked(Exception):
    """
    An evaluation can't go on without replies.

    Attributes:
        questions: All that could be asked in one go, in order.
    """

    def __init__(self, questions: Sequence[Question]) -> None:
        super().__init__(f"{len(questions)} questions")
        self.questions = tuple(questions)


class Sandbox(Protocol):
    """Where the hospital's code runs: in other processes, which are ended when they don't return."""

    async def ask(self, question: Question) -> Reply:
        """Call the function; never raises, and returns soon after the question's timeout at the latest."""


def answered_at_once(work: Callable[[Answers], Result], ask: Callable[[Question], Reply]) -> Result:
    """
    Do work that may ask, with somebody who replies at once (a command, a test).

    Args:
        work: Gets the replies known so far; raises Asked when it needs more.
        ask: Replies to one question.
    """
    answers: dict[bytes, Reply] = {}
    while True:
        try:
            return work(answers)
        except Asked as asked:
            answers |= {question.key: ask(question) for question in new_questions(asked, answers)}


def new_questions(asked: Asked, answers: Answers) -> list[Question]:
    """Return the questions that have no reply yet, each once; there is at least one."""
    questions = {question.key: question for question in asked.questions if question.key not in answers}
    assert questions, "who asks again must find the reply"
    return list(questions.values())
