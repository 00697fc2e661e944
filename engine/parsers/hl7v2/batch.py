"""
Several messages in one block: FHS/BHS … BTS/FTS batches, or MSH after MSH (HL7 v2.5 § 2.10.3).

A message begins at each line that starts with MSH and ends before the next MSH or batch segment.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

_LINE: Final = re.compile(rb"(?:^|[\r\n])(MSH|FHS|BHS|BTS|FTS)(?=[^A-Za-z0-9\s])")


@dataclass(slots=True)
class Batch:
    """The messages of one block, in order, byte for byte, without the batch segments."""

    messages: list[bytes] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    """`batch-count`: BTS-1 says another number of messages; `file-count`: FTS-1 of batches."""


def is_batch(raw: bytes) -> bool:
    """Tell, cheaply, whether a block may hold several messages."""
    return raw.find(b"\rMSH", 3) >= 0 or raw.find(b"\nMSH", 3) >= 0 or raw[:3] in (b"FHS", b"BHS")


def split_batch(raw: bytes) -> Batch:
    """
    Cut a block into its messages.

    Counts of BTS-1 and FTS-1 that differ from what is there are findings, never a reason to drop a message.
    """
    batch = Batch()
    starts = [(match.start(1), match.group(1)) for match in _LINE.finditer(raw)]
    in_batch = batches = 0
    for index, (start, name) in enumerate(starts):
        end = starts[index + 1][0] if index + 1 < len(starts) else len(raw)
        if name == b"MSH":
            batch.messages.append(raw[start:end])
            in_batch += 1
        elif name == b"BHS":
            batches += 1
            in_batch = 0
        elif name == b"BTS":
            _check(raw[start:end], in_batch, "batch-count", batch.findings)
        elif name == b"FTS":
            _check(raw[start:end], batches, "file-count", batch.findings)
    return batch


def _check(line: bytes, counted: int, finding: str, findings: list[str]) -> None:
    declared = line[4:].split(line[3:4], 1)[0].strip()
    if declared.isdigit() and int(declared) != counted and finding not in findings:
        findings.append(finding)
