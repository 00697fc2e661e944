"""What all rules share of one message: what it says, what is known, the draft of what is decided."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from engine.core.identities import IdentifierKind, IdentifierRow, PatientRow
from engine.identity.deciding.decision import Code, Decision, Ended, Outcome, territorial
from engine.identity.deciding.draft import Draft

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.identity.claimed import Claimed, Claims
    from engine.identity.crossreference import CrossReference
    from engine.identity.policy import IdentityPolicy, OnUnknown

SENTENCES: Final = {
    "conflict": "a message in conflict names both",
    "merge": "a hospital merged a number of the one into a number of the other",
    "link": "a hospital linked a number of the one with a number of the other",
    "ins-traits": "both have one INS qualified, but a strict trait differs",
    "ins-incomplete": "both have one INS qualified, but not all strict traits are said by both in full",
    "ins-minor": "both have one INS qualified, and the person is a minor",
    "ins-no-contract": "both have one INS qualified, by hospitals that no contract joins",
    "ins-one-side": "both name one INS, but not both hospitals have qualified it",
    "stay-elsewhere": "a stay of the one came with a number of the other",
    "same-traits": "all five strict traits were the same",
}
"""By rule, the most urgent first (draft.strength agrees): what an identity officer reads; no value of a message."""


class Terms:
    """One message on its way to a decision."""

    __slots__ = (
        "at_ms",
        "claims",
        "draft",
        "emits",
        "findings",
        "next_patient",
        "on_unknown",
        "place",
        "policy",
        "view",
    )

    def __init__(
        self, claims: Claims, view: CrossReference, policy: IdentityPolicy, on_unknown: OnUnknown,
        next_patient: Callable[[], int], place: int, at_ms: int,
    ) -> None:  # fmt: skip
        self.claims = claims
        self.view = view
        self.draft = Draft(view)
        self.policy = policy
        self.on_unknown = on_unknown
        self.next_patient = next_patient
        self.place = place
        self.at_ms = at_ms
        self.findings: list[str] = []
        self.emits: list[tuple[str, str]] = []

    def look(self, claimed: Claimed) -> IdentifierRow | None:
        """
        Look a number up, and verify that the row is that number's.

        Raises:
            Ended: Two numbers have one hash.
        """
        row = self.draft.identifier(claimed.hash)
        if row is not None and (row.value != claimed.value or row.authority != claimed.authority):
            raise Ended(
                Outcome.DEAD, Code.HASH, "two numbers have one hash: tell the maintainers, nothing was decided",
                keys=(claimed.hash,),
            )  # fmt: skip
        return row

    def find(self, claimed: Claimed) -> PatientRow | None:
        """Return the patient of a number that isn't a stay's."""
        row = self.look(claimed)
        return None if row is None else self.draft.living(row.patient)

    def put(self, claimed: Claimed, patient: int, kind: IdentifierKind | None = None) -> None:
        """Let a number be a patient's."""
        self.draft.put(
            IdentifierRow(
                claimed.hash, claimed.kind if kind is None else kind, claimed.authority, claimed.value, patient
            )
        )

    def propose(self, one: int, other: int, rule: str) -> None:
        """Put a pair on the review list."""
        if self.draft.propose(one, other, rule, SENTENCES[rule], self.place, self.at_ms):
            self.findings.append(f"review-{rule}")

    def check_asserted(self, numbers: list[Claimed]) -> None:
        """
        Let a source speak of its own numbers only (rule 0).

        Raises:
            Ended: It speaks of another's.
        """
        for one in numbers:
            if not self.policy.allows(one.site, self.claims.site):
                raise Ended(
                    Outcome.DEAD, Code.NOT_ASSERTED,
                    f"the message asserts a number of {one.site or 'the group'}, for which its source may not speak: "
                    "if it may, write may_assert at the source, then retry",
                )  # fmt: skip

    def decided(self, patients: list[int]) -> Decision:
        """Make the decision of what the draft holds; 0: the message passes without that patient."""
        event = self.draft.event(self.place, self.at_ms)
        rows = tuple(self.draft.patient(id_) if id_ else None for id_ in patients)
        if not all(patients):
            outcome = Outcome.PASS
        else:
            outcome = Outcome.DECIDED if event is not None else Outcome.KNOWN
        return Decision(outcome, rows, [event] if event is not None else [], emits=self.emits, findings=self.findings)

    def ended(self, ended: Ended) -> Decision:
        """Make the decision of a message that ends: of its draft nothing is left but the pair in conflict."""
        decision = Decision(
            ended.outcome, code=str(ended.code or ""), reason=ended.reason, findings=self.findings, wait=ended.wait,
            send_to=ended.send_to, patients=(None,) * len(self.claims.persons),
        )  # fmt: skip
        if ended.outcome is not Outcome.DEAD:
            return decision
        references = self.claims.references
        keys = dict.fromkeys(ended.keys)
        if ended.pair is not None and self.draft.minted.isdisjoint(ended.pair):
            keys.update(dict.fromkeys(territorial(references, id_) for id_ in ended.pair))
            draft = Draft(self.view)
            if draft.propose(
                *ended.pair, ended.rule, f"{SENTENCES['conflict']}: {ended.reason}", self.place, self.at_ms
            ):
                draft.did(ended.rule)
                event = draft.event(self.place, self.at_ms)
                decision.events = [event] if event is not None else []
        decision.parked = tuple(keys)
        return decision
