"""`passerelle db` and `doctor`, and questions without an engine, over a real database."""

from __future__ import annotations

import asyncio
import contextlib
import json
from pathlib import Path

import pytest

from engine.cli import asking
from engine.core.references import References
from engine.errors import StoreLocked
from engine.operations.client import EngineAway
from engine.operations.presence import note_stopped
from engine.store.sqlite import SqliteStore
from engine.store.sqlite.connections import FILE_NAME
from engine.store.sqlite.driver import sqlite3
from tests.support.custody import NOW_MS, fill


@pytest.fixture
def filled(data: Path) -> Path:
    """A data directory with the small history, stopped."""

    async def run() -> None:
        store = SqliteStore(data)
        await store.open(now_ms=NOW_MS)
        await fill(store, References(store.reference_key))
        await store.close()

    asyncio.run(run())
    note_stopped(data, NOW_MS)
    return data


def test_questions_are_answered(passerelle, filled: Path) -> None:
    """Tables, a query with names as words, an export."""
    tables = [json.loads(line)["name"] for line in passerelle("db", "tables", "--json").stdout.splitlines()]
    assert {"messages", "deliveries", "counters"} <= set(tables)
    sql = "select name_of(source) as source, count(*) as n from messages group by 1"
    assert passerelle("db", "query", sql, "--json").stdout == '{"v":1,"source":"gam_cha","n":6}\n'
    exported = passerelle("db", "export", "refusals").stdout.splitlines()
    assert exported[0].startswith("id,source,peer,at_ms,code")
    assert len(exported) == 2
    assert json.loads(passerelle("db", "export", "select 1 as one", "--format", "jsonl").stdout) == {"one": 1}


@pytest.mark.parametrize(
    "sql",
    [
        "delete from messages", "update messages set state = 0", "create table x (y)", "drop table bodies",
        "pragma journal_mode = delete", "pragma query_only = 0", "attach 'x.db' as x", "vacuum",
    ],
)  # fmt: skip
def test_nothing_is_written(passerelle, filled: Path, sql: str) -> None:
    """Each is refused in a sentence, and changes nothing."""
    shown = passerelle("db", "query", sql)
    assert (shown.exit_code, "only SELECT is allowed" in shown.stderr) == (1, True), shown.output
    assert passerelle("db", "query", "select count(*) as n from messages", "--json").stdout == '{"v":1,"n":6}\n'


def test_bodies_are_not_read_here(passerelle, filled: Path) -> None:
    """They would be shown without an audit: every way to them gives NULL."""
    for sql in (
        "select * from bodies", "select hex(raw) as h from bodies", "select substr(raw, 1, 9) as s from bodies",
        "select cast(raw as text) as t from refusals", "select group_concat(answer) as a from attempts",
        "select b.raw from (select raw from bodies) b",
    ):  # fmt: skip
        shown = passerelle("db", "query", sql, "--json")
        assert shown.exit_code == 0, shown.output
        assert "ZUBROWKA" not in shown.stdout
        assert "5A5542" not in shown.stdout
        assert "MSH" not in shown.stdout
    assert "ZUBROWKA" not in passerelle("db", "export", "bodies").stdout


def test_a_wrong_question_is_told(passerelle, filled: Path) -> None:
    """In the database's words."""
    shown = passerelle("db", "query", "select x from messages")
    assert (shown.exit_code, "no such column: x" in shown.stderr) == (1, True)


def test_it_works_beside_a_running_engine(passerelle, data: Path) -> None:
    """A reader doesn't need the lock."""

    async def run() -> None:
        store = SqliteStore(data)
        await store.open(now_ms=NOW_MS)
        await fill(store, References(store.reference_key))
        sql = "select count(*) as n from messages"
        shown = await asyncio.to_thread(passerelle, "db", "query", sql, "--json")
        assert shown.stdout == '{"v":1,"n":6}\n'
        await store.close()

    asyncio.run(run())


def test_no_database(passerelle) -> None:
    """Exit code 69."""
    assert passerelle("db", "tables").exit_code == 69


def test_engine_stopped_is_said(passerelle, filled: Path) -> None:
    """First in `status`, on stderr elsewhere; acts are recorded."""
    shown = passerelle("status")
    assert (shown.exit_code, shown.stdout.split("\n")[0]) == (1, "ENGINE STOPPED since 2023-11-14 22:13:20")
    assert shown.stdout.rstrip().endswith("difference 0")
    listed = passerelle("dead", "ls")
    assert listed.exit_code == 0
    assert listed.stderr.splitlines()[0] == "ENGINE STOPPED since 2023-11-14 22:13:20"
    done = passerelle("dead", "retry", "3-0", "--yes", "--expect", "1", "--reason", "fixed")
    assert done.exit_code == 0, done.output
    assert "1 recorded: it will be carried out when the engine starts" in done.stdout
    assert "recorded, not carried out yet:" in passerelle("audit").stdout


def test_a_lock_that_is_held_is_exit_75(passerelle, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By an engine that doesn't listen after some seconds."""
    monkeypatch.setattr(asking, "_STARTS_WITHIN", 0.0)

    async def run() -> None:
        store = SqliteStore(data)
        await store.open(now_ms=NOW_MS)
        shown = await asyncio.to_thread(passerelle, "status")
        assert (shown.exit_code, "is held by process" in shown.stderr) == (75, True)
        await store.close()

    asyncio.run(run())


def test_an_engine_that_starts_is_waited_for(passerelle, monkeypatch: pytest.MonkeyPatch) -> None:
    """It holds the lock and doesn't listen yet; then it answers."""
    looks: list[float] = []

    def engine(*_: object) -> dict[str, object]:
        if not looks:
            raise EngineAway("nobody")
        return {"engine": "running", "headline": "engine running", "balance": {"line": "difference 0"}}

    def offline(*_: object) -> dict[str, object]:
        raise StoreLocked("held")

    monkeypatch.setattr(asking, "_ask_engine", engine)
    monkeypatch.setattr(asking, "_ask_offline", offline)
    monkeypatch.setattr(asking.time, "sleep", looks.append)
    shown = passerelle("status")
    assert (shown.exit_code, shown.stdout.split("\n")[0]) == (0, "engine running")
    assert len(looks) == 1


def test_the_doctor_finds_a_sound_directory_sound(passerelle, filled: Path) -> None:
    """And exits with 0; counters that lie are found, with 1."""
    shown = passerelle("doctor")
    assert shown.exit_code == 0, shown.output
    assert all(line.startswith("ok    ") for line in shown.stdout.splitlines())
    with contextlib.closing(sqlite3.connect(filled / FILE_NAME)) as connection:
        connection.execute("UPDATE counters SET n = n + 1 WHERE kind = 'received'")
        connection.commit()
    shown = passerelle("doctor", "--json")
    assert shown.exit_code == 1
    assert not all(json.loads(line)["fine"] for line in shown.stdout.splitlines())


def test_an_endless_question_ends(passerelle, filled: Path, monkeypatch) -> None:
    """With one sentence; tables are named where one is asked for that isn't there."""
    monkeypatch.setattr("engine.cli.db._QUERY_SECONDS", 0.05)
    endless = "with recursive n(i) as (select 1 union all select i + 1 from n) select max(i) from n"
    shown = passerelle("db", "query", endless)
    assert (shown.exit_code, "takes more than" in shown.stderr) == (1, True)
    shown = passerelle("db", "export", "nope")
    assert shown.exit_code == 1
    assert shown.stderr.startswith("passerelle: there is no table 'nope'; there are ")
    assert "messages" in shown.stderr


def test_engine_stopped_is_said_once(passerelle, filled: Path) -> None:
    """Also by an act, which asks twice; its line in the audit trail is pending."""
    done = passerelle("dead", "retry", "3-0", "--yes", "--expect", "1", "--reason", "fixed")
    assert done.stderr.count("ENGINE STOPPED") == 1
    rows = [json.loads(line) for line in passerelle("audit", "--json").stdout.splitlines()]
    assert [row["outcome"] for row in rows if row["verb"] == "dead retry"] == ["pending"]
