"""dev.py: what it says when something is missing."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def dev():
    spec = importlib.util.spec_from_file_location("dev_script", ROOT / "dev.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("output", "word"),
    [
        ("urllib3 NewConnectionError: …", "network"),
        ("Temporary failure in name resolution", "network"),
        ("OSError: No space left on device", "disk is full"),
        ("error: command 'gcc' failed", "wheels"),
        ("something else", "lines above"),
    ],
)
def test_a_failed_pip_is_explained(dev, output, word):
    """What the person in front of the screen can do."""
    assert word in dev._reason(output)


def test_an_old_python_is_told_so_before_anything_else(dev, monkeypatch, capsys):
    """One sentence with both versions, exit code 69."""
    monkeypatch.setattr(dev, "OLDEST", (9, 9))
    with pytest.raises(SystemExit) as ended:
        dev._environment(".")
    assert ended.value.code == 69
    error = capsys.readouterr().err
    assert "9.9" in error
    assert sys.version.split()[0] in error


@pytest.mark.parametrize("installed", [".[dev]", ".[dev,fuzz]"])
def test_an_environment_with_its_stamp_is_used_as_it_is(dev, monkeypatch, tmp_path, installed):
    """No pip call when pyproject.toml is the same; `run` is content with what `test` or `fuzz` installed."""
    import hashlib

    project = hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").touch()
    (tmp_path / ".passerelle-stamp").write_text(f"{project} {installed}\n")
    monkeypatch.setattr(dev, "HOME", tmp_path)
    monkeypatch.setattr(dev, "_make", lambda python: pytest.fail("made again"))
    assert dev._environment(dev.RUN) == tmp_path / "bin" / "python"
    assert dev._environment(dev.DEV) == tmp_path / "bin" / "python"


@pytest.mark.parametrize(
    ("before", "wanted", "after"),
    [(".[dev]", ".", ".[dev]"), (".", ".[dev]", ".[dev]"), (".[dev,fuzz]", ".[dev]", ".[dev,fuzz]"),
     (".[dev]", ".[dev,fuzz]", ".[dev,fuzz]"), (".[odd]", ".", ".")],
)  # fmt: skip
def test_a_changed_project_is_installed_again(dev, monkeypatch, tmp_path, before, wanted, after):
    """The stamp holds the hash of pyproject.toml; afterwards it holds the new one, and no less than was installed."""
    calls = []
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").touch()
    (tmp_path / ".passerelle-stamp").write_text(f"old {before}\n")
    monkeypatch.setattr(dev, "HOME", tmp_path)
    monkeypatch.setattr(dev, "_make", lambda python: None)
    done = type("Done", (), {"returncode": 0, "stdout": ""})
    monkeypatch.setattr(dev.subprocess, "run", lambda command, **_: calls.append(command) or done)
    dev._environment(wanted)
    assert calls[0][-1] == after
    assert (tmp_path / ".passerelle-stamp").read_text().endswith(f" {after}\n")
    assert "old" not in (tmp_path / ".passerelle-stamp").read_text()
