"""Requests: names and arguments are checked before anything is done."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest

from engine.errors import OperationRefused
from engine.operations.service import OPERATIONS
from tests.support.custody import (
    call,
)


@pytest.mark.parametrize(
    ("name", "arguments", "sentence"),
    [
        ("dead_retry", {"ids": ["3-0"]}, "a reason is needed"),
        ("dead_retry", {"reason": "x"}, "say which"),
        ("dead_retry", {"ids": ["3-0"], "destination": "dpi", "reason": "x"}, "not both"),
        ("dead_retry", {"ids": ["1-0"], "reason": "x"}, "1-0 is not dead"),
        ("dead_retry", {"ids": ["99"], "reason": "x"}, "there is no message 99"),
        ("dead_retry", {"ids": ["x"], "reason": "x"}, "no id of a message"),
        ("dead_pass", {"ids": ["5"], "reason": "x"}, "no lane waits for it"),
        ("dead_restore", {"ids": ["3-0"], "reason": "x"}, "3-0 is not discarded"),
        ("dead_show", {"id": "3-9"}, "has no delivery 3-9"),
        ("dead_list", {"limit": 0}, "begins at 1"),
        ("dead_list", {"limit": "5"}, "wrong type"),
        ("dead_list", {"limit": True}, "wrong type"),
        ("dead_list", {"who": "root"}, "takes no 'who'"),
        ("dead_show", {}, "needs 'id'"),
        ("dead_retry", {"ids": [3]}, "wrong type"),
        ("shutdown", {}, "no operation 'shutdown'"),
    ],
)
def test_wrong_requests_are_refused_in_a_sentence(name: str, arguments: dict[str, Any], sentence: str) -> None:
    """The sentence says what to write; nothing changes."""
    with pytest.raises(OperationRefused, match=sentence):
        call(name, **arguments)


def test_every_operation_says_what_it_does() -> None:
    """The console and the documentation list them by these sentences."""
    assert all(operation.__doc__ for operation in OPERATIONS.values())
    assert len(OPERATIONS) == 44


def test_every_operation_is_documented() -> None:
    """In docs/operators/control-socket.md, with its arguments."""
    page = (Path(__file__).resolve().parents[3] / "docs/operators/control-socket.md").read_text("utf-8")
    lines = [line for line in page.splitlines() if line.startswith("| `")]
    for name, operation in OPERATIONS.items():
        line = next((one for one in lines if f"`{name}`" in one), "")
        wanted = set(inspect.signature(operation).parameters) - {"desk", "who"}
        assert set(line.split("|")[2].replace(",", " ").split()) == wanted if line else False, name
