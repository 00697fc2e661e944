"""The benchmark measures what it says: its routes load, its messages pass, its sums are right."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bench import identity
from bench.__main__ import GOALS, report
from bench.conditions import FILTER, condition, fresh
from bench.load import Tally, inversions, percentile
from bench.machine import CannotMeasure, children
from bench.messages import Admissions
from bench.parsers import LIBRARIES, WORK, require_done, with_passerelle
from bench.slow_disk import slowed
from bench.validation import admissions, validations_a_second
from engine.core.lifecycle import MessageState
from engine.core.messages import PayloadKind, StoredMessage
from engine.core.references import References
from engine.routes import load
from engine.routes.evaluation import evaluate

ROOT = Path(__file__).resolve().parents[2]


def test_a_measured_message_takes_the_real_walk():
    """About 1 KB; identifiers rewritten, the unit mapped, a lane, stored as a difference."""
    block = Admissions(300).framed(b"r1-7", 7)
    payload = block[1:-2]
    assert 900 <= len(payload) <= 1400
    stored = StoredMessage(source="gam", group="main", raw=payload, received_ms=1, type="ADT^A01", place=1)
    routed = evaluate(load(ROOT / "bench" / "routes.yaml", environment={}), stored, References(b"k" * 32))
    assert routed.state is MessageState.ROUTED
    (delivery,) = routed.deliveries
    assert delivery.control_id == "r1-7"
    assert delivery.lanes
    assert delivery.payload_kind is PayloadKind.SPLICES
    assert b"|10000007^^^BENCH-IPP&1.2.250.1.999.10.1&ISO^PI~" in delivery.rendered
    assert b"|UF4021^201^1" in delivery.rendered


def test_an_overtaken_message_is_an_inversion():
    """It was acknowledged before another of its patient was sent, and arrived after it."""
    tally = Tally(sent={"a": 1.0, "b": 2.0}, answered={"a": 1.5, "b": 2.5})
    assert inversions(tally, [["b", 0, 1, 0, "p"], ["a", 0, 1, 1, "p"]]) == 1
    assert inversions(tally, [["a", 0, 1, 0, "p"], ["b", 0, 1, 1, "p"]]) == 0
    assert inversions(tally, [["b", 0, 1, 0, "p"], ["a", 0, 1, 1, "q"]]) == 0
    tally.answered["a"] = 2.2
    assert inversions(tally, [["b", 0, 1, 0, "p"], ["a", 0, 1, 1, "p"]]) == 0


def test_percentiles_are_in_milliseconds():
    """The median and the 99th of a hundred."""
    values = [number / 1000 for number in range(1, 101)]
    assert percentile(values, 0.5) == 51.0
    assert percentile(values, 0.99) == 100.0
    assert percentile([], 0.5) == -1.0


def test_a_missed_goal_is_said_and_counted():
    """Beside its figure."""
    text, missed = report({"end to end, 32 connections": 2999.0, "resident memory": 119.0, "bare sink": 5998.0})
    assert missed == 1
    assert "MISSED" in text.splitlines()[0]
    assert "met" in text.splitlines()[1]
    assert text.splitlines()[-1].endswith("0.50")
    assert set(GOALS) >= {"ready to receive", "data directory per message", "all delivered after kill -9"}


def test_each_library_does_the_same_task():
    """All give the changed identifier back and lose no segment; ours changes nothing else."""
    for make, fields, _, _ in WORK.values():
        (raw,) = make(1)
        if len(raw) > 10_000:
            continue  # the same task, for seconds
        for library, prepare in LIBRARIES.items():
            require_done(library, prepare(fields), raw)
        changed = with_passerelle(fields)(raw)
        assert changed == raw.replace(b"||" + raw.split(b"\rPID|1||")[1].split(b"^")[0], b"||20000007", 1)


def test_the_load_generator_and_the_sink_agree():
    """A short run of the sink alone: every message accepted; no child is left behind."""
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--only", "bare", "--messages", "500"],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["figures"]["bare sink"] > 100


def test_ctrl_c_leaves_nothing_behind(tmp_path):
    """Neither the folder of the data nor a log, whoever still wrote into them."""
    bench = subprocess.Popen(
        [sys.executable, "-m", "bench", "--only", "load", "--directory", str(tmp_path)],
        cwd=ROOT, env=os.environ | {"TMPDIR": str(tmp_path)}, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert bench.stderr is not None
    try:
        while not list(tmp_path.glob("passerelle-bench-*/data/*")):
            assert bench.poll() is None, bench.stderr.read()
        bench.send_signal(signal.SIGINT)
        _, said = bench.communicate(timeout=60)
    finally:
        bench.kill()
        bench.wait()
    assert (bench.returncode, "Traceback" in said) == (130, False)
    assert list(tmp_path.iterdir()) == []


def test_the_filter_is_measured_where_all_its_conditions_are_asked():
    """Of admissions that pass it: none stops before the last condition."""
    when, bodies = condition(), admissions(60)
    passed = [body for body in bodies if when(fresh(body))]
    assert len(passed) > 20
    assert len(passed) < len(bodies)
    assert FILTER.count(" and ") == 3


def test_validation_is_measured_on_admissions():
    """Of the simulated hospitals: each different, most with nothing to say."""
    bodies = admissions(60)
    assert len(set(bodies)) == 60
    assert all(b"|ADT^" in body for body in bodies)
    assert validations_a_second("pam-fr-2.11", bodies) > 100


def test_a_slower_disk(tmp_path, monkeypatch):
    """Each fdatasync of such a process takes so much longer; where there is no compiler a sentence says what to do."""
    timed = "import os, time\nbegin = time.monotonic()\nos.fdatasync(1)\nprint(time.monotonic() - begin)"
    if shutil.which("cc") or shutil.which("gcc"):
        environment = slowed(200, tmp_path)
        with (tmp_path / "said").open("w+") as said:
            subprocess.run([sys.executable, "-c", timed], env=environment, stdout=said, check=True)
        assert float((tmp_path / "said").read_text()) >= 0.2
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(CannotMeasure, match="needs a C compiler: install gcc"):
        slowed(200, tmp_path)


def test_the_memory_of_the_cross_reference_is_that_of_a_process_of_its_own(tmp_path):
    """What other parts of a whole bench have left here doesn't count."""
    left = bytearray(300_000_000)
    left[::4096] = b"x" * len(left[::4096])
    with children() as family:
        figures = identity.run(family, tmp_path, 4_000)
    assert len(left) == 300_000_000
    assert 20 < figures["identities: memory, both processes"] < 250


def test_a_part_that_fails_is_told_with_its_last_words(tmp_path):
    (tmp_path / "identity").write_text("no folder")
    with children() as family, pytest.raises(CannotMeasure, match=r"the part identity ended with 1: .*can.t be used"):
        identity.run(family, tmp_path, 4_000)
