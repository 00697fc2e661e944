"""The shape of the house: layers, sizes, mirrors, words."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted(path.relative_to(ROOT) for path in (ROOT / "engine").rglob("*.py"))

MODULE_LINES_MAX = 500
FUNCTION_LINES_MAX = 50
TESTS_LINES_MAX = 500

TESTED_ELSEWHERE = {
    # module or folder of engine/: the tests that hold it, and why they are not its mirror
    "core/changes.py": ("tests/conformance", "declarations; the suite of stores says what they mean"),
    "core/ports.py": ("tests/conformance", "declarations; the suite of stores says what they mean"),
    "identity/deciding/": ("tests/unit/identity/deciding", "one message asks the rules of several modules: by event"),
    "store/": ("tests/conformance", "one suite for all stores, instead of a mirror of each one's insides"),
    "cli/": ("tests/unit/cli", "commands are tested as they are typed, several modules a command"),
    "daemon/": ("tests/integration", "where the rooms meet: whole engines over real sockets"),
    "errors.py": ("tests/unit", "declarations"),
    "operations/codes/": ("tests/unit/operations/codes", "one table in several modules, held whole against the engine"),
    "routes/": ("tests/unit/routes", "one loader in several modules; its findings are golden texts"),
    "transports/directory/folder.py": ("tests/unit/transports/directory", "tested through the doors, on real folders"),
    "transports/mqtt.py": ("tests/integration", "a real broker"),
    "transforms/": ("tests/unit/transforms", "verbs are tested through the routes that use them, some together"),
}
"""Only to be made smaller. A module that has its mirror need not stand here."""

FORBIDDEN_WORDS = ("utils", "util", "helpers", "helper", "manager", "common", "misc", "base")


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def lines_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count the lines of a function without its docstring."""
    said = function.body[0] if ast.get_docstring(function) is not None else None
    told = 0 if said is None else (said.end_lineno or 0) - said.lineno + 1
    return (function.end_lineno or 0) - function.lineno + 1 - told


def parsed(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text(encoding="utf-8"))


def mirror_of(path: Path) -> Path:
    """engine/core/map_.py -> tests/unit/core/test_map.py."""
    inside = path.relative_to("engine")
    return ROOT / "tests" / "unit" / inside.parent / f"test_{inside.stem.rstrip('_')}.py"


def test_rooms_know_only_what_is_below_them():
    """The import contracts of pyproject.toml hold."""
    lint = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run([lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stdout[-4000:]


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_a_module_can_be_read_at_once(path):
    """At most 500 lines, and 50 a function, what it says of itself not counted."""
    lines = (ROOT / path).read_text(encoding="utf-8").count("\n")
    assert lines <= MODULE_LINES_MAX, f"{path} has {lines} lines: find the second thing that it does"
    long = {
        function.name: size for function in functions(parsed(path)) if (size := lines_of(function)) > FUNCTION_LINES_MAX
    }
    assert not long, f"{path}: {long}"


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_a_module_says_what_it_is_for(path):
    """In its first lines."""
    assert ast.get_docstring(parsed(path)), path


def test_every_module_has_its_tests():
    """In its mirror under tests/unit, or in those that an exception names."""
    missing = []
    for path in MODULES:
        inside = path.relative_to("engine").as_posix()
        if path.name in ("__init__.py", "__main__.py") or mirror_of(path).exists():
            continue
        if not any(inside == name or (name.endswith("/") and inside.startswith(name)) for name in TESTED_ELSEWHERE):
            missing.append(f"{path} wants {mirror_of(path).relative_to(ROOT)}")
    assert not missing, "\n".join(missing)


@pytest.mark.parametrize(("name", "where"), [(name, where) for name, (where, _) in TESTED_ELSEWHERE.items()])
def test_an_exception_is_still_one(name, where):
    """It names something that exists, tests that exist, and nothing that has its mirror."""
    assert (ROOT / "engine" / name).exists(), f"{name} is gone: take it from the list"
    assert list((ROOT / where).rglob("test_*.py")), f"{where} holds no tests"
    if not name.endswith("/"):
        assert not mirror_of(Path("engine") / name).exists(), f"{name} has its mirror: take it from the list"


def test_every_test_file_mirrors_something():
    """A test under tests/unit lies where its room does."""
    rooms = {path.parent.relative_to("engine") for path in MODULES} | {Path("settings"), Path("daemon")}
    strangers = [
        path for path in (ROOT / "tests" / "unit").rglob("test_*.py")
        if path.parent.relative_to(ROOT / "tests" / "unit") not in rooms
    ]  # fmt: skip
    assert not strangers


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_only_the_command_line_prints(path):
    """Everything else logs, or hands its text over."""
    calls = [node for node in ast.walk(parsed(path)) if isinstance(node, ast.Call)]
    printing = [call.lineno for call in calls if isinstance(call.func, ast.Name) and call.func.id == "print"]
    assert "cli" in path.parts or not printing, f"{path}:{printing}"


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_names_say_what_a_thing_does(path):
    """No module, class or function is a drawer for what had no place; no class is called Engine."""
    names = {path.stem.lower()} | {
        node.name.lower() for node in ast.walk(parsed(path)) if isinstance(node, ast.ClassDef)
    }
    for name in names:
        assert name != "engine", path
        assert not set(name.strip("_").split("_")) & set(FORBIDDEN_WORDS), f"{path}: {name}"
        assert not name.endswith(("manager", "helper", "utils")), f"{path}: {name}"


def test_stored_numbers_are_never_used_twice():
    """States and kinds are stored as numbers: the glossary of the database."""
    from engine.core.lifecycle import DeliveryState, MessageState
    from engine.core.messages import DeliveryKind, PayloadKind

    known = {
        MessageState: "RECEIVED ROUTED FILTERED UNROUTED DUPLICATE WAITING DEAD REJECTED DISCARDED",
        DeliveryState: "PENDING DELIVERED DEAD DISCARDED CANCELLED",
        DeliveryKind: "BYTES FENCE WALL BODILESS",
        PayloadKind: "RAW FULL SPLICES BUNDLE",
    }
    for states, words in known.items():
        begin = [state.name for state in sorted(states)][: len(words.split())]
        assert begin == words.split(), states


def test_tests_are_read_at_once_too():
    """At most 500 lines a module: one subject each."""
    long = [
        path.name for path in (ROOT / "tests").rglob("*.py")
        if path.read_text(encoding="utf-8").count("\n") > TESTS_LINES_MAX
    ]  # fmt: skip
    assert not long


def test_no_test_sleeps():
    """It waits until something is so (tests/support/until.py), or lets simulated time pass."""
    simulated = re.compile(r"from tests\.support\.(runtime|hall|yard|group|delivery_bench) import|SimulatedRuntime")
    sleeping = []
    for path in sorted((ROOT / "tests").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if path.name == "until.py" or simulated.search(text):
            continue
        sleeping += [
            f"{path.relative_to(ROOT)}:{call.lineno}"
            for call in ast.walk(ast.parse(text))
            if isinstance(call, ast.Call) and ast.unparse(call.func) in ("asyncio.sleep", "time.sleep", "sleep")
            and ast.unparse(call) != "asyncio.sleep(0)"
        ]  # fmt: skip
    assert not sleeping


def test_no_test_measures_how_long_it_took():
    """An absolute time says how busy the machine was: steps, or a ratio in one run (tests/support/steps.py)."""
    measuring = []
    for path in sorted((ROOT / "tests").rglob("*.py")):
        if path.parent.name == "support":
            continue
        measuring += [
            f"{path.relative_to(ROOT)}:{node.lineno}"
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub)
                and re.match(r"(time\.)?(time|monotonic|perf_counter|process_time|thread_time)(_ns)?\(\)",
                             ast.unparse(node.left)))
            or (isinstance(node, ast.Import) and any(name.name == "timeit" for name in node.names))
        ]  # fmt: skip
    assert not measuring
