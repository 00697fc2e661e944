"""Tables of codes: CSV, as Excel writes it too."""

from __future__ import annotations

from engine.routes.findings import Findings
from engine.routes.tables import read_table


def read(data: bytes):
    findings = Findings()
    return read_table("t", "t.csv", data, findings), [one.code for one in findings.all()]


def test_plain():
    """A header and rows; the first column tells rows apart."""
    found, codes = read(b"code,dpi\n1,A\n2,B\n")
    assert found is not None
    table, keys = found
    assert (table.columns, table.rows, keys, codes) == (("code", "dpi"), [("1", "A"), ("2", "B")], ("code",), [])


def test_excel():
    """A byte order mark, `;` and Windows-1252 are read; the last two are told."""
    found, codes = read("\ufeffcode;dpi\n1;é\n".encode())
    assert found is not None
    assert codes == ["W203"]
    found, codes = read("code;dpi\r\n1;é\r\n".encode("cp1252"))
    assert found is not None
    assert found[0].rows == [("1", "é")]
    assert codes == ["W203", "W203"]


def test_keys_and_duplicates():
    """`#key:` names what tells rows apart; the same twice is an error with both lines."""
    found, codes = read(b"#key: site,code\nsite,code,dpi\ncha,1,A\nchb,1,B\n")
    assert found is not None
    assert found[1] == ("site", "code")
    assert codes == []
    assert read(b"#key: site,code\nsite,code,dpi\ncha,1,A\ncha,1,B\n") == (None, ["E121"])
    assert read(b"#key: town\nsite,code\ncha,1\n") == (None, ["E121"])


def test_broken():
    """Empty tables, ragged rows, nameless columns and open quotes are errors."""
    assert read(b"")[1] == ["E121"]
    assert read(b"a,b\n1\n")[1] == ["E121"]
    assert read(b"a,a\n1,2\n")[1] == ["E121"]
    assert read(b'a,b\n"1,2\n')[1] == ["E121"]
