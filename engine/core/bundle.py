"""
A message with the files that go beside it, as one piece of bytes: the payload of a delivery to a folder.

Layout: the number of files, then for each its name and its content, then the message; every length is eight bytes,
little-endian, before what it measures.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from engine.core.messages import PayloadKind

if TYPE_CHECKING:
    from engine.core.messages import Delivery

_LENGTH: Final = 8


class Bundle(NamedTuple):
    """What a bundle holds."""

    data: bytes
    """The message."""
    files: list[tuple[str, bytes]]
    """Name (`folder/name`, or the name alone) and content, in order."""


def pack(data: bytes, files: Sequence[tuple[str, bytes]]) -> bytes:
    """Put a message and its files together."""
    parts = [len(files).to_bytes(_LENGTH, "little")]
    for name, content in files:
        written = name.encode("utf-8", "surrogateescape")
        parts += (_measured(written), written, _measured(content), content)
    return b"".join([*parts, data])


def unpack(bundle: bytes) -> Bundle:
    """
    Take them apart.

    Raises:
        ValueError: These bytes are no bundle.
    """
    count, position = _number(bundle, 0)
    files: list[tuple[str, bytes]] = []
    for _ in range(count):
        name, position = _piece(bundle, position)
        content, position = _piece(bundle, position)
        files.append((name.decode("utf-8", "surrogateescape"), content))
    return Bundle(bundle[position:], files)


def message_of(delivery: Delivery) -> bytes:
    """Return the message that a delivery in memory carries, without the files beside it."""
    data = delivery.rendered or b""
    return unpack(data).data if delivery.payload_kind is PayloadKind.BUNDLE else data


def _measured(piece: bytes) -> bytes:
    return len(piece).to_bytes(_LENGTH, "little")


def _number(bundle: bytes, position: int) -> tuple[int, int]:
    end = position + _LENGTH
    if end > len(bundle):
        raise ValueError("no bundle: it ends too early")
    return int.from_bytes(bundle[position:end], "little"), end


def _piece(bundle: bytes, position: int) -> tuple[bytes, int]:
    length, start = _number(bundle, position)
    if start + length > len(bundle):
        raise ValueError("no bundle: it ends too early")
    return bundle[start : start + length], start + length
