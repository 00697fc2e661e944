"""Tables of codes: CSV, as Excel writes it too."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.routes.findings import Findings
from engine.routes.tables import read_table
from engine.transforms.tables import Lookup
from tests.support.steps import grows_with, steps


def read(data: bytes):
    findings = Findings()
    return read_table("t", "t.csv", data, findings), [one.code for one in findings.all()]


def sentences(data: bytes) -> list[str]:
    findings = Findings()
    read_table("t", "t.csv", data, findings)
    return [f"{one.mark.line}: {one.sentence}" for one in findings.all()]


def test_plain():
    """A header and rows; the first column tells rows apart."""
    table, codes = read(b"code,dpi\n1,A\n2,B\n")
    assert table is not None
    assert (table.columns, table.rows, table.keys) == (("code", "dpi"), [("1", "A"), ("2", "B")], ("code",))
    assert (list(table.lines), codes) == ([2, 3], [])


@pytest.mark.parametrize(
    ("data", "codes"),
    [
        ("\ufeffcode,dpi\n1,é\n".encode(), []),
        ("\ufeffcode;dpi\n1;é\n".encode(), ["W203"]),
        ("code;dpi\r\n1;é\r\n".encode("cp1252"), ["W203", "W203"]),
        ("code\tdpi\r\n1\té\r\n".encode("utf-16"), ["W203", "W203"]),
        ("sep=;\r\ncode;dpi\r\n1;é\r\n".encode(), ["W203"]),
        ('"code";"dpi"\r\n"1";"é"\r\n'.encode(), ["W203"]),
    ],
    ids=["mark", "semicolon", "cp1252", "utf-16 and tabs", "sep", "quotes"],
)
def test_excel(data, codes):
    """What Excel writes is read; what isn't usual is told."""
    table, found = read(data)
    assert table is not None
    assert table.rows == [("1", "é")]
    assert found == codes


@pytest.mark.parametrize(
    "head",
    ["#key: site,code\nsite,code,dpi\n", "#key:site,code\nsite,code,dpi\n", "#key:site,#key:code,dpi\n",
     '"#key: site,code",,\nsite,code,dpi\n'],
)  # fmt: skip
def test_keys(head):
    """`#key:` says what tells rows apart, in a line of its own or in the header."""
    table, codes = read(head.encode() + b"cha,1,A\nchb,1,B\n")
    assert table is not None
    assert (table.keys, table.columns, codes) == (("site", "code"), ("site", "code", "dpi"), [])


def test_keys_cut_by_excel():
    """The line of keys, saved with semicolons."""
    table, _ = read(b"#key: site,code;;\nsite;code;dpi\ncha;1;A\n")
    assert table is not None
    assert table.keys == ("site", "code")


def test_twice():
    """The same key twice is an error with both lines, `*` too."""
    assert read(b"#key: site,code\nsite,code,dpi\ncha,1,A\ncha,1,B\n") == (None, ["E121"])
    assert sentences(b"#key: code\ncode,dpi\n*,A\n1,C\n*,B\n") == ["5: line 3 has the same code"]
    assert read(b"#key: town\nsite,code\ncha,1\n") == (None, ["E121"])


def test_many_faults_are_counted():
    """Twenty are shown, the rest is a number."""
    found = sentences(b"#key: code\ncode,dpi\n" + b"1,A\n" * 50)
    assert len(found) == 21
    assert found[0] == "1: 29 more rows that stand twice"


def test_dates():
    """Three forms are read; a row that ends before it begins, overlaps and what is no date are told."""
    table, codes = read(b"code,dpi,valid_from,valid_to\n1,A,,2025-12-31\n1,B,01/01/2026,\n2,C,20260101,20261231\n")
    assert table is not None
    assert [row[2:] for row in table.rows] == [("", "20251231"), ("20260101", ""), ("20260101", "20261231")]
    assert codes == []
    assert sentences(b"code,valid_from\n1,32/01/2026\n2,soon\n") == ["2: this is no date", "3: this is no date"]
    assert sentences(b"code,valid_from,valid_to\n1,20260101,20250101\n") == ["2: this row ends before it begins"]
    assert sentences(b"#key: code\ncode,dpi,valid_from,valid_to\n1,A,,20260101\n1,B,20260101,\n") == [
        "4: line 3 has the same code on the same days"
    ]


def test_codes_that_excel_rewrote():
    """1,23E+11 was a code once: a warning."""
    table, codes = read(b'code,dpi\n"1,23E+11",A\n12E4,B\n')
    assert table is not None
    assert codes == ["W203"]


def test_broken():
    """Empty tables, ragged rows, nameless columns and open quotes are errors."""
    assert read(b"")[1] == ["E121"]
    assert read(b"a,b\n1\n")[1] == ["E121"]
    assert read(b"a,a\n1,2\n")[1] == ["E121"]
    assert read(b'a,b\n"1,2\n')[1] == ["E121"]


def test_a_hundred_thousand_rows():
    """Reading and indexing them costs some ten times what ten thousand do; the last is found like the first."""

    def reading(count: int) -> Callable[[], object]:
        rows = "".join(f"cha,{number:06d},T{number % 900},Unit {number % 900}\n" for number in range(count))
        data = ("#key: site,code\nsite,code,dpi,label\n" + rows).encode()
        return lambda: indexed(data)

    def indexed(data: bytes) -> Lookup:
        table, codes = read(data)
        assert table is not None
        assert codes == []
        lookup = table.lookup(("site", "code"))
        assert lookup is table.lookup(["site", "code"])
        return lookup

    grows_with(reading, 10_000)
    lookup = reading(100_000)()
    for number in range(0, 100_000, 10):
        assert lookup.find(("cha", f"{number:06d}")) is not None
    assert steps(lambda: lookup.find(("cha", "099999"))) == steps(lambda: lookup.find(("cha", "000000"))) < 10
