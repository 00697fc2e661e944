"""Messages of somebody, made into messages of nobody."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.core.messages import StoredMessage
from engine.core.references import References
from engine.parsers import header_of
from engine.trials.fictive import made_fictive

REFERENCES = References(b"k" * 32)


def stored(raw: bytes, place: int = 7) -> StoredMessage:
    header = header_of(raw)
    return StoredMessage(
        source="gam", group="main", raw=raw, received_ms=1, format=header.format, control_id=header.control_id,
        type=header.type, place=place,
    )  # fmt: skip


@pytest.fixture
def fictive() -> Callable[..., list[str]]:
    """Make messages, given as texts with \\n ends, and return them so."""

    def make(*texts: str, references: References = REFERENCES, codec: str = "utf-8") -> list[str]:
        messages = [stored(text.replace("\n", "\r").encode(codec), 7 + rank) for rank, text in enumerate(texts)]
        return [data.decode(codec).replace("\r", "\n") for data in made_fictive(messages, references)]

    return make
