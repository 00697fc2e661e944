"""
`localise_identity: { site, on_unknown }`: from the group's record to a site's system, with the site's own number.

The number that the performing site uses for the patient today stands first in PID-3; the other identifiers follow as
they came, authorities completed. Without such a number the message waits: a system must not meet a patient under a
number that it doesn't know.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.identity.policy import OnUnknown, Unknown
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
from engine.transforms.nodes import Node
from engine.transforms.shapes import Key, Reader, Record, TemplateShape, Verb
from engine.transforms.step import Context, Step

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.core.identities import IdentifierRow, PatientRow
    from engine.identity.authorities import Authority, Recogniser
    from engine.transforms.identifying import Identification
    from engine.transforms.text import Text

_NO_SITE = "E-ID-SITE"
_NO_NUMBER = "E-ID-NO-NUMBER"
_SEVERAL = "E-ID-SEVERAL-NUMBERS"


class LocaliseIdentity(Step):
    """Put the number of one site in front."""

    __slots__ = ("_authorities", "_completion", "_recogniser", "_site", "on_unknown")

    def __init__(
        self, site: Text, on_unknown: OnUnknown, recogniser: Recogniser, authorities: Mapping[str, Authority]
    ) -> None:
        super().__init__("localise_identity")
        self._site = site
        self.on_unknown = on_unknown
        self._recogniser = recogniser
        self._completion = Completion(recogniser)
        self._authorities = authorities

    def apply(self, context: Context) -> None:
        """
        Look the patient up, and write.

        Raises:
            Unidentified: No site is named, the site has several numbers for him, or none with `dead_letter`.
            Waits: The site has no number for him yet.
            SentElsewhere: It had none until the wait was over.
            Unread: Rows of the cross-reference were never read.
        """
        identities = context.identities
        assert identities is not None, "no configuration loads this verb without the section"
        site = self._site.render(context)
        authority = self._authorities.get(site)
        if authority is None:
            raise Unidentified(_NO_SITE, "the performing site that the step names is none of the group", field="")
        patients = identities.patients(context.message)
        rows = [self._number(identities, patient, authority) for patient in patients]
        if not rows or None in rows:
            self._unknown(context, identities, patients, authority)
        if context.format == "hl7v2":
            self._write(context, identities, rows, authority)

    def _number(
        self, identities: Identification, patient: PatientRow | None, authority: Authority
    ) -> IdentifierRow | None:
        if patient is None:
            return None
        rows = [row for row in identities.numbers(patient, authority.site) if row.authority == authority.key]
        if len(rows) > 1:
            raise Unidentified(_SEVERAL, f"the site {authority.site} has several numbers for this patient")
        return rows[0] if rows else None

    def _unknown(
        self,
        context: Context,
        identities: Identification,
        patients: tuple[PatientRow | None, ...],
        authority: Authority,
    ) -> None:
        rule = self.on_unknown
        reason = f"the site {authority.site} has no number for this patient"
        if identities.waits(rule):
            raise Waits(identities.wait(context.message, patients, authority.site, rule), f"{reason} yet")
        if rule.action is Unknown.HOLD:
            rule = rule.after_wait
        if rule.action is Unknown.SEND:
            raise SentElsewhere(rule.destination)
        if rule.action is not Unknown.PASS:
            raise Unidentified(_NO_NUMBER, reason)

    def _write(
        self, context: Context, identities: Identification, rows: list[IdentifierRow | None], authority: Authority
    ) -> None:
        message = context.message
        spellings = self._recogniser.spellings(message.delimiters)
        for rank, position in enumerate(message.positions(b"PID")):
            data = message.peek(position).field(3)
            row = rows[rank] if rank < len(rows) else None
            found = read_identifiers(data, spellings, identities.group)
            first = [] if row is None else [identifier(row.value, authority, message)]
            rest = [*found.ours, *(one for _, one in found.local), *found.ins, *found.others]
            written = joined(message, [*first, *rest])
            if written and written != data:
                message.own(position).set_field(3, written)
        carry_out(message, self._completion.edits(message))
        self._completion.complete_movements(message)


def build(arguments: Any, reader: Reader, node: Node) -> Step:
    """Make the step."""
    require_section(reader, node, "localise_identity")
    return LocaliseIdentity(
        arguments["site"], arguments["on_unknown"], reader.site_recogniser(), reader.patient_authorities()
    )


_SHAPE = Record(
    {
        "site": Key(
            TemplateShape(),
            required=True,
            about="The performing site: a name, or a text that gives one.",
            missing='whose number is wanted|add site: cha, or a value of the message: site: "{ORC-21.10}"',
        ),
        "on_unknown": Key(
            OnUnknownShape("pass", "dead_letter"),
            required=True,
            about="What becomes of a message whose patient has no number there.",
            missing="the site may not know the patient|"
            "add on_unknown: { hold: 72h, then: dead_letter } | dead_letter | pass",
        ),
    }
)
VERB = Verb("localise_identity", _SHAPE, build, "put the number of the performing site in front")
