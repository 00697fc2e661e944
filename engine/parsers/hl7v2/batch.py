"""
Several messages in one block: FHS/BHS … BTS/FTS batches, or MSH after MSH (HL7 v2.5 § 2.10.3).

A message begins at each line that starts with MSH and ends before the next MSH or batch segment. Messages of one
block that continue each other (DSC, § 2.10.2) are joined.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from engine.errors import ParseError
from engine.parsers.hl7v2.fragments import rejoin
from engine.parsers.sniff import BLANKS, UTF8_MARK

_BLANKS: Final = BLANKS + UTF8_MARK
_LEADS: Final = frozenset(bytes((code,)) for code in _BLANKS)
MESSAGES_MAX: Final = 10_000
"""More in one block is no batch that a hospital sends: each costs a row, an answer and a delivery."""

_ENVELOPE: Final = (b"FHS", b"BHS", b"BTS", b"FTS")
_AFTER_NAME: Final = re.compile(rb"...[^\w\s]", re.DOTALL)
_HEADER: Final = re.compile(rb"MSH[^\w\s][^\w\s]")
_COUNT_DIGITS_MAX: Final = 10


@dataclass(slots=True)
class Batch:
    """The messages of one block, in order, byte for byte, without the batch segments."""

    messages: list[bytes] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    """
    `batch-count`: BTS-1 says another number of messages than there are in its batch; `file-count`: FTS-1 of batches.
    `batch-not-ended`, `file-not-ended`: BHS without BTS, FHS without FTS, so that something may be missing.
    """
    headers: int = 0
    """How many MSH were found; more than messages where some continue others."""
    enveloped: bool = False
    """There are batch segments."""


class _Tally:
    """Counts what an envelope holds, and compares with what it says."""

    def __init__(self) -> None:
        self.findings: dict[str, None] = {}
        self._messages = self._batches = 0
        self._open: set[bytes] = set()

    def message(self) -> None:
        if not self._messages and b"BHS" not in self._open:
            self._batches += 1  # BHS may be left out
        self._messages += 1

    def envelope(self, name: bytes, line: bytes) -> None:
        if name == b"FHS":
            self._close(b"BHS", b"FHS")
            self._open.add(name)
        elif name == b"BHS":
            self._close(b"BHS")
            self._open.add(name)
            self._batches += 1
        elif name == b"BTS":
            self._compare(line, self._messages, "batch-count")
            self._open.discard(b"BHS")
            self._messages = 0
        else:
            self._close(b"BHS")
            self._compare(line, self._batches, "file-count")
            self._open.discard(b"FHS")
            self._batches = 0

    def end(self) -> None:
        self._close(b"BHS", b"FHS")

    def _close(self, *names: bytes) -> None:
        """Take note of envelopes that end without their trailer."""
        for name in names:
            if name in self._open:
                self._open.discard(name)
                self.findings["batch-not-ended" if name == b"BHS" else "file-not-ended"] = None
            if name == b"BHS":
                self._messages = 0

    def _compare(self, line: bytes, counted: int, finding: str) -> None:
        declared = line[4:].split(line[3:4], 1)[0].strip()
        if declared.isdigit() and (len(declared) > _COUNT_DIGITS_MAX or int(declared) != counted):
            self.findings[finding] = None


def is_batch(raw: bytes) -> bool:
    """Tell, cheaply, whether a block may hold several messages."""
    if raw.find(b"\rMSH", 3) >= 0 or raw[:3] in (b"FHS", b"BHS"):
        return True
    if raw.find(b"\n") >= 0 and raw.find(b"\nMSH", 3) >= 0:
        return True
    return raw[:1] in _LEADS and raw[:64].strip(_BLANKS)[:3] in (b"FHS", b"BHS")


def split_batch(raw: bytes) -> Batch:
    """
    Cut a block into its messages.

    What an envelope says otherwise than what is there is a finding, never a reason to drop a message.

    Raises:
        ParseError: Something stands outside every message (it would be lost), or there are more than
            MESSAGES_MAX of them. The sender keeps the block.
    """
    batch, tally = Batch(), _Tally()
    starts = _starts(raw)
    if starts and raw[: starts[0][0]].strip(_BLANKS):
        raise ParseError("the block doesn't begin with MSH, BHS or FHS: what stands before it would be lost")
    for index, (start, name) in enumerate(starts):
        end = starts[index + 1][0] if index + 1 < len(starts) else len(raw)
        if name == b"MSH":
            batch.messages.append(raw[start:end])
            tally.message()
            continue
        batch.enveloped = True
        line, _, rest = raw[start:end].replace(b"\n", b"\r").partition(b"\r")
        if rest.strip(_BLANKS):
            raise ParseError(f"a segment stands outside every message of the batch, after {name.decode()}")
        tally.envelope(name, line)
    tally.end()
    batch.headers = len(batch.messages)
    batch.findings = list(tally.findings)
    if len(batch.messages) > 1 and raw.find(b"DSC") >= 0:
        batch.messages = rejoin(batch.messages)
    return batch


def _starts(raw: bytes) -> list[tuple[int, bytes]]:
    """Return where each message and each batch segment begins."""
    first_end = raw.find(b"\r")
    feed = raw.find(b"\n")
    # where segments end with CR, a line feed is text: `MSH` after it begins nothing
    by_cr = first_end >= 0 and (feed < 0 or first_end < feed)
    starts: list[tuple[int, bytes]] = []
    for start in _line_starts(raw, b"MSH", feed=feed >= 0):
        if not _HEADER.match(raw, start) or (by_cr and _after_feed(raw, start)):
            continue
        starts.append((start, b"MSH"))
        if len(starts) > MESSAGES_MAX:
            raise ParseError(f"more than {MESSAGES_MAX} messages in one block: send them in several")
    for name in _ENVELOPE:
        starts += [(start, name) for start in _line_starts(raw, name, feed=feed >= 0) if _AFTER_NAME.match(raw, start)]
    starts.sort()
    return starts


def _after_feed(raw: bytes, start: int) -> bool:
    return raw.endswith(b"\n", 0, start) and not raw.endswith(b"\r\n", 0, start)


def _line_starts(raw: bytes, name: bytes, *, feed: bool) -> Iterator[int]:
    """Give where lines begin that start with a name, also the first one behind a byte order mark and blanks."""
    lead = len(raw) - len(raw.lstrip(_BLANKS)) if raw[:1] in _LEADS else 0
    if raw.startswith(name, lead) and raw[lead - 1 : lead] not in (b"\r", b"\n"):
        yield lead
    for end in (b"\r", b"\n") if feed else (b"\r",):
        position = raw.find(end + name)
        while position >= 0:
            yield position + 1
            position = raw.find(end + name, position + 1)
