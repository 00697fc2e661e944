"""Addresses of MQTT brokers (the scheme of the MQTT URI convention: `mqtt`, `mqtts`)."""

from __future__ import annotations

from typing import Final, NamedTuple
from urllib.parse import urlsplit

BROKER_WANTED: Final = "write mqtt://host:1883 or mqtts://host:8883, and username and password as keys of their own"
"""What to do where an address is none; it repeats nothing of it, since somebody may have written a password there."""
_PORTS: Final = {"mqtt": 1883, "mqtts": 8883}


class Broker(NamedTuple):
    """Where a broker is."""

    host: str
    port: int
    secure: bool
    """By TLS."""


def read_broker(url: str) -> Broker | None:
    """
    Read a broker's address.

    Args:
        url: `mqtt://host`, `mqtts://host:8883`.

    Returns:
        None: it is none; a name and a password in it are none either.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:  # a port above 65535, a bracket that isn't closed
        return None
    if parts.scheme not in _PORTS or not parts.hostname or parts.username is not None or parts.path not in ("", "/"):
        return None
    if parts.query or parts.fragment or port == 0:
        return None
    return Broker(parts.hostname, port or _PORTS[parts.scheme], parts.scheme == "mqtts")
