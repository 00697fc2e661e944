"""What is installed: the distribution, its command, its types."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
from pathlib import Path

import engine

ROOT = Path(__file__).resolve().parents[2]


def test_the_distribution_is_passerelle():
    """Name, Python, licence."""
    metadata = importlib.metadata.metadata("passerelle")
    assert metadata["Name"] == "passerelle"
    assert metadata["Requires-Python"] == ">=3.11"
    assert any("Apache" in value for value in metadata.get_all("Classifier") or [])


def test_the_command_is_passerelle():
    """`passerelle` calls engine.cli:main."""
    (script,) = (
        entry for entry in importlib.metadata.entry_points(group="console_scripts") if entry.name == "passerelle"
    )
    assert script.value == "engine.cli:main"
    assert callable(script.load())


def test_types_are_published():
    """py.typed lies in the package."""
    assert (Path(engine.__file__).parent / "py.typed").exists()


def test_data_files_are_in_the_package():
    """Migrations, the grammar of `when:` and the dictionary are found beside the code."""
    here = Path(engine.__file__).parent
    assert list(here.rglob("*.sql"))
    assert list(here.rglob("*.lark"))
    assert list(here.rglob("*.tsv"))


def test_a_running_engine_imports_neither_tables_nor_screens():
    """`run` must start fast and stay small: no rich, sqlite_utils, pydantic, hl7apy at import."""
    program = (
        "import engine.cli.run, engine.daemon, sys;"
        "print([name for name in ('rich', 'sqlite_utils', 'pydantic', 'hl7apy', 'lark.tools') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


def test_dev_py_needs_only_the_standard_library():
    """It runs before anything is installed: without site-packages it still says what it can do."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "dev.py", "--help"], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    for command in ("run", "test", "check", "bench"):
        assert f"python3 dev.py {command}" in done.stdout


def test_dev_py_refuses_an_unknown_command_with_its_help():
    """Exit code 2."""
    done = subprocess.run([sys.executable, "dev.py", "dance"], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "dev.py test" in done.stdout


def test_the_scripts_of_ci_can_be_run():
    """Executable, and nothing but `dev.py test` in the end."""
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & 0o111
    assert script.read_text().rstrip().endswith('exec python3 dev.py test "$@"')
