"""Messages of a trial, as intake would take them from their source."""

from __future__ import annotations

from pathlib import Path

from engine.core.messages import Attachment, StoredMessage
from engine.core.references import digest_of
from engine.errors import ParseError
from engine.parsers import header_of, open_message
from engine.parsers.hl7v2.batch import is_batch, split_batch
from engine.routes.cases import Given
from engine.routes.configuration import Source
from engine.routes.directories import named_by

EPOCH_MS = 1_767_225_600_000
"""2026-01-01 UTC: trials have no clock; their messages are received a second apart from then on."""


class NoMessage(Exception):
    """What is given can't be sent: the sentence says why; it holds no value."""


def taken(raw: bytes, source: Source, place: int, file: Path | None = None) -> StoredMessage:
    """
    Return bytes as a message in custody.

    Args:
        raw: One message.
        source: Where it comes from.
        place: Its rank among the messages of the trial.
        file: Where its bytes are: the files that it names are looked for beside it.

    Raises:
        NoMessage: The source would refuse them.
    """
    try:
        header = header_of(raw, source.format)
    except ParseError as error:
        raise NoMessage(f"{source.name} would refuse it: {error}") from None
    if not header.control_id and source.missing_control_id == "refuse" and header.format == "hl7v2":
        raise NoMessage(f"{source.name} would refuse it: MSH-10 is absent")
    return StoredMessage(
        source=source.name, group=source.routing, raw=raw, received_ms=EPOCH_MS + place * 1000, format=header.format,
        control_id=header.control_id, type=header.type, charset=header.charset, digest=digest_of(raw), site=source.site,
        place=place, attachments=_beside(raw, source, file),
    )  # fmt: skip


def _beside(raw: bytes, source: Source, file: Path | None) -> tuple[Attachment, ...]:
    """Read what a message names, inside the folder of its file, where its source does so."""
    name = named_by(source)
    if name is None:
        return ()
    found = []
    for one in name(raw).files:
        data = None
        if file is not None and (path := file.parent / one.path).resolve().is_relative_to(file.parent.resolve()):
            data = path.read_bytes() if path.is_file() else None
        found.append(Attachment(one.path, one.kind, data))
    return tuple(found)


def split(raw: bytes, source: Source) -> list[bytes]:
    """
    Cut a block into its messages where the source does so.

    Raises:
        NoMessage: It is a batch that can't be cut.
    """
    if source.batch != "split" or source.format not in ("hl7v2", "auto") or not is_batch(raw):
        return [raw]
    try:
        return split_batch(raw).messages
    except ParseError as error:
        raise NoMessage(f"{source.name} would refuse the block: {error}") from None


def given_bytes(given: Given, source: Source, default_charset: str) -> bytes:
    """
    Return the bytes that a test gives: of its file or its lines, changed as it says.

    Args:
        given: As written in the test.
        source: Where it comes from.
        default_charset: The source's codec, or that of its site.

    Raises:
        NoMessage: There is no such file, or what should be changed isn't there.
        StepFailed: A change can't be made.
    """
    if given.file is None:
        raw = "".join(f"{line}\r" for line in given.text.splitlines() if line.strip()).encode()
    else:
        try:
            raw = given.file.read_bytes()
        except OSError as error:
            raise NoMessage(f"{given.file}: {error.strerror or 'it cannot be read'}") from None
    if not given.changes and not given.removed:
        return raw
    try:
        message = open_message(raw, source.format, default_charset=default_charset, as_utf8=False)
    except ParseError as error:
        raise NoMessage(f"{given.name} can't be changed: {error}") from None
    for path in given.removed:
        if not path.delete(message):
            raise NoMessage(f"{given.name} has no {path.text} to leave out")
    for path, text in given.changes:
        path.write(message, text)
    return message.to_bytes()
