"""
What each code of a finding means, and what to change: one page a code beside this module, `E120.md`.

A page is a title, a paragraph, and a diff of the smallest configuration that has the finding and one that hasn't.
Tests apply every diff.
"""

from __future__ import annotations

import pathlib
import re
from typing import Final, NamedTuple

_FOLDER: Final = pathlib.Path(__file__).parent
_PAGE: Final = re.compile(
    r"# (?P<code>\w+): (?P<title>[^\n]+)\n\n(?P<prose>.*?)\n(?:\n```diff ?(?P<file>[\w.]*)\n(?P<diff>.*?)```\n)?\Z",
    re.DOTALL,
)


class Page(NamedTuple):
    """One code explained."""

    code: str
    title: str
    prose: str
    diff: str
    """Lines that begin with `-`, `+` or a blank; empty where nothing in a file can be shown."""
    file: str
    """To which file the diff belongs, where it isn't routes.yaml."""


def codes() -> list[str]:
    """Return all codes, errors first."""
    return sorted(path.stem for path in _FOLDER.glob("[EW]*.md"))


def page_of(code: str) -> Page | None:
    """Return the page of a code; None: there is no such code."""
    path = _FOLDER / f"{code}.md"
    if not re.fullmatch(r"[EW]\d{3}", code) or not path.is_file():
        return None
    found = _PAGE.match(path.read_text(encoding="utf-8"))
    assert found is not None, f"{path.name} isn't written as its neighbours are"
    return Page(found["code"], found["title"], found["prose"].strip(), found["diff"] or "", found["file"] or "")
