"""The client of the control socket."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from engine.errors import OperationRefused
from engine.operations.address import SOCKET
from engine.operations.client import Client, EngineSilent
from engine.operations.control import user_name
from engine.operations.presence import note_running
from tests.support.custody import engine_in_thread


def test_one_connection_serves_several_requests(tmp_path: Path) -> None:
    """Answers are the operations' own; an act knows who asked."""
    with engine_in_thread(tmp_path), Client(tmp_path) as engine:
        assert engine.call("status")["balance"]["difference"] == 0
        engine.call("dead_retry", {"ids": ["3-0"], "reason": "fixed"})
        assert engine.call("audit")["rows"][0]["who"] == user_name(os.getuid())


def test_a_refusal_keeps_its_sentence_and_exit_code(tmp_path: Path) -> None:
    """The command line exits as the operation says."""
    with engine_in_thread(tmp_path), Client(tmp_path) as engine:
        with pytest.raises(OperationRefused, match="nothing was changed") as refused:
            engine.call("dead_retry", {"destination": "dpi", "expect": 9, "reason": "x"})
        assert refused.value.exit_code == 3
        assert engine.call("status")["v"] == 1, "the connection goes on"


def test_an_engine_that_stays_silent(tmp_path: Path) -> None:
    """The operator is told that it may still be carried out."""
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.bind(str(tmp_path / SOCKET))
        deaf.listen()
        with Client(tmp_path, timeout=0.05) as engine, pytest.raises(EngineSilent, match="did not answer in time"):
            engine.call("status")


def test_a_frozen_engine_is_known_soon(tmp_path: Path) -> None:
    """It takes the connection and nothing more: one sentence with its process."""
    note_running(tmp_path, 1)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / SOCKET))
        listening.listen()
        with Client(tmp_path) as engine:
            sentence = rf"the engine \(pid {os.getpid()}\) is there but doesn't answer"
            with pytest.raises(EngineSilent, match=sentence) as silent:
                engine.require_alive(0.05)
            assert silent.value.exit_code == 69


def test_a_living_engine_is_alive_and_answers_on_the_same_connection(tmp_path: Path) -> None:
    """The check costs one turn of its loop."""
    with engine_in_thread(tmp_path), Client(tmp_path) as engine:
        engine.require_alive(5)
        assert engine.call("status")["v"] == 1
