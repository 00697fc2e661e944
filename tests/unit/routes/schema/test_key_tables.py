"""The tables of keys in docs/routes: what the schema says, word for word."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from engine.routes.configuration import Delays, Retry
from engine.routes.schema import DESTINATIONS, GROUP, IDENTITY, KEY, ROUTE, SITE, SOURCES
from engine.transforms.shapes import Record
from tools.make_key_tables import PAGES, marks, records, renewed, table

TEXTS = {page.stem: page.read_text(encoding="utf-8") for page in sorted(PAGES.glob("*.md"))}


@pytest.mark.parametrize("page", [page for page, text in TEXTS.items() if marks(text)])
def test_the_pages_say_what_the_schema_says(page):
    """Otherwise: `.venv/bin/python -m tools.make_key_tables`."""
    assert renewed(TEXTS[page]) == TEXTS[page]


def test_each_table_stands_on_one_page():
    """None is forgotten, none stands twice."""
    shown = [name for text in TEXTS.values() for name in marks(text)]
    assert sorted(shown) == sorted(records())


@pytest.mark.parametrize("record", [GROUP, IDENTITY, KEY, ROUTE, SITE, *SOURCES.values(), *DESTINATIONS.values()])
def test_each_key_is_in_a_table(record):
    """But those that do nothing yet."""
    rows = {name for part in records().values() for name in re.findall(r"^\| `([\w.]+)`", table(part), re.MULTILINE)}
    assert set(record.keys) - rows <= {"quirks"}


def test_a_row_has_what_is_written_and_what_holds_otherwise():
    """Durations and sizes as one writes them; what is inside a mapping stands behind it."""
    made = table(records()["sources"]) + table(records()["destinations"])
    assert "| `dedupe` | duration | `10m` |" in made
    assert "| `max_size` | size | `20MB` |" in made
    assert "| `dead_letter.lane` | `pass` or `park` or `block` | *required* |" in made
    assert made.index("| `fragments` ") < made.index("| `fragments.join` ")


def inside(record: Record) -> Iterator[str]:
    """What the keys of `retry:` say that holds unless said."""
    for name, key in record.keys.items():
        found = re.search(r"Unless said, (?:from (\d+)s to (\d+)m|(\d+))\.", key.about)
        assert found, name
        first, longest, number = found.groups()
        yield f"{name}: {number or Delays(first=float(first), longest=float(longest) * 60)}"


def test_the_sentences_of_retry_say_its_defaults():
    """They come from the configuration's records: a mapping that isn't written has no values of its own."""
    usual = Retry()
    shape = DESTINATIONS["mllp"].keys["retry"].shape
    assert isinstance(shape, Record)
    assert list(inside(shape)) == [f"{name}: {getattr(usual, name)}" for name in shape.keys]
