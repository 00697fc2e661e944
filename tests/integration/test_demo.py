"""`passerelle run --demo`: the engine, the simulated group and the screen, as processes, with the delivered routes."""

from __future__ import annotations

import re
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.engine import free_port

ROOT = Path(__file__).resolve().parents[2]
PORTS = ("6101", "6102", "6103", "6110", "6111", "5500", "5883")


@pytest.fixture
def place(tmp_path):
    """The delivered routes in a folder of their own, with ports that nobody uses."""
    text = (ROOT / "routes.yaml").read_text(encoding="utf-8")
    ports = {port: str(free_port()) for port in PORTS}
    text = re.sub(r"127\.0\.0\.1:(\d+)", lambda found: f"127.0.0.1:{ports.get(found[1], found[1])}", text)
    (tmp_path / "routes.yaml").write_text(text, encoding="utf-8")
    for folder in ("tables", "templates"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    return tmp_path, ports


def start(directory: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "engine", "run", "--demo"],
        cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={"PYTHONPATH": str(ROOT)},
    )  # fmt: skip


def test_the_demo_runs_and_ctrl_c_ends_it_cleanly(place):
    """Messages are delivered, in order, the balance is even; the exit code is 0 and no child is left."""
    directory, ports = place
    demo = start(directory)
    lines = []
    for line in demo.stdout:
        lines.append(line)
        if re.search(r"delivered [1-9]", line):
            break
    demo.send_signal(signal.SIGINT)
    _, error = demo.communicate(timeout=40)
    assert demo.returncode == 0, error
    assert error == ""
    assert "difference 0" in lines[-1]
    assert "out of order 0" in lines[-1]
    for port in ports.values():
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", int(port))) != 0, f"somebody still listens on {port}"


def test_a_second_one_beside_the_first_is_told_at_once(place):
    """One sentence, exit code 75; the first one goes on undisturbed."""
    directory, _ = place
    demo = start(directory)
    assert "engine running" in demo.stdout.readline()
    second = start(directory)
    shown, error = second.communicate(timeout=20)
    assert (second.returncode, shown) == (75, "")
    assert re.fullmatch(r"passerelle: an engine \(process \d+\) runs already on .* \(--data DIR\)\n", error)
    demo.send_signal(signal.SIGINT)
    shown, error = demo.communicate(timeout=40)
    assert (demo.returncode, error) == (0, "")
    assert "difference 0" in shown


@pytest.mark.parametrize("port", ["6101", "5500"])
def test_a_port_in_use_is_one_sentence(place, port):
    """It names the address; exit code 69; what was started is stopped."""
    directory, ports = place
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", int(ports[port])))
        taken.listen()
        demo = start(directory)
        _, error = demo.communicate(timeout=40)
    assert demo.returncode == 69
    assert error.count("\n") == 1
    assert f"127.0.0.1:{ports[port]}" in error
