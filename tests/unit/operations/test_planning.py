"""What another configuration would change."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import OperationRefused
from tests.support.custody import SECRETS, FakeLive, call
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
