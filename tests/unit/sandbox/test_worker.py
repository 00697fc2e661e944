"""What a function of the hospital's gets, and what becomes of it; in this process."""

from __future__ import annotations

from typing import Any

import pytest

from engine.sandbox.worker import Given, NotDeclared, run

FACTS = {"site": "cha", "source": "gam", "type": "ADT", "event": "A01", "control_id": "7", "rank": "2"}
RAW = "MSH|^~\\&\rPID|1||9~8||DOE\rOBX|1|NM|A||5\rOBX|2|NM|B||6\r"


def given(reads: tuple[str, ...] = ("PID", "OBX"), writes: tuple[str, ...] = ("PID-5.1", "PV1-3")) -> Given:
    return Given(RAW.encode(), FACTS, reads, writes)


def test_reading():
    """First and all values, and what is known of the message."""
    it = given()
    assert (it.first("PID-5.1"), it.first("PID-9"), it.read("OBX[*]-5")) == ("DOE", "", ["5", "6"])
    assert (it.site, it.source, it.type, it.event, it.control_id, it.rank) == ("cha", "gam", "ADT", "A01", "7", 2)


def test_writing():
    """In order; what was written is read back where it can be seen."""
    it = given()
    it.write("PID-5.1", "ROE")
    it.write("PV1-3", "1010")
    assert it.first("PID-5.1") == "ROE"
    it.delete("PID-5.1")
    assert it.first("PID-5.1") == ""
    assert it.written == [("PID-5.1", "ROE"), ("PV1-3", "1010"), ("PID-5.1", None)]


@pytest.mark.parametrize(
    "act",
    [
        lambda it: it.first("PV1-3"), lambda it: it.write("PID-3", "x"), lambda it: it.delete("OBX-5"),
        lambda it: it.first("PID-3[@ipp].1"), lambda it: it.read(".5"),
    ],
)  # fmt: skip
def test_what_is_not_declared(act):
    """Is refused, with the path."""
    with pytest.raises(NotDeclared):
        act(given())


def called(text: str, call: str = "f", **more: Any) -> dict[str, Any]:
    value = {
        "file": "c.py",
        "text": text,
        "call": call,
        "message": RAW,
        "facts": FACTS,
        "reads": ["PID"],
        "writes": ["PID-8"],
    }
    return run(value | more, {})


def test_a_call():
    """Gives what was written."""
    assert called("def f(m):\n    m.write('PID-8', m.first('PID-5'))\n") == {"writes": [("PID-8", "DOE")]}
    assert called("def f(m):\n    m.write('PID-8', 5)\n") == {"writes": [("PID-8", "5")]}
    assert called("x = 1 / 0\n", load=True) == {"failure": "ZeroDivisionError at c.py:1"}
    assert called("def f(m):\n    1 / 0\n", load=True) == {"writes": []}


@pytest.mark.parametrize(
    ("body", "failure"),
    [
        ("raise ValueError(m.first('PID-5'))", "ValueError at c.py:2"),
        ("m.first('PV1-3')", "PV1 isn't under reads (c.py:2)"),
        ("m.write('PID-3', 'x')", "PID-3 isn't under writes (c.py:2)"),
        ("m.first('pid-3')", "a segment's name is written in capitals (c.py:2)"),
        ("m.write(m.first('PID-5'), 'PID-8')", "it writes a path that isn't under writes (c.py:2)"),
        ("m.read(m.first('PID-5') + '-3')", "it reads a path whose segment isn't under reads (c.py:2)"),
        ("m.first('PID-3[' + m.first('PID-5') + ']')", "it reads what is no path (c.py:2)"),
        (
            "m.first('PID-3[@' + m.first('PID-5') + ']')",
            "it reads by an authority; write the component with its type: PID-3[5=PI].1 (c.py:2)",
        ),
        (
            "m.first('PID-3[@X]')",
            "PID-3[@X] names an authority; write the component with its type: PID-3[5=PI].1 (c.py:2)",
        ),
        ("import json; json.loads('{')", "JSONDecodeError at c.py:2"),
        ("raise SystemExit(3)", "SystemExit at c.py:2"),
        ("f(m)", "RecursionError at c.py:2"),
    ],
)
def test_a_failure_names_file_and_line(body, failure):
    """Of the hospital's own file; no value is told."""
    assert called(f"def f(m):\n    {body}\n") == {"failure": failure}


def test_modules_are_kept():
    """From call to call; another text is another module."""
    loaded: dict[tuple[str, str], dict[str, Any]] = {}
    text = "n = []\ndef f(m):\n    n.append(1)\n    m.write('PID-8', str(len(n)))\n"
    value = {
        "file": "c.py",
        "text": text,
        "call": "f",
        "message": RAW,
        "facts": FACTS,
        "reads": [],
        "writes": ["PID-8"],
    }
    assert [run(value, loaded)["writes"][0][1] for _ in range(2)] == ["1", "2"]
    assert run(value | {"text": text + "\n"}, loaded)["writes"][0][1] == "1"
