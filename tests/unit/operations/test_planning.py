"""What another configuration would change."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from engine.core.changes import Configure
from engine.core.messages import Takeover
from engine.errors import OperationRefused
from engine.operations.service import Operations
from engine.routes import check, load
from engine.routes.files import KeptFiles
from tests.support.custody import SECRETS, FakeLive, call, opened, submitted
from tests.unit.operations.test_changing import ROUTES


@pytest.fixture
def live(tmp_path: Path) -> FakeLive:
    """An engine whose routes.yaml is another one than it runs."""
    live = FakeLive()
    live.running.path = tmp_path / "routes.yaml"
    live.running.path.write_text(ROUTES)
    return live


def test_a_plan_changes_nothing(live: FakeLive) -> None:
    """It says declarations, queues, tests, and the effect on what is stored, of any file."""
    answer = call("config_plan", live=live, shadow=10)
    assert answer["differs"]
    assert answer["changes"]["destinations"]["added"] == ["record"]
    assert [one["destination"] for one in answer["queues"]] == ["dpi"]
    assert answer["tests"]["failed"] == 0
    assert answer["effect"]["messages"] == sum(answer["effect"]["counts"].values()) == 6
    assert not any(value in str(answer["effect"]) for value in SECRETS)
    assert live.running.asked == []


def test_without_messages_there_is_no_effect(live: FakeLive) -> None:
    """It is asked for."""
    assert "effect" not in call("config_plan", live=live)


def stopped_after(name: str, files: dict[str, bytes], routes: Path) -> dict[str, Any] | OperationRefused:
    """Plan without an engine, where a configuration of these files ran last; the file on disk is `known`."""

    async def run() -> dict[str, Any] | OperationRefused:
        desk, store = await opened(live=None, known=load(routes, environment={}))
        if files:
            start = Takeover("start", name, "", 1_000, "passerelle", "")
            await submitted(store, Configure(start, files=files))
            await submitted(store, Configure(Takeover("refuse", "ffff", name, 2_000, "alice", "one error")))
        try:
            return await Operations(desk).call("config_plan", {"routes": str(routes), "shadow": 10}, who="nurse")
        except OperationRefused as refused:
            return refused
        finally:
            await store.close()

    return asyncio.run(run())


def test_without_an_engine_it_is_compared_with_what_ran_last(live: FakeLive) -> None:
    """From the files that were kept: the file on disk isn't compared with itself."""
    path = live.running.path
    former = ROUTES.replace("record", "dpi").encode()
    answer = stopped_after("abc1", {"routes.yaml": former}, path)
    assert isinstance(answer, dict)
    assert answer["ran_last"]
    assert answer["differs"]
    assert answer["before"] == load_hash(former, path)
    assert answer["changes"]["destinations"] == {"added": ["record"], "removed": ["dpi"], "changed": [], "renamed": {}}
    assert [one["destination"] for one in answer["queues"]] == ["dpi"]
    assert answer["effect"]["messages"] == 6
    same = stopped_after("abc1", {"routes.yaml": ROUTES.encode()}, path)
    assert isinstance(same, dict)
    assert not same["differs"]


def load_hash(text: bytes, path: Path) -> str:
    """Return the hash under which such a file runs."""
    configuration, _ = check(path, files=KeptFiles(path, {"routes.yaml": text}))
    assert configuration is not None
    return configuration.hash


def test_where_nothing_ever_ran_there_is_nothing_to_compare_with(live: FakeLive) -> None:
    """Never `nothing changes`."""
    refused = stopped_after("", {}, live.running.path)
    assert isinstance(refused, OperationRefused)
    assert "no configuration ever ran here" in str(refused)


def test_more_messages_than_can_be_looked_at(live: FakeLive) -> None:
    """Usage."""
    with pytest.raises(OperationRefused, match="20,000") as refused:
        call("config_plan", live=live, shadow=20_001)
    assert refused.value.exit_code == 2


def test_a_plan_of_a_refused_file(live: FakeLive) -> None:
    """78, and nothing is noted with the engine: nobody wanted it to run."""
    live.running.path.write_text(ROUTES.replace("to: [record]", "to: [recrod]"))
    with pytest.raises(OperationRefused, match="E116") as refused:
        call("config_plan", live=live)
    assert refused.value.exit_code == 78
    assert live.running.asked == []
