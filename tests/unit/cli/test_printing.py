"""Tables at every width: aligned, nothing cut, nothing split."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from engine.cli.printing import table_of

DEAD = [
    {"id": "167-0", "type": "ORU^R01", "source": "lis_ght", "destination": "dpi", "route": "results_to_dpi",
     "code": "AE 204", "field": "", "reason": "the receiver answered AE: unknown key identifier (204)",
     "attempts": 1, "group": "G.D322A3"},
    {"id": "48211-12", "type": "ADT^A08", "source": "gam_chb", "destination": "dpi", "route": "adt_to_dpi",
     "code": "E-MAP-MISS", "field": "PV1-3.1", "reason": "the table uf_dpi has no row for this unit",
     "attempts": 12, "group": "G.0815AB"},
]  # fmt: skip
COLUMNS = ("id", "type", "source", "destination", "route", "code", "field", "reason", "attempts", "group")
AT_80 = """\
id       type    source  destination route          code       attempts group
167-0    ORU^R01 lis_ght dpi         results_to_dpi AE 204            1 G.D322A3
    reason: the receiver answered AE: unknown key identifier (204)
48211-12 ADT^A08 gam_chb dpi         adt_to_dpi     E-MAP-MISS       12 G.0815AB
    field: PV1-3.1
    reason: the table uf_dpi has no row for this unit
"""
AT_40 = """\
id       type    source  destination
167-0    ORU^R01 lis_ght dpi
    route: results_to_dpi  code: AE 204
    attempts: 1  group: G.D322A3
    reason: the receiver answered AE:
    unknown key identifier (204)
48211-12 ADT^A08 gam_chb dpi
    route: adt_to_dpi  code: E-MAP-MISS
    attempts: 12  group: G.0815AB
    field: PV1-3.1
    reason: the table uf_dpi has no row
    for this unit
"""


def drawn(rows: list[dict[str, Any]], columns: tuple[Any, ...], width: int) -> str:
    """Return what a terminal of that width shows, without the blanks at the ends of lines."""
    screen = Console(width=width, file=io.StringIO(), color_system=None)
    screen.print(table_of(rows, columns))
    text: str = screen.file.getvalue()  # type: ignore[attr-defined]
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())


@pytest.mark.parametrize(("width", "text"), [(80, AT_80), (40, AT_40)])
def test_a_narrow_terminal(width: int, text: str) -> None:
    """Reasons in lines of their own, numbers to the right, ids whole."""
    assert drawn(DEAD, COLUMNS, width) == text


@pytest.mark.parametrize("width", range(24, 200, 7))
def test_nothing_is_split_or_cut_at_any_width(width: int) -> None:
    """Every short value stands somewhere, whole, and no line is longer than the terminal."""
    text = drawn(DEAD, COLUMNS, width)
    assert max(map(len, text.splitlines())) <= width
    for row in DEAD:
        for key in COLUMNS:
            if key != "reason":
                assert str(row[key]) in text
        assert str(row["reason"]) in " ".join(text.split())


def test_empty_columns_are_left_out() -> None:
    """No heading without a value."""
    assert drawn([{"name": "dpi", "why": ""}, {"name": "archive", "why": None}], ("name", "why"), 60).split() == [
        "name", "dpi", "archive",
    ]  # fmt: skip


def test_the_width_is_that_of_letters_on_the_screen() -> None:
    """Wide letters take two places."""
    rows = [{"name": "漢字漢字", "count": 1}, {"name": "x", "count": 22}]
    lines = drawn(rows, ("name", "count"), 14).splitlines()
    assert lines[1:] == ["漢字漢字     1", "x           22"]
