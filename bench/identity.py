"""
The cross-reference of a large group in the default store: filling it, looking a batch of messages up, deciding.

    python3 dev.py bench --only identity [--identifiers 10000000] [--directory DIR]

Each patient has four identifiers: two local numbers, an INS, the federation identifier. The look-ups ask what a router
asks for a batch of 200 messages: for each a local number and an INS, a tenth of them unknown, and for these the hash
of their strict traits. Each key touches another page; the file is in the system's cache, as where it is in use.
`threads` is the processor time of the loop and of the reader's thread, which share the interpreter's lock.
"""

from __future__ import annotations

import asyncio
import json
import random
import resource
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bench.machine import CannotMeasure, Children
from engine.core.changes import Change, Identify, Receipt, Receive, Route
from engine.core.identities import Assertion, IdentifierKind, IdentifierRow, IdentityEvent, PatientRow
from engine.core.lifecycle import MessageState
from engine.core.messages import StoredMessage
from engine.core.ports import Urgency
from engine.errors import StoreError
from engine.store.sqlite import SqliteStore
from engine.store.sqlite.connections import FILE_NAME
from engine.store.sqlite.driver import sqlite3

IDENTIFIERS_A_PATIENT: Final = 4
PATIENTS_A_CHANGE: Final = 500
CHANGES_UNDER_WAY: Final = 4
MESSAGES_A_BATCH: Final = 200
BATCHES: Final = 200
UNKNOWN_SHARE: Final = 0.1
DECISIONS: Final = 4_000
UNDER_WAY: Final = 64
IMPORTED: Final = 40_000
_AUTHORITIES: Final = ("1.2.250.1.213.1.4.8", "1.2.250.1.71.4.2.7^PN", "1.2.250.1.71.4.2.1^PI", "1.2.250.1.71.4.2.2^PI")
_KINDS: Final = (IdentifierKind.INS, IdentifierKind.FEDERATION, IdentifierKind.LOCAL, IdentifierKind.LOCAL)


def hash_of(patient: int, rank: int, patients: int) -> int:
    """
    Return the hash of one identifier of a patient who is there at the beginning.

    Those of one patient are far from each other, as keyed hashes are, but rise with (rank, patient): so ten million
    rows are written in order, in minutes.
    """
    return (rank * patients + patient) * _step(patients) - (1 << 63)


def _step(patients: int) -> int:
    return (1 << 64) // ((IDENTIFIERS_A_PATIENT + 1) * patients + IDENTIFIERS_A_PATIENT + 2)


def traits_of(patient: int, patients: int) -> int:
    """Return the hash of a patient's strict traits."""
    return hash_of(patient, IDENTIFIERS_A_PATIENT, patients)


def minted(patient: int, chance: random.Random) -> IdentityEvent:
    """Return the event that makes a further patient, with hashes that fall anywhere."""
    hashes = [chance.getrandbits(64) - (1 << 63) for _ in range(IDENTIFIERS_A_PATIENT)]
    said = Assertion(
        "cha", "VALI", (), f"NOM{patient % 50_000}", f"PRENOM{patient % 3_000}", f"PRENOM{patient % 3_000} JEANNE",
        "19800101", "F", "75056", hashes[0], chance.getrandbits(63) + 1, 0, 1,
    )  # fmt: skip
    row = PatientRow(patient, f"G{patient:09}", (said,), tuple(sorted(hashes)))
    rows = [
        IdentifierRow(hash_, kind, authority, f"{patient:015}", patient)
        for hash_, kind, authority in zip(hashes, _KINDS, _AUTHORITIES, strict=True)
    ]
    return IdentityEvent(
        "import", 0, 1, "bench", "measured", identifiers={one.hash: (None, one) for one in rows},
        patients={patient: (None, row)},
    )  # fmt: skip


def furnish(path: Path, patients: int) -> None:
    """
    Fill the tables of a store, as years leave them; the store is closed.

    By SQL in the order of the keys: an import of ten million rows through the port takes half an hour here.

    Args:
        path: The database.
        patients: How many, each with his identifiers, an event, a hash of strict traits.
    """
    step, low = _step(patients), 1 << 63
    connection = sqlite3.connect(str(path), isolation_level=None)
    connection.execute("PRAGMA cache_size = -65536")
    connection.execute("BEGIN")
    for number, name in enumerate(_AUTHORITIES, 900):
        connection.execute("INSERT INTO names(id, name) VALUES (?, ?)", (number, name))
    series = f"WITH RECURSIVE p(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM p WHERE n < {patients})"
    hashes = [f"(({rank} * {patients} + n) * {step} - {low - 1} - 1)" for rank in range(IDENTIFIERS_A_PATIENT + 1)]
    for rank, kind in enumerate(_KINDS):
        connection.execute(
            f"INSERT INTO identifiers {series}"
            f" SELECT {hashes[rank]}, {int(kind)}, {900 + rank}, printf('%015d', n), n, 0 FROM p"
        )
    said = (
        f'printf(\'["cha","VALI",[],"NOM%d","PRENOM%d","PRENOM%d JEANNE","19800101","F","75056",%d,%d,0,1]\','
        f" n % 50000, n % 3000, n % 3000, {hashes[0]}, {hashes[-1]})"
    )
    row = f"printf('[%d,\"G%09d\",[%s],[%d,%d,%d,%d],[]]', n, n, {said}, {', '.join(hashes[:-1])})"
    connection.execute(f"INSERT INTO patients {series} SELECT n, {row} FROM p")
    connection.execute(f"INSERT INTO identity_traits {series} SELECT {hashes[-1]}, n FROM p")
    connection.execute(
        f"INSERT INTO identity_events {series}"
        f" SELECT n, 'import', 0, 1, 'bench', 'measured', 0, CAST(printf('[[],[[null,%s]],[]]', {row}) AS BLOB) FROM p"
    )
    connection.execute(f"INSERT INTO identity_touched {series} SELECT n, n FROM p")
    connection.execute("INSERT INTO run(key, value) VALUES ('next_patient', ?)", (patients + 1,))
    connection.execute("COMMIT")
    connection.close()


class Filling:
    """Submits changes, a few at a time, and waits for all."""

    def __init__(self, store: SqliteStore, changes: Iterator[Change], under_way: int, urgency: Urgency) -> None:
        self._store = store
        self._changes = changes
        self._urgency = urgency
        self._left = under_way
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        for _ in range(under_way):
            self._next()

    def _next(self) -> None:
        change = next(self._changes, None)
        if change is None:
            self._left -= 1
            if not self._left:
                self.ended.set_result(None)
            return
        self._store.submit(change, self._urgency, self._done)

    def _done(self, outcome: Receipt | StoreError) -> None:
        if isinstance(outcome, StoreError):
            if not self.ended.done():
                self.ended.set_exception(outcome)
            return
        self._next()


async def measure(directory: Path, identifiers: int) -> dict[str, float]:
    """
    Fill a store, look up, import some more, decide.

    Args:
        directory: Where the data go; some 250 bytes an identifier.
        identifiers: How many there are.

    Returns:
        Figures by name.
    """
    home, patients = directory / "identity", identifiers // IDENTIFIERS_A_PATIENT
    empty = SqliteStore(home, min_free=0)
    await empty.open(now_ms=1)
    await empty.close()
    # In a process of its own: what it needs of memory isn't the engine's.
    command = (sys.executable, "-m", "bench.identity", "furnish", str(home / FILE_NAME), str(patients))
    assert await (await asyncio.create_subprocess_exec(*command)).wait() == 0
    store = SqliteStore(home, min_free=0, apart=True)
    await store.open(now_ms=1)
    try:
        figures = await _look_up(store, patients)
        figures |= await _import(store, patients)
        figures |= await _decide(store)
        figures["identities: bytes on disk, each"] = store.facts()["data_bytes"] / identifiers
        figures["identities: memory, both processes"] = _resident_mb()
    finally:
        await store.close()
    return {name: round(value, 2) for name, value in figures.items()}


async def _look_up(store: SqliteStore, patients: int) -> dict[str, float]:
    chance = random.Random(7)
    costs: list[tuple[float, float, float]] = []
    for _ in range(BATCHES):
        known = [chance.randint(1, patients) for _ in range(int(MESSAGES_A_BATCH * (1 - UNKNOWN_SHARE)))]
        strange = [chance.getrandbits(62) for _ in range(2 * (MESSAGES_A_BATCH - len(known)))]
        keys = [hash_of(each, rank, patients) for each in known for rank in (0, 2)] + strange
        traits = [traits_of(each, patients) for each in known[: len(strange) // 2]]
        begun = time.perf_counter(), time.process_time(), time.thread_time()
        rows = await store.identities(keys, (), traits)
        ended = time.perf_counter(), time.process_time(), time.thread_time()
        assert len(rows.patients) == len(set(known)), "each is found"
        costs.append(tuple((two - one) / MESSAGES_A_BATCH * 1e6 for one, two in zip(begun, ended, strict=True)))  # type: ignore[arg-type]
    passed, used, loop = (statistics.median(column) for column in zip(*costs, strict=True))
    return {
        "identities: look-up a message, loop": loop,
        "identities: look-up a message, threads": used,
        "identities: look-up a message, passed": passed,
    }


async def _import(store: SqliteStore, patients: int) -> dict[str, float]:
    chance = random.Random(8)
    further = IMPORTED // IDENTIFIERS_A_PATIENT

    def changes() -> Iterator[Change]:
        for first in range(patients + 1, patients + further + 1, PATIENTS_A_CHANGE):
            last = min(first + PATIENTS_A_CHANGE, patients + further + 1)
            one, *more = (minted(each, chance) for each in range(first, last))
            yield Identify(one, also=more)

    begun = time.perf_counter()
    await Filling(store, changes(), CHANGES_UNDER_WAY, Urgency.NOW).ended
    return {"identities: imported": IMPORTED / (time.perf_counter() - begun)}


async def _decide(store: SqliteStore) -> dict[str, float]:
    """Messages decided, each of which makes a patient; the same without."""
    chance = random.Random(9)
    rates = []
    for minting in (False, True):
        first = store.facts()["highest_place"] + 1
        messages = (
            Receive(StoredMessage("gam", "main", b"MSH|^~\\&|synthetic", 1, digest=each)) for each in range(DECISIONS)
        )
        await Filling(store, messages, UNDER_WAY, Urgency.NOW).ended
        next_patient = (await store.identity_facts()).next_patient

        def decisions(first: int = first, minting: bool = minting, patient: int = next_patient) -> Iterator[Change]:
            for number in range(DECISIONS):
                events = [minted(patient + number, chance)] if minting else []
                releases = tuple(events[0].identifiers) if events else ()
                yield Route(
                    first + number, "main", "gam", MessageState.RECEIVED, MessageState.FILTERED, identity=events,
                    releases=releases,
                )  # fmt: skip

        begun = time.perf_counter()
        await Filling(store, decisions(), UNDER_WAY, Urgency.SOON).ended
        rates.append(DECISIONS / (time.perf_counter() - begun))
    return {"identities: decided, nobody new": rates[0], "identities: decided, each somebody new": rates[1]}


def _resident_mb() -> float:
    """Return the resident memory of this process and of its writer, without the system's cache of the file."""
    mine = Path("/proc/self/task")
    children = [each for task in mine.iterdir() for each in (task / "children").read_text().split()]
    pages = sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in ("self", *children))
    return pages * resource.getpagesize() / 1e6


def run(family: Children, directory: Path, identifiers: int) -> dict[str, float]:
    """
    Measure in a process of its own: what other parts have left in this one isn't the engine's memory.

    Args:
        family: Starts the process.
        directory: As `measure`.
        identifiers: The same.

    Raises:
        CannotMeasure: It fails; with its last words.
    """
    said = directory / "identity.log"
    child = family.start("-m", "bench.identity", "measure", str(directory), str(identifiers), log=said)
    ended = child.wait()
    family.end(child)
    last = said.read_text("utf-8").rstrip().rpartition("\n")[2]
    if ended:
        raise CannotMeasure(f"the part identity ended with {ended}: {last}")
    figures: dict[str, float] = json.loads(last)
    return figures


def main(verb: str, where: str, count: str) -> None:
    """Do one part of the work in this process: `furnish` a database, or `measure` and print the figures as JSON."""
    if verb == "furnish":
        furnish(Path(where), int(count))
    else:
        sys.stdout.write(json.dumps(asyncio.run(measure(Path(where), int(count)))) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
