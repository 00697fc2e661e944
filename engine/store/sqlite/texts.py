"""Texts that a database can hold: a file name of unknown encoding comes as lone surrogates, which it can't."""

from __future__ import annotations

from engine.core.messages import StoredMessage

_FROM_OUTSIDE = ("peer", "name", "control_id", "type", "charset", "format")


def is_storable(message: StoredMessage) -> bool:
    """Tell whether the texts of a message can be stored as they are."""
    try:
        f"{message.peer}{message.name}{message.control_id}{message.type}{message.charset}{message.format}".encode()
    except UnicodeEncodeError:
        return False
    return True


def make_storable(message: StoredMessage) -> None:
    """
    Write lone surrogates as escapes.

    Refusing the message would make its sender repeat it for ever.
    """
    for name in _FROM_OUTSIDE:
        text: str = getattr(message, name)
        setattr(message, name, text.encode("utf-8", "backslashreplace").decode("utf-8"))
