"""
Make the tables of keys in docs/routes: what `routes.yaml` takes, as the schema says it.

    .venv/bin/python -m tools.make_key_tables

A page marks where a table stands with a comment, `<!-- keys: sources.mllp -->`; the table below it is made anew. A
test compares (tests/unit/routes/schema/test_key_tables.py), so a key, its default and its sentence are written once:
in engine/routes/schema.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from engine.routes.schema import DESTINATIONS, GROUP, IDENTITY, KEY, PARAM, ROUTE, SITE, SOURCES
from engine.routes.schema.words import Charset, Size
from engine.transforms.shapes import (
    Choice,
    Duration,
    Either,
    Key,
    ListOf,
    Pairs,
    Raw,
    Record,
    Reserved,
    Shape,
)

PAGES: Final = Path(__file__).resolve().parents[1] / "docs" / "routes"
_MARK: Final = re.compile(r"(<!-- keys: ([a-z.]+) -->\n)\n*(?:\|.*\n)*\n*")
_HEAD: Final = "| key | takes | default | |\n| --- | --- | --- | --- |\n"
_TIMES: Final = ((86400, "d"), (3600, "h"), (60, "m"), (1, "s"))


def records() -> dict[str, Record]:
    """Return what a page may show: sections, and of sources and destinations what all have and what one type has."""
    made = {"group": GROUP, "identity": IDENTITY, "sites": SITE, "keys": KEY, "params": PARAM, "routes": ROUTE}
    for name, types in (("sources", SOURCES), ("destinations", DESTINATIONS)):
        first, *others = types.values()
        common = {word: key for word, key in first.keys.items() if all(one.keys.get(word) is key for one in others)}
        made[name] = Record(common)
        for kind, record in types.items():
            made[f"{name}.{kind}"] = Record({word: key for word, key in record.keys.items() if word not in common})
    return made


def table(record: Record) -> str:
    """Return the table of a record's keys, with those of the mappings inside; Markdown."""
    rows = [
        f"| `{name}` | {_cell(_takes(key.shape))} | {_default(key)} | {_cell(key.about)} |\n"
        for name, key in _keys(record, "")
    ]
    return _HEAD + "".join(rows)


def renewed(text: str) -> str:
    """Return a page with its tables as the schema says them today."""
    known = records()
    made = _MARK.sub(lambda found: f"{found[1]}\n{table(known[found[2]])}\n", text)
    return made.rstrip("\n") + "\n"


def marks(text: str) -> list[str]:
    """Return the names of the tables that a page shows."""
    return [found[2] for found in _MARK.finditer(text)]


def _keys(record: Record, before: str) -> Iterator[tuple[str, Key]]:
    """Yield each key with its way, those of the mapping that it takes behind it."""
    for name, key in record.keys.items():
        if isinstance(key.shape, Reserved):
            continue
        yield before + name, key
        inner, way = _inside(key.shape)
        if inner is not None:
            yield from _keys(inner, f"{before}{name}.{way}")


def _inside(shape: Shape) -> tuple[Record | None, str]:
    """Return the mapping inside a shape, and what stands between the key and its keys."""
    match shape:
        case Record():
            return shape, ""
        case Either():
            return _inside(shape.other)
        case ListOf():
            return _inside(shape.of)
        case Pairs():
            inner, way = _inside(shape.value)
            return inner, f"NAME.{way}"
        case _:
            return None, ""


def _takes(shape: Shape) -> str:
    match shape:
        case Choice():
            return " or ".join(f"`{word}`" for word in shape.words)
        case Either():
            return f"{_takes(shape.scalar)}, or {_takes(shape.other)}"
        case ListOf():
            one = _takes(shape.of)
            return f"{one}, or a list of them" if shape.single else f"list, each: {one}"
        case Pairs():
            return f"mapping: {_takes(shape.key)} to {_takes(shape.value)}"
        case Raw() if shape.later is not None:
            return _takes(shape.later)
        case Raw():
            return "its own form"
        case Record():
            return "mapping"
        case _:
            return shape.wants.partition(":")[0].removeprefix("a ").removeprefix("an ")


def _default(key: Key) -> str:
    if key.required:
        return "*required*"
    value = _written(key.shape, key.default)
    return f"`{value}`" if value else ""


def _written(shape: Shape, value: Any) -> str:
    if value is None or value == "":
        return ""
    match shape:
        case Duration():
            return _duration(value)
        case Size():
            return f"{value // 1_000_000}MB"
        case Charset():
            return str(value).upper()
        case _:
            return str(value)


def _duration(seconds: float) -> str:
    size, unit = next(((size, unit) for size, unit in _TIMES if seconds and seconds % size == 0), (1, ""))
    return f"{seconds / size:g}{unit}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main() -> None:
    """Write the tables of all pages."""
    for page in sorted(PAGES.glob("*.md")):
        before = page.read_text(encoding="utf-8")
        after = renewed(before)
        if after != before:
            page.write_text(after, encoding="utf-8")


if __name__ == "__main__":
    main()
