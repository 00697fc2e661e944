"""Cuts a message into the parts that a sender sends one by one (HL7 v2.5 § 2.10.2)."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

HEADER = "MSH|^~\\&|LAB|CHA|||2026||ORU^R01|{control_id}|P|2.5||{pointer}"


def result(control_id: str, *, ipp: str = "42", lines: int = 4) -> bytes:
    """A whole: one patient, some observations; its header as `cut` writes it."""
    observations = "".join(f"OBX|{n}|TX|A^B||text number {n} & more\r" for n in range(1, lines + 1))
    header = HEADER.format(control_id=control_id, pointer="").rstrip("|")
    return f"{header}\rPID|1||{ipp}^^^CHA^PI||DOE^JANE\rPV1|1|I|U1\rOBR|1||F1\r{observations}".encode()


def cut(whole: bytes, places: Sequence[int], pointers: Sequence[str]) -> list[bytes]:
    """
    Cut a message of `result`.

    Args:
        whole: The message.
        places: Offsets behind its header, ascending: in the middle of a segment, or where one begins.
        pointers: One a cut.
    """
    head, _, rest = whole.partition(b"\r")
    shift = len(head) + 1
    bounds = [0, *(place - shift for place in places), len(rest)]
    control_id = head.split(b"|")[9].decode()
    parts = []
    for rank, (start, end) in enumerate(itertools.pairwise(bounds)):
        header = head
        if rank:
            header = HEADER.format(control_id=f"{control_id}-{rank + 1}", pointer=pointers[rank - 1]).encode()
        inside = start > 0 and rest[start - 1 : start] != b"\r"
        part = header + b"\r" + (b"ADD|" if inside else b"") + rest[start:end]
        if rank < len(pointers):
            tail = b"" if rest[end - 1 : end] == b"\r" else b"\rADD|\r"
            part += tail + b"DSC|" + pointers[rank].encode() + b"|F\r"
        parts.append(part)
    return parts
