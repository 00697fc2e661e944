"""
The lane keys of one message's deliveries: of its patients, or of declared keys, as received and as sent.

A part of a message that was made several of has the keys of its own patients only, as received and as sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.identity.patients import Reference, patient_fields, patient_references
from engine.routes.searching import key_authority

if TYPE_CHECKING:
    from engine.core.references import References
    from engine.identity.authorities import Recogniser
    from engine.parsers.hl7v2.message import Message
    from engine.routes.configuration import Configuration, Destination, Exit, Order
    from engine.transforms.step import Context


class LaneKeys:
    """What the walk of a message knows of lanes."""

    __slots__ = (
        "_configuration", "_fields", "_message", "_patients", "_received", "_recogniser", "_references", "_site",
        "_source_name", "context",
    )  # fmt: skip

    context: Context
    _message: Message
    _recogniser: Recogniser

    def __init__(self, configuration: Configuration, references: References, source_name: str) -> None:
        """Keep what keys are made with; message, context, site and recogniser come when they are known."""
        self._configuration = configuration
        self._references = references
        self._source_name = source_name
        self._site = ""
        self._received: tuple[int, ...] | None = None
        self._fields: list[bytes] = []
        self._patients: list[Reference] = []

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
            self._patients = patient_references(self._message, self._recogniser, self._fields)
            self._received = self._hashes(self._patients)
        return self._received

    def lane_of_source(self) -> tuple[int, ...]:
        """Return the lane of a message that names no patient."""
        return (self._references.hash("source", "", self._source_name),)

    def _patient_lanes(self, after: Context | None) -> tuple[int, ...]:
        lanes = self.received_patients()
        if after is not None:
            fields = patient_fields(after.message)
            if fields != self._fields:
                patients = patient_references(after.message, self._recogniser, fields)
                if patients != self._patients:  # to complete CX-4 and CX-5 rewrites the field, not the reference
                    lanes = tuple(dict.fromkeys((*lanes, *self._hashes(patients))))
        return lanes or self.lane_of_source()

    def _lanes_of_part(self, order: Order, after: Context | None, received: Message) -> tuple[int, ...]:
        if order.by != "patient":
            lanes = self._key_lanes(order, self.context.fork(received), after)
        else:
            messages = [received] if after is None else [received, after.message]
            patients = [one for message in messages for one in patient_references(message, self._recogniser)]
            lanes = tuple(dict.fromkeys(self._hashes(patients)))
        return lanes or self.lane_of_source()

    def _hashes(self, patients: list[Reference]) -> tuple[int, ...]:
        make = self._references.hash
        return tuple([make("patient", key, value) for key, value in patients])

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
