"""Values of declarations: durations, sizes, addresses, FINESS, OIDs, charsets; each knows its JSON Schema."""

from __future__ import annotations

import ipaddress
import re
import zoneinfo
from typing import Any, Final, NamedTuple

from engine.core.brokers import BROKER_WANTED, read_broker
from engine.identity.finess import check_digit_fits, has_form
from engine.parsers.charset import codec_of
from engine.transforms.nodes import Node
from engine.transforms.shapes import REFERENCE, Reader, Shape, TextShape, refuse, scalar, shown

_UNITS_OF_SIZE: Final = {"b": 1, "kb": 1_000, "mb": 1_000_000, "gb": 1_000_000_000, "kib": 1 << 10, "mib": 1 << 20}
_QUANTITY: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,3})?) ?([A-Za-z]{1,3})\Z")


class Size(Shape):
    """`20MB`, `512KB`: bytes."""

    wants = "a size: 512KB, 20MB, 1GB"

    def read(self, node: Node, reader: Reader) -> int:
        """Read the node."""
        word = reader.word(node)
        match = _QUANTITY.match(word)
        if match is None or match[2].lower() not in _UNITS_OF_SIZE:
            raise refuse(reader, node, "E111", f"{shown(node)} is no size", "write 512KB, 20MB or 1GB")
        return int(float(match[1]) * _UNITS_OF_SIZE[match[2].lower()])

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema."""
        return {"type": "string", "pattern": rf"^[0-9.]+ ?([kKmMgG]?[bB]|[kKmM]i[bB])$|{REFERENCE}"}


class Address(NamedTuple):
    """A host and a port."""

    host: str
    port: int


class AddressShape(Shape):
    """`127.0.0.1:6101`, `[::1]:6101`, `dpi.ght.local:5500`."""

    wants = "an address: 127.0.0.1:6101, [::1]:6101, name:6101"
    _FORM: Final = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9_.*-]+)):([0-9]{1,5})\Z")

    def read(self, node: Node, reader: Reader) -> Address:
        """Read the node."""
        word = reader.word(node)
        match = self._FORM.match(word)
        if match is None or not 0 < int(match[3]) < 65536:
            raise refuse(
                reader,
                node,
                "E138",
                f"{shown(node)} is no address",
                "write a host and a port: 127.0.0.1:6101, [::1]:6101 or dpi.ght.example:6101",
            )
        return Address(match[1] or match[2], int(match[3]))

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema."""
        return {"type": "string", "pattern": rf"^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.*-]+):[0-9]{{1,5}}$|{REFERENCE}"}


class BrokerShape(Shape):
    """`mqtts://host:8883`: a broker's address, without a name or a password in it."""

    wants = "a broker's address: mqtts://host:8883"

    def read(self, node: Node, reader: Reader) -> str:
        """Read the node."""
        word = reader.word(node)
        if read_broker(word) is None:
            raise refuse(reader, node, "E138", "this is no broker's address", BROKER_WANTED)
        return word

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema."""
        return {"type": "string", "pattern": rf"^mqtts?://[^@/]+/?$|{REFERENCE}"}


class Finess(TextShape):
    """A FINESS number: nine letters and digits, never a number (leading zeros, Corsica)."""

    wants = "a FINESS number: nine characters, 000000026"

    def read(self, node: Node, reader: Reader) -> Any:
        """Read the node."""
        word = super().read(node, reader)
        if not has_form(word):
            raise refuse(
                reader, node, "E139", f"{shown(node)} is no FINESS number", "write its nine characters, zeros included"
            )
        if check_digit_fits(word) is False:
            reader.warn(node, "W209", f"the check digit of {shown(node)} doesn't fit", "look at the number again")
        return str(word)

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema; without quotes an editor sees a number, whose zeros it can't count."""
        return scalar("^[A-Za-z0-9]{9}$")


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
            raise refuse(reader, node, "E139", f"{shown(node)} is no OID", "write numbers and dots: 1.2.250.1.999.10.1")
        return str(word)

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema."""
        return {"type": "string", "pattern": rf"^[0-9]+(\.[0-9]+){{2,}}$|{REFERENCE}"}


class HdText(TextShape):
    """A part of an HD: no delimiter of HL7."""

    wants = "a text without | ^ ~ \\ &"

    def read(self, node: Node, reader: Reader) -> Any:
        """Read the node."""
        word = super().read(node, reader)
        if not word.isprintable() or any(letter in word for letter in "|^~\\&"):
            raise refuse(reader, node, "E111", f"{shown(node)} holds a delimiter of HL7", "remove | ^ ~ \\ &")
        return str(word)

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema."""
        return scalar(r"^[^|^~\\&]+$")


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

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema: names to choose from; there are others."""
        return {"anyOf": [{"enum": ["ISO-8859-1", "ISO-8859-15", "CP1252", "UTF-8", "CP850"]}, {"type": "string"}]}


class Timezone(TextShape):
    """A time zone of the IANA data base."""

    wants = "a time zone: Europe/Paris"

    def read(self, node: Node, reader: Reader) -> Any:
        """Read the node."""
        word = super().read(node, reader)
        try:
            zoneinfo.ZoneInfo(str(word))
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            raise refuse(
                reader, node, "E110", f"{shown(node)} is no time zone", "write Europe/Paris, Indian/Reunion…"
            ) from None
        return str(word)


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
                reader, node, "E138", f"{shown(node)} is no address and no network", "write 10.1.4.7 or 10.1.4.0/24"
            ) from None

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema."""
        return {"type": "string", "pattern": rf"^[0-9A-Fa-f.:]+(/[0-9]{{1,3}})?$|{REFERENCE}"}
