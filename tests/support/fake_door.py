"""A destination door whose receiver is a function: it says what becomes of each delivery, and after how long."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.core.messages import Delivery
from engine.core.ports import Runtime, SendOutcome, SendResult

Done = Callable[[Delivery, SendOutcome], None]


def accepted(delivery: Delivery, code: str = "AA") -> SendOutcome:
    """The receiver's acknowledgement, with our control id."""
    return answer(delivery.control_id, code)


def answer(control_id: str, code: str = "AA", *, error: str = "", text: str = "") -> SendOutcome:
    """An acknowledgement; `error`: ERR-3.1, `text`: MSA-3."""
    segments = [
        "MSH|^~\\&|DPI|GHT|PASSERELLE|GHT|20250615120000||ACK^A01^ACK|1|P|2.5",
        f"MSA|{code}|{control_id}" + (f"|{text}" if text else ""),
    ]
    if error:
        segments.append(f"ERR||PID^1^3|{error}^^HL70357|E")
    return SendOutcome(SendResult.ANSWERED, "\r".join([*segments, ""]).encode())


NOT_SENT = SendOutcome(SendResult.NOT_SENT, reason="connection refused")
NO_ANSWER = SendOutcome(SendResult.NO_ANSWER, reason="no answer within 30 s")


class FakeDoor:
    """core.ports.DestinationDoor without any transport."""

    def __init__(self, runtime: Runtime, *, capacity: int = 4, latency: float = 0.005) -> None:
        self.capacity = capacity
        self.latency = latency
        self.receiver: Callable[[Delivery], SendOutcome | None] = accepted
        """What becomes of a delivery; None: it hangs, and NO_ANSWER comes after `timeout`."""
        self.timeout = 30.0
        self.sent: list[tuple[float, int]] = []
        """(monotonic, delivery) of each send."""
        self.taken: list[int] = []
        """Deliveries that the receiver accepted, in its order."""
        self.flags: dict[int, int] = {}
        """Flags of each delivery at its last send."""
        self.under_way = 0
        self.most_under_way = 0
        self._runtime = runtime

    async def open(self) -> None:
        """Nothing to prepare."""

    def send(self, delivery: Delivery, data: bytes, done: Done) -> None:
        assert self.under_way < self.capacity, "more sends than the door allows"
        assert data, "nothing to send"
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        self.sent.append((self._runtime.monotonic(), delivery.id))
        self.flags[delivery.id] = delivery.flags
        outcome = self.receiver(delivery)
        wait = self.latency
        if outcome is None:
            outcome, wait = NO_ANSWER, self.timeout

        def end() -> None:
            self.under_way -= 1
            if f"MSA|AA|{delivery.control_id}\r".encode() in outcome.data or outcome.result is SendResult.ACCEPTED:
                self.taken.append(delivery.id)
            done(delivery, outcome)

        self._runtime.call_later(wait, end)

    async def close(self) -> None:
        """Nothing to close."""

    def facts(self) -> dict[str, Any]:
        return {"connections": self.capacity}

    async def probe(self) -> list[tuple[str, bool, str]]:
        return [("fake", True, "always there")]
