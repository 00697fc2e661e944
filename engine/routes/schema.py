"""Which keys exist in routes.yaml, and what they take: parse, lint and the editor's schema come from here."""

from __future__ import annotations

import ipaddress
from typing import Any, Final

from engine.parsers.charset import codec_of
from engine.transforms.nodes import Node
from engine.transforms.shapes import (
    AddressShape,
    Choice,
    Duration,
    Either,
    Key,
    ListOf,
    NameShape,
    Number,
    Pairs,
    Raw,
    Reader,
    Record,
    Size,
    TemplateShape,
    TextShape,
    refuse,
    shown,
)


class Finess(TextShape):
    """A FINESS number: nine letters and digits, never a number (leading zeros, Corsica)."""

    wants = "a FINESS number: nine characters, 010000024"

    def read(self, node: Node, reader: Reader) -> Any:
        """Read the node."""
        word = super().read(node, reader)
        if len(word) != 9 or not (word.isascii() and word.isalnum()):
            raise refuse(
                reader, node, "E111", f"{shown(node)} is no FINESS number", "write its nine characters, zeros included"
            )
        return str(word)


class Oid(TextShape):
    """An OID."""

    wants = "an OID: 1.2.250.1.999.10.1"

    def read(self, node: Node, reader: Reader) -> Any:
        """Read the node."""
        word = super().read(node, reader)
        parts = word.split(".")
        if len(parts) < 3 or not all(
            part.isascii() and part.isdecimal() and (part == "0" or part[0] != "0") for part in parts
        ):
            raise refuse(reader, node, "E111", f"{shown(node)} is no OID", "write numbers and dots: 1.2.250.1.999.10.1")
        return str(word)


class HdText(TextShape):
    """A part of an HD: no delimiter of HL7."""

    wants = "a text without | ^ ~ \\ &"

    def read(self, node: Node, reader: Reader) -> Any:
        """Read the node."""
        word = super().read(node, reader)
        if not word.isprintable() or any(letter in word for letter in "|^~\\&"):
            raise refuse(reader, node, "E111", f"{shown(node)} holds a delimiter of HL7", "remove | ^ ~ \\ &")
        return str(word)


class Charset(TextShape):
    """The name of a charset: what senders really emit."""

    wants = "a charset: ISO-8859-1, ISO-8859-15, CP1252, UTF-8"

    def read(self, node: Node, reader: Reader) -> Any:
        """Read the node."""
        word = super().read(node, reader)
        codec = codec_of(word)
        if not codec:
            raise refuse(
                reader,
                node,
                "E110",
                f"{shown(node)} is no charset that is known",
                "write ISO-8859-1, ISO-8859-15, CP1252, UTF-8 or CP850",
            )
        return codec


OUTGOING: Final[dict[str, tuple[str, str]]] = {
    "UTF-8": ("utf-8", "UNICODE UTF-8"),
    "ISO-8859-1": ("latin-1", "8859/1"),
    "ISO-8859-15": ("iso8859-15", "8859/15"),
    "CP1252": ("cp1252", "8859/1"),
    "ASCII": ("ascii", "ASCII"),
}
"""Charset of a destination -> Python codec, MSH-18 to match (table 0211)."""


class Network(TextShape):
    """An address or a network in CIDR form."""

    wants = "an address or a network: 10.1.4.7, 10.1.4.0/24"

    def read(self, node: Node, reader: Reader) -> Any:
        """Read the node."""
        word = super().read(node, reader)
        try:
            return str(ipaddress.ip_network(word, strict=False))
        except ValueError:
            raise refuse(
                reader, node, "E111", f"{shown(node)} is no address and no network", "write 10.1.4.7 or 10.1.4.0/24"
            ) from None


AUTHORITY: Final = Record(
    {
        "oid": Key(Oid(), default=""),
        "finess": Key(Finess(), default=""),
        "hd1": Key(HdText(), default=""),
        "hd3": Key(Choice("ISO", "L", "M", "N"), default=""),
        "type": Key(HdText(), required=True),
    }
)
_AUTHORITIES: Final = Pairs(NameShape(), AUTHORITY)
GROUP: Final = Record({"label": Key(TextShape(), default=""), "authorities": Key(_AUTHORITIES)})
SITE: Final = Record(
    {
        "label": Key(TextShape(), default=""),
        "finess_ej": Key(Finess(), default=""),
        "finess_eg": Key(Finess(), default=""),
        "charset": Key(Charset(), default="cp1252"),
        "timezone": Key(TextShape(), default="Europe/Paris"),
        "authorities": Key(_AUTHORITIES),
        "aliases": Key(Pairs(TextShape(), TextShape())),
    }
)
KEY: Final = Record(
    {
        "path": Key(ListOf(Raw(), single=True)),
        "hprim": Key(ListOf(Raw(), single=True)),
        "phi": Key(Choice("none", "pseudonym", "direct")),
    }
)
TABLE: Final = Either(TextShape(), Record({"file": Key(TextShape(), required=True)}))

_SITE_FROM: Final = Record(
    {
        "path": Key(ListOf(Raw(), single=True), required=True),
        "table": Key(Raw(), required=True),
        "on_missing": Key(Choice("dead_letter"), required=True,
                          missing="a message may tell no known site|add on_missing: dead_letter"),
    }
)  # fmt: skip
_CONTACT: Final = Pairs(TextShape(), TextShape())
_ANY_SOURCE: Final[dict[str, Key]] = {
    "type": Key(Choice("mllp", "directory"), required=True),
    "site": Key(TextShape(), default=""),
    "site_from": Key(_SITE_FROM),
    "routing": Key(NameShape(), default="main"),
    "format": Key(Choice("hl7v2", "hprim-sante", "hprim-medecin", "auto"), default="hl7v2"),
    "charset": Key(Charset(), default=""),
    "processing": Key(ListOf(TextShape(), single=True)),
    "when_unavailable": Key(Choice("wait", "ar", "ae"), default="wait"),
    "batch": Key(Choice("whole", "split"), default="split"),
    "dedupe": Key(Duration(), default=600.0),
    "max_size": Key(Size(), default=20_000_000),
    "untyped": Key(TextShape(), default=""),
    "contact": Key(_CONTACT),
}
SOURCES: Final[dict[str, Record]] = {
    "mllp": Record(
        {
            **_ANY_SOURCE,
            "listen": Key(AddressShape(), required=True),
            "ack": Key(Choice("after_store", "after_route"), default="after_store"),
            "answer_within": Key(Duration(), default=10.0),
            "missing_control_id": Key(Choice("refuse", "accept"), default="refuse"),
            "acknowledge": Key(Choice("as_asked", "always"), default="as_asked"),
            "allow": Key(ListOf(Network(), single=True)),
            "max_connections": Key(Number(1, 100_000), default=1000),
            "idle_timeout": Key(Duration(), default=0.0),
            "block_timeout": Key(Duration(), default=60.0),
        }
    ),
    "directory": Record(
        {
            **_ANY_SOURCE,
            "path": Key(TextShape(), required=True),
            "pattern": Key(TextShape(), default="*"),
            "settle": Key(Duration(), default=5.0),
            "companion": Key(TextShape(), default=""),
            "after": Key(Record({"move_to": Key(TextShape(), required=True)})),
            "poll": Key(Duration(), default=1.0),
        }
    ),
}

_DELAYS: Final = Record({"first": Key(Duration()), "longest": Key(Duration())})
_ANSWER: Final = Record(
    {
        "code": Key(TextShape(), default=""),
        "text": Key(TextShape(), default=""),
        "as": Key(Choice("ok", "busy", "refused"), required=True),
    }
)
_ENCODE: Final = Either(
    Choice("as_received"),
    Record(
        {
            "charset": Key(Choice(*OUTGOING, upper=True), default="UTF-8"),
            "segment_end": Key(Choice("CR"), default="CR"),
            "control_id": Key(Choice("own", "as_received"), default="own"),
            "unencodable": Key(Choice("dead_letter", "replace"), default="dead_letter"),
        }
    ),
)
ORDER_BY: Final = Either(Choice("patient", "all", "none"), ListOf(TextShape()))
DEAD_LETTER: Final = Record(
    {
        "lane": Key(Choice("pass", "park", "block"), required=True),
        "park_max": Key(Duration(), default=1800.0),
        "results_wait": Key(Duration(), default=300.0),
    }
)
_ANY_DESTINATION: Final[dict[str, Key]] = {
    "type": Key(Choice("mllp", "directory", "mqtt"), required=True),
    "order_by": Key(ORDER_BY),
    "encode": Key(_ENCODE),
    "dead_letter": Key(DEAD_LETTER),
    "retry": Key(
        Record(
            {
                "connect": Key(_DELAYS),
                "unknown": Key(_DELAYS),
                "busy": Key(_DELAYS),
                "attempts": Key(Number(1, 10_000)),
                "refused_attempts": Key(Number(1, 1_000)),
            }
        )
    ),
    "connect_timeout": Key(Duration(), default=10.0),
    "contact": Key(_CONTACT),
}
DESTINATIONS: Final[dict[str, Record]] = {
    "mllp": Record(
        {
            **_ANY_DESTINATION,
            "connect": Key(AddressShape(), required=True),
            "connections": Key(Number(1, 256), default=1),
            "ack_timeout": Key(Duration(), default=30.0),
            "ack_match": Key(Choice("control_id", "any"), default="control_id"),
            "answers": Key(ListOf(_ANSWER)),
        }
    ),
    "directory": Record(
        {
            **_ANY_DESTINATION,
            "path": Key(TextShape(), required=True),
            "file_name": Key(TemplateShape(paths=False)),
        }
    ),
    "mqtt": Record(
        {
            **_ANY_DESTINATION,
            "connect": Key(TextShape(), required=True),
            "topic": Key(TemplateShape(paths=False), required=True),
            "qos": Key(Number(0, 2), default=1),
            "client_id": Key(TextShape(), default=""),
            "username": Key(TextShape(), default=""),
            "password": Key(TextShape(), default=""),
            "ack_timeout": Key(Duration(), default=30.0),
        }
    ),
}

_EXIT: Final = Record(
    {
        "destination": Key(TextShape(), required=True),
        "when": Key(Raw()),
        "steps": Key(Raw()),
        "order_by": Key(ORDER_BY),
        "dead_letter": Key(DEAD_LETTER),
    }
)
ROUTE: Final = Record(
    {
        "from": Key(ListOf(TextShape(), single=True), required=True),
        "owner": Key(TextShape(), default=""),
        "when": Key(Raw()),
        "on_no_match": Key(Choice("unrouted", "filter", "dead_letter"), default="unrouted"),
        "steps": Key(Raw()),
        "to": Key(ListOf(Either(TextShape(), _EXIT), single=True), required=True),
        "order_by": Key(ORDER_BY),
        "dead_letter": Key(DEAD_LETTER),
        "tests": Key(Raw()),
    }
)
SECTIONS: Final = (
    "version", "include", "group", "sites", "lists", "tables", "keys", "sources", "destinations", "steps", "routes",
)  # fmt: skip
