"""Operators' questions to the memory store."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from engine.core.lifecycle import DeliveryState, MessageState
from engine.core.messages import DeliveryKind
from engine.store.counting import COUNTED_KINDS, CounterKey, ending_of
from engine.store.memory_identity_queries import MemoryIdentityQueries
from engine.store.memory_rows import DeliveryRow, MemoryDisk, MessageRow
from engine.store.rows import (
    ACTION_KEYS,
    ATTEMPT_KEYS,
    DELIVERY_KEYS,
    INTENTION_KEYS,
    KIND_NAMES,
    MESSAGE_KEYS,
    REFUSAL_KEYS,
    TAKEOVER_KEYS,
    add_plain_attempt,
)

LANES_COUNTED = 1_000


class MemoryQueries(MemoryIdentityQueries):
    """StoreQueries over a MemoryDisk."""

    def __init__(self, disk: MemoryDisk, waiting: Callable[[], int]) -> None:
        self._disk = disk
        self._waiting = waiting

    async def counters(self) -> dict[CounterKey, int]:
        """Counters: (kind, name, what) -> n."""
        return dict(self._disk.counters)

    async def find_messages(
        self,
        *,
        keys: Collection[int] = (),
        source: str = "",
        state: str = "",
        control_id: str = "",
        since_ms: int = 0,
        until_ms: int = 0,
        before: int = 0,
        limit: int = 50,
    ) -> list[dict[str, Any]]:
        """Messages, newest first."""
        found: list[dict[str, Any]] = []
        for place in sorted(self._disk.messages, reverse=True):
            row = self._disk.messages[place]
            message = row.message
            if (
                (before and place >= before)
                or (keys and not set(keys).intersection(row.keys))
                or (source and message.source != source)
                or (control_id and message.control_id != control_id)
                or message.received_ms < since_ms
                or (until_ms and message.received_ms >= until_ms)
            ):
                continue
            shown = self._message(row)
            if not state or state in (shown["state"], shown["ending"]):
                found.append(shown)
            if len(found) == limit:
                break
        return found

    def _message(self, row: MessageRow) -> dict[str, Any]:
        message = row.message
        values = (
            message.place, message.received_ms, message.source, message.group, message.site, message.peer,
            message.name, message.format, message.control_id, message.type, message.charset, len(message.raw),
            message.state.name.lower(), self._ending(row), row.code, row.field, row.reason, row.config, row.linked_to,
            message.place in self._disk.bodies, len(self._disk.attachments.get(message.place, ())),
            list(self._disk.fragments[message.place][1]) if message.place in self._disk.fragments else [],
        )  # fmt: skip
        return dict(zip(MESSAGE_KEYS, values, strict=True))

    def _ending(self, row: MessageRow) -> str:
        deliveries = [self._disk.deliveries[key].delivery for key in self._disk.siblings(row.message.place)]
        return ending_of(row.message.state, [(each.kind, each.state) for each in deliveries])

    def _delivery(self, row: DeliveryRow) -> dict[str, Any]:
        one = row.delivery
        values = (
            one.id, one.place, one.destination, one.route, KIND_NAMES[one.kind], one.type, one.target, one.control_id,
            one.state.name.lower(), one.queued, one.attempts, one.spent, one.due_ms, row.first_ms, row.end_ms, one.code,
            one.field, one.reason, one.flags, one.config, one.copies, one.replay_of, list(one.lanes),
        )  # fmt: skip
        return dict(zip(DELIVERY_KEYS, values, strict=True))

    async def carriers(self, hashes: Collection[int], *, before: int = 0, limit: int = 50) -> list[dict[str, Any]]:
        """Deliveries of the messages that carried an identifier, newest first."""
        found: list[dict[str, Any]] = []
        for key in sorted(self._disk.deliveries, reverse=True):
            row = self._disk.deliveries[key]
            carrier = self._disk.messages[row.delivery.place]
            if (before and key >= before) or row.delivery.kind not in COUNTED_KINDS or len(found) == limit:
                continue
            if not set(hashes).isdisjoint(carrier.keys):
                message = carrier.message
                origin = {"source": message.source, "site": message.site, "received_ms": message.received_ms}
                found.append(self._delivery(row) | origin)
        return found

    async def message_row(self, place: int) -> dict[str, Any] | None:
        """One message's row; no bytes."""
        row = self._disk.messages.get(place)
        return None if row is None else self._message(row)

    async def own_part(self, place: int) -> bytes | None:
        """Of a message that holds the fragments of others, the bytes that it was itself; None: it holds none."""
        found = self._disk.fragments.get(place)
        return None if found is None else found[0]

    async def deliveries_of(self, place: int) -> list[dict[str, Any]]:
        """The deliveries of one message, in order of id, with their attempts under `history`."""
        rows = [self._delivery(self._disk.deliveries[key]) for key in sorted(self._disk.siblings(place))]
        for row in rows:
            row["history"] = [
                dict(
                    zip(
                        ATTEMPT_KEYS,
                        (number, one.begin_ms, one.end_ms, one.outcome, one.code, one.answer.decode("latin-1")),
                        strict=True,
                    )
                )
                for (delivery, number), one in sorted(self._disk.attempts.items(), key=lambda item: item[0])
                if delivery == row["delivery"]
            ]
            add_plain_attempt(row)
        return rows

    async def dead(self, *, destination: str = "", after: int = 0, limit: int = 50) -> list[dict[str, Any]]:
        """Dead deliveries, oldest first."""
        found: list[dict[str, Any]] = []
        for key in sorted(self._disk.deliveries):
            row = self._disk.deliveries[key]
            if key <= after or row.delivery.state != DeliveryState.DEAD:
                continue
            if destination in ("", row.delivery.destination) and len(found) < limit:
                message = self._disk.messages[row.delivery.place].message
                origin = {"source": message.source, "site": message.site, "received_ms": message.received_ms}
                found.append(self._delivery(row) | origin)
        return found

    async def dead_messages(self, *, source: str = "", after: int = 0, limit: int = 50) -> list[dict[str, Any]]:
        """Messages that died before any delivery, oldest first."""
        rows = [self._disk.messages[place] for place in sorted(self._disk.messages) if place > after]
        dead = [row for row in rows if row.message.state == MessageState.DEAD and source in ("", row.message.source)]
        return [self._message(row) for row in dead[:limit]]

    async def queue_summary(self, destination: str, *, now_ms: int) -> dict[str, Any]:
        """What waits for one destination."""
        rows = [
            row.delivery
            for _, row in sorted(self._disk.deliveries.items())
            if row.delivery.queued and row.delivery.destination == destination
        ]
        sendable = [one for one in rows if one.kind in (DeliveryKind.BYTES, DeliveryKind.BODILESS)]
        pending = [one for one in sendable if one.state == DeliveryState.PENDING]
        oldest = self._disk.messages[pending[0].place].message.received_ms if pending else 0
        lanes = {one.lanes[0] for one in rows if one.lanes}
        return {
            "destination": destination,
            "waiting": len(pending),
            "parked": sum(one.state == DeliveryState.DEAD for one in sendable),
            "due_later": sum(one.due_ms > now_ms for one in pending),
            "oldest_ms": oldest,
            "lanes": min(len(lanes), LANES_COUNTED),
        }

    async def refusals(self, *, source: str = "", limit: int = 50) -> list[dict[str, Any]]:
        """The last refusals, newest first, without bytes."""
        rows = [(key, one) for key, one in self._disk.refusals.items() if source in ("", one.source)]
        values = [
            (key, one.source, one.peer, one.at_ms, one.code, one.reason, one.size) for key, one in rows[::-1][:limit]
        ]
        return [dict(zip(REFUSAL_KEYS, each, strict=True)) for each in values]

    async def actions(self, *, limit: int = 50) -> list[dict[str, Any]]:
        """The audit trail, newest first."""
        rows = list(self._disk.actions.items())[::-1][:limit]
        values = [(key, one.at_ms, one.who, one.verb, one.subject, one.reason) for key, one in rows]
        return [dict(zip(ACTION_KEYS, each, strict=True)) for each in values]

    async def intended_at(self, at_ms: Collection[int]) -> list[dict[str, Any]]:
        """The intentions of some moments, with their outcomes."""
        found = []
        for number, row in sorted(self._disk.intentions.items()):
            one = row.intention
            if one.at_ms in at_ms:
                values = (number, one.at_ms, one.who, one.stage, one.verb, one.reason, row.accepted, row.outcome)
                found.append(dict(zip(INTENTION_KEYS, values, strict=True)))
        return found

    async def moments(self) -> dict[tuple[str, str], int]:
        """When something happened last."""
        return dict(self._disk.moments)

    async def takeovers(self, *, limit: int = 50) -> list[dict[str, Any]]:
        """The log of configurations, newest first."""
        rows = list(self._disk.takeovers.values())[::-1][:limit]
        return [{key: getattr(each, key) for key in TAKEOVER_KEYS} for each in rows]

    async def configuration_files(self, hash_: str) -> dict[str, bytes] | None:
        """The files of a configuration that ran, by name."""
        return self._disk.configs.get(hash_)

    async def groups(self) -> list[str]:
        """Routing groups of the messages in state RECEIVED, sorted."""
        messages = (row.message for row in self._disk.messages.values())
        return sorted({message.group for message in messages if message.state == MessageState.RECEIVED})

    async def intention_outcome(self, intention: int) -> tuple[bool, str] | None:
        """Whether an intention was accepted and its outcome; None while it waits."""
        row = self._disk.intentions.get(intention)
        return None if row is None or row.accepted is None else (row.accepted, row.outcome)

    async def facts(self) -> dict[str, Any]:
        """Sizes and dates, under the same keys as SQLite's."""
        return {
            "store": "memory",
            "version": "",
            "path": "",
            "data_bytes": sum(map(len, self._disk.bodies.values())),
            "wal_bytes": 0,
            "free_bytes": 0,
            "shortage": "",
            "disk_full": False,
            "commit_p50_ms": 0.0,
            "commit_p99_ms": 0.0,
            "commits": 0,
            "changes_waiting": self._waiting(),
            "bytes_waiting": 0,
            "highest_place": max(self._disk.messages, default=0),
            "started_ms": self._disk.started_ms,
            "stopped_ms": self._disk.stopped_ms,
            "trouble": "",
        }
