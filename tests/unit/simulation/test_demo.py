"""The demo: its children end with it, and one that dies ends it with its sentence."""

import subprocess
import sys

import psutil
import pytest

from engine.errors import ConfigurationRefused
from engine.simulation import demo
from engine.simulation.demo import Child, ChildDied, run_demo
from tests.support.until import wait_until


def test_without_routes_the_answer_is_one_sentence(tmp_path, capsys):
    """Exit code 78; nothing is started, no directory is made."""
    assert run_demo(tmp_path / "routes.yaml", tmp_path / "data") == 78
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "routes.yaml" in error
    assert not (tmp_path / "data").exists()


def test_a_child_that_died_is_told_in_its_own_words(tmp_path):
    """The last line that it wrote, and its exit code."""
    child = Child(
        "the engine", ["-c", "import sys; sys.stderr.write('port 1 is taken\\n'); sys.exit(69)"], tmp_path / "log"
    )
    child._process.wait(10)
    with pytest.raises(ChildDied, match=r"^port 1 is taken$") as died:
        child.check()
    assert died.value.exit_code == 69
    child.stop()


def test_a_silent_child_that_died_is_named(tmp_path):
    """So that nobody looks for a sentence that isn't there."""
    child = Child("the engine", ["-c", "import os; os.kill(os.getpid(), 9)"], tmp_path / "log")
    child._process.wait(10)
    with pytest.raises(ChildDied, match=r"the engine was ended from outside \(SIGKILL\)"):
        child.check()
    child.stop()


def test_whole_lines_are_read_without_waiting(tmp_path):
    """Half a line stays until its end comes."""
    program = "import sys; print('one', flush=True); sys.stdout.write('tw'); sys.stdout.flush(); sys.stdin.read()"
    child = Child("x", ["-c", program + "; import time; time.sleep(60)"], tmp_path / "log", piped=True)
    lines: list[bytes] = []

    def read() -> bool:
        lines.extend(child.lines())
        return (lines, child._rest) == ([b"one"], b"tw")

    wait_until(read)
    child.stop()


def test_stop_ends_a_child_that_does_not_want_to(tmp_path, monkeypatch):
    """SIGTERM first, SIGKILL when its time is over."""
    monkeypatch.setattr(demo, "STOP_SECONDS", 0.2)
    stubborn = "import signal, time; signal.signal(15, signal.SIG_IGN); print('x', flush=True); time.sleep(60)"
    child = Child("x", ["-c", stubborn], tmp_path / "log", piped=True)
    wait_until(lambda: list(child.lines()))
    child.stop()
    assert child._process.returncode == -9


def test_children_do_not_outlive_a_killed_parent(tmp_path):
    """Even `kill -9` of the demo leaves no engine behind (Linux)."""
    program = (
        "import pathlib, sys, time; from engine.simulation.demo import Child;"
        f"c = Child('x', ['-c', 'import time; time.sleep(60)'], pathlib.Path({str(tmp_path / 'log')!r}));"
        "print(c._process.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    try:
        orphan = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
        parent.wait(10)
        # A zombie where nobody reaps it, else no such process.
        wait_until(lambda: orphan.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        pass
    finally:
        parent.kill()
        parent.wait(10)
        parent.stdout.close()


def test_the_demo_ends_with_the_sentence_of_a_child_that_died(tmp_path, monkeypatch, capsys):
    """And with its exit code; the other children are stopped."""
    (tmp_path / "routes.yaml").write_text("version: 1\n")
    monkeypatch.setattr(demo, "load", lambda routes, environment: None)

    class Dead(Child):
        def __init__(self, name, arguments, log, *, piped=False):
            code = "import sys; sys.stderr.write('127.0.0.1:6101 is in use\\n'); sys.exit(69)"
            super().__init__(name, ["-c", code], log, piped=piped)

    monkeypatch.setattr(demo, "Child", Dead)
    assert run_demo(tmp_path / "routes.yaml", tmp_path / "data") == 69
    assert capsys.readouterr().err == "127.0.0.1:6101 is in use\n"


def test_the_demo_says_that_its_engine_was_killed(tmp_path, monkeypatch, capsys):
    """The last line of its log would say something that is over."""
    (tmp_path / "routes.yaml").write_text("version: 1\n")
    monkeypatch.setattr(demo, "load", lambda routes, environment: None)

    class Killed(Child):
        def __init__(self, name, arguments, log, *, piped=False):
            code = "import os, sys; sys.stderr.write('ready\\n'); sys.stderr.flush(); os.kill(os.getpid(), 9)"
            super().__init__(name, ["-c", code], log, piped=piped)

    monkeypatch.setattr(demo, "Child", Killed)
    assert run_demo(tmp_path / "routes.yaml", tmp_path / "data") == 1
    said = capsys.readouterr().err
    assert "the engine was ended from outside (SIGKILL)" in said
    assert "demo-engine.log" in said


def test_a_refused_configuration_ends_the_demo_with_its_findings(tmp_path):
    """Before anything is started."""
    (tmp_path / "routes.yaml").write_text("version: 1\nsauces: {}\n")
    with pytest.raises(ConfigurationRefused, match="sauces"):
        run_demo(tmp_path / "routes.yaml", tmp_path / "data")
    assert not (tmp_path / "data").exists()
