"""
Several messages in one block: FHS/BHS … BTS/FTS batches, or MSH after MSH (HL7 v2.5 § 2.10.3).

A message begins at each line that starts with MSH and ends before the next MSH or batch segment.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from engine.errors import ParseError
from engine.parsers.sniff import BLANKS, UTF8_MARK

_BLANKS: Final = BLANKS + UTF8_MARK
MESSAGES_MAX: Final = 10_000
"""More in one block is no batch that a hospital sends: each costs a row, an answer and a delivery."""

_ENVELOPE: Final = re.compile(rb"(?:^|[\r\n])(FHS|BHS|BTS|FTS)(?=[^\w\s])")
_MESSAGE: Final = re.compile(rb"(?:^|[\r\n])(MSH)(?=([^\w\s])[^\w\s])")
_MESSAGE_AFTER_CR: Final = re.compile(rb"(?:^|\r\n?)(MSH)(?=([^\w\s])[^\w\s])")
"""Where segments end with CR, a line feed is text: `MSH` after it begins nothing."""


@dataclass(slots=True)
class Batch:
    """The messages of one block, in order, byte for byte, without the batch segments."""

    messages: list[bytes] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    """`batch-count`: BTS-1 says another number of messages; `file-count`: FTS-1 of batches."""
    enveloped: bool = False
    """There are batch segments."""


def is_batch(raw: bytes) -> bool:
    """Tell, cheaply, whether a block may hold several messages."""
    return raw.find(b"\rMSH", 3) >= 0 or raw.find(b"\nMSH", 3) >= 0 or raw[:3] in (b"FHS", b"BHS")


def split_batch(raw: bytes) -> Batch:
    """
    Cut a block into its messages.

    Counts of BTS-1 and FTS-1 that differ from what is there are findings, never a reason to drop a message.

    Raises:
        ParseError: Something stands outside every message (it would be lost), or there are more than
            MESSAGES_MAX of them. The sender keeps the block.
    """
    batch = Batch()
    starts = _starts(raw)
    if starts and raw[: starts[0][0]].strip(_BLANKS):
        raise ParseError("the block doesn't begin with MSH, BHS or FHS: what stands before it would be lost")
    in_batch = batches = 0
    for index, (start, name) in enumerate(starts):
        end = starts[index + 1][0] if index + 1 < len(starts) else len(raw)
        if name == b"MSH":
            batch.messages.append(raw[start:end])
            in_batch += 1
            continue
        batch.enveloped = True
        line, _, rest = raw[start:end].replace(b"\n", b"\r").partition(b"\r")
        if rest.strip(_BLANKS):
            raise ParseError(f"a segment stands outside every message of the batch, after {name.decode()}")
        if name == b"BHS":
            batches += 1
            in_batch = 0
        elif name == b"BTS":
            _check(line, in_batch, "batch-count", batch.findings)
        elif name == b"FTS":
            _check(line, batches, "file-count", batch.findings)
    return batch


def _starts(raw: bytes) -> list[tuple[int, bytes]]:
    """Return where each message and each batch segment begins."""
    first_end = raw.find(b"\r")
    feed = raw.find(b"\n")
    by_cr = first_end >= 0 and (feed < 0 or first_end < feed)
    messages = _MESSAGE_AFTER_CR if by_cr else _MESSAGE
    starts: list[tuple[int, bytes]] = []
    for match in messages.finditer(raw):
        starts.append((match.start(1), b"MSH"))
        if len(starts) > MESSAGES_MAX:
            raise ParseError(f"more than {MESSAGES_MAX} messages in one block: send them in several")
    starts += [(match.start(1), match.group(1)) for match in _ENVELOPE.finditer(raw)]
    starts.sort()
    return starts


def _check(line: bytes, counted: int, finding: str, findings: list[str]) -> None:
    declared = line[4:].split(line[3:4], 1)[0].strip()
    if declared.isdigit() and int(declared) != counted and finding not in findings:
        findings.append(finding)
