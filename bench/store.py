"""
How many messages a second the SQLite store carries: Receive, Route with one delivery, Settle.

    python -m bench.store [--messages 30000] [--writers 32] [--work 150] [--busy] [--directory DIR]

Each of the writers is a closed loop: it waits for one change to be on disk before it submits the next.
`--work` burns so many microseconds of the loop for each message, as parsing does; `--busy` burns a whole thread
beside. The figures at the end: messages a second, the time of a commit and of an acknowledgement, bytes of the
database for each message.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import shutil
import sys
import tempfile
import threading
import time
from pathlib import Path

from engine.core.changes import Receipt, Receive, Route, Settle
from engine.core.lifecycle import DeliveryState, MessageState
from engine.core.messages import Delivery, PayloadKind, StoredMessage, delivery_id
from engine.core.ports import Urgency
from engine.errors import StoreError
from engine.store.sqlite import SqliteStore

HEADER = b"MSH|^~\\&|GAM|CH1|PASSERELLE|GHT|20260314101500||ADT^A01|1|P|2.5\r"
RAW = (HEADER + b"ZZZ|synthetic filling of a segment\r" * 30)[:1100]
SPLICES = bytes(250)


class Walker:
    """Walks messages one after the other."""

    def __init__(self, store: SqliteStore, count: int, chance: random.Random, work: float) -> None:
        self.store = store
        self.left = count
        self.chance = chance
        self.work = work
        self.finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.place = 0
        self.begun = 0.0
        self.ack_seconds: list[float] = []

    def start(self) -> None:
        """Submit the next message, or say that all are done."""
        if not self.left:
            self.finished.set_result(None)
            return
        self.left -= 1
        self.begun = time.perf_counter()
        message = StoredMessage("gam-ch1", "main", RAW, int(time.time() * 1000), peer="192.0.2.1", type="ADT^A01")
        message.control_id = f"{self.chance.getrandbits(40)}"
        message.digest = self.chance.getrandbits(62)
        self.store.submit(Receive(message), Urgency.NOW, self.received)

    def received(self, outcome: Receipt | StoreError) -> None:
        """Route it."""
        assert isinstance(outcome, Receipt), outcome
        self.ack_seconds.append(time.perf_counter() - self.begun)
        end = time.perf_counter() + self.work
        while time.perf_counter() < end:
            pass
        place = self.place = outcome.place
        keys = [self.chance.getrandbits(62) for _ in range(3)]
        delivery = Delivery(
            delivery_id(place, 0), "dpi", "admissions", (keys[0],), type="ADT^A01", payload_kind=PayloadKind.SPLICES,
            payload=SPLICES, control_id=f"{place}-0", config="0123456789abcdef",
        )  # fmt: skip
        route = Route(place, "main", "gam-ch1", MessageState.RECEIVED, MessageState.ROUTED, site="ch1")
        route.deliveries.append(delivery)
        route.keys = keys
        self.store.submit(route, Urgency.SOON, self.routed)

    def routed(self, outcome: Receipt | StoreError) -> None:
        """Deliver it."""
        assert isinstance(outcome, Receipt), outcome
        key = delivery_id(self.place, 0)
        self.store.sending(key, 1, key & 31)
        now = int(time.time() * 1000)
        settle = Settle(key, "dpi", 0, DeliveryState.DELIVERED, False, now, now + 3)
        self.store.submit(settle, Urgency.SOON, self.settled)

    def settled(self, outcome: Receipt | StoreError) -> None:
        """Take the next one."""
        assert isinstance(outcome, Receipt), outcome
        self.start()


async def run(directory: Path, messages: int, writers: int, work: float) -> None:
    """Walk the messages and print the figures."""
    store = SqliteStore(directory)
    await store.open(now_ms=int(time.time() * 1000))
    chance = random.Random(1)
    walkers = [Walker(store, messages // writers, chance, work) for _ in range(writers)]
    started, cpu = time.perf_counter(), time.process_time()
    for walker in walkers:
        walker.start()
    await asyncio.gather(*(walker.finished for walker in walkers))
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    done = messages // writers * writers
    facts = await store.queries.facts()
    acks = sorted(second for walker in walkers for second in walker.ack_seconds)
    await store.close()
    size = (directory / "passerelle.db").stat().st_size
    print(
        f"{done / seconds:,.0f} messages/s ({done:,} in {seconds:.2f} s; {facts['commits']:,} commits; "
        f"{done / facts['commits'] * 3:.1f} changes each; process {cpu / done * 1e6:.0f} µs a message)"
    )
    print(
        f"commit p50 {facts['commit_p50_ms']} ms, p99 {facts['commit_p99_ms']} ms; "
        f"ack p50 {acks[len(acks) // 2] * 1000:.1f} ms, p99 {acks[len(acks) * 99 // 100] * 1000:.1f} ms"
    )
    print(
        f"{size / done:,.0f} bytes of database a message of {len(RAW)} bytes; "
        f"thread switch {sys.getswitchinterval() * 1e3:.2f} ms"
    )


def _burn(stop: threading.Event) -> None:
    while not stop.is_set():
        sum(range(1000))


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=30_000)
    parser.add_argument("--writers", type=int, default=32)
    parser.add_argument("--work", type=float, default=0.0)
    parser.add_argument("--busy", action="store_true")
    parser.add_argument("--directory", type=Path)
    options = parser.parse_args()
    directory = options.directory or Path(tempfile.mkdtemp(prefix="bench-store-"))
    stop = threading.Event()
    burner = threading.Thread(target=_burn, args=(stop,))
    if options.busy:
        burner.start()
    try:
        asyncio.run(run(directory, options.messages, options.writers, options.work / 1e6))
    finally:
        stop.set()
        if options.busy:
            burner.join()
        if options.directory is None:
            shutil.rmtree(directory)


if __name__ == "__main__":
    main()
