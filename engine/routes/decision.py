"""What the router decided on one message."""

from __future__ import annotations

from typing import Final

from engine.core.identities import IdentityEvent, Wait
from engine.core.lifecycle import MessageState
from engine.core.messages import Delivery
from engine.parsers.hl7v2.fragments import Fragment

PROCESSING: Final = "E-PROCESSING"
SITE_UNKNOWN: Final = "E-SITE-UNKNOWN"
NO_MATCH: Final = "E-NO-MATCH"
ATTACHMENT: Final = "E-ATTACHMENT"
SEVERAL: Final = "E-SEVERAL-MESSAGES"
HEADER: Final = "E-HEADER"
CHARSET: Final = "E-CHARSET"
"""The characters of a patient's line are damaged."""
DAMAGED: Final = "E-DAMAGED"
"""A line reads as a patient's or an order's, and its name is damaged."""
REJECTED: Final = "E-REJECTED"
"""A route rejects a message whose sender was answered already: a dead letter."""


class Evaluation:
    """What the router decided on one message; `core.changes.Route` is made of it."""

    __slots__ = (
        "changed",
        "charset_finding",
        "code",
        "deliveries",
        "field",
        "findings",
        "fragment",
        "identity",
        "keys",
        "patients",
        "reason",
        "releases",
        "site",
        "state",
        "type",
        "wait",
    )

    def __init__(self, state: MessageState, *, code: str = "", field: str = "", reason: str = "") -> None:
        self.state = state
        self.code = code
        self.field = field
        self.reason = reason
        """A sentence without any value of the message."""
        self.site = ""
        self.type = ""
        """`ADT^A01`, or the HPRIM context."""
        self.deliveries: list[Delivery] = []
        """In order of id; empty unless the state is ROUTED."""
        self.keys: list[int] = []
        """Search keys, hashed."""
        self.patients: tuple[int, ...] = ()
        """Hashed references of the patients, as of lanes, whatever `order_by` says; set when it is routed."""
        self.identity: list[IdentityEvent] = []
        """What was decided of patients, laid over the view already."""
        self.changed: tuple[tuple[int, int], ...] = ()
        """References of patients that it changed, as (before, after)."""
        self.releases: tuple[int, ...] = ()
        """Hashes that became known: messages that wait for one of them go on."""
        self.wait: Wait | None = None
        """Of state WAITING: what ends it."""
        self.fragment: Fragment | None = None
        """Of code FRAGMENT_WAITING: as what it is read. Whether the others are there, and until when it waits, is not
        known here."""
        self.findings: list[str] = []
        """Short codes of what is odd (parsers, steps); `tag:word` for tags."""
        self.charset_finding = ""
        """`charset-mismatch`…: counted per source, shown in its status."""
