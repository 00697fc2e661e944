"""`python` calls a function of the hospital's own."""

from __future__ import annotations

import pathlib

import pytest

from engine.core.asking import Asked, Code, Reply
from engine.errors import StepFailed
from engine.parsers.hl7v2.message import Message
from engine.parsers.hprim.message import parse_hprim
from engine.parsers.paths import Path
from engine.routes import check
from engine.transforms.python import Python, visible
from engine.transforms.step import Context
from tests.unit.routes.conftest import SMALL

RAW = b"MSH|^~\\&|A|B\rPID|1||9||DO\xc9^JANE\rPV1|1|I\rOBX|1|NM|A||5\r"
GOOD = "import re\n\ndef clean(message):\n    pass\n\ndef two(a, b):\n    pass\n"


def step(writes: tuple[str, ...] = ("PID-5.1", "PID-8")) -> Python:
    code = Code(file="c.py", text=GOOD, call="clean", reads=frozenset({"PID"}), writes=frozenset(writes), timeout=1.0)
    return Python(code, [Path.parse(path) for path in writes])


def applied(reply: Reply) -> str:
    """Apply the step with a reply; gives the message."""
    message = Message.parse(RAW, default_charset="latin-1", as_utf8=True)
    with pytest.raises(Asked) as asked:
        step().apply(Context(message, site="cha"))
    [question] = asked.value.questions
    context = Context(message, site="cha", answers={question.key: reply})
    step().apply(context)
    return message.to_bytes().decode()


def test_only_what_is_read_is_shown():
    """Other segments never leave the engine; the header has its delimiters only; text is UTF-8."""
    message = Message.parse(RAW, default_charset="latin-1")
    assert visible(message, frozenset({"PID", "OBX"})) == ("MSH|^~\\&\rPID|1||9||DOÉ^JANE\rOBX|1|NM|A||5\r".encode())
    assert visible(message, frozenset({"MSH"})) == b"MSH|^~\\&|A|B\r"
    hprim = parse_hprim(b"H|~^\\&|1|X\rP|1|99\r", as_utf8=True)
    assert visible(hprim, frozenset({"P"})) == b"H|~^\\&\rP|1|99\r"


def test_what_it_writes_is_written():
    """In its order; None empties."""
    assert "PID|1||9||Doé^JANE|||F\r" in applied(Reply([("PID-5.1", "Doé"), ("PID-8", "F")]))
    assert "PID|1||9||^JANE\r" in applied(Reply([("PID-5.1", None)]))


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(failure="ValueError at c.py:3"), "ValueError at c.py:3"),
        (Reply([("PID-8", "F"), ("PID-3", "1")]), "wrote a path that isn't under writes"),
    ],
)
def test_a_failure_is_a_dead_letter(reply, words):
    """With file and line; what isn't declared isn't written, whatever the worker says."""
    with pytest.raises(StepFailed, match=words) as caught:
        applied(reply)
    assert (caught.value.code, caught.value.field) == ("E-PYTHON", "c.py")


@pytest.fixture
def lint(tmp_path: pathlib.Path):
    """Load a route with a python step; gives the codes."""

    def go(words: str, text: str = GOOD, allowed: str = "yes") -> list[str]:
        (tmp_path / "c.py").write_text(text)
        (tmp_path / "routes.yaml").write_text(
            f"{SMALL}routes:\n  r:\n    from: [gam]\n    steps: [ {words} ]\n    to: [dpi]\n"
        )
        configuration, findings = check(tmp_path / "routes.yaml", environment={"PASSERELLE_PYTHON": allowed})
        if configuration is not None:
            assert configuration.routes[0].calls == {"c.py"}
        return [one.code for one in findings if one.level == "error"]

    return go


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ("file: c.py, call: clean, reads: [PID], writes: [PID-5.1], timeout: 500ms", None),
        ("file: c.py, call: clean, reads: [PID]", None),
        ("file: d.py, call: clean, reads: [PID]", "E124"),
        ("file: ../c.py, call: clean, reads: [PID]", "E124"),
        ("file: c.py, call: claen, reads: [PID]", "E116"),
        ("file: c.py, call: two, reads: [PID]", "E154"),
        ("file: c.py, call: clean, reads: [PID], timeout: 2h", "E111"),
        ("file: c.py, call: clean, reads: [PID], writes: [PID]", "E112"),
        ("file: c.py, call: clean", "E105"),
    ],
)
def test_lint(lint, arguments, code):
    """File, function, what it reads and writes, how long it may take."""
    assert lint(f"{{ python: {{ {arguments} }} }}") == ([code] if code else [])


def test_lint_of_the_rest(lint):
    """Allowed by the settings, Python that can be read, not in foreach; seen inside other steps."""
    arguments = "{ python: { file: c.py, call: clean, reads: [PID] } }"
    assert lint(arguments, allowed="") == ["E153"]
    assert lint(arguments, text="def clean(message:\n") == ["E154"]
    assert lint(f"{{ foreach: OBX, do: [ {arguments} ] }}") == ["E118"]
    assert lint("{ python: { file: c.py, call: clean, reads: [PID] }, when: PID-8 exists, on_error: keep }") == []
