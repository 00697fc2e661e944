"""
`normalise_identity: { on_unknown, on_conflict }`: say who the patient is, and write his federation identifier.

PID-3 leaves with the federation identifier first, then the site's own numbers, then the INS, which the gate of each
destination lets out or not. Authorities of PID-18, PID-21, PV1-19, PV1-50, MRG and ZBE-1 are completed. Nothing else
is touched: no order number, no OBX, no trait (PAM France 2.11.1; RNIV 1 v2.0, § 4.9).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from engine.identity.deciding.decision import Code
from engine.identity.policy import OnUnknown, Unknown
from engine.identity.undeclared import undeclared
from engine.transforms.completing import Completion, carry_out
from engine.transforms.identifying import (
    OnUnknownShape,
    SentElsewhere,
    Unidentified,
    Waits,
    identifier,
    joined,
    read_identifiers,
    require_section,
)
from engine.transforms.nodes import Entries, Node
from engine.transforms.shapes import Choice, Key, Reader, Record, Verb, refuse
from engine.transforms.step import Context, Step

if TYPE_CHECKING:
    from engine.identity.authorities import Authority, Recogniser
    from engine.identity.deciding.decision import Decision, Edit
    from engine.parsers.hl7v2.message import Message
    from engine.transforms.identifying import Rewritten


_NO_CONFLICT: Final = frozenset({Code.UNKNOWN, Code.NOBODY, Code.NOT_ASSERTED, Code.NUMBERS})
"""Of dead letters that concern nobody but their own message: the destination says what becomes of the lane."""
_NAMED_MAX: Final = 3
"""Authorities that one sentence names."""


class NormaliseIdentity(Step):
    """Decide who the patient is, and write it."""

    __slots__ = ("_completion", "_recogniser", "on_unknown")

    def __init__(self, on_unknown: OnUnknown, recogniser: Recogniser) -> None:
        super().__init__("normalise_identity")
        self.on_unknown = on_unknown
        self._recogniser = recogniser
        self._completion = Completion(recogniser)

    def apply(self, context: Context) -> None:
        """
        Decide, and write.

        Raises:
            Unidentified: A dead letter of class identity.
            Waits: Nobody knows the patient yet.
            SentElsewhere: Nobody knew him until the wait was over.
            Unread: Rows of the cross-reference were never read.
        """
        identities = context.identities
        assert identities is not None, "no configuration loads this verb without the section"
        decision = identities.decide(context, self.on_unknown)
        context.findings += [one for one in decision.findings if one not in context.findings]
        if decision.outcome == "dead":
            lanes = () if decision.code in _NO_CONFLICT else decision.parked
            named = self._undeclared(context) if decision.code == Code.NOBODY else ""
            raise Unidentified(decision.code, decision.reason + named, lanes=lanes)
        if decision.send_to:
            raise SentElsewhere(decision.send_to)
        if decision.outcome == "wait":
            assert decision.wait is not None, "it says for what it waits"
            raise Waits(decision.wait, decision.reason)
        if context.format == "hl7v2":
            message = context.message
            if message.codec != "utf-8" or not message.delimiters.usual:  # received bytes: edits are of what is read
                edits = self._edits(message, decision, identities.group)
            elif decision.edits is None:
                edits = decision.edits = self._edits(message, decision, identities.group)
            else:
                edits = decision.edits
            carry_out(message, edits)
            self._completion.complete_movements(message)

    def _undeclared(self, context: Context) -> str:
        """Return the end of a sentence: whose numbers PID-3 has, where no site declares them."""
        message = context.message
        if context.format != "hl7v2":
            return ""
        found: dict[str, None] = {}
        for position in message.positions(b"PID"):
            field = message.peek(position).field(3)
            found.update(dict.fromkeys(undeclared(field, self._recogniser, message.delimiters)))
        named = list(found)[:_NAMED_MAX]
        return f". PID-3 has numbers of {', '.join(named)}" if named else ""

    def _edits(self, message: Message, decision: Decision, group: Authority) -> list[Edit]:
        """Return how the identifiers leave."""
        edits: list[Edit] = []
        patients = decision.patients
        for rank, position in enumerate(message.positions(b"PID")):
            data = message.peek(position).field(3)
            patient = patients[rank] if rank < len(patients) else None
            spellings = self._recogniser.spellings(message.delimiters)
            found = read_identifiers(data, spellings, group, decision.left_out)
            written = _field(message, patient.number if patient is not None else "", found, group)
            if written and written != data:
                edits.append((b"PID", rank, 3, written))
        return edits + self._completion.edits(message)


def _field(message: Message, number: str, found: Rewritten, group: Authority) -> bytes:
    """Write PID-3: the federation identifier, numbers of sites, INS, then what else stood there."""
    ours = [identifier(number, group, message)] if number else found.ours
    return joined(message, [*ours, *(one for _, one in found.local), *found.ins, *found.others])


def build(arguments: Any, reader: Reader, node: Node) -> Step:
    """Make the step for the reader's site."""
    registry = require_section(reader, node, "normalise_identity")
    on_unknown: OnUnknown = arguments["on_unknown"]
    if registry == "follow" and on_unknown.action is Unknown.MINT:
        where = node.get("on_unknown") if isinstance(node, Entries) else None
        raise refuse(
            reader, where or node, "E118", "with registry: follow another registry numbers the patients",
            "write on_unknown: pass | dead_letter | { hold: 72h, then: dead_letter }",
        )  # fmt: skip
    return NormaliseIdentity(on_unknown, reader.site_recogniser())


_SHAPE = Record(
    {
        "on_unknown": Key(
            OnUnknownShape("mint", "pass", "dead_letter"),
            required=True,
            about="What becomes of a message whose patient nobody knows.",
            missing="nobody may know the patient|"
            "add on_unknown: mint | pass | dead_letter | { hold: 72h, then: dead_letter }",
        ),
        "on_conflict": Key(
            Choice("dead_letter"),
            required=True,
            about="What becomes of a message that contradicts what is known.",
            missing="identities may contradict each other|"
            "add on_conflict: dead_letter: what comes for both patients waits for a person",
        ),
    }
)
VERB = Verb("normalise_identity", _SHAPE, build, "say who the patient is across the sites, and write his group number")
