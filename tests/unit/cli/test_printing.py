"""Tables at every width: aligned, nothing cut, nothing split."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from engine.cli.printing import _wrapped as wrapped
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
id        type     source   destination
167-0     ORU^R01  lis_ght  dpi
    route: results_to_dpi  code: AE 204
    attempts: 1  group: G.D322A3
    reason: the receiver answered AE:
    unknown key identifier (204)
48211-12  ADT^A08  gam_chb  dpi
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


GROUPS = [
    {"group": "G.99B244", "count": 12_041, "lanes": 8_123, "destination": "dossier_patient_ght",
     "route": "results_labo_ville_to_dpi", "code": "E-ID-CONFLICT", "field": "PID-3[@ipp].1",
     "detail": "the receiver answered AE: unknown key identifier (…)", "first": "4821134-0", "last": "48219999-0"},
    {"group": "G.99B245", "count": 1, "lanes": 1, "destination": "dpi", "route": "adt_to_dpi", "code": "AE 204",
     "field": "", "detail": "x", "first": "167-0", "last": "167-0"},
]  # fmt: skip


def test_wide_groups_fit_at_80() -> None:
    """Long names of routes and destinations: what has no room stands below, whole."""
    assert (
        drawn(GROUPS, tuple(GROUPS[0]), 80)
        == """\
group      count  lanes  destination          route
G.99B244  12,041  8,123  dossier_patient_ght  results_labo_ville_to_dpi
    code: E-ID-CONFLICT  first: 4821134-0  last: 48219999-0
    field: PID-3[@ipp].1
    detail: the receiver answered AE: unknown key identifier (…)
G.99B245       1      1  dpi                  adt_to_dpi
    code: AE 204  first: 167-0  last: 167-0
    detail: x
"""
    )


def test_no_line_ends_with_blanks() -> None:
    """A table in a pipe, or in a mail, isn't as wide as its longest reason."""
    screen = Console(width=2000, file=io.StringIO(), color_system=None)
    screen.print(table_of(DEAD, COLUMNS))
    lines = screen.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert [line for line in lines if line.endswith(" ")] == []


def test_a_note_is_broken_between_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal only; a command in it stays as it is typed where it has room."""
    sentence = "`passerelle code CODE` says what to do; `passerelle dead ls --group GROUP` lists one"
    assert wrapped(sentence) == sentence
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    head, _, rest = sentence[:81].rpartition(" ")
    assert wrapped(sentence).splitlines() == [head, rest + sentence[81:]]


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
