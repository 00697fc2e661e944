r"""
Inputs that are kept: one line each, as Python writes bytes without the quotes (`MSH|^~\\&|A\rPID|1\xe9`).

`tests/fixtures/fuzz/TARGET.txt` holds what a campaign found to fail, and what reached code that nothing else
reached; grown from synthetic messages only. `#` begins a comment.
"""

from __future__ import annotations

import ast
import pathlib
from collections.abc import Iterable
from typing import Final

FOLDER: Final = pathlib.Path(__file__).parents[1] / "fixtures" / "fuzz"


def read_kept(target: str) -> list[bytes]:
    """Return the inputs of a target, in the order of the file."""
    path = FOLDER / f"{target}.txt"
    if not path.is_file():
        return []
    lines = path.read_text(encoding="ascii").splitlines()
    return [_bytes_of(line) for line in lines if line and not line.startswith("#")]


def keep(target: str, inputs: Iterable[bytes]) -> int:
    """Add inputs that aren't there yet; returns how many."""
    known = set(read_kept(target))
    new = [data for data in dict.fromkeys(inputs) if data and data not in known]
    with (FOLDER / f"{target}.txt").open("a", encoding="ascii") as file:
        file.writelines(f"{line_of(data)}\n" for data in new)
    return len(new)


def line_of(data: bytes) -> str:
    """Write one input; `#` at its beginning would be a comment."""
    text = repr(b'"' + data)[2:-1].removeprefix('"')
    return f"\\x23{text[1:]}" if text.startswith("#") else text


def _bytes_of(line: str) -> bytes:
    quoted = line.replace("\\'", "'").replace("'", "\\'")
    value = ast.literal_eval(f"b'{quoted}'")
    assert isinstance(value, bytes)
    return value
