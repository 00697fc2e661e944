"""Stored messages as fixtures for tests: made about nobody, so that no patient comes into a file of the project."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from engine.errors import OperationRefused, ParseError
from engine.operations.desk import Answer, Desk
from engine.operations.rows import read_place

if TYPE_CHECKING:
    from engine.core.messages import StoredMessage
    from engine.core.references import References

_MOST: Final = 200
_ENDINGS: Final = {"hl7v2": "hl7", "hprim-sante": "hpr", "hprim-medecin": "hpm"}


async def message_export(desk: Desk, who: str, ids: Sequence[str]) -> Answer:
    """
    Give messages with made-up identities and moved dates, their structure kept; it stands in the audit trail.

    Args:
        desk: Where.
        who: Name of the operator.
        ids: Of messages that go together, in order: the same patient stays the same in all.

    Returns:
        `rows`: id, file (a name for it) and base64.
    """
    if not ids:
        raise OperationRefused("which messages? give their ids", exit_code=2)
    if len(ids) > _MOST:
        raise OperationRefused(f"{_MOST} messages at most", exit_code=2)
    if desk.references is None:
        raise OperationRefused("without the data directory's key no message can be exported")
    messages = [await _message(desk, one) for one in ids]
    rows = await asyncio.to_thread(_exported, messages, desk.references)
    await desk.audit(who, "export", f"message {', '.join(ids)} as a fixture for tests", "")
    return {"v": 1, "rows": rows}


async def _message(desk: Desk, text: str) -> StoredMessage:
    if "-" in text:
        raise OperationRefused(f"'{text}' is a delivery: messages are exported as received", exit_code=2)
    place = read_place(text)
    stored = await desk.store.message(place)
    if stored is None:
        raise OperationRefused(f"there is no message {place}, or its body is no longer kept")
    return stored


def _exported(messages: list[StoredMessage], references: References) -> list[dict[str, Any]]:
    from engine.trials.fictive import made_fictive

    try:
        made = made_fictive(messages, references)
    except ParseError as error:
        raise OperationRefused(f"nobody can say what in it is harmless: {error}") from None
    return [
        {"id": str(one.place), "file": _name(one), "base64": base64.b64encode(data).decode("ascii")}
        for one, data in zip(messages, made, strict=True)
    ]


def _name(message: StoredMessage) -> str:
    kind = message.type.replace("^", "_").lower() or "message"
    word = "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in kind)[:40]
    return f"{word}_{message.place}.{_ENDINGS.get(message.format, 'txt')}"
