"""
The simulated DPI: an MLLP receiver with moods, which checks the order of each patient's messages.

It remembers what it accepted. Its control port speaks one JSON object a line: `{"cmd": "stats"}`, `count`,
`dump`, `last`, `reset`, `{"cmd": "set", "mode": "busy", "delay_ms": 0, "every": 1}`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, Final

from engine.errors import DoorFailed
from engine.protocols.mllp import NEED_DATA, Block, MllpDecoder, frame
from engine.simulation.moods import WELL, Mood, MoodName, Turn

MESSAGE_BYTES_MAX: Final = 64_000_000

_ANSWERS: Final = {
    MoodName.BUSY: (b"AE", b"206^Application record locked^HL70357", b"dossier en cours d'utilisation"),
    MoodName.ERROR: (b"AE", b"", b""),
    MoodName.REJECT: (b"AR", b"", b""),
    MoodName.REFUSE: (b"AE", b"204^Unknown key identifier^HL70357", b"unknown key"),
}
"""MSA-1, ERR-3 and ERR-8 of each answer that is no acceptance (tables 0008 and 0357)."""


class Ledger:
    """What was accepted, in which order; whether a patient's message overtook another of the same patient."""

    def __init__(self) -> None:
        """Begin empty."""
        self.accepted: dict[str, list[Any]] = {}
        """Control id -> [first instant (monotonic), copies, rank, first identifier of PID-3]."""
        self.by_prefix: Counter[str] = Counter()
        self.counts: Counter[str] = Counter()
        self.inversions = 0
        self.last = b""
        self._newest: dict[str, int] = {}

    def accept(self, control_id: str, patients: list[str], payload: bytes) -> None:
        """Note an accepted message; one that comes again counts as a duplicate and can't overtake."""
        self.last = payload
        known = self.accepted.get(control_id)
        if known is not None:
            known[1] += 1
            self.counts["duplicates"] += 1
            return
        first = patients[0].partition("^")[0] if patients else ""
        self.accepted[control_id] = [time.monotonic(), 1, len(self.accepted), first]
        self.by_prefix[_prefix(control_id)] += 1
        place = place_in(control_id)
        if place is None:
            return
        if any(self._newest.get(patient, -1) > place for patient in patients):
            self.inversions += 1
        for patient in patients:
            self._newest[patient] = max(self._newest.get(patient, -1), place)


class Dpi:
    """The receiver. `start`, `set_mood` as often as you like, `stop`."""

    def __init__(self, host: str, port: int, *, picky: int = 0, keep: bool = False) -> None:
        """
        Keep the address.

        Args:
            host: Where to listen.
            port: 0 for any; `port` then says which, after `start`.
            picky: Refuse for good one control id in that many, the first time it comes; 0: none.
            keep: Keep the bytes of all accepted messages in `kept`, by control id.
        """
        self.host = host
        self.port = port
        self.mood = WELL
        self.ledger = Ledger()
        self.kept: dict[str, bytes] = {}
        self._keep = keep
        self._picky = picky
        self._refused: set[str] = set()
        self._server: asyncio.Server | None = None
        self._control: asyncio.Server | None = None
        self._connections: set[Receiver] = set()

    async def start(self) -> None:
        """
        Listen.

        Raises:
            DoorFailed: The port is taken.
        """
        if self._server is not None:
            return
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(lambda: Receiver(self), self.host, self.port, backlog=512)
        except OSError as error:
            raise DoorFailed(
                f"the simulated DPI can't listen on {self.host}:{self.port}: {error.strerror}; "
                "stop what listens there, or write another port in routes.yaml"
            ) from error
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening, hang up, close the control port."""
        await self._stop_listening()
        if self._control is not None:
            self._control.close()
            self._control = None

    async def set_mood(self, mood: Mood) -> None:
        """Change the mood now; DOWN closes the listening socket and all connections."""
        before, self.mood = self.mood, mood
        if mood.name is MoodName.DOWN:
            await self._stop_listening()
        elif before.name is MoodName.DOWN:
            await self.start()

    async def live(self, turns: Iterator[Turn], say: Callable[[Mood], None] | None = None) -> None:
        """Go from mood to mood until the turns end; well again then."""
        for mood, seconds in turns:
            await self.set_mood(mood)
            if say is not None:
                say(mood)
            await asyncio.sleep(seconds)
        await self.set_mood(WELL)

    def facts(self) -> dict[str, Any]:
        """Counts and mood, ready for JSON."""
        ledger = self.ledger
        return {
            "mode": self.mood.name.value,
            "accepted": len(ledger.accepted),
            "inversions": ledger.inversions,
            "connections": len(self._connections),
            **ledger.counts,
        }

    # --- one message ---------------------------------------------------------------------------------------

    def take(self, payload: bytes, connection: Receiver) -> None:
        """Judge one message by the mood and answer it (or not)."""
        header, control_id = _header(payload)
        name, counts = self.mood.name, self.ledger.counts
        counts["received"] += 1
        if name not in (MoodName.WELL, MoodName.SLOW) and counts["received"] % self.mood.every:
            name = MoodName.WELL
        if name is MoodName.WELL and self._is_picked(control_id):
            name = MoodName.REFUSE
        if name in (MoodName.WELL, MoodName.SLOW, MoodName.LOST):
            if self._keep:
                self.kept[control_id] = payload
            self.ledger.accept(control_id, patients_of(payload), payload)
        else:
            counts[name.value] += 1
        if name is MoodName.SILENT:
            return
        if name in (MoodName.LOST, MoodName.CLOSE, MoodName.DOWN):
            connection.hang_up()
            return
        code, error, text = _ANSWERS.get(name, (b"AA", b"", b""))
        connection.answer(frame(_answer(header, code, error, text)), self.mood.delay)

    def _is_picked(self, control_id: str) -> bool:
        if not self._picky or control_id in self._refused or zlib.crc32(control_id.encode()) % self._picky:
            return False
        self._refused.add(control_id)
        return True

    # --- connections and control ---------------------------------------------------------------------------

    def opened(self, connection: Receiver) -> None:
        """Note a connection."""
        self._connections.add(connection)
        self.ledger.counts["connected"] += 1

    def closed(self, connection: Receiver) -> None:
        """Forget a connection."""
        self._connections.discard(connection)

    async def _stop_listening(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for connection in list(self._connections):
            connection.hang_up()

    async def start_control(self, port: int) -> int:
        """Open the control port on 127.0.0.1 (0: any) and return it."""
        self._control = await asyncio.start_server(self._converse, "127.0.0.1", port, limit=1 << 26)
        return int(self._control.sockets[0].getsockname()[1])

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                try:
                    answer = await self.command(json.loads(line))
                except (ValueError, KeyError, TypeError) as error:
                    answer = {"error": str(error)}
                writer.write(json.dumps(answer).encode() + b"\n")
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    async def command(self, asked: dict[str, Any]) -> Any:
        """
        Carry out one command of the control port.

        Raises:
            ValueError: An unknown command or mode.
        """
        verb, ledger = asked.get("cmd"), self.ledger
        prefix = str(asked.get("prefix", ""))
        if verb == "stats":
            return self.facts()
        if verb == "count":
            return {"n": ledger.by_prefix[prefix] if prefix else len(ledger.accepted)}
        if verb == "dump":
            return [[name, *known] for name, known in ledger.accepted.items() if name.startswith(prefix)]
        if verb == "last":
            return {"msg": ledger.last.decode("utf-8", "replace")}
        if verb == "reset":
            self.ledger = Ledger()
            return {"ok": True}
        if verb == "set":
            mode = MoodName(asked.get("mode", self.mood.name.value))
            delay, every = float(asked.get("delay_ms", 0)) / 1000, max(1, int(asked.get("every", 1)))
            await self.set_mood(Mood(name=mode, delay=delay, every=every))
            return {"ok": True, "mode": mode.value}
        raise ValueError(f"unknown command {verb}")


class Receiver(asyncio.Protocol):
    """One connection of the engine."""

    def __init__(self, dpi: Dpi) -> None:
        """Belong to a receiver."""
        self._dpi = dpi
        self._decoder = MllpDecoder(max_block_bytes=MESSAGE_BYTES_MAX)
        self._transport: asyncio.Transport | None = None
        self._free_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember the socket."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._dpi.opened(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # asyncio's signature
        """Forget the socket."""
        self._transport = None
        self._dpi.closed(self)

    def data_received(self, data: bytes) -> None:
        """Take each whole message."""
        self._decoder.receive_data(data)
        while (event := self._decoder.next_event()) is not NEED_DATA:
            if isinstance(event, Block):
                self._dpi.take(event.payload, self)

    def answer(self, data: bytes, delay: float) -> None:
        """Send an answer, after `delay` seconds of work; answers keep their order."""
        loop = asyncio.get_running_loop()
        if not delay and loop.time() >= self._free_at:
            self._write(data)
            return
        self._free_at = max(loop.time(), self._free_at) + delay
        loop.call_at(self._free_at, self._write, data)

    def hang_up(self) -> None:
        """Cut the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    def _write(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)


# --- reading just enough of a message --------------------------------------------------------------------------


def place_in(control_id: str) -> int | None:
    """Rank that a control id tells: `48211-0` is 48211; `run7-12` is 12; None where it tells none."""
    head, _, tail = control_id.rpartition("-")
    with contextlib.suppress(ValueError):
        return int(head) if head.isdecimal() else int(tail)
    return None


def patients_of(payload: bytes) -> list[str]:
    """Identifiers of PID-3 and MRG-1, authority and type included; insurance numbers and third parties left out."""
    separator, found = payload[3:4], []
    for line in payload.split(b"\r"):
        kind = line[:3]
        if kind not in (b"PID", b"MRG"):
            continue
        fields = line.split(separator)
        number = 3 if kind == b"PID" else 1
        for repetition in (fields[number] if len(fields) > number else b"").split(b"~"):
            parts = repetition.split(b"^")
            if len(parts) > 4 and parts[4] == b"PI" and b"&" in parts[3]:
                found.append(repetition.decode("utf-8", "replace"))
            elif parts[0] and len(parts) < 5:
                found.append(parts[0].decode("utf-8", "replace"))
    return found


def _prefix(control_id: str) -> str:
    return control_id[: control_id.rfind("-") + 1]


def _header(payload: bytes) -> tuple[list[bytes], str]:
    end = payload.find(b"\r")
    header = (payload if end < 0 else payload[:end]).split(payload[3:4] or b"|")
    return header, header[9].decode("latin-1") if len(header) > 9 else ""


def _answer(header: list[bytes], code: bytes, error: bytes, text: bytes) -> bytes:
    """Build an acknowledgement (HL7 v2.5 § 2.9.2) with the ERR of 2.5 where there is something to say."""
    fields = [*header, *([b""] * 12)]
    trigger = fields[8].split(b"^")[1] if b"^" in fields[8] else b""
    when = time.strftime("%Y%m%d%H%M%S").encode()
    lines = [
        b"|".join((b"MSH|^~\\&|DPI|GHT", fields[2], fields[3], when, b"", b"ACK^" + trigger + b"^ACK",
                   b"A" + fields[9], b"P", b"2.5")),
        b"|".join((b"MSA", code, fields[9])),
    ]  # fmt: skip
    if error:
        lines.append(b"|".join((b"ERR", b"", b"", error, b"E", b"", b"", b"", text)))
    return b"\r".join(lines) + b"\r"
