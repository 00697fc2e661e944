"""What each change does to the memory store; every write can be taken back."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from engine.core.changes import (
    Audit,
    Change,
    Configure,
    Fulfil,
    Identify,
    Intend,
    Moments,
    Note,
    Prune,
    Receipt,
    Receive,
    Refuse,
    Remake,
    Reopen,
    Requeue,
    Route,
    SetHold,
    Settle,
    Treat,
)
from engine.core.lifecycle import JOINED, DeliveryState, MessageState
from engine.core.messages import WHOLE, Delivery, DeliveryFlag, DeliveryKind, place_of, show_delivery_id
from engine.errors import ChangeRefused
from engine.store import memory_identities, rules
from engine.store.announcing import DONE
from engine.store.counting import COUNTED_KINDS, Tally, ending_of
from engine.store.identity_rules import has_identity
from engine.store.memory_rows import DeliveryRow, IntentionRow, MemoryDisk, MessageRow, Undo


class MemoryChanges:
    """Applies changes to a MemoryDisk."""

    def __init__(self, disk: MemoryDisk) -> None:
        self._disk = disk

    def apply(self, change: Change, undo: Undo) -> Receipt:
        """
        Apply one change.

        Raises:
            ChangeRefused: It breaks a rule; what it wrote so far must be taken back.
        """
        tally = Tally()
        receipt = self._apply_one(change, undo, tally)
        for key, count in tally.changes.items():
            undo.put("counters", key, self._disk.counters.get(key, 0) + count)
        return receipt

    def _apply_one(self, change: Change, undo: Undo, tally: Tally) -> Receipt:
        receipt: Receipt = getattr(self, f"_{type(change).__name__.lower()}")(change, undo, tally)
        return receipt

    def _receive(self, change: Receive, undo: Undo, tally: Tally) -> Receipt:
        place = self._disk.next_place
        undo.set("next_place", place + 1)
        change.message.place = place
        undo.put("messages", place, MessageRow(replace(change.message, attachments=())))
        undo.put("bodies", place, change.message.raw)
        if change.message.attachments:
            undo.put("attachments", place, change.message.attachments)
        tally.received(change.message.source)
        return Receipt(place)

    def _refuse(self, change: Refuse, undo: Undo, tally: Tally) -> Receipt:
        refusal = change.refusal
        number = self._disk.next_number
        undo.set("next_number", number + 1)
        undo.put("refusals", number, replace(refusal, raw=refusal.raw[: rules.REFUSAL_BYTES]))
        tally.refused(refusal.source, refusal.code)
        same = [key for key, kept in self._disk.refusals.items() if kept.source == refusal.source]
        for key in same[: -rules.REFUSALS_KEPT]:
            undo.remove("refusals", key)
        return DONE

    def _route(self, change: Route, undo: Undo, tally: Tally) -> Receipt:
        row = self._message_row(change.place)
        if row.message.state != change.expected:
            raise rules.other_state(
                f"message {change.place}", change.expected.name.lower(), row.message.state.name.lower()
            )
        rules.check_route(change)
        before = self._ending(change.place)
        message = replace(
            row.message,
            state=change.state,
            site=change.site or row.message.site,
            type=change.type or row.message.type,
        )
        after = MessageRow(
            message, change.code, change.field, change.reason, change.config, change.linked_to, tuple(change.keys)
        )
        undo.put("messages", change.place, after)
        for delivery in change.deliveries:
            if delivery.id in self._disk.deliveries:
                raise ChangeRefused(f"delivery {delivery.id} exists already")
            undo.put("deliveries", delivery.id, DeliveryRow(replace(delivery, rendered=None)))
            undo.put("deliveries_by_place", change.place, [*self._disk.siblings(change.place), delivery.id])
            if delivery.kind in COUNTED_KINDS:
                tally.delivery(delivery.destination, None, delivery.state)
        tally.message(row.message.source, before, self._ending(change.place))
        if has_identity(change):
            memory_identities.decide(self._disk, change, undo, tally)
        if change.joins:
            self._join(change, undo, tally)
        for place in change.ends:
            self._end(place, change, undo, tally)
        return DONE

    def _join(self, change: Route, undo: Undo, tally: Tally) -> None:
        disk = self._disk
        for place in change.joins:
            row = disk.messages.get(place)
            rules.check_joined(place, None if row is None else row.message.state)
            one = self._message_row(place)
            message = replace(one.message, state=MessageState.JOINED)
            reason = rules.joined_reason(change)
            after = replace(
                one, message=message, code=JOINED, field="", reason=reason, config=change.config,
                linked_to=change.place,
            )  # fmt: skip
            undo.put("messages", place, after)
            undo.remove("waits", place)
            tally.message(one.message.source, one.message.state.name.lower(), MessageState.JOINED.name.lower())
        came = disk.fragments[change.place][0] if change.place in disk.fragments else disk.bodies[change.place]
        undo.put("fragments", change.place, (came, tuple(sorted(change.joins))))
        undo.put("bodies", change.place, change.whole)
        whole = self._message_row(change.place)
        undo.put("messages", change.place, replace(whole, message=replace(whole.message, raw=change.whole)))

    def _end(self, place: int, change: Route, undo: Undo, tally: Tally) -> None:
        row = self._disk.messages.get(place)
        rules.check_ended(place, None if row is None else row.message.state)
        one = self._message_row(place)
        message = replace(one.message, state=MessageState.DEAD)
        after = replace(
            one, message=message, code=rules.ended_code(change), field=change.field, reason=change.reason,
            config=change.config, linked_to=0,
        )  # fmt: skip
        undo.put("messages", place, after)
        undo.remove("waits", place)
        tally.message(one.message.source, MessageState.WAITING.name.lower(), MessageState.DEAD.name.lower())

    def _settle(self, change: Settle, undo: Undo, tally: Tally) -> Receipt:
        row = self._delivery_row(change.delivery)
        delivery = row.delivery
        if delivery.state != DeliveryState.PENDING or delivery.attempts != change.expected_attempt:
            raise rules.other_state(
                f"delivery {show_delivery_id(change.delivery)}",
                f"pending after {change.expected_attempt} attempts",
                f"{delivery.state.name.lower()} after {delivery.attempts}",
            )
        after = replace(
            delivery,
            state=change.state,
            queued=change.queued,
            attempts=change.expected_attempt + 1,
            spent=change.spent,
            due_ms=change.due_ms,
            code=change.code,
            field=change.field,
            reason=change.reason,
            flags=change.flags | delivery.flags & DeliveryFlag.PARTED,
        )
        self._put_delivery(DeliveryRow(after, row.first_ms or change.begin_ms, change.end_ms), row, undo, tally)
        if change.attempt is not None:
            attempt = replace(change.attempt, answer=change.attempt.answer[: rules.ANSWER_BYTES])
            undo.put("attempts", (change.delivery, attempt.number), attempt)
        return DONE

    def _requeue(self, change: Requeue, undo: Undo, tally: Tally) -> Receipt:
        given = change.delivery
        row = self._delivery_row(given.id)
        old = row.delivery
        rules.check_requeue(change, old)
        rules.keep_doubt(given, old)
        source = given if change.rendered_again else old
        if source.payload_kind not in WHOLE and old.place not in self._disk.bodies:
            raise rules.bytes_removed(old.place)
        after = replace(
            source,
            destination=old.destination,
            rendered=None,
            state=DeliveryState.PENDING,
            queued=True,
            attempts=old.attempts,
            spent=0,
            due_ms=given.due_ms,
            code="",
            field="",
            reason="",
            copies=old.copies,
            replay_of=old.replay_of,
        )
        self._put_delivery(DeliveryRow(after, row.first_ms, row.end_ms), row, undo, tally)
        self._add_keys(given.place, change.keys, undo)
        rules.fill_requeued(given, after)
        return DONE

    def _remake(self, change: Remake, undo: Undo, tally: Tally) -> Receipt:
        given = change.delivery
        row = self._delivery_row(given.id)
        rules.check_remake(change, row.delivery)
        payload = given.payload if change.rendered_again else row.delivery.payload
        rules.fill_remade(given, row.delivery, rendered_again=change.rendered_again)
        after = replace(given, payload=payload, rendered=None)
        self._put_delivery(DeliveryRow(after, row.first_ms, row.end_ms), row, undo, tally)
        self._add_keys(given.place, change.keys, undo)
        return DONE

    def _add_keys(self, place: int, keys: Collection[int], undo: Undo) -> None:
        if keys:
            row = self._message_row(place)
            undo.put("messages", place, replace(row, keys=tuple(dict.fromkeys((*row.keys, *keys)))))

    def _treat(self, change: Treat, undo: Undo, tally: Tally) -> Receipt:
        row = self._delivery_row(change.delivery)
        rules.check_treat(change, row.delivery.state)
        queued = change.queued and change.state == DeliveryState.DEAD
        after = replace(row.delivery, state=change.state, queued=queued)
        self._put_delivery(DeliveryRow(after, row.first_ms, row.end_ms), row, undo, tally)
        return DONE

    def _reopen(self, change: Reopen, undo: Undo, tally: Tally) -> Receipt:
        row = self._message_row(change.place)
        rules.check_reopen(change, row.message.state)
        if change.state == MessageState.RECEIVED and change.place not in self._disk.bodies:
            raise rules.bytes_removed(change.place)
        before = self._ending(change.place)
        after = replace(row, message=replace(row.message, state=change.state))
        if change.state == MessageState.RECEIVED:
            after = replace(after, code="", field="", reason="")
        undo.put("messages", change.place, after)
        undo.remove("waits", change.place)
        tally.message(row.message.source, before, self._ending(change.place))
        return DONE

    def _sethold(self, change: SetHold, undo: Undo, _tally: Tally) -> Receipt:
        key = (change.hold.kind, change.hold.name)
        if change.hold.until_ms < 0:
            undo.remove("holds", key)
        else:
            undo.put("holds", key, replace(change.hold))
        return DONE

    def _intend(self, change: Intend, undo: Undo, _tally: Tally) -> Receipt:
        number = self._disk.next_number
        undo.set("next_number", number + 1)
        change.intention.id = number
        undo.put("intentions", number, IntentionRow(replace(change.intention)))
        return Receipt(number)

    def _fulfil(self, change: Fulfil, undo: Undo, tally: Tally) -> Receipt:
        row = self._disk.intentions.get(change.intention)
        if row is None or row.accepted is not None:
            raise ChangeRefused(f"intention {change.intention} doesn't wait")
        undo.put("intentions", change.intention, IntentionRow(row.intention, change.accepted, change.outcome))
        for part in change.changes:
            # One tally a part: the endings of one part are read from what the part before left.
            self._apply_one(part, undo, tally)
        return DONE

    def _identify(self, change: Identify, undo: Undo, tally: Tally) -> Receipt:
        memory_identities.act(self._disk, change, undo, tally)
        return DONE

    def _audit(self, change: Audit, undo: Undo, _tally: Tally) -> Receipt:
        number = self._disk.next_number
        undo.set("next_number", number + 1)
        undo.put("actions", number, replace(change))
        return DONE

    def _configure(self, change: Configure, undo: Undo, tally: Tally) -> Receipt:
        for former, name in change.moved.items():
            self._move(former, name, undo, tally)
        for name in change.removed:
            waiting = len(self._disk.queued.get(name, ()))
            if waiting:
                raise rules.something_waits(name, waiting)
        for name, ids in change.walls.items():
            for last in ids:
                self._wall(name, last, change.takeover.hash, undo)
        if change.files:
            undo.put("configs", change.takeover.hash, dict(change.files))
        number = self._disk.next_number
        undo.set("next_number", number + 1)
        undo.put("takeovers", number, replace(change.takeover, id=number))
        return Receipt(number)

    def _move(self, former: str, name: str, undo: Undo, tally: Tally) -> None:
        for key, row in list(self._disk.deliveries.items()):
            one = row.delivery
            if one.destination != former or not (one.queued or one.state == DeliveryState.DEAD):
                continue
            undo.remove("deliveries", key)  # a row out of the old queue, then one in the new
            undo.put("deliveries", key, replace(row, delivery=replace(one, destination=name)))
            if one.kind in COUNTED_KINDS:
                tally.add(("delivery", former, one.state.name.lower()), -1)
                tally.add(("delivery", name, one.state.name.lower()))

    def _wall(self, name: str, last: int, config: str, undo: Undo) -> None:
        behind = max((key for key in self._disk.queued.get(name, ()) if key <= last), default=None)
        if behind is None:
            return
        place = place_of(behind)
        siblings = self._disk.siblings(place)
        walls = [self._disk.deliveries[key].delivery for key in siblings if key > behind]
        walls = [one for one in walls if one.kind == DeliveryKind.WALL]
        if all(one.destination != name for one in walls):
            wall = rules.wall(name, behind, [one.id for one in walls], config)
            undo.put("deliveries", wall.id, DeliveryRow(wall))
            undo.put("deliveries_by_place", place, [*siblings, wall.id])

    def _note(self, change: Note, _undo: Undo, tally: Tally) -> Receipt:
        for key, count in change.counts.items():
            tally.add(key, count)
        return DONE

    def _moments(self, change: Moments, undo: Undo, _tally: Tally) -> Receipt:
        for key, at_ms in change.at_ms.items():
            undo.put("moments", key, at_ms)
        return DONE

    def _prune(self, change: Prune, undo: Undo, tally: Tally) -> Receipt:
        removed = 0
        last = max(self._disk.messages, default=0)
        for place in list(self._disk.places):
            if removed >= change.limit:
                break
            removed += place != last and self._prune_message(place, change, undo, tally)
        for number, action in list(self._disk.actions.items()):
            if action.at_ms < change.rows_before_ms:
                undo.remove("actions", number)
        self._prune_takeovers(change.rows_before_ms, undo)
        memory_identities.prune_events(self._disk, change.rows_before_ms, undo, tally)
        return Receipt(removed)

    def _prune_takeovers(self, before_ms: int, undo: Undo) -> None:
        for number, one in list(self._disk.takeovers.items())[: -rules.TAKEOVERS_KEPT]:
            if one.at_ms < before_ms:
                undo.remove("takeovers", number)
        named = {each for one in self._disk.takeovers.values() for each in (one.hash, one.before)}
        for hash_ in self._disk.configs.keys() - named:
            undo.remove("configs", hash_)

    def _prune_message(self, place: int, change: Prune, undo: Undo, tally: Tally) -> bool:
        row = self._disk.messages[place]
        rows = [self._disk.deliveries[key] for key in self._disk.siblings(place)]
        if not rules.is_finished(row.message.state, [(one.delivery.state, one.delivery.queued) for one in rows]):
            return False
        ended = max([row.message.received_ms, *(one.end_ms for one in rows)])
        dead = rules.is_dead(row.message.state, [one.delivery.state for one in rows])
        if ended >= (change.dead_before_ms if dead else change.bodies_before_ms):
            return False
        has_body = place in self._disk.bodies
        if has_body:
            undo.remove("bodies", place)
            undo.remove("attachments", place)
            undo.remove("fragments", place)
            for one in rows:
                undo.put("deliveries", one.delivery.id, replace(one, delivery=replace(one.delivery, payload=None)))
        if row.message.received_ms >= change.rows_before_ms or ended >= change.rows_before_ms:
            return has_body
        tally.add(("pruned", row.message.source, self._ending(place)))
        for one in rows:
            self._prune_delivery(one.delivery, undo, tally)
        undo.remove("deliveries_by_place", place)
        undo.remove("messages", place)
        return True

    def _prune_delivery(self, delivery: Delivery, undo: Undo, tally: Tally) -> None:
        if delivery.kind in COUNTED_KINDS:
            tally.add(("pruned_delivery", delivery.destination, delivery.state.name.lower()))
        for number in range(1, delivery.attempts + 1):
            undo.remove("attempts", (delivery.id, number))
        undo.remove("deliveries", delivery.id)

    def _put_delivery(self, after: DeliveryRow, before: DeliveryRow, undo: Undo, tally: Tally) -> None:
        delivery = after.delivery
        place = delivery.place
        ending = self._ending(place)
        undo.put("deliveries", delivery.id, after)
        if delivery.kind in COUNTED_KINDS:
            tally.delivery(delivery.destination, before.delivery.state, delivery.state)
        tally.message(self._disk.messages[place].message.source, ending, self._ending(place))

    def _ending(self, place: int) -> str:
        rows = [self._disk.deliveries[key].delivery for key in self._disk.siblings(place)]
        return ending_of(self._disk.messages[place].message.state, [(row.kind, row.state) for row in rows])

    def _message_row(self, place: int) -> MessageRow:
        row = self._disk.messages.get(place)
        if row is None:
            raise rules.no_message(place)
        return row

    def _delivery_row(self, delivery: int) -> DeliveryRow:
        row = self._disk.deliveries.get(delivery)
        if row is None:
            raise rules.no_delivery(delivery)
        return row
