"""Messages in a file that the user names, or that come on stdin."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Final

from engine.cli.send import messages_in
from engine.errors import OperationRefused

_ID: Final = re.compile(r"\d{1,19}(-\d{1,9})?")


def is_id(text: str) -> bool:
    """Whether a word names a stored message or delivery (`48211`, `48211-0`) rather than a file."""
    return _ID.fullmatch(text) is not None


def messages_of(path: Path) -> list[bytes]:
    """
    Read the messages of a file.

    Args:
        path: Its path; `-` is stdin.

    Returns:
        One element a message: a block of MLLP, or what begins at each MSH, or the file as a whole.

    Raises:
        OperationRefused: It can't be read (usage), or is empty.
    """
    shown = "stdin" if str(path) == "-" else f"'{path}'"
    try:
        data = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    except OSError as error:
        raise OperationRefused(f"{shown} can't be read: {error.strerror}", exit_code=2) from None
    messages = messages_in(data)
    if not messages:
        raise OperationRefused(f"{shown} is empty: it holds no message")
    return messages
