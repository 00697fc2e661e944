"""The answers of a batch's messages: each one a block of its own, in their order."""

from __future__ import annotations

from engine.core.ports import Reply


class BatchReply:
    """Collect the answers of a batch's messages; each goes out as a block of its own, in order."""

    __slots__ = ("_answers", "_reply", "_waiting")

    def __init__(self, reply: Reply, count: int) -> None:
        self._reply = reply
        self._answers: list[list[bytes]] = [[] for _ in range(count)]
        self._waiting = count

    def part(self, rank: int, data: bytes, *, last: bool) -> None:
        """Take one answer of one message; the last one of all lets the blocks go."""
        if data:
            self._answers[rank].append(data)
        if last:
            self._waiting -= 1
            if not self._waiting:
                blocks = [block for answers in self._answers for block in answers]
                for block in blocks[:-1]:
                    self._reply.answer(block, last=False)
                self._reply.answer(blocks[-1] if blocks else b"")


class PartReply:
    """The place of one message's answers among those of its batch."""

    __slots__ = ("_batch", "_rank")

    def __init__(self, batch: BatchReply, rank: int) -> None:
        self._batch = batch
        self._rank = rank

    def answer(self, data: bytes, *, last: bool = True) -> None:
        """Take one answer (core.ports.Reply)."""
        self._batch.part(self._rank, data, last=last)
