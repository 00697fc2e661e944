"""What is wrong with a text that isn't YAML."""

from __future__ import annotations

import pytest

from engine.routes.document import read_document
from engine.routes.findings import Findings
from engine.routes.syntax import bracketed_paths


@pytest.mark.parametrize(
    ("text", "place", "words", "hint"),
    [
        ("a: { PID-3[@ipp].4: x }\n", (1, 6, 13), "can't stand inside { }", 'write "PID-3[@ipp].4" with quotes'),
        ("a: { field: OBX[3=2160-0]-5, b: c }\n", (1, 13, 15), "OBX[3=2160-0]-5", "with quotes"),
        ("a: { b: [PID-3[*].1] }\n", (1, 10, 10), "PID-3[*].1", "with quotes"),
        ("a:\n  - label: a: b\n", (2, 13, 1), "a second", "stands in quotes"),
        ("a: [b, c\nd: e\n", (1, 4, 1), "what [ opens", "write ]"),
        ("a: {b: c\nd: e\n", (1, 4, 1), "what { opens", "write }"),
        ('a: "b\nc: d\n', (1, 4, 1), "never closed", 'write "'),
        ("a: 'b\nc: d\n", (1, 4, 1), "never closed", "write '"),
        ("a: 'it's'\n", (1, 8, 1), "behind the quoted text", "''"),
        ("a: @b\n", (1, 4, 1), "no text begins with @", "in quotes"),
        ("a: *.hpr\n", (1, 4, 5), "no text begins with *", 'write it in quotes: "*.hpr"'),
        ("a: { b: &.x, c: d }\n", (1, 9, 3), "no text begins with &", 'write it in quotes: "&.x"'),
        ("x:\n  - a\n b: c\n", (3, 2, 1), "another column", "below each other"),
        ("x:\n  a: b\n   c: d\n", (3, 5, 1), "another column", "below each other"),
        ("r:\n    from [gam]\n    when: x\n", (2, 5, 4), "no colon stands behind from", "write from: …"),
        ("r:\n  - type mllp\n    site: x\n", (2, 5, 4), "no colon stands behind type", "write type: …"),
        ("routes\n  a: b\n", (1, 1, 6), "no colon stands behind routes", "write routes: …"),
        ("x:\n\ta: b\n", (2, 1, 1), "a tab", "write blanks"),
        ("a:\n- b\nc d\n", (3, 1, 3), "a key has no value", "key: value"),
        ("a: \x07\n", (1, 1, 1), "control character", "remove it"),
    ],
)
def test_where_and_what_to_write(text, place, words, hint):
    """The caret stands where the mistake begins, not where the parser gave up."""
    findings = Findings()
    assert read_document("r.yaml", text, findings) is None
    (one,) = findings.all()
    assert one.code == "E101"
    assert (one.mark.line, one.mark.column, one.mark.width) == place
    assert words in one.sentence
    assert hint in one.hint


@pytest.mark.parametrize(
    ("line", "paths"),
    [
        ("set: { PID-3[@ipp].4.1: x, OBX[last]-5: y }", ["PID-3[@ipp].4.1", "OBX[last]-5"]),
        ("set: { \"PID-3[@ipp].1\": 'OBX[*]-5', PID-5.1: z }", []),
        ("from: [A01, A02]", []),
        ("event in [A01]", []),
        ("delete: [PID-3[5=MR], PID-19]", ["PID-3[5=MR]"]),
        ("keep: OBX[*]", ["OBX[*]"]),
        ("x: ${site.A[1]}", []),
    ],
)
def test_paths_with_brackets(line, paths):
    """Outside of quotes only."""
    assert [found[0] for found in bracketed_paths(line)] == paths
