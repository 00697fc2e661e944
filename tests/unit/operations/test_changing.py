"""Apply, confirm, roll back; what ran when."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.core.changes import Configure
from engine.core.messages import Takeover
from engine.errors import OperationRefused
from engine.operations.changing import lines_between
from engine.operations.service import Operations
from tests.support.custody import FakeLive, call, calls, configuration, opened, submitted

ROUTES = """
version: 1
sites:
  cha: { authorities: { ipp: { oid: 1.2.250.1.999.10.1, hd1: CHA-IPP, hd3: ISO, type: PI } } }
sources:
  gam_cha: { type: mllp, site: cha, listen: 127.0.0.1:6101 }
destinations:
  record: { type: mllp, connect: 127.0.0.1:5500 }
routes:
  adt: { from: [gam_cha], to: [record] }
"""


@pytest.fixture
def live(tmp_path: Path) -> FakeLive:
    """An engine whose routes.yaml is another one than it runs."""
    live = FakeLive()
    live.running.path = tmp_path / "routes.yaml"
    live.running.path.write_text(ROUTES)
    return live


def test_a_dry_run_says_what_would_change(live: FakeLive) -> None:
    """Declarations by kind, queues with what waits for them, tests; nothing is asked of the engine."""
    answer = call("config_apply", live=live, dry=True)
    assert answer["changes"]["destinations"] == {"added": ["record"], "removed": ["dpi"], "changed": [], "renamed": {}}
    waits = "can't be removed while something waits for it"
    assert answer["queues"] == [{"destination": "dpi", "waiting": 1, "parked": 0, "what": waits}]
    assert answer["tests"] == {"passed": 0, "failed": 0, "failures": []}
    assert live.running.asked == []


def test_what_was_looked_at_is_what_is_applied(live: FakeLive) -> None:
    """A file that changed meanwhile, or another number of differences, is refused; then it runs and is audited."""
    dry = call("config_apply", live=live, dry=True)
    with pytest.raises(OperationRefused, match="has changed since") as refused:
        call("config_apply", live=live, reason="r", wanted="0123")
    assert refused.value.exit_code == 3
    with pytest.raises(OperationRefused, match="not 1") as refused:
        call("config_apply", live=live, reason="r", expect=1)
    assert refused.value.exit_code == 3
    live.running.asked.clear()
    done, audit = calls(
        [("config_apply", {"reason": "new record", "expect": dry["count"], "wanted": dry["hash"],
                           "confirm_seconds": 600}), ("audit", {})], live=live,
    )  # fmt: skip
    assert done["rows"][0]["outcome"] == "runs now on trial: passerelle confirm lets it stay"
    assert live.running.asked == [("apply", dry["hash"], "nurse", "new record", "600")]
    assert [row["verb"] for row in audit["rows"]][:1] == ["config apply"]


def test_a_refusal_is_noted_with_the_engine(live: FakeLive) -> None:
    """Exit code 78, the first finding in the sentence, and so for everybody in status."""
    live.running.path.write_text(ROUTES.replace("to: [record]", "to: [recrod]"))
    with pytest.raises(OperationRefused, match=r"routes.yaml has 1 error; the first: .*E116") as refused:
        call("config_apply", live=live, reason="r")
    assert refused.value.exit_code == 78
    assert live.running.asked[0][0] == "refuse"
    assert "E116" in live.running.asked[0][1]


def test_a_refusal_is_noted_before_a_reason_was_asked_for(live: FakeLive) -> None:
    """The command line looks first: what it is told there, everybody is to see."""
    live.running.path.write_text(ROUTES.replace("to: [record]", "to: [recrod]"))
    with pytest.raises(OperationRefused, match="E116"):
        call("config_apply", live=live, dry=True)
    assert [(one[0], one[-1]) for one in live.running.asked] == [("refuse", "apply")]


def test_only_the_engines_own_file_is_applied(live: FakeLive, tmp_path: Path) -> None:
    """Another one would be gone at the next start."""
    with pytest.raises(OperationRefused, match="this engine runs") as refused:
        call("config_apply", live=live, routes=str(tmp_path / "other.yaml"), reason="r")
    assert refused.value.exit_code == 2


def test_without_an_engine_nothing_is_applied() -> None:
    """It takes the file at its start (69)."""
    for name in ("config_apply", "config_rollback", "config_confirm"):
        with pytest.raises(OperationRefused, match="no engine runs") as refused:
            call(name, stopped=True, reason="r")
        assert refused.value.exit_code == 69


def with_history(requests: list[tuple[str, dict[str, Any]]], live: FakeLive) -> list[Any]:
    """Carry out requests where `abc1` ran before the present configuration; refusals come as they are."""

    async def run() -> list[Any]:
        desk, store = await opened(live=live)
        first = Takeover("start", "abc1", "", 1_000, "passerelle", "the first start")
        present = Takeover("apply", live.runs.hash, "abc1", 2_000, "alice", "new")
        await submitted(store, Configure(first, files={"routes.yaml": b"a\nb\n"}))
        await submitted(store, Configure(present, files={"routes.yaml": b"a\nc\n", "t.csv": b"1;2\n"}))
        answers: list[Any] = []
        for name, arguments in requests:
            try:
                answers.append(await Operations(desk).call(name, arguments, who="nurse"))
            except OperationRefused as refused:
                answers.append(refused)
        await store.close()
        return answers

    return asyncio.run(run())


def test_rollback_goes_to_the_one_before(live: FakeLive) -> None:
    """From the kept files; a name that nothing begins with is refused."""
    live.running.former["abc1"] = replace(configuration(), hash="abc1", routes=(), routes_of={})
    dry, unknown, done = with_history(
        [
            ("config_rollback", {"dry": True}),
            ("config_rollback", {"to": "ffff", "reason": "r"}),
            ("config_rollback", {"to": "abc", "reason": "worse", "expect": 1}),
        ],
        live,
    )
    assert (dry["before"], dry["hash"], dry["count"]) == ("c0ffee", "abc1", 1)
    assert (unknown.exit_code, str(unknown).split(":")[0]) == (1, "no configuration begins with 'ffff'")
    assert done["rows"] == [{"id": "abc1", "accepted": True, "outcome": "runs now"}]
    assert live.running.asked == [("rollback", "abc1", "nurse", "worse", "0")]


def test_a_rollback_says_that_the_file_is_another(live: FakeLive) -> None:
    """Somebody is to mend it: the next `apply` would bring it back."""
    former = replace(configuration(), hash="abc1", contents={"routes.yaml": b"version: 1\n"})
    live.running.former["abc1"] = former
    [done] = with_history([("config_rollback", {"reason": "worse"})], live)
    words = "runs now; routes.yaml still says something else: mend it, then `passerelle plan` and `passerelle apply`"
    assert done["rows"][0]["outcome"] == words


def test_lines_between_two_configurations() -> None:
    """Of each file that differs, with its name; one that is too large is named."""
    was = {"routes.yaml": b"a\nb\n", "same.csv": b"1\n", "tables/large.csv": b"x\n" * 1_500_000}
    now = {"routes.yaml": b"a\nc\n", "same.csv": b"1\n", "tables/large.csv": b"y\n" * 1_500_000, "new.csv": b"2\n"}
    assert lines_between(was, now, "abc", "def") == [
        "--- routes.yaml abc", "+++ routes.yaml def", "@@ -1,2 +1,2 @@", " a", "-b", "+c",
        "--- tables/large.csv abc", "+++ tables/large.csv def",
        "@@ 3,000,000 and 3,000,000 bytes: too many to be compared by lines @@",
        "--- new.csv abc", "+++ new.csv def", "@@ -0,0 +1 @@", "+2",
    ]  # fmt: skip


def test_log_show_and_diff(live: FakeLive) -> None:
    """What ran when; the files as they were; what differs between them."""
    log, shown, diff = with_history([("config_log", {}), ("config_show", {"name": "abc"}), ("config_diff", {})], live)
    assert [(row["verb"], row["hash"], row["who"]) for row in log["rows"]] == [
        ("apply", "c0ffee", "alice"), ("start", "abc1", "passerelle"),
    ]  # fmt: skip
    assert log["running"] == "c0ffee"
    assert shown["files"] == {"routes.yaml": "a\nb\n"}
    assert (diff["one"], diff["other"]) == ("abc1", "c0ffee")
    assert [line for line in diff["lines"] if line[0] in "+-" and line[:3] not in ("+++", "---")] == [
        "-b",
        "+c",
        "+1;2",
    ]
