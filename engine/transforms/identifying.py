"""
What the verbs of identity ask, what they may end with, and how the identifiers that leave are written.

Values are never touched. What is written is the federation identifier, in front, and the authorities: all three parts
of an HD between establishments (HL7 v2.5 § 2.A.14 and § 2.A.28; French constraints on data types, CX and HD).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from engine.errors import StepFailed
from engine.identity.authorities import spell
from engine.identity.policy import DEAD_LETTER, MINT, PASS, OnUnknown, Unknown
from engine.identity.spellings import INS_ARC, NULL, text_of
from engine.transforms.nodes import Node
from engine.transforms.shapes import Choice, Duration, Either, Key, Reader, Record, TextShape, refuse

if TYPE_CHECKING:
    from engine.core.identities import IdentifierRow, PatientRow, Wait
    from engine.identity.authorities import Authority
    from engine.identity.decisions import Decision
    from engine.identity.spellings import Spellings
    from engine.parsers.hl7v2.message import Message
    from engine.transforms.step import Context, Step

_INS: Final = INS_ARC.encode()


class Identification(Protocol):
    """Who the patients of one message are."""

    group: Authority
    """Who gives the federation identifiers."""

    def decide(self, context: Context, on_unknown: OnUnknown) -> Decision:
        """
        Decide who they are: once for what a message says; asked again, the decision is the same.

        Raises:
            Unread: Rows are needed that nobody has read (identity.crossreference).
        """

    def patients(self, message: Message) -> tuple[PatientRow | None, ...]:
        """Return the patient whom each PID of a message names, deciding nothing; raises Unread."""

    def numbers(self, patient: PatientRow, site: str) -> list[IdentifierRow]:
        """Return the numbers that a site uses for a patient today; raises Unread."""

    def wait(self, message: Message, patients: Sequence[PatientRow | None], site: str, on_unknown: OnUnknown) -> Wait:
        """Return what ends the wait of a message for its patients to be known, or to have a number of that site."""

    def waits(self, on_unknown: OnUnknown) -> bool:
        """Whether the message waits under this rule; False: its time is over."""


class Waits(Exception):
    """The message waits as a whole for a patient to become known: nothing of it leaves meanwhile."""

    def __init__(self, wait: Wait, reason: str) -> None:
        super().__init__(reason)
        self.wait = wait
        self.reason = reason


class SentElsewhere(Exception):
    """`then: { send_to: DEST }`: the message goes, as it is, to one destination where a person looks."""

    def __init__(self, destination: str) -> None:
        super().__init__(destination)
        self.destination = destination


class Unidentified(StepFailed):
    """
    A dead letter of class identity.

    Attributes:
        lanes: Lane keys of both sides of a conflict: the dead letter holds them, whatever its destination does with
            others. Empty: nobody but this message is concerned.
    """

    tolerable = False

    def __init__(self, code: str, reason: str, *, field: str = "PID-3", lanes: tuple[int, ...] = ()) -> None:
        super().__init__(code, reason, field=field)
        self.lanes = lanes


class Rewritten(NamedTuple):
    """The identifiers of one PID-3 by what they are, each as it is written."""

    ours: list[bytes]
    """Of the group."""
    local: list[tuple[Authority, bytes]]
    ins: list[bytes]
    others: list[bytes]


def read_identifiers(
    data: bytes, spellings: Spellings, group: Authority, left_out: Collection[tuple[str, str]] = ()
) -> Rewritten:
    """
    Sort the repetitions of PID-3 by what they are, authorities completed.

    Args:
        data: The field.
        spellings: How the site writes authorities.
        group: Who gives the federation identifiers.
        left_out: As of identity.deciding.decision.Decision.
    """
    found = Rewritten([], [], [], [])
    for value, spelling in spellings.identifiers(data):
        authority = spelling.authority
        if not value and not spelling.received:
            continue
        if left_out and (spelling.reference, text_of(value.strip())) in left_out:
            continue
        if _INS in spelling.received:
            found.ins.append(value + spelling.received)
        elif authority is None or not authority.of_patients or not value or value == NULL:
            found.others.append(value + (spelling.received if authority is None else spelling.tail))
        elif authority.key == group.key:
            found.ours.append(value + spelling.tail)
        else:
            found.local.append((authority, value + spelling.tail))
    return found


def identifier(value: str, authority: Authority, message: Message) -> bytes:
    """Write a CX with its authority; without a component delimiter there is no way to say whose it is."""
    marks = message.delimiters
    if not marks.component:
        return b""
    parts = (value.encode(), b"", b"", spell(authority, marks), authority.type.encode())
    return marks.component.join(parts)


def joined(message: Message, identifiers: Sequence[bytes]) -> bytes:
    """Make a field of its repetitions, each once; where there can be only one, the first."""
    written = list(dict.fromkeys(one for one in identifiers if one))
    mark = message.delimiters.repetition
    return mark.join(written) if mark else written[0] if written else b""


class OnUnknownShape(Either):
    """`on_unknown: mint | pass | dead_letter | { hold: 72h, then: dead_letter | { send_to: DEST } }`."""

    def __init__(self, *words: str) -> None:
        self._words: dict[str, OnUnknown] = {word.value: made for word, made in _AT_ONCE.items() if word.value in words}
        elsewhere = Key(TextShape(), required=True, about="The destination where a person looks.")
        then = Either(Choice("dead_letter"), Record({"send_to": elsewhere}))
        missing = "a patient may stay unknown|add then: dead_letter | { send_to: DEST }"
        hold = Record(
            {
                "hold": Key(Duration(), required=True, about="How long the message waits for its patient."),
                "then": Key(then, required=True, missing=missing, about="What becomes of it when nobody knew him."),
            }
        )
        super().__init__(Choice(*self._words), hold)

    def read(self, node: Node, reader: Reader) -> OnUnknown:
        """Read the node."""
        value: Any = super().read(node, reader)
        if isinstance(value, str):
            return self._words[value]
        then = value["then"]
        after = DEAD_LETTER
        if not isinstance(then, str):
            destination = str(then["send_to"])
            if destination not in reader.destinations():
                hint = reader.suggest(destination, list(reader.destinations()))
                raise refuse(reader, then["send_to"].node, "E116", f"there is no destination {destination}", hint)
            after = OnUnknown(Unknown.SEND, destination=destination)
        return OnUnknown(Unknown.HOLD, hold_ms=int(value["hold"] * 1000), then=after)


_AT_ONCE: Final[dict[Unknown, OnUnknown]] = {Unknown.MINT: MINT, Unknown.PASS: PASS, Unknown.DEAD_LETTER: DEAD_LETTER}


def require_section(reader: Reader, node: Node, verb: str) -> str:
    """
    Return who numbers the patients of the group.

    Raises:
        Unreadable: There is no section `identity`.
    """
    registry = reader.registry()
    if not registry:
        sentence = f"{verb} needs to know who numbers the patients of the group"
        raise refuse(reader, node, "E105", sentence, "add the section identity: { registry: own }")
    return registry


def sent_elsewhere(steps: Iterable[Step]) -> frozenset[str]:
    """Return the destinations to which steps send what nobody knows (`then: { send_to: DEST }`)."""
    return frozenset(name for rule in rules_for_unknown(steps) if (name := rule.after_wait.destination))


def rules_for_unknown(steps: Iterable[Step]) -> list[OnUnknown]:
    """Return what each of the steps does with a message whose patient nobody knows, those inside others too."""
    found: list[OnUnknown] = []

    def look(step: Step) -> Step:
        rule = getattr(step, "on_unknown", None)
        if isinstance(rule, OnUnknown):
            found.append(rule)
        return step

    for step in steps:
        step.wrapped(look)
    return found
