"""What the parsers make of real messages, good and broken."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path as File

from engine.core import splices
from engine.errors import ParseError
from engine.parsers import base_of, header_of, open_message, sniff
from engine.parsers.hl7v2.ack import build_ack, read_ack
from engine.parsers.hl7v2.message import Message


def files(corpus: File) -> Iterator[tuple[str, bytes]]:
    for file in sorted(corpus.rglob("*")):
        if file.suffix in {".hl7", ".hpr"}:
            yield file.name, file.read_bytes()


def test_every_real_message_is_read_or_refused_with_a_reason(corpus: File) -> None:
    """Nothing but ParseError, and nearly all are read."""
    read = refused = 0
    for name, raw in files(corpus):
        try:
            message = open_message(raw)
            header_of(raw)
            read += 1
        except ParseError as error:
            assert error.reason, name  # noqa: PT017 - read or refused, both are right
            refused += 1
            continue
        assert all(isinstance(segment.field(n), bytes) for segment in message.segments() for n in range(1, 9)), name
    assert read >= 1200
    assert refused <= 50, refused


def test_every_real_message_comes_back_as_it_came(corpus: File) -> None:
    """Untouched, every message that is read is byte for byte what was received."""
    for name, raw in files(corpus):
        try:
            message = open_message(raw, as_utf8=False)
        except ParseError:
            continue
        assert message.to_bytes() == raw, name


def test_every_real_message_has_its_base_and_normal_form(corpus: File) -> None:
    """The base comes from the flag; normalised, it has the standard delimiters and the same segments."""
    for name, raw in files(corpus):
        try:
            message = open_message(raw)
        except ParseError:
            continue
        assert base_of(raw, message.base_flag) == message.base, name
        names = message.names
        message.normalise_delimiters()
        rendered, difference = message.render()
        assert splices.apply(raw, splices.pack(difference, message.base_flag), base_of) == rendered, name
        if message.format == "hl7v2":
            again = Message.parse(rendered, as_utf8=True)
            assert again.delimiters.usual, name
            assert again.names == names, name


def test_every_real_message_can_be_acknowledged(corpus: File) -> None:
    """The acknowledgement of each is readable and names its control id."""
    for name, raw in files(corpus):
        if sniff(raw) != "hl7v2":
            continue
        try:
            header = header_of(raw)
        except ParseError:
            continue
        answer = read_ack(build_ack(header, code="AA", now_ms=0, ack_id="1"))
        assert answer.code == "AA", name
        assert answer.control_id == header.control_id, name
