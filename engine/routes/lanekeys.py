"""
The lane keys of one message's deliveries: of its patients, or of declared keys, as received and as sent.

A part of a message that was made several of has the keys of its own patients only, as received and as sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from engine.identity.patients import patient_fields
from engine.identity.spellings import INS_ARC
from engine.routes.identifying import Identified, knows_nobody
from engine.routes.searching import key_authority

if TYPE_CHECKING:
    from engine.core.messages import Delivery, StoredMessage
    from engine.core.references import References
    from engine.identity.authorities import Recogniser
    from engine.parsers.hl7v2.message import Message
    from engine.routes.configuration import Configuration, Destination, Exit, Order, Source
    from engine.routes.identifying import Knowledge
    from engine.transforms.step import Context

_ARC: Final = INS_ARC.encode()


class LaneKeys:
    """What the walk of a message knows of lanes."""

    __slots__ = (
        "_configuration", "_fields", "_knowledge", "_message", "_received", "_recogniser", "_references",
        "_sent", "_site", "_source", "_stored", "context", "identified",
    )  # fmt: skip

    context: Context
    _message: Message
    _recogniser: Recogniser

    def __init__(
        self, configuration: Configuration, references: References, source: Source, stored: StoredMessage,
        knowledge: Knowledge | None,
    ) -> None:  # fmt: skip
        """Keep what keys are made with; message, context, site and recogniser come when they are known."""
        self._configuration = configuration
        self._references = references
        self._source = source
        self._stored = stored
        self._knowledge = knowledge
        self.identified: Identified | None = None
        """Who its patients are; None: patients aren't known here."""
        self._site = ""
        self._received: tuple[int, ...] | None = None
        self._fields: list[bytes] = []
        self._sent: tuple[list[bytes] | None, tuple[int, ...]] = (None, ())
        """The fields from which the references of what was sent last were read, and those with the received ones."""

    def identify(self) -> None:
        """Begin to ask who the patients are, where the configuration says how; the recogniser is known."""
        if self._configuration.identity is None:
            return
        if self._knowledge is None:
            self._knowledge = knows_nobody()
        self.identified = self._knowledge.identified = Identified(
            self._configuration,
            self._source,
            self._stored,
            self._references,
            self._recogniser,
            self._knowledge,
            self.numbers_in,
        )

    def take_back(self) -> None:
        """Undo what was decided of its patients."""
        if self.identified is not None:
            self.identified.take_back()

    def left(self, sent: Context, delivery: Delivery, destination: Destination) -> None:
        """Note the numbers with which a message leaves: by them people find who received it."""
        identified = self.identified
        assert identified is not None, "asked only where patients are known"
        numbers = self._numbers(sent if sent.message is not self._message else None)
        identified.keys.update(dict.fromkeys(numbers))
        data = delivery.rendered
        if destination.gate.ins and data is not None and data.find(_ARC) >= 0:
            identified.left_with_ins(sent.message, data)

    def numbers_in(self, message: Message) -> tuple[int, ...] | None:
        """Return the hashed references of a message's patients where they are those of the message received."""
        numbers = self.received_patients()
        return numbers if patient_fields(message) == self._fields else None

    def search_keys(self) -> list[int]:
        """Return the hashes under which the message is found: of its control id, and of every declared key."""
        stored, references = self._stored, self._references
        keys: dict[int, None] = {}
        if stored.control_id:
            keys[references.hash("control", "", stored.control_id)] = None
        for key in self._configuration.keys.values():
            if key.read is not None:
                authority = key_authority(key, self._recogniser, self._site)
                for value in key.read(self.context):
                    keys[references.hash(key.name, authority, value)] = None
        return list(keys)

    def lanes_of(
        self, exit_: Exit, destination: Destination, after: Context | None, received: Message | None = None
    ) -> tuple[int, ...]:
        """
        Return the lane keys of one delivery.

        Args:
            exit_: Its entry of `to:`.
            destination: Where it goes.
            after: The message as the steps left it; None: as received.
            received: The part of the message received of which it was made; None: all of it.
        """
        order = exit_.order or destination.order
        if order.by == "none":
            return ()
        if order.by == "all":
            return (self._references.hash("all", "", ""),)
        if received is not None and received is not self._message:
            return self._lanes_of_part(order, after, received)
        if order.by == "patient":
            return self._patient_lanes(after)
        return self._key_lanes(order, self.context, after) or self.lane_of_source()

    def received_patients(self) -> tuple[int, ...]:
        """Return the hashed references of the patients of the message as received."""
        if self._received is None:
            self._fields = patient_fields(self._message)
            self._received = self._numbers_of(self._message, self._fields)
        return self._received

    def lane_of_source(self) -> tuple[int, ...]:
        """Return the lane of a message that names no patient."""
        name = self._source.renamed_from or self._source.name  # what waits under the former name leaves first
        return (self._references.hash("source", "", name),)

    def _patient_lanes(self, after: Context | None) -> tuple[int, ...]:
        numbers = self._numbers(after)
        if self.identified is not None:
            return self._identified_lanes(self.identified, numbers, self.context)
        return numbers or self.lane_of_source()

    def _numbers(self, after: Context | None) -> tuple[int, ...]:
        """Return the hashed references of the patients as received, and as sent."""
        numbers = self.received_patients()
        if after is not None:
            fields = patient_fields(after.message)
            if fields == self._sent[0]:
                return self._sent[1]
            if fields != self._fields:
                sent = self._numbers_of(after.message, fields)
                if sent != numbers:
                    numbers = tuple(dict.fromkeys((*numbers, *sent)))
            self._sent = fields, numbers
        return numbers

    def _identified_lanes(self, identified: Identified, numbers: tuple[int, ...], context: Context) -> tuple[int, ...]:
        """Return the lanes of patients by what is known of them; of a message with no number, its stay's patient's."""
        return identified.lanes(numbers) or identified.stay_lanes(context) or self.lane_of_source()

    def _lanes_of_part(self, order: Order, after: Context | None, received: Message) -> tuple[int, ...]:
        if order.by != "patient":
            lanes = self._key_lanes(order, self.context.fork(received), after)
        else:
            messages = [received] if after is None else [received, after.message]
            numbers = [one for each in messages for one in self._numbers_of(each, patient_fields(each))]
            lanes = tuple(dict.fromkeys(numbers))
            if self.identified is not None:
                return self._identified_lanes(self.identified, lanes, self.context.fork(received))
        return lanes or self.lane_of_source()

    def _numbers_of(self, message: Message, fields: list[bytes]) -> tuple[int, ...]:
        return self._configuration.numbers.of(message, fields, self._recogniser, self._references)

    def _key_lanes(self, order: Order, before: Context, after: Context | None) -> tuple[int, ...]:
        lanes: dict[int, None] = {}
        for name in order.keys:
            key = self._configuration.keys[name]
            authority = key_authority(key, self._recogniser, self._site)
            for context in (before, after):
                if context is not None and key.read is not None:
                    for value in key.read(context):
                        lanes[self._references.hash(name, authority, value)] = None
        return tuple(lanes)
